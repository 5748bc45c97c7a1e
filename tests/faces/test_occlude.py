import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces_to_find import CARDS
from matplotlib.path import Path as Outline

from fer_lib.errors import StudyError
from fer_lib.faces.fabric import COVERS, MASKS
from fer_lib.faces.geometry import eye_distance
from fer_lib.faces.occlude import FIXED, average_mesh, cover, fixed_mesh
from fer_lib.synthetic.draw import draw
from fer_lib.synthetic.mesh import LEFT_EYE, N_FACE, RIGHT_EYE
from fer_lib.synthetic.shot import draw_shot

# size, degrees of yaw, action units, and whether the picture is grey
POSES = {
    "straight": (96, 0, {}, False),
    "left": (96, -28, {12: 1.0}, False),
    "right": (96, 25, {}, False),
    "open mouth": (96, 0, {26: 1.0}, False),
    "large": (144, 10, {}, False),
    "grey": (48, 0, {}, True),
    "grey and turned": (48, 20, {26: 0.8}, True),
}
GREY = ("grey", "grey and turned")
LIPS = (13, 14, 61, 291)
NOSE_TIP = (1, 4)


@pytest.fixture(scope="module")
def faces():
    """A picture and its drawn landmarks by the names of `POSES`."""
    return {name: drawn(card, *pose) for card, (name, pose) in zip(CARDS[::2], POSES.items(), strict=False)}


def drawn(card, size, yaw, units, grey):
    still = draw_shot(np.random.default_rng(0), "office", difficulty=0)
    shot = replace(still, x=0.5, y=0.64, scale=0.3, companion=None, yaw=float(yaw))
    drawing = draw(card.person, units, shot, size)
    picture = cv2.cvtColor(drawing.picture, cv2.COLOR_RGB2GRAY) if grey else drawing.picture
    return picture, drawing.landmarks


def worn(face, kind, seed=0):
    return cover(*face, kind, np.random.default_rng(seed))


def depth(points, outlines):
    """How many pixels points (n, 2) lie inside of the nearest outline; outside of all it is negative."""
    found = []
    for outline in outlines:
        start = outline.astype(float)
        along = np.roll(start, -1, 0) - start
        away = points[:, None] - start
        share = np.clip((away * along).sum(-1) / (along**2).sum(-1), 0, 1)
        distance = np.linalg.norm(away - share[..., None] * along, axis=-1).min(1)
        found.append(np.where(Outline(start).contains_points(points), distance, -distance))
    return np.max(found, 0)


def depths(picture, outlines):
    """The same for every pixel of a picture."""
    height, width = picture.shape[:2]
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2)
    return depth(pixels.astype(float), outlines).reshape(height, width)


def changed(first, second):
    differs = first != second
    return differs if differs.ndim == 2 else differs.any(-1)


def eye_centres(mesh):
    return np.array([mesh[list(eye)].mean(0) for eye in (RIGHT_EYE, LEFT_EYE)])


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", COVERS)
def test_pixels_that_no_outline_touches_stay(faces, kind, pose):
    bare = faces[pose][0]
    masked = worn(faces[pose], kind)
    corner = np.sqrt(0.5)  # from a pixel's centre
    untouched = depths(bare, masked.outlines) < -corner - 0.5
    assert untouched.sum() > 0.3 * untouched.size
    assert not changed(masked.picture, bare)[untouched].any()


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", [*MASKS, "headset"])
def test_pixels_well_inside_the_first_outline_change(faces, kind, pose):
    bare = faces[pose][0]
    masked = worn(faces[pose], kind)
    deep = depths(bare, masked.outlines[:1]) > 1.5
    assert deep.sum() > 0.07 * deep.size
    assert changed(masked.picture, bare)[deep].mean() >= (0.95 if pose in GREY else 1)  # a grey may be met by chance


