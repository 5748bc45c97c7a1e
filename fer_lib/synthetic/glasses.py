"""Glasses, which follow the mesh of the face."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from fer_lib.synthetic.camera import Pose
from fer_lib.synthetic.canvas import FRACTION_BITS, Canvas, Colour, scaled, to_fixed

DARK, SILVER, WHITE, SHADOW = (30, 28, 30), (150, 150, 154), (240, 241, 240), (44, 30, 28)
TINTS = ((150, 160, 150), (170, 150, 130), (150, 160, 180))
STREAK = np.array([(0.06, -0.1), (0.19, -0.1), (0.0, 0.32), (-0.1, 0.32)])  # the reflection, from a lens's corner
EYE_CORNERS = ((33, 133), (263, 362))


@dataclass(frozen=True)
class Frame:
    """A kind of glasses; lengths in head units.

    half_width, half_height : of one lens
    squareness : exponent of the lens's superellipse, 2 is an ellipse
    rim : thickness above and below the eye
    """

    half_width: float
    half_height: float
    squareness: float
    rim: tuple[float, float]
    colours: tuple[Colour, ...]


FRAMES: dict[str, Frame] = {
    "round": Frame(0.37, 0.34, 2.0, (0.034, 0.034), (DARK, (92, 62, 40), (120, 84, 40))),
    "rectangular": Frame(0.4, 0.26, 4.5, (0.05, 0.036), (DARK, (34, 44, 76), (96, 30, 36))),
    "metal": Frame(0.39, 0.31, 2.8, (0.022, 0.022), (SILVER, (168, 136, 78), (70, 70, 74))),
    "half rim": Frame(0.4, 0.25, 3.4, (0.042, 0.0), (DARK, (78, 54, 44), SILVER)),
    "rimless": Frame(0.38, 0.27, 3.0, (0.012, 0.012), (SILVER, (168, 136, 78))),
}


def paint_glasses(canvas: Canvas, vertices: np.ndarray, pose: Pose, seed: int) -> None:
    """Paint glasses whose eyes stay visible.

    Parameters
    ----------
    vertices : the face's mesh (468, 3), in head coordinates
    seed : of the kind of frame, its colour, and the lenses' tint
    """
    rng = np.random.default_rng([seed, 11])
    frame = FRAMES[str(rng.choice(list(FRAMES)))]
    colour = frame.colours[rng.integers(len(frame.colours))]
    tint = TINTS[rng.integers(len(TINTS))]
    lenses = [_lens(vertices, frame, corners) for corners in EYE_CORNERS]
    placed = [pose.project(lens)[:, :2] for lens in lenses]
    _paint_glass(canvas, placed, tint, pose.scale)
    for lens in lenses:
        _paint_temple(canvas, lens, pose, colour, max(0.04, frame.rim[0]))
    for lens in placed:
        for half, width in zip((lens[:21], np.roll(lens, -20, 0)[:21]), frame.rim, strict=True):
            if width:
                canvas.line(half, colour, width * pose.scale)
    middle = vertices[168] + (0, 0.05, 0.06)
    bridge = CubicSpline((0, 1, 2), np.stack([lenses[0][2], middle, lenses[1][2]]))(np.linspace(0, 2, 9))
    canvas.line(pose.project(bridge)[:, :2], colour, max(0.035, 0.8 * frame.rim[0]) * pose.scale)


def _lens(vertices: np.ndarray, frame: Frame, corners: tuple[int, int]) -> np.ndarray:
    """The edge (40, 3) of one lens, from the nose over the brow and back below; it curves back with the face."""
    centre = vertices[list(corners)].mean(0)
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    x, y = -np.cos(angle), -np.sin(angle)
    power = 2 / frame.squareness
    x = frame.half_width * np.sign(x) * np.abs(x) ** power
    y = frame.half_height * np.sign(y) * np.abs(y) ** power - 0.05 * x + 0.035
    near = vertices[168, 2] + 0.02 - 0.28 * np.maximum(x + 0.3, 0) ** 2
    return np.stack([centre[0] + np.sign(centre[0]) * (x + 0.01), centre[1] + y, near], 1)


def _paint_temple(canvas: Canvas, lens: np.ndarray, pose: Pose, colour: Colour, width: float) -> None:
    hinge = lens[17]
    side = np.sign(hinge[0])
    if pose.directions(np.array((0.95 * side, 0, 0.3)))[2] > 0.05:
        bend = (1.1 * side, hinge[1] - 0.01, -0.3)
        ends = pose.project(np.array([hinge, bend, (1.12 * side, hinge[1] + 0.02, -0.85)]))
        canvas.line(ends[:, :2], scaled(colour, 0.85), width * pose.scale)


def _paint_glass(canvas: Canvas, lenses: list[np.ndarray], tint: Colour, scale: float) -> None:
    """The rims' soft shadow on the face, the faint tint of the glass, and one reflection on each lens."""
    box = box_around(np.concatenate(lenses), 0.2 * scale, canvas)
    if box is None:
        return
    (x, y), (h, w) = box
    inside, edge, streak = np.zeros((3, h, w), np.float32)
    outlines = [lens - (x, y) for lens in lenses]
    cv2.fillPoly(inside, [to_fixed(lens) for lens in outlines], 1.0, cv2.LINE_8, FRACTION_BITS)
    shifted = [to_fixed(lens + np.array((0, 0.045 * scale))) for lens in outlines]
    cv2.polylines(edge, shifted, True, 1.0, max(1, round(0.04 * scale)), cv2.LINE_8, FRACTION_BITS)
    streaks = [to_fixed(lens.min(0) + STREAK * scale) for lens in outlines]
    cv2.fillPoly(streak, streaks, 1.0, cv2.LINE_8, FRACTION_BITS)
    soft = max(0.5, 0.028 * scale)
    edge, streak = cv2.GaussianBlur(edge, (0, 0), soft), cv2.GaussianBlur(streak, (0, 0), soft)
    layers = cv2.merge([0.26 * edge, 0.06 * inside, 0.24 * inside * streak])
    added = cv2.transform(layers, np.array([SHADOW, tint, WHITE], np.float32).T)
    kept = cv2.transform(layers, np.float32([[-1, -1, -1, 1]] * 3))
    patch = canvas.image[y : y + h, x : x + w]
    patch[:] = cv2.add(cv2.multiply(patch, kept, dtype=cv2.CV_32F), added, dtype=cv2.CV_8U)


def box_around(points: np.ndarray, margin: float, canvas: Canvas) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Corner (x, y) and size (h, w) of the canvas's part around points (n, 2), or None where there is none."""
    limits = np.array(canvas.covered.shape[::-1])
    low = np.clip(np.floor(points.min(0) - margin), 0, limits).astype(int)
    high = np.clip(np.ceil(points.max(0) + margin), 0, limits).astype(int)
    if (low >= high).any():
        return None
    return (int(low[0]), int(low[1])), (int(high[1] - low[1]), int(high[0] - low[0]))
