"""Face masks, which hide mouth and nose and follow the mesh of the face."""

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import FRACTION_BITS, Canvas, Colour, mix, scaled, to_fixed
from fer_lib.synthetic.glasses import SHADOW, SILVER, WHITE, box_around

FACE_MASKS = ("surgical", "respirator", "cloth")
EARS = np.array([(-1.12, 0.0, -0.85), (-1.12, 0.5, -0.85), (1.12, 0.0, -0.85), (1.12, 0.5, -0.85)])
STILL = (10, 54, 127, 356)  # vertices that no expression moves: the same person has the same mask in every picture

# The net that a mask is stretched over: means of mesh vertices, row by row from nose to chin, from left to right.
NET = (
    ((137,), (101,), (197,), (330,), (366,)),
    ((177,), (205, 36), (4, 1), (425, 266), (401,)),
    ((215,), (207, 216), (0, 17), (427, 436), (435,)),
    ((172, 138), (210, 202), (200, 18), (430, 422), (397, 367)),
    ((172, 136), (149, 150), (152,), (378, 379), (397, 365)),
)
_HALF = [
    [(0, 0, 0), (0, 0, 0.04), (0, 0, 0.05)],
    [(-0.02, 0, 0.02), (-0.02, 0, 0.1), (0, 0, 0.1)],
    [(-0.03, 0, 0.03), (-0.05, 0, 0.14), (0, 0, 0.2)],
    [(-0.03, 0, 0.03), (-0.05, 0.02, 0.12), (0, 0, 0.16)],
    [(-0.03, 0.03, 0), (-0.03, 0.06, 0), (0, 0.08, 0.04)],
]
OFFSETS = np.concatenate([_HALF, np.array(_HALF)[:, 1::-1] * (-1, 1, 1)], 1)
MEANS = np.stack([np.isin(np.arange(468), group) / len(group) for row in NET for group in row])
ROWS = CubicSpline(range(5), np.eye(5), bc_type="natural")(np.linspace(0, 4, 25))
COLUMNS = CubicSpline(range(5), np.eye(5), bc_type="natural")(np.linspace(0, 4, 29))
MIDDLE = 14  # of the columns
CELLS = 48  # the shading's grid
BULGE = 1.5  # deepens the shading, for fabric is rounder than its few net points
FOLDS = (8, 13, 17)  # of the rows
_BELOW = np.arange(25)[:, None] - np.array(FOLDS)
PLEATS = {
    "surgical": 1 - 0.14 * np.exp(-((_BELOW - 1) ** 2)).sum(1, keepdims=True),
    "respirator": 1.0,
    "cloth": 1.0,
}


def paint_face_mask(canvas: Canvas, vertices: np.ndarray, pose: Pose, light: Light, style: str) -> np.ndarray:
    """Paint a mask over mouth and nose, and return the pixels (side, side) it covers, as bool.

    Parameters
    ----------
    vertices : the face's mesh (468, 3), in head coordinates
    style : of FACE_MASKS

    Raises
    ------
    ValueError
        For an unknown style.
    """
    if style not in FACE_MASKS:
        raise ValueError(f"{style!r} is no face mask; there are {', '.join(FACE_MASKS)}.")
    surface = _surface(vertices, style)
    covers = _silhouette(pose.project(surface), canvas)
    _paint_loops(canvas, surface, pose)
    rng = np.random.default_rng(np.abs(np.rint(1e3 * vertices[list(STILL)])).astype(int).ravel())
    _paint_fabric(canvas, covers, surface, pose, light, style, rng)
    cv2.bitwise_or(canvas.covered, covers, canvas.covered)
    return covers > 0


def _paint_fabric(
    canvas: Canvas,
    covers: np.ndarray,
    surface: np.ndarray,
    pose: Pose,
    light: Light,
    style: str,
    rng: np.random.Generator,
) -> None:
    """Paint what the mask is made of, shaded as the surface is bent, where it `covers` (side, side) the canvas."""
    placed = pose.project(surface)
    box = box_around(placed[..., :2].reshape(-1, 2), 2, canvas)
    if box is None:
        return
    (x, y), (h, w) = box
    fabric = Canvas(np.empty((h, w, 3), np.uint8), np.empty((h, w), np.uint8))
    PAINTERS[style](fabric, placed[..., :2] - (x, y), pose.scale, rng)
    normals = pose.directions(_normals(surface))
    shade = _spread(light.shade(normals) ** BULGE * PLEATS[style], placed, normals[..., 2] > 0, box)
    lit = cv2.multiply(fabric.image, cv2.merge([shade] * 3), scale=1 / 128)
    cv2.copyTo(lit, covers[y : y + h, x : x + w], canvas.image[y : y + h, x : x + w])


def _surface(vertices: np.ndarray, style: str) -> np.ndarray:
    """The mask's surface (rows, columns, 3), from the nose's bridge to under the chin, taut over what it hides."""
    net = (MEANS @ vertices).reshape(OFFSETS.shape) + OFFSETS * (1, 1, 1.6 if style == "respirator" else 1.0)
    return COLUMNS @ (ROWS @ net.reshape(len(NET), -1)).reshape(len(ROWS), *net.shape[1:])


def _normals(surface: np.ndarray) -> np.ndarray:
    down, across = np.gradient(surface, axis=(0, 1))
    normals = np.cross(across, down)
    return normals / np.linalg.norm(normals, axis=2, keepdims=True)


