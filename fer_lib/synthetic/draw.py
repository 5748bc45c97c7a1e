"""One picture, painted from back to front, and the truth about it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer_lib.synthetic import mesh
from fer_lib.synthetic.action_units import displace
from fer_lib.synthetic.anatomy import rest_face
from fer_lib.synthetic.body import paint_body
from fer_lib.synthetic.canvas import Canvas
from fer_lib.synthetic.face_masks import paint_face_mask
from fer_lib.synthetic.glasses import paint_glasses
from fer_lib.synthetic.hair import paint_hair_behind, paint_hair_front
from fer_lib.synthetic.head import paint_head
from fer_lib.synthetic.person import Person, draw_person
from fer_lib.synthetic.places import draw_place
from fer_lib.synthetic.shot import Shot

SUPERSAMPLING = 2
SMALLEST = 48
REGIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "brows": (mesh.RIGHT_BROW, mesh.LEFT_BROW),
    "eyes": (mesh.RIGHT_EYE, mesh.LEFT_EYE),
    "nose": (mesh.NOSE,),
    "cheeks": (mesh.RIGHT_CHEEK, mesh.LEFT_CHEEK),
    "mouth": (mesh.OUTER_LIPS,),
    "chin": (mesh.CHIN,),
}


@dataclass(frozen=True, eq=False)
class Drawing:
    """A picture and its truth.

    picture : (size, size, 3) uint8, RGB
    landmarks : (468, 2) float32, x and y in pixels, in the order of mediapipe's Face Mesh
    person_mask : (size, size) bool, where the person is
    others_mask : (size, size) bool, where a second person is
    """

    picture: np.ndarray
    landmarks: np.ndarray
    person_mask: np.ndarray
    others_mask: np.ndarray

    @property
    def face_box(self) -> tuple[float, float, float]:
        """A square around the face: x and y of its corner, and its side, in pixels."""
        low, high = self.landmarks.min(0), self.landmarks.max(0)
        side = 1.1 * float((high - low).max())
        x, y = (low + high) / 2 - side / 2
        return float(x), float(y), side

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """Where each part of the face lies, whether or not something hides it: (size, size) bool by name."""
        return {name: self._filled(rings) for name, rings in REGIONS.items()}

    def _filled(self, rings: tuple[tuple[int, ...], ...]) -> np.ndarray:
        mask = np.zeros(self.person_mask.shape, np.uint8)
        if np.isfinite(self.landmarks).all():
            cv2.fillPoly(mask, [np.rint(self.landmarks[list(ring)] * 16).astype(np.int32) for ring in rings], 1, 8, 4)
        return mask.astype(bool)


def draw(person: Person, action_units: Mapping[int, float], shot: Shot, size: int = 224, side: str = "both") -> Drawing:
    """Draw a person with an expression, in a scene.

    Parameters
    ----------
    action_units : intensity 0-1 by FACS number, of ACTION_UNITS; the ones left out are at rest
    shot : pose, light, place, camera
    size : side of the picture in pixels, at least 48
    side : "left" or "right" restricts action units 12 and 14 to that half of the mouth (contempt)

    Raises
    ------
    ValueError
        For an unknown action unit or place, an intensity outside 0-1, and a size too small to draw.
    """
    if size < SMALLEST:
        raise ValueError(f"size is {size} pixels; a person in a scene needs at least {SMALLEST}.")
    rest = rest_face(person.shape)
    face = displace(rest, action_units, side)
    canvas = _open_canvas(shot, size)
    if shot.companion is not None:
        _paint_companion(canvas, shot)
    others = _shrink(canvas.covered, size)
    canvas.covered[:] = 0
    _paint_person(canvas, person, rest, face, action_units, shot)
    person_cover = _shrink(canvas.covered, size)
    landmarks = _landmarks(face, shot, size)
    picture = _photograph(_shrink(canvas.image, size), np.maximum(others, person_cover), shot)
    return Drawing(picture, landmarks, person_cover > 127, (others > 127) & (person_cover <= 127))


def _landmarks(face: np.ndarray, shot: Shot, size: int) -> np.ndarray:
    """In the picture's pixels, whose centres are the whole numbers, as OpenCV counts."""
    on_canvas = shot.pose(SUPERSAMPLING * size).project(face)[:, :2]
    return ((on_canvas - (SUPERSAMPLING - 1) / 2) / SUPERSAMPLING).astype(np.float32)


def _open_canvas(shot: Shot, size: int) -> Canvas:
    side = SUPERSAMPLING * size
    scene = draw_place(shot.place, np.random.default_rng(shot.scene_seed), size)
    image = cv2.resize(scene, (side, side), interpolation=cv2.INTER_LINEAR)
    return Canvas(image, np.zeros((side, side), np.uint8))


def _paint_person(
    canvas: Canvas, person: Person, rest: np.ndarray, face: np.ndarray, units: Mapping[int, float], shot: Shot
) -> None:
    pose, light = shot.pose(len(canvas.image)), shot.light
    paint_hair_behind(canvas, person, pose, light)
    paint_body(canvas, person, pose, light)
    paint_head(canvas, person, rest, face, units, shot.gaze, pose, light)
    paint_hair_front(canvas, person, pose, light)
    if shot.face_mask is not None:
        paint_face_mask(canvas, face, pose, light, shot.face_mask)
    if person.glasses:
        paint_glasses(canvas, face, pose, person.texture_seed)


def _paint_companion(canvas: Canvas, shot: Shot) -> None:
    """A second person at one side, farther away, with a relaxed face."""
    rng = np.random.default_rng(shot.companion)
    person, turn = draw_person(rng), rng.choice((-1, 1))
    units = {12: float(rng.uniform(0, 0.4)), 25: float(rng.uniform(0, 0.3))}
    behind = replace(
        shot,
        yaw=float(-turn * rng.uniform(5, 25)),
        pitch=0.0,
        roll=float(rng.normal(0, 3)),
        x=float(shot.x + turn * rng.uniform(0.33, 0.42)),
        y=float(shot.y - rng.uniform(0.08, 0.16)),
        scale=float(shot.scale * rng.uniform(0.55, 0.7)),
        gaze=(0.0, 0.0),
        face_mask=None,
    )
    rest = rest_face(person.shape)
    _paint_person(canvas, person, rest, displace(rest, units), units, behind)


def _photograph(picture: np.ndarray, people: np.ndarray, shot: Shot) -> np.ndarray:
    """What the camera makes of a painting: the light's colour on people (size, size) 0-255, blur and noise."""
    blur = shot.blur * len(picture)
    picture = picture * (1 + people[..., None] / np.float32(255) * (np.array(shot.light.colour, np.float32) - 1))
    if blur > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    noise = np.random.default_rng([shot.scene_seed, 1]).standard_normal(picture.shape, np.float32)
    return np.clip(picture + np.float32(shot.noise) * noise, 0, 255).astype(np.uint8)


def _shrink(image: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
