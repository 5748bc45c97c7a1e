"""A scene in picture units and what it is painted with: surfaces, lines, soft shade and glow.

Picture units: x grows to the right and y downwards, the picture is 0-1. A point with a third coordinate, its depth, is
drawn in one-point perspective: at depth 1 where its x and y say, deeper ever closer to the vanishing point.
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

FRACTION_BITS = 4  # OpenCV draws at 1/16 pixel, so both sizes of a picture share one layout
SOFT_SIDE = 64  # side of the layers of shade and glow
PANEL_SIDE = 128
Colour = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, its soft layers that `settle` merges into it, and what chance and perspective it has."""

    image: np.ndarray  # (size, size, 3) uint8 RGB
    shade: np.ndarray  # (SOFT_SIDE, SOFT_SIDE) uint8 that multiplies the image; 128 leaves it as it is
    glow: np.ndarray  # (SOFT_SIDE, SOFT_SIDE, 3) uint8 that is added to the image
    rng: np.random.Generator
    vanishing: np.ndarray  # (2,) picture units


def blank(rng: np.random.Generator, size: int) -> Scene:
    """A black picture with a random vanishing point near its middle."""
    image = np.zeros((size, size, 3), np.uint8)
    shade = np.full((SOFT_SIDE, SOFT_SIDE), 128, np.uint8)
    glow = np.zeros((SOFT_SIDE, SOFT_SIDE, 3), np.uint8)
    return Scene(image, shade, glow, rng, np.array((rng.uniform(0.36, 0.64), rng.uniform(0.38, 0.52))))


def panel(scene: Scene, colour: Colour) -> Scene:
    """A flat picture of its own, to be painted and then hung into the scene."""
    flat = blank(scene.rng, PANEL_SIDE)
    flat.image[:] = colour
    return flat


def front(x0: float, y0: float, x1: float, y1: float, depth: float = 1.0) -> np.ndarray:
    """An upright rectangle (4, 3) that faces the viewer, clockwise from its top left."""
    return np.array([(x0, y0, depth), (x1, y0, depth), (x1, y1, depth), (x0, y1, depth)])


def wall(x: float, y0: float, y1: float, near: float, far: float) -> np.ndarray:
    """An upright rectangle (4, 3) that leads into depth, in the order in which panels are hung."""
    return np.array([(x, y0, near), (x, y0, far), (x, y1, far), (x, y1, near)])


def level(y: float, x0: float, x1: float, near: float, far: float) -> np.ndarray:
    """A level rectangle (4, 3), such as a floor or a table top, from its far left."""
    return np.array([(x0, y, far), (x1, y, far), (x1, y, near), (x0, y, near)])


def oval(x: float, y: float, rx: float, ry: float, n: int = 20) -> np.ndarray:
    """An ellipse (n, 2)."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack((x + rx * np.cos(angle), y + ry * np.sin(angle)), 1)


def project(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Points (..., 2) in the picture; those with a depth move towards the vanishing point."""
    points = np.asarray(points, float)
    if points.shape[-1] == 2:
        return points
    return scene.vanishing + (points[..., :2] - scene.vanishing) / points[..., 2:]


def fill(scene: Scene, points: np.ndarray, colour: Colour) -> None:
    """Fill the polygon `points` (n, 2 or 3) evenly."""
    cv2.fillPoly(scene.image, [_pixels(scene, points)], colour, cv2.LINE_AA, FRACTION_BITS)


def fill_each(scene: Scene, polygons: np.ndarray, colours: np.ndarray) -> None:
    """Fill convex polygons (m, n, 2 or 3), later ones over earlier ones, in `colours` (m, 3) or one (3,)."""
    colours = np.broadcast_to(np.asarray(colours, float), (len(polygons), 3)).tolist()
    for pixels, colour in zip(_pixels(scene, polygons), colours, strict=True):
        cv2.fillConvexPoly(scene.image, pixels, colour, cv2.LINE_AA, FRACTION_BITS)