@pytest.mark.parametrize("pose", ["straight", "grey"])
@pytest.mark.parametrize("kind", COVERS)
def test_a_seed_decides_on_the_material(faces, kind, pose):
    looks = [worn(faces[pose], kind, seed) for seed in range(8)]
    assert np.array_equal(looks[3].picture, worn(faces[pose], kind, 3).picture)
    assert len({look.picture.tobytes() for look in looks}) >= (8 if kind == "cloth" else 2)
    assert all(np.array_equal(look.outlines[0], looks[0].outlines[0]) for look in looks)


@pytest.mark.parametrize("pose", ["straight", "grey"])
@pytest.mark.parametrize("kind", COVERS)
def test_a_picture_keeps_its_form_and_the_bare_one_its_pixels(faces, kind, pose):
    picture, mesh = (part.copy() for part in faces[pose])
    masked = worn((picture, mesh), kind)
    assert (masked.picture.shape, masked.picture.dtype) == (picture.shape, np.uint8)
    assert np.array_equal(picture, faces[pose][0])
    assert np.array_equal(mesh, faces[pose][1])
    assert not np.shares_memory(masked.picture, picture)
    assert all(outline.dtype == np.float32 and outline.shape[1] == 2 for outline in masked.outlines)


def test_an_unknown_kind_is_refused_and_the_known_ones_named(faces):
    with pytest.raises(StudyError, match=r"'scarf' is no cover.* surgical, respirator, cloth, sunglasses, headset"):
        worn(faces["straight"], "scarf")


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_hides_mouth_nose_tip_and_chin_and_no_eye(faces, kind, pose):
    mesh = faces[pose][1].astype(float)
    outlines = worn(faces[pose], kind).outlines
    assert depth(mesh[[*LIPS, *NOSE_TIP, 0, 17, 199]], outlines[:1]).min() > 0
    assert depth(mesh[[*RIGHT_EYE, *LEFT_EYE]], outlines).max() < 0


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", ["sunglasses", "headset"])
def test_what_is_worn_on_the_eyes_hides_them_and_no_mouth(faces, kind, pose):
    mesh = faces[pose][1].astype(float)
    outlines = worn(faces[pose], kind).outlines
    assert depth(eye_centres(mesh), outlines).min() > 0
    assert depth(mesh[[*LIPS, 0, 17]], outlines).max() < 0


@pytest.mark.parametrize("kind", MASKS)
def test_a_jaw_that_drops_takes_its_mask_along(kind):
    low = {}
    for units in ({}, {26: 1.0}):
        face = drawn(CARDS[0], 96, 0, units, False)
        outline = worn(face, kind).outlines[0]
        low[len(units)] = outline[:, 1].max(), face[1][152, 1], outline[:, 1].min()
    mask, jaw, top = np.subtract(low[1], low[0])
    assert jaw > 2
    assert mask == pytest.approx(jaw, rel=0.3)
    assert abs(top) < 0.2 * jaw


@pytest.mark.parametrize("away", [(500, 0), (-500, 0), (0, 500), (0, -500), (-9000, 9000)])
@pytest.mark.parametrize("kind", COVERS)
def test_a_face_outside_of_the_picture_changes_nothing(faces, kind, away):
    picture, mesh = faces["straight"]
    masked = cover(picture, mesh + away, kind, np.random.default_rng(0))
    assert np.array_equal(masked.picture, picture)
    assert len(masked.outlines) == len(worn(faces["straight"], kind).outlines)


@pytest.mark.parametrize("away", [(50, 0), (-50, 0), (0, 45), (0, -45)])
@pytest.mark.parametrize("kind", COVERS)
def test_a_face_that_leaves_the_picture_is_covered_as_far_as_it_is_seen(faces, kind, away):
    picture, mesh = faces["straight"]
    masked = cover(picture, mesh + away, kind, np.random.default_rng(0))
    inside = depths(picture, masked.outlines)
    differs = changed(masked.picture, picture)
    assert not differs[inside < -1.21].any()
    assert (differs | (inside < 1.5)).mean() > 0.99