def _silhouette(placed: np.ndarray, canvas: Canvas) -> np.ndarray:
    covers = np.zeros_like(canvas.covered)
    grid = to_fixed(placed[::2, ::2, :2])
    quads = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], 2).reshape(-1, 4, 2)
    for quad in quads:
        cv2.fillConvexPoly(covers, quad, 255, cv2.LINE_8, FRACTION_BITS)
    return covers


def _spread(
    values: np.ndarray, placed: np.ndarray, visible: np.ndarray, box: tuple[tuple[int, int], tuple[int, int]]
) -> np.ndarray:
    """Values on the surface, spread over the box: (h, w) uint8, 128 for 1."""
    corner, (h, w) = box
    cells = np.clip((placed[..., :2] - corner) * (CELLS / w, CELLS / h), 0, CELLS - 1).astype(int)[visible]
    flat = cells[:, 1] * CELLS + cells[:, 0]
    sums = np.bincount(flat, values[visible], CELLS**2).reshape(CELLS, CELLS)
    counts = np.bincount(flat, minlength=CELLS**2).reshape(CELLS, CELLS).astype(float)
    sums, counts = cv2.GaussianBlur(sums, (0, 0), 1.2), cv2.GaussianBlur(counts, (0, 0), 1.2)
    wide, many = cv2.blur(sums, (9, 9)), cv2.blur(counts, (9, 9))
    means = (sums + 0.01 * wide + 1e-6) / (counts + 0.01 * many + 1e-6)
    return cv2.resize(np.clip(128 * means, 0, 255).astype(np.uint8), (w, h))


def _paint_loops(canvas: Canvas, surface: np.ndarray, pose: Pose) -> None:
    corners = surface[[1, -2, 1, -2], [0, 0, -1, -1]]
    for corner, ear in zip(corners, EARS, strict=True):
        side = np.sign(ear[0])
        if pose.directions(np.array((0.94 * side, 0, 0.34)))[2] > 0.05:
            middle = (corner + ear) / 2 + (0.05 * side, 0, 0)
            loop = pose.project(np.stack([corner, middle, ear]))[:, :2]
            canvas.line(loop + np.array((0, 0.03 * pose.scale)), SHADOW, 0.02 * pose.scale)
            canvas.line(loop, (222, 222, 220), 0.032 * pose.scale)


def _paint_surgical(cloth: Canvas, lines: np.ndarray, scale: float, rng: np.random.Generator) -> None:
    colour = ((158, 200, 222), (172, 214, 216), (236, 239, 240))[rng.integers(3)]
    cloth.image[:] = colour
    for down in FOLDS:
        cloth.line(lines[down], scaled(colour, 0.8), 0.025 * scale)
        cloth.line(lines[down] - (0, 0.035 * scale), mix(colour, WHITE, 0.5), 0.02 * scale)
    cloth.line(lines[2], scaled(colour, 0.9), 0.02 * scale)
    _hem(cloth, lines, scaled(colour, 0.88), 0.05 * scale)


def _paint_respirator(cloth: Canvas, lines: np.ndarray, scale: float, rng: np.random.Generator) -> None:
    colour = ((240, 240, 238), (206, 208, 208), (70, 72, 76))[rng.integers(3)]
    cloth.image[:] = colour
    cloth.line(lines[:, MIDDLE] + (0.02 * scale, 0), mix(colour, WHITE, 0.4), 0.02 * scale)
    cloth.line(lines[:, MIDDLE], scaled(colour, 0.72), 0.025 * scale)
    _hem(cloth, lines, scaled(colour, 0.86), 0.06 * scale)
    clip = lines[2, MIDDLE - 4 : MIDDLE + 5]
    cloth.line(clip, scaled(colour, 0.7), 0.1 * scale)
    cloth.line(clip, SILVER, 0.07 * scale)


def _paint_cloth(cloth: Canvas, lines: np.ndarray, scale: float, rng: np.random.Generator) -> None:
    colour = tuple(rng.uniform(30, 215, 3))
    second = mix(colour, WHITE, 0.6) if sum(colour) < 380 else scaled(colour, 0.6)
    cloth.image[:] = colour
    pattern = ("plain", "stripes", "check", "dots")[rng.integers(4)]
    for row in lines[1::3]:
        if pattern in ("stripes", "check"):
            cloth.line(row, second, 0.06 * scale)
        for point in row[1::3] if pattern == "dots" else ():
            cloth.line(np.stack([point, point + np.array((0.5, 0))]), second, 0.09 * scale)
    for column in range(1, 2 * MIDDLE, 2) if pattern == "check" else ():
        cloth.line(lines[:, column], second, 0.04 * scale)
    cloth.line(lines[:, MIDDLE], scaled(colour, 0.75), 0.025 * scale)
    _hem(cloth, lines, scaled(colour, 0.8), 0.04 * scale)


def _hem(cloth: Canvas, lines: np.ndarray, colour: Colour, width: float) -> None:
    for edge in (lines[0], lines[-1], lines[:, 0], lines[:, -1]):
        cloth.line(edge, colour, width)


PAINTERS = {"surgical": _paint_surgical, "respirator": _paint_respirator, "cloth": _paint_cloth}
