"""How a picture is taken: pose, light, place, camera, and who else is there."""

from dataclasses import dataclass

import numpy as np

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.places import PLACES

POSE_SD = np.array((10.0, 6.0, 5.0))  # degrees of yaw, pitch and roll at difficulty 0.5
POSE_LIMIT = np.array((30.0, 16.0, 14.0))


@dataclass(frozen=True)
class Shot:
    """One picture's circumstances; lengths are shares of the picture's side, so that any size can be drawn.

    yaw, pitch, roll : degrees, see `camera.Pose`
    x, y : where the base of the head comes to lie
    scale : length of one head unit, the distance between the eyes
    light : on the person
    place : name of a place, of `places.PLACES`
    scene_seed : of everything in the background
    companion : seed of a second person behind the first, or None
    gaze : horizontal and vertical, -1 to 1
    blur, noise : of the camera; standard deviations as a share of the side, and in grey levels
    face_mask : style of a worn mask, of `face_masks.FACE_MASKS`, or None
    """

    yaw: float
    pitch: float
    roll: float
    x: float
    y: float
    scale: float
    light: Light
    place: str
    scene_seed: int
    companion: int | None
    gaze: tuple[float, float]
    blur: float
    noise: float
    face_mask: str | None = None

    def pose(self, side: int) -> Pose:
        """The pose on a square canvas of `side` pixels."""
        return Pose(self.yaw, self.pitch, self.roll, self.scale * side, self.x * side, self.y * side)


def draw_shot(rng: np.random.Generator, place: str, difficulty: float = 0.5) -> Shot:
    """A random shot at `place`; `difficulty` 0-1 scales pose, blur and noise.

    Raises
    ------
    ValueError
        For an unknown place, and a difficulty outside 0-1.
    """
    if place not in PLACES:
        raise ValueError(f"place {place!r} is unknown; use one of {', '.join(PLACES)}.")
    if not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty is {difficulty}; it must lie in 0-1.")
    turn = np.clip(rng.normal(0, 2 * difficulty * POSE_SD), -POSE_LIMIT, POSE_LIMIT)
    crowded = "crowded" in PLACES[place].attributes
    gaze = rng.normal(0, 0.25, 2) - turn[:2] / 40
    return Shot(
        *(float(angle) for angle in turn),
        x=float(0.5 + rng.uniform(-0.06, 0.06)),
        y=float(0.63 + rng.uniform(-0.03, 0.05)),
        scale=float(rng.uniform(0.125, 0.16)),
        light=_draw_light(rng, place),
        place=place,
        scene_seed=int(rng.integers(2**31)),
        companion=int(rng.integers(2**31)) if rng.random() < (0.35 if crowded else 0.12) else None,
        gaze=tuple(float(part) for part in np.clip(gaze, -1, 1)),
        blur=float(rng.uniform(0, 0.0035) * difficulty),
        noise=float(rng.uniform(0.5, 4) * difficulty),
    )


def _draw_light(rng: np.random.Generator, place: str) -> Light:
    azimuth, height = np.radians(rng.normal(0, 35)), np.radians(rng.uniform(10, 50))
    direction = (np.sin(azimuth) * np.cos(height), -np.sin(height), np.cos(azimuth) * np.cos(height))
    low, high = PLACES[place].brightness
    colour = np.sqrt(PLACES[place].light) * rng.uniform(0.97, 1.03, 3) * rng.uniform(low, high)
    return Light(tuple(map(float, direction)), float(rng.uniform(0.35, 1.0)), tuple(map(float, colour)))
