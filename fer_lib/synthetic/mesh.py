"""The face surface: 468 vertices in the topology of mediapipe's Face Mesh, continued backwards into a skull.

`neutral.csv` holds an average face at rest in head coordinates (see `camera`), `triangles.csv` its triangles; eyes
and mouth are holes. `rebuild.py` makes both anew.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy import sparse

N_FACE = 468
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
OVAL += (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
# Rings start at one corner and run along the upper edge first; "right" is the person's own right, at the
# picture's left.
RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
NOSE = (168, 193, 122, 196, 236, 198, 209, 49, 129, 64, 98, 97, 2)
NOSE += (326, 327, 294, 358, 279, 429, 420, 456, 419, 351, 417)
RIGHT_CHEEK = (117, 118, 119, 100, 142, 36, 206, 216, 212, 214, 192, 213, 147, 123, 116)
LEFT_CHEEK = (346, 347, 348, 329, 371, 266, 426, 436, 432, 434, 416, 433, 376, 352, 345)
CHIN = (43, 106, 182, 83, 18, 313, 406, 335, 273, 422, 430, 394, 395, 369, 396, 175, 171, 140, 170, 169, 210, 202)
SKULL_RINGS = 4
SKULL_CENTRE, SKULL_AXES = np.array([0.0, -0.35, -1.2]), np.array([1.17, 1.5, 1.42])


@cache
def neutral() -> np.ndarray:
    """The average face at rest: (468, 3) float64 in head coordinates."""
    return _read("neutral.csv")[:, :3]


@cache
def mirror() -> np.ndarray:
    """For each vertex its counterpart in the other half, (468,) int."""
    return _read("neutral.csv")[:, 3].astype(int)


@cache
def face_triangles() -> np.ndarray:
    """(852, 3) int, every triangle in the same sense of rotation."""
    return _read("triangles.csv").astype(int)


def _read(name: str) -> np.ndarray:
    table = np.loadtxt(Path(__file__).with_name(name), delimiter=",", skiprows=1)
    table.setflags(write=False)
    return table


def with_skull(face: np.ndarray) -> np.ndarray:
    """Append rings of a skull behind the oval of a face (468, 3): (468 + 36 * SKULL_RINGS, 3)."""
    start = (face[list(OVAL)] - SKULL_CENTRE) / SKULL_AXES
    radius = np.linalg.norm(start, axis=1, keepdims=True)
    even = np.radians(10 * np.arange(36) - 90)
    uneven = np.mod(np.arctan2(start[:, 1], start[:, 0]) - even + np.pi, 2 * np.pi) - np.pi
    polar = np.arccos(start[:, 2:] / radius)
    rings = []
    for t in (np.arange(SKULL_RINGS) + 1) / SKULL_RINGS:
        angle = polar + (0.97 * np.pi - polar) * t
        around = even + uneven * (1 - t)
        ray = np.stack((np.cos(around), np.sin(around)), 1) * np.sin(angle)
        rings.append(SKULL_CENTRE + SKULL_AXES * np.hstack((ray, np.cos(angle))) * (radius + (1 - radius) * t**0.4))
    return np.vstack((face, *rings))


@cache
def triangles() -> np.ndarray:
    """The triangles of face and skull together."""
    ring, bands = np.array(OVAL), [face_triangles()]
    following = N_FACE + np.arange(36)
    for _ in range(SKULL_RINGS):
        a, b, c, d = ring, np.roll(ring, -1), following, np.roll(following, -1)
        bands += [np.stack((a, b, c), 1), np.stack((b, d, c), 1)]
        ring, following = following, following + 36
    return np.vstack(bands)


@cache
def finer() -> tuple[sparse.csr_matrix, np.ndarray]:
    """One interpolating (butterfly) subdivision: the matrix from coarse to fine vertices, and the fine triangles."""
    coarse = triangles()
    opposite = _opposite_corners(coarse)
    edges = sorted({tuple(sorted(edge)) for edge in opposite})
    number = {edge: coarse.max() + 1 + i for i, edge in enumerate(edges)}
    around = _edge_neighbours(edges, opposite)
    rows, columns, weights = [], [], []
    for i, edge in enumerate(edges):
        for vertex, weight in _stencil(edge, opposite, around):
            rows.append(i)
            columns.append(vertex)
            weights.append(weight)
    n = coarse.max() + 1
    middle = sparse.csr_matrix((weights, (rows, columns)), shape=(len(edges), n))
    fine = []
    for a, b, c in coarse.tolist():
        ab, bc, ca = (number[tuple(sorted(pair))] for pair in ((a, b), (b, c), (c, a)))
        fine += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return sparse.vstack((sparse.identity(n), middle)).tocsr(), np.array(fine)


def _opposite_corners(faces: np.ndarray) -> dict[tuple[int, int], int]:
    """For each directed edge the third corner of its triangle."""
    return {(a, b): c for t in faces.tolist() for a, b, c in (t, t[1:] + t[:1], t[2:] + t[:2])}


def _edge_neighbours(edges: list[tuple[int, int]], opposite: dict) -> dict[int, list[int]]:
    """For each vertex on an open edge its neighbours along that edge."""
    around: dict[int, list[int]] = {}
    for a, b in edges:
        if ((a, b) in opposite) != ((b, a) in opposite):
            around.setdefault(a, []).append(b)
            around.setdefault(b, []).append(a)
    return around


def _stencil(edge: tuple[int, int], opposite: dict, around: dict) -> list[tuple[int, float]]:
    """The weights of the old vertices in the new one on an edge: a curve along rims, a butterfly elsewhere."""
    a, b = edge
    if set(edge) <= set(OVAL):
        ends = [OVAL[(OVAL.index(x) + step) % 36] for x in edge for step in (-1, 1)]
        ends = [end for end in ends if end not in edge]
    elif edge in opposite and (b, a) in opposite:
        wings = [opposite[edge], opposite[b, a]]
        tips = [opposite.get(pair) for c in wings for pair in ((a, c), (c, a), (b, c), (c, b))]
        tips = [tip for tip in tips if tip is not None and tip not in edge]
        if len(tips) == 4 and _on_one_side([a, b, *wings, *tips]):
            return [(a, 0.5), (b, 0.5), *((c, 0.125) for c in wings), *((tip, -0.0625) for tip in tips)]
        return [(a, 0.5), (b, 0.5)]
    else:
        ends = [next((v for v in around[x] if v not in edge), None) for x in edge]
    return [(a, 0.5625), (b, 0.5625), *((end, -0.0625) for end in ends)]


def _on_one_side(vertices: list[int]) -> bool:
    """Is the jaw's edge, where a curve would overshoot, not crossed?"""
    inside = [vertex < N_FACE for vertex in vertices if vertex not in OVAL]
    return all(inside) or not any(inside)


def normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (n, 3) of the fine mesh, towards the outside."""
    a, b, c = vertices[faces].transpose(1, 0, 2)
    total = _corner_matrix() @ np.cross(c - a, b - a)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)


@cache
def _corner_matrix() -> sparse.csr_matrix:
    """Sums what belongs to triangles at their corners."""
    faces = finer()[1]
    columns = np.repeat(np.arange(len(faces)), 3)
    return sparse.csr_matrix((np.ones(faces.size), (faces.ravel(), columns)))
