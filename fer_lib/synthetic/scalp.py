"""The scalp: the skull, hairlines, and the soft ground below the locks, in head coordinates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer_lib.synthetic.mesh import SKULL_AXES, SKULL_CENTRE

HAIRLINE_AZIMUTHS = (0, 20, 38, 50, 60, 68, 74, 80, 95, 110, 140, 180)
HAIRLINE = (36, 36.5, 33, 22, 10, -6, -17, -8, -2, -18, -40, -52)
RECEDING_HAIRLINE = (50, 60, 63, 52, 22, -6, -17, -8, -2, -18, -40, -52)
AFRO_HAIRLINE = (36, 36, 34, 26, 14, 0, -8, -8, -8, -14, -22, -26)
CAP_AZIMUTHS = np.linspace(-180, 180, 61)
CAP_RISE = np.array([0.0, 0.12, 0.3, 0.55, 0.8, 1.0])  # from the hairline to the top of the head

Line = Callable[[np.ndarray], np.ndarray]  # azimuths to the elevations of the hairline


def direction(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """Unit vectors (..., 3); in degrees, azimuth 0 is the face and grows to the right, elevation 90 is the crown."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack(np.broadcast_arrays(np.sin(a) * np.cos(e), -np.sin(e), np.cos(a) * np.cos(e)), -1)


def on_skull(directions: np.ndarray, lift: np.ndarray | float) -> np.ndarray:
    """Points (..., 3) in the given directions, `lift` (...) above the skull as a share of its size."""
    return SKULL_CENTRE + directions * SKULL_AXES * (1 + np.asarray(lift))[..., None]


def hairline(heights: np.ndarray) -> Line:
    """The hairline, the same on both sides, with elevations `heights` in degrees at `HAIRLINE_AZIMUTHS`."""

    def line(azimuths: np.ndarray) -> np.ndarray:
        return np.interp(np.abs((azimuths + 180) % 360 - 180), HAIRLINE_AZIMUTHS, heights)

    return line


@dataclass(frozen=True, eq=False)
class Ground:
    """The soft ground that locks grow from: flat at the hairline and, but for a ball, at the sides.

    line : the hairline
    lift : height on the crown, as a share of the skull's size
    ramp : degrees above the hairline where it is at full height
    ball : whether it is as high at the sides as on the crown
    """

    line: Line
    lift: float
    ramp: float
    ball: bool

    def surface(self, azimuths: np.ndarray, elevations: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the ground."""
        above = np.clip((elevations - self.line(azimuths)) / self.ramp, 0, 1)
        high = 1 if self.ball else np.clip(0.4 + elevations / 60, 0.4, 1)
        return on_skull(direction(azimuths, elevations), 0.01 + self.lift * np.sqrt(above) * high)

    def cap(self, rng: np.random.Generator) -> np.ndarray:
        """All of the ground as a grid (azimuths, rises, 3) with a ragged edge."""
        low = self.line(CAP_AZIMUTHS) + rng.uniform(0, 3, len(CAP_AZIMUTHS))
        elevations = low[:, None] + (90 - low[:, None]) * CAP_RISE
        return self.surface(np.repeat(CAP_AZIMUTHS[:, None], len(CAP_RISE), 1), elevations)

    def fuzz(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Short hairs (count, 2, 3) on the ground, half of them along the hairline."""
        azimuths = rng.uniform(-125, 125, count)
        low = self.line(azimuths)
        elevations = low + rng.uniform(-1, 6, count)
        even = np.degrees(np.arcsin(rng.uniform(np.sin(np.radians(low)), 1)))
        elevations[::2] = even[::2]
        start = self.surface(azimuths, elevations)
        outward = direction(azimuths, elevations)
        return np.stack([start - 0.03 * outward, start + 0.02 * outward + rng.normal(0, 0.035, start.shape)], 1)
