from dataclasses import replace

import numpy as np
import pytest

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import Canvas
from fer_lib.synthetic.face_masks import FACE_MASKS, paint_face_mask

SIDE = 448
FRONTAL = Pose(0.0, 0.0, 0.0, 66.0, 224.0, 260.0)
LIGHT = Light((-0.4, -0.5, 0.77), 0.6, (1.0, 1.0, 1.0))
SKIN = (200, 160, 130)
EYES = np.array([(-0.5, 0.0, 0.0), (0.5, 0.0, 0.0)])
NOSE_TIP, MOUTH, CHIN = (0.0, 0.53, 0.49), (0.0, 1.08, 0.23), (0.0, 1.76, 0.06)
# The vertices that masks hold on to: of the middle, and of one side with those opposite.
MIDDLE = {
    10: (-0.83, 0.1), 197: (0.17, 0.31), 4: (0.53, 0.49), 1: (0.64, 0.47), 0: (1.0, 0.29),
    17: (1.2, 0.25), 18: (1.35, 0.18), 200: (1.46, 0.18), 152: (1.76, 0.06),
}  # fmt: skip
SIDES = {
    (137, 366): (-1.05, 0.5, -0.45), (54, 284): (-0.9, -0.5, -0.3),
    (101, 330): (-0.54, 0.42, 0.08), (177, 401): (-1.0, 0.71, -0.43), (205, 425): (-0.62, 0.66, 0.1),
    (36, 266): (-0.47, 0.55, 0.12), (215, 435): (-0.94, 0.92, -0.39), (207, 427): (-0.69, 0.82, 0.04),
    (216, 436): (-0.55, 0.91, 0.09), (172, 397): (-0.82, 1.19, -0.47), (138, 367): (-0.84, 1.11, -0.29),
    (210, 430): (-0.58, 1.28, -0.03), (202, 422): (-0.51, 1.21, 0.04), (136, 365): (-0.71, 1.34, -0.32),
    (149, 378): (-0.46, 1.58, -0.12), (150, 379): (-0.58, 1.48, -0.21), (127, 356): (-1.09, 0.06, -0.68),
}  # fmt: skip


def face(jaw_drop: float = 0.0) -> np.ndarray:
    """A stand-in for a face's mesh: only the vertices that count are in place."""
    vertices = np.zeros((468, 3))
    for vertex, (y, z) in MIDDLE.items():
        vertices[vertex] = (0, y, z)
    for (left, right), (x, y, z) in SIDES.items():
        vertices[left], vertices[right] = (x, y, z), (-x, y, z)
    vertices[vertices[:, 1] > 1.15, 1] += jaw_drop
    return vertices


def blank() -> Canvas:
    return Canvas(np.full((SIDE, SIDE, 3), SKIN, np.uint8), np.zeros((SIDE, SIDE), np.uint8))


def pixel(point, pose: Pose = FRONTAL) -> tuple[int, int]:
    """Row and column of a point in head coordinates."""
    x, y = np.rint(pose.project(np.array(point))[:2]).astype(int)
    return int(y), int(x)


def masked(style: str, pose: Pose = FRONTAL, vertices: np.ndarray | None = None) -> np.ndarray:
    return paint_face_mask(blank(), face() if vertices is None else vertices, pose, LIGHT, style)


@pytest.mark.parametrize("style", FACE_MASKS)
@pytest.mark.parametrize("yaw", [-30.0, 0.0, 30.0])
def test_every_mask_covers_mouth_nose_tip_and_chin_and_no_eye(style, yaw):
    pose = replace(FRONTAL, yaw=yaw)
    covers = masked(style, pose)
    assert all(covers[pixel(point, pose)] for point in (NOSE_TIP, MOUTH, CHIN))
    for eye in EYES:
        row, column = pixel(eye, pose)
        assert not covers[row - 10 : row + 10, column - 14 : column + 14].any()


def test_a_mask_follows_yaw():
    middles = [np.nonzero(masked("surgical", replace(FRONTAL, yaw=yaw)))[1].mean() for yaw in (-25.0, 0.0, 25.0)]
    assert middles[0] + 15 < middles[1] < middles[2] - 15


def test_a_mask_follows_an_open_jaw():
    closed, dropped = (np.nonzero(masked("cloth", vertices=face(jaw)))[0].max() for jaw in (0.0, 0.4))
    assert dropped - closed == pytest.approx(0.4 * FRONTAL.scale, abs=3)


@pytest.mark.parametrize("style", FACE_MASKS)
def test_the_returned_pixels_are_painted_and_belong_to_the_person(style):
    canvas = blank()
    covers = paint_face_mask(canvas, face(), FRONTAL, LIGHT, style)
    changed = (canvas.image != SKIN).any(2)
    assert covers.dtype == bool
    assert changed[covers].mean() > 0.99
    assert (canvas.covered[covers] == 255).all()


@pytest.mark.parametrize("style", FACE_MASKS)
def test_the_same_face_has_the_same_mask_whatever_the_expression(style):
    images = []
    for jaw in (0.0, 0.3):
        canvas = blank()
        paint_face_mask(canvas, face(jaw), FRONTAL, LIGHT, style)
        images.append(canvas.image[pixel((0.25, 0.6, 0.3))].astype(int))
    assert np.abs(images[0] - images[1]).max() < 40


def test_an_unknown_mask_is_named():
    with pytest.raises(ValueError, match=r"'bandana'.*surgical, respirator, cloth"):
        masked("bandana")


def test_a_mask_outside_the_picture_covers_nothing():
    assert not masked("surgical", replace(FRONTAL, x=-900.0)).any()
