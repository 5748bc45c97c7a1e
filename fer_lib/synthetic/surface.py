"""Rasterising the face surface: which triangle each pixel shows, and what lies there."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_lib.synthetic.camera import Pose
from fer_lib.synthetic.canvas import to_fixed
from fer_lib.synthetic.mesh import finer, normals, with_skull


@dataclass(frozen=True, eq=False)
class Patch:
    """The visible surface inside a rectangle of the canvas.

    corner : x and y of the rectangle's upper left pixel
    hit : (h, w) bool, where the surface is seen
    at : (h, w, 2) float32, the average face's x and y there: the coordinates of the skin's texture
    normal : (h, w, 3) float32, in the picture's axes
    """

    corner: tuple[int, int]
    hit: np.ndarray
    at: np.ndarray
    normal: np.ndarray


def rasterise(face: np.ndarray, flat: np.ndarray, pose: Pose, side: int) -> Patch | None:
    """See a face (468, 3), continued into its skull, in a square canvas of `side` pixels.

    Parameters
    ----------
    face : vertices in head coordinates
    flat : (n, 2) coordinates on the skin's texture of the fine mesh's vertices

    Returns
    -------
    None when nothing of it lies on the canvas
    """
    smoother, faces = finer()
    vertices = smoother @ with_skull(face)
    normal = pose.directions(normals(vertices, faces))
    pixels = pose.project(vertices)
    faces = _front_to_back(pixels, faces)[::-1]
    low = np.clip(np.floor(pixels[:, :2].min(0)).astype(int) - 1, 0, side)
    high = np.clip(np.ceil(pixels[:, :2].max(0)).astype(int) + 2, 0, side)
    if not (high > low).all():
        return None
    shown = _triangle_numbers(pixels[:, :2] - low, faces, (high - low)[::-1])
    attributes = np.concatenate((flat, normal), 1)
    values = _interpolate(pixels[:, :2] - low, attributes, faces, shown)
    return Patch((int(low[0]), int(low[1])), shown >= 0, values[..., :2], values[..., 2:])


def _front_to_back(pixels: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = pixels[faces].transpose(1, 0, 2)
    facing = (c - a)[:, 0] * (b - a)[:, 1] - (c - a)[:, 1] * (b - a)[:, 0] > 0
    depth = (a + b + c)[:, 2]
    return faces[facing][np.argsort(-depth[facing], kind="stable")]


def _triangle_numbers(points: np.ndarray, faces: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """(h, w) int32: the number of the foremost triangle, -1 where there is none."""
    numbers = np.full(shape, -1, np.int32)
    fixed = to_fixed(points)[faces]
    for number, corners in enumerate(fixed):
        cv2.fillConvexPoly(numbers, corners, number, cv2.LINE_8, 4)
    return numbers


def _interpolate(points: np.ndarray, values: np.ndarray, faces: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """(h, w, k) float32: vertex values (n, k), linear within each triangle."""
    a, b, c = points[faces].transpose(1, 0, 2)
    va, vb, vc = values[faces].transpose(1, 0, 2)
    u, v = b - a, c - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    area = np.where(np.abs(area) < 1e-6, 1e-6, area)[:, None]
    by_x = ((vb - va) * v[:, 1:] - (vc - va) * u[:, 1:]) / area
    by_y = ((vc - va) * u[:, :1] - (vb - va) * v[:, :1]) / area
    base = va - by_x * a[:, :1] - by_y * a[:, 1:]
    plane = np.concatenate((base, by_x, by_y), 1).astype(np.float32)
    row, column = np.nonzero(shown >= 0)
    at, k = plane[shown[row, column]], values.shape[1]
    result = np.zeros((*shown.shape, k), np.float32)
    inside = at[:, :k] + at[:, k : 2 * k] * column[:, None].astype(np.float32)
    inside += at[:, 2 * k :] * row[:, None].astype(np.float32)
    result[row, column] = inside
    return result
