"""What covers of faces look like: their shapes and their materials, in coordinates of the face.

Coordinates are those of the average face (`synthetic.mesh.neutral`): in inter-ocular distances, x from the midline to
the picture's right, y downwards from the line of the eyes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Points = tuple[tuple[float, float], ...]
Paint = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
WIDEST = 1.3  # half the width of a head, where fabric turns away from the viewer


@dataclass(frozen=True)
class Cover:
    """One kind of cover.

    Attributes
    ----------
    halves : outlines that lie on both sides of the midline: their right halves, from the top to the bottom
    pairs : outlines that are there twice, mirrored: closed, on the picture's left
    bands : straight bands, mirrored as well: start, end, width
    paint : x, y (height, width) and random numbers → colours (height, width, 3) in 0-1
    band_colour : RGB in 0-1
    """

    halves: tuple[Points, ...]
    pairs: tuple[Points, ...]
    bands: tuple[tuple[tuple[float, float], tuple[float, float], float], ...]
    paint: Paint
    band_colour: tuple[float, float, float]


SURGICAL = ((0, 0.1), (-0.3, 0.2), (-0.62, 0.3), (-0.95, 0.42), (-1.07, 0.62), (-1.05, 0.95), (-0.93, 1.28))
SURGICAL += ((-0.72, 1.58), (-0.4, 1.8), (0, 1.9))
RESPIRATOR = ((0, 0.05), (-0.24, 0.13), (-0.47, 0.36), (-0.74, 0.58), (-0.98, 0.8), (-1.02, 1.1), (-0.9, 1.38))
RESPIRATOR += ((-0.68, 1.65), (-0.4, 1.86), (0, 1.97))
CLOTH = ((0, 0.04), (-0.35, 0.23), (-0.7, 0.28), (-1.0, 0.33), (-1.15, 0.48), (-1.15, 0.85), (-1.04, 1.2))
CLOTH += ((-0.8, 1.54), (-0.42, 1.84), (0, 1.97))
LENS = ((-0.13, -0.1), (-0.22, -0.28), (-0.55, -0.34), (-0.92, -0.28), (-1.03, -0.06), (-0.94, 0.2), (-0.68, 0.37))
LENS += ((-0.4, 0.34), (-0.2, 0.14))
BRIDGE = ((0, -0.16), (-0.2, -0.16), (-0.2, -0.03), (0, -0.03))
HEADSET = ((0, -0.6), (-0.5, -0.63), (-0.95, -0.58), (-1.15, -0.42), (-1.19, 0), (-1.14, 0.36), (-0.8, 0.48))
HEADSET += ((-0.45, 0.44), (-0.24, 0.3), (0, 0.22))
PLEATS = (0.62, 0.95, 1.28)


def _surgical(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    colour = np.array(((0.62, 0.8, 0.88), (0.67, 0.84, 0.85), (0.93, 0.94, 0.95), (0.2, 0.21, 0.24))[rng.integers(4)])
    down = y[..., None] - np.array(PLEATS) - 0.05 * np.abs(x[..., None])
    folds = 1 - 0.24 * np.exp(-((down / 0.035) ** 2)).sum(-1) + 0.1 * np.exp(-(((down + 0.08) / 0.05) ** 2)).sum(-1)
    wire = 0.12 * np.exp(-(((y - 0.17 - 0.25 * np.abs(x)) / 0.03) ** 2)) * (np.abs(x) < 0.45)
    return colour * (folds - wire)[..., None]


def _respirator(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    colour = np.array(((0.95, 0.95, 0.93), (0.8, 0.82, 0.82), (0.24, 0.25, 0.27))[rng.integers(3)])
    seam = 1 - 0.22 * np.exp(-((x / 0.035) ** 2))
    bulge = 1.08 - 0.3 * np.hypot(x, 0.8 * (y - 1.0)) ** 2
    clip = np.exp(-(((y - 0.2 - 0.55 * np.abs(x)) / 0.05) ** 2)) * (np.abs(x) < 0.5)
    return colour * (seam * bulge)[..., None] * (1 - 0.4 * clip)[..., None] + 0.22 * clip[..., None]


def _cloth(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ground, second = (0.6 * colour + 0.4 * colour.mean() for colour in rng.uniform(0.12, 0.85, (2, 3)))
    pattern = PATTERNS[rng.integers(len(PATTERNS))]
    step = rng.uniform(0.16, 0.3)
    amount = pattern(2 * np.pi * np.arcsin(np.clip(x / WIDEST, -1, 1)) / step, 2 * np.pi * y / step)[..., None]
    seam = 1 - 0.2 * np.exp(-((x / 0.04) ** 2)) - 0.05 * np.sin(9 * y + 5 * np.abs(x))
    return (ground * (1 - amount) + second * amount) * seam[..., None]


def _edge(waves: np.ndarray) -> np.ndarray:
    """Waves from -1 to 1 as 0 or 1, with soft edges."""
    return np.clip(0.5 + 2.5 * waves, 0, 1)


PATTERNS = (
    lambda a, b: np.zeros_like(a),  # plain
    lambda a, b: _edge(np.sin(b)),  # stripes
    lambda a, b: (_edge(np.sin(a)) + _edge(np.sin(b))) / 2,  # check
    lambda a, b: _edge(np.sin(a) * np.sin(b) - 0.25),  # dots
)


def _sunglasses(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    lens = np.array(((0.05, 0.05, 0.06), (0.16, 0.1, 0.07), (0.07, 0.11, 0.1), (0.25, 0.27, 0.32))[rng.integers(4)])
    lighter = 0.14 * np.clip(y + 0.2, 0, 0.5)
    glint = 0.3 * np.exp(-(((x - 0.5 * np.sign(x) + 0.5 * (y + 0.05)) / 0.06) ** 2)) * (y < 0.1)
    return lens + (lighter + glint)[..., None]


def _headset(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shell = np.array(((0.09, 0.09, 0.1), (0.88, 0.88, 0.87), (0.32, 0.33, 0.36))[rng.integers(3)])
    front = np.clip((np.maximum(np.abs(x) / 1.0, np.abs(y + 0.08) / 0.42) - 0.86) / 0.06, 0, 1)  # 0 on the front panel
    sheen = 0.12 * np.exp(-(((y + 0.32 + 0.15 * x) / 0.1) ** 2))
    return (0.05 + sheen[..., None]) * (1 - front[..., None]) + shell * front[..., None] * (1.05 - 0.25 * y[..., None])


_LOOPS = (((-1.0, 0.5), (-1.22, 0.2), 0.035), ((-1.0, 1.1), (-1.24, 0.6), 0.035))
_STRAPS = (((-0.86, 0.68), (-1.24, 0.05), 0.08), ((-0.98, 1.15), (-1.2, 0.75), 0.08))
_TEMPLES = (((-0.98, -0.18), (-1.26, -0.08), 0.1),)
_STRAP = (((-1.15, -0.12), (-1.34, -0.1), 0.22),)
COVERS = {
    "surgical": Cover((SURGICAL,), (), _LOOPS, _surgical, (0.86, 0.86, 0.85)),
    "respirator": Cover((RESPIRATOR,), (), _STRAPS, _respirator, (0.8, 0.72, 0.5)),
    "cloth": Cover((CLOTH,), (), _LOOPS, _cloth, (0.75, 0.75, 0.75)),
    "sunglasses": Cover((BRIDGE,), (LENS,), _TEMPLES, _sunglasses, (0.08, 0.08, 0.09)),
    "headset": Cover((HEADSET,), (), _STRAP, _headset, (0.13, 0.13, 0.14)),
}
MASKS = ("surgical", "respirator", "cloth")  # which hide mouth and nose; the others hide the eyes
