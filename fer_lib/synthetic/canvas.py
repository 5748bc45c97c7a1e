"""A canvas in face units: what every part of a drawn face is painted with.

Face units: the origin lies between the eyes and the nose tip, x grows to the right and y downwards, and the
chin of a person at rest is at y = 1.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

SUPERSAMPLING = 2
FRACTION_BITS = 4  # OpenCV draws at 1/16 pixel, so small movements are not rounded away
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Canvas:
    """A picture at SUPERSAMPLING times its size, its soft shading, and the pose of the head on it."""

    image: np.ndarray
    shade: np.ndarray  # (side / 2, side / 2) uint8 that multiplies the image; 128 leaves it as it is
    to_pixels: np.ndarray  # (2, 3) face units to pixels of `image`
    yaw: float


def blank(rng: np.random.Generator, side: int, variation: float) -> Canvas:
    """A soft background between four random colours, and a random pose."""
    turn = rng.uniform(-0.2, 0.2) * variation
    scale = 0.37 * side * (1 + rng.uniform(-0.12, 0.12) * variation)
    shift = side * (0.5 + rng.uniform(-0.05, 0.05, 2) * variation)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    to_pixels = np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])
    grey, hue = rng.uniform(60, 220, (2, 2, 1)), rng.uniform(60, 220, 3)
    colours = 0.5 * grey + 0.3 * hue + 0.2 * rng.uniform(60, 220, (2, 2, 3))
    backdrop = cv2.resize(colours.astype(np.uint8), (side, side), interpolation=cv2.INTER_LINEAR)
    shade = np.full((side // 2, side // 2), 128, np.uint8)
    return Canvas(backdrop, shade, to_pixels, rng.uniform(-0.26, 0.26) * variation)


def finish(canvas: Canvas, rng: np.random.Generator, size: int, variation: float) -> np.ndarray:
    """Soft shading, a light gradient, and a camera's blur and noise."""
    shade = cv2.GaussianBlur(canvas.shade, (0, 0), size * 0.035)
    shade = cv2.cvtColor(cv2.resize(shade, canvas.image.shape[:2]), cv2.COLOR_GRAY2RGB)
    picture = cv2.multiply(canvas.image, shade, scale=1 / 128)
    picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    picture = cv2.GaussianBlur(picture, (0, 0), size / 96 * (0.3 + rng.uniform(0, 1.2) * variation))
    ramp, angle = np.linspace(-1, 1, size, dtype=np.float32), rng.uniform(0, 2 * np.pi)
    tilt = np.float32(0.16) * (np.cos(angle) * ramp + np.sin(angle) * ramp[:, None])
    light = np.float32(rng.uniform(0.8, 1.12)) * (1 + tilt)
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(2, 13) * variation)
    return np.clip(picture * light[..., None] + noise, 0, 255).astype(np.uint8)


def fill(canvas: Canvas, points: np.ndarray, colour: Colour, relief: float = 1.0) -> None:
    """Fill the polygon `points` (n, 2) in face units."""
    cv2.fillPoly(canvas.image, [_pixels(canvas, points, relief)], colour, cv2.LINE_AA, FRACTION_BITS)


def line(canvas: Canvas, points: np.ndarray, colour: Colour, width: float, closed: bool = False) -> None:
    """Draw a line, `width` face units thick at the average scale, through `points` (n, 2)."""
    thickness = max(1, round(width * canvas.image.shape[0] * 0.37))
    pixels = [_pixels(canvas, points)]
    cv2.polylines(canvas.image, pixels, closed, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def tint(canvas: Canvas, points: np.ndarray, level: int, relief: float = 1.0) -> None:
    """Lighten (`level` above 128) or darken (below) the skin inside a polygon, softly."""
    pixels = _pixels(canvas, points, relief) // 2
    cv2.fillPoly(canvas.shade, [pixels], level, cv2.LINE_AA, FRACTION_BITS)


def _pixels(canvas: Canvas, points: np.ndarray, relief: float = 1.0) -> np.ndarray:
    """Turns the head by moving what stands out of the face plane; the outline has no relief and stays."""
    moved = points @ canvas.to_pixels[:, :2].T + canvas.to_pixels[:, 2]
    if canvas.yaw * relief:
        bulge = np.sqrt(np.maximum(1 - points**2 @ (1.38, 0.3), 0))
        moved += np.outer(canvas.yaw * relief * bulge, canvas.to_pixels[:, 0])
    return np.rint(moved * (1 << FRACTION_BITS)).astype(np.int32)


def curve(*points: tuple[float, float]) -> np.ndarray:
    """A parabola (13, 2) through three points."""
    return _parabola() @ np.array(points)


def oval(x: float, y: float, rx: float, ry: float, n: int = 20) -> np.ndarray:
    """An ellipse (n, 2) around (x, y)."""
    return _circle(n) * (rx, ry) + (x, y)


def to_points(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points (n, 2) from their coordinates."""
    return np.array((x, y)).T


@cache
def _parabola(n: int = 13) -> np.ndarray:
    t = np.linspace(0, 1, n)
    return np.stack(((1 - t) * (1 - 2 * t), 4 * t * (1 - t), t * (2 * t - 1)), 1)


@cache
def _circle(n: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack((np.cos(angle), np.sin(angle)), 1)


def mix(first: Colour, second: Colour, weight: float) -> Colour:
    """The colour between two; `weight` is the share of the second."""
    return tuple(int((1 - weight) * a + weight * b) for a, b in zip(first, second, strict=True))


def darker(colour: Colour, amount: float) -> Colour:
    """The colour in a shadow; at `amount` 1 it is nearly black."""
    return mix(colour, (30, 8, 6), amount)
