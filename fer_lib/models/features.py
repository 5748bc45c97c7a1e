"""Hand-made features of small grey pictures: each function maps uint8 (N, size, size) to float32 (N, D)."""

import cv2
import numpy as np

from fer_lib.data.table import in_threads


def pixels(pictures: np.ndarray) -> np.ndarray:
    """The grey values themselves, in 0-1, D = size²."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def hog(pictures: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs 2005), D = 3,888 at 48 pixels.

    Cells of 8×8 pixels count gradients in 12 directions, sign kept; blocks of 2×2 cells start every 4 pixels and
    are normalised (L2-Hys).
    """
    side = pictures.shape[1]
    descriptor = cv2.HOGDescriptor(
        (side, side), (16, 16), (4, 4), (8, 8), 12, 1, -1.0, cv2.HOGDescriptor_L2Hys, 0.2, False, 64, True
    )
    features = np.empty((len(pictures), descriptor.getDescriptorSize()), np.float32)

    def describe(start: int) -> int:
        part = pictures[start : start + 512]
        features[start : start + 512] = [descriptor.compute(picture) for picture in part]
        return len(part)

    in_threads(describe, range(0, len(pictures), 512), len(pictures), "describing edges")
    return features


def mirrored(pictures: np.ndarray) -> np.ndarray:
    """The pictures as a mirror shows them."""
    return np.ascontiguousarray(pictures[:, :, ::-1])


FEATURES = {"pixels": pixels, "hog": hog}
