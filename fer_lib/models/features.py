"""Hand-made features of small grey pictures: each function maps uint8 (N, size, size) to float32 (N, D)."""

import cv2
import numpy as np

from fer_lib.data.table import in_threads


def pixels(pictures: np.ndarray) -> np.ndarray:
    """The grey values themselves, in 0-1, D = size²."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def hog(pictures: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs 2005) at three cell sizes: 6, 8 and 12 pixels.

    Gradients keep their sign in 12 bins; blocks of 2×2 cells overlap by half a block and are normalised (L2-Hys).
    """
    side = pictures.shape[1]
    scales = [_descriptor(side, cell) for cell in (6, 8, 12)]
    features = np.empty((len(pictures), sum(scale.getDescriptorSize() for scale in scales)), np.float32)

    def describe(start: int) -> int:
        part = pictures[start : start + 512]
        for row, picture in enumerate(part, start):
            np.concatenate([scale.compute(picture) for scale in scales], out=features[row])
        return len(part)

    in_threads(describe, range(0, len(pictures), 512), len(pictures), "describing edges")
    return features


def mirrored(pictures: np.ndarray) -> np.ndarray:
    """The pictures as a mirror shows them."""
    return np.ascontiguousarray(pictures[:, :, ::-1])


FEATURES = {"pixels": pixels, "hog": hog}


def _descriptor(side: int, cell: int) -> cv2.HOGDescriptor:
    block = (2 * cell, 2 * cell)
    return cv2.HOGDescriptor(
        (side, side),
        block,
        (cell, cell),
        (cell, cell),
        12,
        1,
        -1.0,
        cv2.HOGDescriptor_L2Hys,
        0.2,
        False,
        64,
        True,
    )
