"""Reliefs: soft heights on a grid coarser than the canvas, and how bright a lamp makes them."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_lib.synthetic.camera import Light
from fer_lib.synthetic.canvas import FRACTION_BITS, to_fixed

COARSE = 4  # shading is soft, so it is computed on a grid this much coarser than the canvas


def coarse(shape: tuple[int, int]) -> tuple[int, int]:
    """The coarse grid's shape for a picture of `shape`."""
    return -(-shape[0] // COARSE), -(-shape[1] // COARSE)


def coarse_mask(outlines: list[np.ndarray], shape: tuple[int, int], width: float = 0.0) -> np.ndarray:
    """Outlines (pixels) on the coarse grid `shape`: 1 inside or, where `width` (cells) is given, along them."""
    mask = np.zeros(shape, np.float32)
    corners = [to_fixed(outline / COARSE) for outline in outlines]
    if width:
        cv2.polylines(mask, corners, False, 1.0, max(1, round(width)), cv2.LINE_8, FRACTION_BITS)
    else:
        cv2.fillPoly(mask, corners, 1.0, cv2.LINE_8, FRACTION_BITS)
    return mask


def soften(mask: np.ndarray, blur: float) -> np.ndarray:
    """A mask blurred by about a Gaussian of standard deviation `blur` cells."""
    if blur < 2:
        return cv2.GaussianBlur(mask, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    size = 2 * round(blur) + 1
    once = cv2.blur(mask, (size, size), borderType=cv2.BORDER_REPLICATE)
    return cv2.blur(once, (size, size), borderType=cv2.BORDER_REPLICATE)


@dataclass(frozen=True, eq=False)
class Relief:
    """What light and shadow are computed from.

    height : (h, w) float32 on the coarse grid, in its cells
    unit : cells per head unit
    """

    height: np.ndarray
    unit: float

    def lift(self, outlines: list[np.ndarray], by: float, blur: float, width: float = 0.0) -> None:
        """Lift what outlines (pixels) hold, or lines of `width` along them; all lengths in head units."""
        bump = coarse_mask(outlines, self.height.shape, width * self.unit)
        self.height[:] += by * self.unit * soften(bump, blur * self.unit)

    def brightness(self, light: Light, slope: np.ndarray | float = 0.0) -> np.ndarray:
        """The shade (h, w) of the relief; `slope` (h, w, 2) is added to its own."""
        normals = np.empty((*self.height.shape, 3), np.float32)
        normals[..., 0] = cv2.Sobel(self.height, cv2.CV_32F, 1, 0, scale=-1 / 8)
        normals[..., 1] = cv2.Sobel(self.height, cv2.CV_32F, 0, 1, scale=-1 / 8)
        normals[..., 2] = 1
        normals[..., :2] -= slope
        normals /= np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))[..., None]
        return light.shade(normals)
