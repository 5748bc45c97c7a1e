"""The canvas that every layer of a picture is painted on, from back to front."""

from dataclasses import dataclass

import cv2
import numpy as np

FRACTION_BITS = 4  # OpenCV draws at 1/16 pixel, so small movements are not rounded away
Colour = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture in the making, larger than the finished one, and where people cover the scene.

    image : (side, side, 3) uint8, RGB
    covered : (side, side) uint8, 255 where a person is
    """

    image: np.ndarray
    covered: np.ndarray

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        """Fill the polygon `points` (n, 2), in pixels."""
        corners = [to_fixed(points)]
        cv2.fillPoly(self.image, corners, colour, cv2.LINE_8, FRACTION_BITS)
        cv2.fillPoly(self.covered, corners, 255, cv2.LINE_8, FRACTION_BITS)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """Draw a line `width` pixels thick through `points` (n, 2); it covers nothing."""
        thickness = max(1, round(width))
        cv2.polylines(self.image, [to_fixed(points)], False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)

    def blend(self, colours: np.ndarray, weight: np.ndarray, corner: tuple[int, int]) -> None:
        """Mix `colours` (h, w, 3) into the image with `weight` (h, w) 0-1; `corner` is the patch's x, y."""
        x, y = corner
        patch = self.image[y : y + weight.shape[0], x : x + weight.shape[1]]
        patch[:] = np.clip(patch + weight[..., None] * (colours - patch), 0, 255).astype(np.uint8)


def to_fixed(points: np.ndarray) -> np.ndarray:
    """Pixel coordinates (n, 2) as the fixed-point integers that OpenCV draws at."""
    return np.rint(points * (1 << FRACTION_BITS)).astype(np.int32)


def mix(first: Colour, second: Colour, weight: float) -> Colour:
    """The colour between two; `weight` is the share of the second."""
    return tuple((1 - weight) * a + weight * b for a, b in zip(first, second, strict=True))


def scaled(colour: Colour, factor: float) -> Colour:
    """The colour made darker (`factor` below 1) or lighter, within 0-255."""
    return tuple(min(255.0, factor * part) for part in colour)