def blend(scene: Scene, points: np.ndarray, colours: Sequence[Colour], across: bool = False) -> None:
    """Fill a polygon (n, 2 or 3) with colours that run into each other downwards, or from left to right."""
    pixels = _pixels(scene, points)
    region = _region(scene, pixels)
    if region is None:
        return
    rows, columns, mask = region
    start, stop = (columns.start, columns.stop) if across else (rows.start, rows.stop)
    first, length = pixels[:, 1 - across].min(), np.ptp(pixels[:, 1 - across])
    place = ((np.arange(start, stop) << FRACTION_BITS) - first) * ((len(colours) - 1) / max(length, 1))
    stops, place = np.asarray(colours, float), np.clip(place, 0, len(colours) - 1)
    before = np.minimum(place.astype(int), len(colours) - 2)
    ramp = stops[before] + (place - before)[:, None] * (stops[before + 1] - stops[before])
    ramp = np.minimum(ramp, 255).astype(np.uint8)
    paint = cv2.repeat(ramp[None], len(mask), 1) if across else cv2.repeat(ramp[:, None], 1, mask.shape[1])
    cv2.copyTo(paint, mask, scene.image[rows, columns])


def hang(scene: Scene, flat: Scene, corners: np.ndarray) -> None:
    """Put a panel on a rectangle (4, 2 or 3), given clockwise from the panel's top left, in perspective."""
    pixels = _pixels(scene, corners)
    region = _region(scene, pixels)
    if region is None:
        return
    rows, columns, mask = region
    side = len(flat.image) - 1
    target = pixels.astype(np.float32) / (1 << FRACTION_BITS) - (columns.start, rows.start)
    source = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    shape = mask.shape[::-1]
    paint = cv2.warpPerspective(flat.image, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cv2.copyTo(paint, mask, scene.image[rows, columns])


def line(scene: Scene, points: np.ndarray, colour: Colour, width: float, closed: bool = False) -> None:
    """Draw a line, `width` picture units thick, through `points` (n, 2 or 3)."""
    thickness = max(1, round(width * len(scene.image)))
    cv2.polylines(scene.image, [_pixels(scene, points)], closed, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def line_each(scene: Scene, lines: np.ndarray, colour: Colour, width: float) -> None:
    """Draw lines (m, n, 2 or 3) of one colour and width."""
    thickness = max(1, round(width * len(scene.image)))
    cv2.polylines(scene.image, list(_pixels(scene, lines)), False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def darken(scene: Scene, points: np.ndarray, amount: float) -> None:
    """Lay a soft shadow over a polygon; `amount` 0 does nothing, 1 makes it black, -1 twice as bright."""
    gain = int(np.clip(128 * (1 - amount), 0, 255))
    cv2.fillPoly(scene.shade, [_pixels(scene, points, SOFT_SIDE)], gain, cv2.LINE_AA, FRACTION_BITS)


def shine(scene: Scene, points: np.ndarray, colour: Colour) -> None:
    """Let a polygon glow softly: `colour` is added to the picture there, and some of it around."""
    cv2.fillPoly(scene.glow, [_pixels(scene, points, SOFT_SIDE)], colour, cv2.LINE_AA, FRACTION_BITS)


def settle(scene: Scene) -> None:
    """Merge shade and glow, blurred, into the picture and empty them."""
    size = scene.image.shape[:2]
    shade = cv2.resize(cv2.GaussianBlur(scene.shade, (0, 0), 1.8), size)
    cv2.multiply(scene.image, cv2.merge((shade, shade, shade)), scene.image, 1 / 128)
    if scene.glow.any():
        halo = cv2.addWeighted(cv2.GaussianBlur(scene.glow, (0, 0), 1), 0.7, cv2.blur(scene.glow, (17, 17)), 0.9, 0)
        cv2.add(scene.image, cv2.resize(halo, size), scene.image)
    scene.shade[:] = 128
    scene.glow[:] = 0


def mottle(scene: Scene, y0: float, y1: float, strength: float, cells: tuple[int, int] = (40, 40)) -> None:
    """Roughen the strip between two heights by noise of `strength` grey levels in `cells` rows and columns."""
    rows = slice(*np.clip(np.rint(np.array((y0, y1)) * len(scene.image)), 0, len(scene.image)).astype(int))
    strip = scene.image[rows]
    if strip.size:
        noise = scene.rng.standard_normal(cells, np.float32) * np.float32(strength)
        noise = cv2.resize(noise, strip.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        cv2.add(strip, cv2.merge((noise, noise, noise)), strip, dtype=cv2.CV_8U)


def soften(scene: Scene, y0: float, y1: float, amount: float) -> None:
    """Blur what was drawn so far between two heights; `amount` is the standard deviation in picture units."""
    rows = slice(*np.clip(np.rint(np.array((y0, y1)) * len(scene.image)), 0, len(scene.image)).astype(int))
    if rows.start < rows.stop:
        scene.image[rows] = cv2.GaussianBlur(scene.image[rows], (0, 0), amount * len(scene.image))


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """The colour with a hue (1 is a full turn), a saturation and a value of 0-1."""
    return tuple(255 * channel for channel in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def tone(colour: Colour, gain: float) -> Colour:
    """The colour in `gain` times the light."""
    return tuple(min(255.0, gain * channel) for channel in colour)


def mix(first: Colour, second: Colour, weight: float) -> Colour:
    """The colour between two; `weight` is the share of the second."""
    return tuple((1 - weight) * a + weight * b for a, b in zip(first, second, strict=True))


def around(rng: np.random.Generator, colour: Colour, spread: float = 18) -> Colour:
    """A colour near another: up to `spread` levels lighter or darker, and a little off in hue."""
    shift = rng.uniform(-spread, spread) + rng.uniform(-spread, spread, 3) / 3
    return tuple(np.clip(np.add(colour, shift), 0, 255))


def choose(rng: np.random.Generator, options: Sequence) -> object:
    """One of the options; unlike `Generator.choice` it leaves tuples alone."""
    return options[rng.integers(len(options))]


def _pixels(scene: Scene, points: np.ndarray, side: int = 0) -> np.ndarray:
    places = project(scene, points) * (side or len(scene.image)) - 0.5
    return np.rint(places * (1 << FRACTION_BITS)).astype(np.int32)


def _region(scene: Scene, pixels: np.ndarray) -> tuple[slice, slice, np.ndarray] | None:
    """The rows and columns of the picture that a polygon touches, and the polygon's mask there."""
    size, one = len(scene.image), 1 << FRACTION_BITS
    left, top = np.maximum(pixels.min(0) // one, 0)
    right, bottom = np.minimum(pixels.max(0) // one + 2, size)
    if left >= right or top >= bottom:
        return None
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [pixels - np.array((left, top), np.int32) * one], 255, cv2.LINE_8, FRACTION_BITS)
    return slice(top, bottom), slice(left, right), mask


def behind(scene: Scene, x: float, depth: float) -> float:
    """Where something at `depth` must stand to be seen at `x` of the picture."""
    return scene.vanishing[0] + (x - scene.vanishing[0]) * depth


def hang_beside(scene: Scene, flat: Scene, x: float, y0: float, y1: float, near: float, far: float) -> None:
    """Put a panel on a wall that leads into depth, its left edge on the left as the viewer sees it."""
    corners = wall(x, y0, y1, near, far)
    hang(scene, flat, corners if x < scene.vanishing[0] else corners[[1, 0, 3, 2]])


def shape(x: float, y: float, size: float, *points: tuple[float, float]) -> np.ndarray:
    """A polygon (n, 2) from points in units of `size` around (x, y)."""
    return np.array(points) * size + (x, y)