@pytest.mark.parametrize("shape", [(96, 96, 3), (96, 96)])
@pytest.mark.parametrize("kind", COVERS)
def test_a_black_picture_is_covered_without_a_warning(kind, shape):
    black = np.zeros(shape, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        masked = cover(black, fixed_mesh(0, 0, 96), kind, np.random.default_rng(0))
    assert changed(masked.picture, black).any()


@pytest.mark.parametrize("step", [(7, 0), (-5, 11)])
@pytest.mark.parametrize("kind", COVERS)
def test_a_face_moved_by_whole_pixels_takes_its_cover_along(faces, kind, step):
    picture, mesh = faces["right"]
    wide = np.pad(picture, ((20, 20), (20, 20), (0, 0)), mode="edge")
    here = cover(wide, mesh + 20, kind, np.random.default_rng(1))
    there = cover(np.roll(wide, step[::-1], (0, 1)), mesh + 20 + step, kind, np.random.default_rng(1))
    assert all(np.allclose(b, a + step, atol=1e-3) for a, b in zip(here.outlines, there.outlines, strict=True))
    apart = np.abs(np.roll(here.picture, step[::-1], (0, 1)).astype(int) - there.picture)
    assert (apart > 0).mean() < 1e-3  # places are rounded elsewhere
    assert apart.max() <= 8


@pytest.mark.parametrize("factor", [2, 3])
def test_in_an_enlarged_picture_the_outlines_are_as_much_larger(faces, factor):
    picture, mesh = faces["left"]
    large = picture.repeat(factor, 0).repeat(factor, 1)
    outlines = cover(large, (mesh + 0.5) * factor - 0.5, "cloth", np.random.default_rng(0)).outlines
    for small, wide in zip(worn(faces["left"], "cloth").outlines, outlines, strict=True):
        assert np.allclose(wide, (small + 0.5) * factor - 0.5, atol=0.02)


@pytest.mark.parametrize("lit", ["right", "left"])
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("colour", [True, False])
def test_the_lit_side_of_a_face_is_the_lighter_side_of_its_mask(kind, lit, colour):
    slope = np.linspace(70, 200, 96)[:: 1 if lit == "right" else -1]
    picture = np.repeat(slope[None], 96, 0).astype(np.uint8)
    picture = np.repeat(picture[..., None], 3, 2) if colour else picture
    masked = cover(picture, fixed_mesh(0, 0, 96), kind, np.random.default_rng(0))
    inside = depths(picture, masked.outlines[:1]) > 2
    middle = int(FIXED[0] * 96)
    sides = [masked.picture[:, part][inside[:, part]].mean() for part in (slice(middle), slice(middle, None))]
    dark, light = sides if lit == "right" else sides[::-1]
    assert light > 1.15 * dark


@pytest.mark.parametrize("kind", MASKS)
def test_a_face_in_the_dark_wears_a_darker_mask(kind):
    levels = []
    for brightness in (20, 90, 160):
        picture = np.full((96, 96), brightness, np.uint8)
        masked = cover(picture, fixed_mesh(0, 0, 96), kind, np.random.default_rng(0))
        levels.append(masked.picture[depths(picture, masked.outlines[:1]) > 2].mean())
    assert levels[0] < levels[1] < levels[2]


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("kind", COVERS)
def test_a_cover_betrays_nothing_of_what_lies_deep_below_it(faces, kind, pose, rng):
    picture, mesh = faces[pose]
    masked = worn(faces[pose], kind)
    deep = depths(picture, masked.outlines[:3] if kind == "sunglasses" else masked.outlines[:1])
    deep = deep > max(1.5, 0.2 * eye_distance(mesh))
    other = picture.copy()
    other[deep] = rng.integers(0, 256, other[deep].shape)
    assert deep.sum() > 20
    assert np.array_equal(worn((other, mesh), kind).picture, masked.picture)


@pytest.mark.parametrize("kind", COVERS)
def test_on_a_straight_face_nothing_at_all_below_the_cover_counts(kind, rng):
    picture = rng.integers(90, 160, (112, 112, 3), np.uint8)
    face = fixed_mesh(0, 0, 112)
    masked = cover(picture, face, kind, np.random.default_rng(0))
    below = depths(picture, masked.outlines[:3] if kind == "sunglasses" else masked.outlines[:1]) > 1.5
    other = picture.copy()
    other[below] = 0
    assert np.array_equal(cover(other, face, kind, np.random.default_rng(0)).picture, masked.picture)


@pytest.mark.parametrize("pose", ["straight", "left", "grey"])
@pytest.mark.parametrize("kind", COVERS)
def test_a_mouth_that_moves_moves_no_cover(faces, kind, pose):
    picture, mesh = faces[pose]
    moved = mesh.copy()
    moved[list(LIPS)] += ((0, -3), (0, 6), (-4, 2), (5, -1))
    masked, other = worn(faces[pose], kind), worn((picture, moved), kind)
    assert np.array_equal(masked.picture, other.picture)
    assert all(np.array_equal(a, b) for a, b in zip(masked.outlines, other.outlines, strict=True))


def test_a_mesh_with_irises_and_depths_is_as_good_as_one_without(faces):
    picture, mesh = faces["right"]
    whole = np.hstack([np.vstack([mesh, np.full((10, 2), 7)]), np.full((N_FACE + 10, 1), 9)]).astype(np.float32)
    assert np.array_equal(worn((picture, whole), "surgical").picture, worn(faces["right"], "surgical").picture)


def test_the_eyes_of_the_fixed_mesh_lie_where_faces_have_theirs():
    right, left = eye_centres(fixed_mesh(10, 20, 100))
    # 0.495 and 0.385 of 100 beyond (10, 20), where the first pixel's own centre is half a pixel inside; 35 apart
    assert (right + left) / 2 == pytest.approx([59, 58], abs=0.2)
    assert left - right == pytest.approx([35, 0], abs=0.2)
    assert fixed_mesh(0, 0, 48).shape == (N_FACE, 2)


@pytest.mark.parametrize(
    ("box", "found", "square"),
    [
        ([20.0, 10.0, 50.0], (0, 0, 9, 9), (20, 10, 50)),
        (None, (30, 25, 40, 30), (24, 14, 52)),  # 1.3 times the longer side, around the same middle
        (None, (25, 30, 30, 40), (14, 24, 52)),
        (None, None, (30, 0, 60)),
    ],
)
def test_the_average_face_lies_in_the_named_box_else_the_found_one_else_the_picture(box, found, square):
    found = None if found is None else np.array(found, np.float32)
    assert np.allclose(average_mesh(box, found, (60, 120, 3)), fixed_mesh(*square))


@pytest.mark.parametrize("kind", COVERS)
def test_on_the_average_face_a_cover_is_as_wide_left_as_right(kind):
    picture = np.zeros((200, 200), np.uint8)
    outlines = cover(picture, fixed_mesh(0, 0, 200), kind, np.random.default_rng(0)).outlines
    points = np.concatenate(outlines)
    mirrored = np.stack((2 * (FIXED[0] * 200 - 0.5) - points[:, 0], points[:, 1]), 1)
    apart = np.linalg.norm(points[:, None] - mirrored, axis=-1).min(1)
    assert apart.max() < 0.5


@pytest.mark.parametrize("kind", COVERS)
def test_every_material_has_a_colour_in_every_place_for_every_seed(kind):
    x, y = np.meshgrid(np.linspace(-1.4, 1.4, 40), np.linspace(-0.7, 2, 50))
    for seed in range(20):
        colours = COVERS[kind].paint(x, y, np.random.default_rng(seed))
        assert colours.shape == (50, 40, 3)
        assert np.isfinite(colours).all()
