"""A head: ears, what lies in the holes of the face, and the shaded face surface."""

from collections.abc import Mapping

import numpy as np

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import Canvas, mix, scaled
from fer_lib.synthetic.features import paint_eyes, paint_lids, paint_mouth
from fer_lib.synthetic.mesh import OVAL
from fer_lib.synthetic.person import Person
from fer_lib.synthetic.skin import flat, paint_skin, sample
from fer_lib.synthetic.surface import Patch, rasterise

CHIN_TIP = 152
BEARD_FRINGES = {"full": (0.26, 8), "goatee": (0.13, 3)}  # how far it stands out, and how far along the jaw
# In shadow skin loses blue before red.
SHADOW_POWER = np.array([0.9, 1.08, 1.18], np.float32)


def paint_head(
    canvas: Canvas,
    person: Person,
    rest: np.ndarray,
    face: np.ndarray,
    units: Mapping[int, float],
    gaze: tuple[float, float],
    pose: Pose,
    light: Light,
) -> None:
    """Paint the head.

    Parameters
    ----------
    rest, face : the person's face (468, 3) at rest and now, in head coordinates
    units : intensities 0-1 by action unit, for the wrinkles
    gaze : horizontal and vertical, -1 to 1
    """
    _paint_ears(canvas, person, rest, pose, light)
    if person.beard in BEARD_FRINGES:
        _paint_beard_fringe(canvas, person, face, pose, light)
    paint_mouth(canvas, person, rest, face, pose)
    paint_eyes(canvas, person, face, gaze, pose, light)
    patch = rasterise(face, flat(), pose, len(canvas.image))
    if patch is not None:
        _paint_surface(canvas, patch, paint_skin(person, units), light)
    paint_lids(canvas, person, face, pose)


def _paint_surface(canvas: Canvas, patch: Patch, texture: np.ndarray, light: Light) -> None:
    x, y = patch.corner
    h, w = patch.hit.shape
    colours = shaded(sample(texture, patch.at), patch.normal, light)
    canvas.image[y : y + h, x : x + w][patch.hit] = colours[patch.hit]
    canvas.covered[y : y + h, x : x + w][patch.hit] = 255


def shaded(colours: np.ndarray, normal: np.ndarray, light: Light) -> np.ndarray:
    """Skin colours (h, w, 3) under a light: uint8."""
    length = np.sqrt(np.einsum("ijk,ijk->ij", normal, normal)) + 1e-6
    normal = normal / length[..., None]
    shade = np.maximum(light.shade(normal), 0.15)[..., None] ** SHADOW_POWER
    half = np.asarray(light.direction, np.float32) + np.array((0, 0, 1), np.float32)
    gloss = np.maximum(normal @ (half / np.linalg.norm(half)).astype(np.float32), 0) ** 24
    return np.clip(colours * shade + (16 * light.strength) * gloss[..., None], 0, 255).astype(np.uint8)


def _paint_beard_fringe(canvas: Canvas, person: Person, face: np.ndarray, pose: Pose, light: Light) -> None:
    """The part of a beard that stands out beyond the jaw."""
    length, half = BEARD_FRINGES[person.beard]
    middle = OVAL.index(CHIN_TIP)
    edge = face[list(OVAL[middle - half : middle + half + 1])]
    strands = np.random.default_rng(person.texture_seed).uniform(0.8, 1.1, len(edge))
    reach = length * strands * np.cos(np.linspace(-1.35, 1.35, len(edge)))
    hanging = edge + np.outer(reach, (0, 1, 0.1)) + np.outer(0.3 * reach * np.sign(edge[:, 0]), (1, 0, 0))
    tone = scaled(person.hair, 0.85 * float(light.shade(pose.directions(np.array((0, 0.5, 0.85))))))
    outline = pose.project(np.vstack((edge * (0.9, 0.9, 1), hanging[::-1])))[:, :2]
    canvas.fill(outline, tone)


def _paint_ears(canvas: Canvas, person: Person, rest: np.ndarray, pose: Pose, light: Light) -> None:
    for side, vertex in ((-1, 234), (1, 454)):
        centre = rest[vertex] + (side * 0.06, -0.02, -0.2)
        normal = pose.directions(np.array((side * 0.7, 0, 0.7)))
        tone = mix(scaled(person.skin, float(light.shade(normal))), (190, 80, 70), 0.12)
        for grow, level in ((1.0, 1.0), (0.68, 0.78), (0.42, 0.92)):
            canvas.fill(_ear(centre, side, grow, pose), scaled(tone, level))


def _ear(centre: np.ndarray, side: int, grow: float, pose: Pose) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    height = 0.33 * np.sin(angle)
    depth = 0.2 * np.cos(angle) * (1 - 0.45 * np.sin(angle))
    points = np.stack((side * 0.5 * (depth + 0.1), height, -0.8 * depth), 1)
    return pose.project(centre + grow * points)[:, :2]
