"""What each facial action unit (FACS) does to the face surface.

Every unit names a few vertices of the right half of the face and how far they move: out (away from the midline),
up and forward, in inter-ocular distances at full intensity. The skin between follows smoothly: the mesh is bent as
little as possible between the moved vertices and those that lie farther away than `reach`. Eyes and mouth are holes,
so nothing leaks from one lid or lip to the other.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from fer_lib.synthetic.mesh import N_FACE, face_triangles, mirror, neutral

Moves = dict[tuple[int, ...], tuple[float, float, float]]
UPPER_LID = {246: 0.35, 161: 0.7, 160: 0.9, 159: 1.0, 158: 0.95, 157: 0.75, 173: 0.35}
LOWER_LID = {7: 0.45, 163: 0.75, 144: 0.95, 145: 1.0, 153: 0.95, 154: 0.75, 155: 0.4}


def _lids(shares: dict[int, float], up: float, forward: float = 0.0) -> Moves:
    return {(vertex,): (0, share * up, share * forward) for vertex, share in shares.items()}


# unit: (reach, moves). Amplitudes are where Face Mesh sees the drawn vertices where they are.
FIELDS: dict[int, tuple[float, Moves]] = {
    1: (
        0.4,
        {
            (107, 55): (-0.002, 0.081, 0),
            (66, 65): (-0.003, 0.071, 0),
            (105, 52): (-0.004, 0.045, 0),
            (9, 8): (0, 0.047, 0),
        },
    ),
    2: (
        0.35,
        {
            (63, 53): (0.01, 0.08, 0),
            (105, 52): (0.01, 0.065, 0),
            (70, 46): (0.01, 0.066, 0),
            (66, 65): (0.005, 0.02, 0),
        },
    ),
    4: (
        0.35,
        {
            (107, 55): (-0.012, -0.055, 0.02),
            (66, 65): (-0.009, -0.055, 0.01),
            (105, 52): (-0.006, -0.047, 0),
            (63, 53): (0, -0.031, 0),
            (9,): (0, -0.044, 0.01),
            (8,): (0, -0.036, 0.02),
        },
    ),
    5: (0.16, _lids(UPPER_LID, 0.046)),
    6: (
        0.4,
        {
            (117, 118): (-0.001, 0.018, 0.05),
            (50, 101): (0.002, 0.014, 0.07),
            (205,): (0.003, 0.010, 0.06),
            (46, 53): (0, -0.004, 0),
        }
        | _lids(LOWER_LID, 0.027, 0.01),
    ),
    7: (0.14, _lids(LOWER_LID, 0.032) | _lids(UPPER_LID, -0.007)),
    9: (
        0.4,
        {
            (98, 64): (0.005, 0.040, 0.01),
            (102, 49, 129): (0.003, 0.035, 0.02),
            (122, 196): (-0.001, 0.017, 0.015),
            (55, 107): (-0.003, -0.031, 0),
            (65,): (0.001, -0.024, 0),
            (37, 39): (0.005, 0.044, 0.01),
            (0, 2): (0, 0.043, 0),
            (203, 206): (0.004, 0.034, 0.03),
        },
    ),
    10: (
        0.35,
        {
            (0, 37): (0.003, 0.061, 0.02),
            (39, 40): (0.019, 0.064, 0.02),
            (13, 82): (0.003, 0.069, 0.01),
            (81, 80): (0.016, 0.066, 0.01),
            (203, 206): (0.011, 0.034, 0.03),
            (98,): (0.010, 0.025, 0),
        },
    ),
    12: (
        0.5,
        {
            (61, 78): (0.082, 0.085, -0.06),
            (185, 191, 146, 95): (0.065, 0.062, -0.03),
            (40, 80, 91, 88): (0.049, 0.038, 0),
            (0, 13): (0, 0.005, -0.01),
            (17, 14): (0, -0.002, -0.01),
            (205, 50): (0.028, 0.036, 0.06),
            (216, 206): (0.041, 0.042, 0.03),
        },
    ),
    14: (
        0.35,
        {(61, 78): (0.038, 0.029, -0.09), (185, 191, 146, 95): (0.032, 0.021, -0.05), (57, 186): (0.028, 0.014, -0.05)},
    ),
    15: (
        0.4,
        {
            (61, 78): (-0.01, -0.07, -0.01),
            (185, 191, 146, 95): (-0.011, -0.050, 0),
            (40, 80, 91, 88): (-0.007, -0.036, 0),
            (43, 57): (-0.006, -0.031, 0),
        },
    ),
    17: (
        0.45,
        {
            (200, 199): (0, 0.058, 0.03),
            (18, 83): (0, 0.072, 0.03),
            (17, 84): (0, 0.074, 0.03),
            (14, 87): (0, 0.06, 0.02),
            (13, 82): (0, 0.04, 0.02),
            (0, 37): (0, 0.038, 0.02),
            (61, 78): (0, -0.01, 0),
            (152, 175): (0, 0.032, 0),
        },
    ),
    20: (
        0.5,
        {
            (61, 78): (0.065, -0.014, -0.03),
            (185, 191, 146, 95): (0.048, -0.009, 0),
            (40, 80, 91, 88): (0.036, -0.002, 0),
        },
    ),
    23: (
        0.3,
        {
            (61, 78): (-0.038, 0.002, 0.02),
            (0, 37): (-0.003, -0.023, -0.02),
            (39, 40): (-0.023, -0.019, -0.02),
            (17, 84): (-0.003, 0.036, -0.02),
            (181, 91): (-0.024, 0.028, -0.02),
            (13, 82, 81, 14, 87, 178): (-0.005, 0.006, -0.02),
        },
    ),
    25: (
        0.4,
        {
            (13, 82): (0.002, 0.048, 0),
            (81, 80): (0.011, 0.032, 0),
            (0, 37, 39): (0.003, 0.027, 0),
            (14, 87): (0.002, -0.092, 0),
            (178, 88): (0.008, -0.078, 0),
            (17, 84, 181): (0.002, -0.064, 0),
            (61, 78): (0.010, -0.016, 0),
        },
    ),
    26: (
        1.0,
        {
            (14, 87, 17, 84): (0.002, -0.271, -0.04),
            (178, 181): (0.003, -0.247, -0.04),
            (88, 91): (-0.001, -0.208, -0.03),
            (152, 148, 175, 199, 200): (0.001, -0.193, -0.06),
            (176, 149): (0.017, -0.157, -0.06),
            (150,): (0.013, -0.131, -0.05),
            (136,): (0.004, -0.120, -0.04),
            (172,): (0.002, -0.105, -0.02),
            (58,): (0.004, -0.078, 0),
            (61, 78): (-0.008, -0.114, 0),
            (13, 0): (0, -0.014, 0),
            (2, 98): (0.002, -0.020, 0),
        },
    ),
    45: (0.16, _lids(UPPER_LID, -0.169, 0.03) | _lids(LOWER_LID, 0.008)),
}
ACTION_UNITS = tuple(FIELDS)
ONE_SIDED = (12, 14)
SIDES = ("both", "left", "right")
# Upper vertex and lower vertex that must not pass each other.
LIDS = tuple(zip((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155), strict=True))
LIPS = tuple(zip((191, 80, 81, 82, 13), (95, 88, 178, 87, 14), strict=True))


def check_units(units: Mapping[int, float], side: str = "both") -> None:
    """Refuse what cannot be drawn.

    Raises
    ------
    ValueError
        For an unknown action unit, an intensity outside 0-1 and an unknown side.
    """
    for unit, intensity in units.items():
        if unit not in ACTION_UNITS:
            raise ValueError(f"action unit {unit} is not drawn; known are {', '.join(map(str, ACTION_UNITS))}.")
        if not 0 <= intensity <= 1:
            raise ValueError(f"action unit {unit} has intensity {intensity}; it must lie in 0-1.")
    if side not in SIDES:
        raise ValueError(f"side {side!r} is unknown; use one of {', '.join(SIDES)}.")


def displace(face: np.ndarray, units: Mapping[int, float], side: str = "both") -> np.ndarray:
    """Move a face at rest.

    Parameters
    ----------
    face : (468, 3) in head coordinates
    units : intensity 0-1 by FACS number, of ACTION_UNITS; what is left out is at rest
    side : "left" or "right" restricts the lip corner units 12 and 14 to that half, as contempt does

    Returns
    -------
    (468, 3)
    """
    check_units(units, side)
    moved = face.copy()
    for unit, intensity in units.items():
        field = fields()[unit]
        if side != "both" and unit in ONE_SIDED:
            half = neutral()[:, :1] / 0.2 * (1 if side == "left" else -1)
            field = field * np.clip(0.5 + half, 0, 1)
        moved += intensity * field
    return _keep_apart(moved)


def _keep_apart(face: np.ndarray) -> np.ndarray:
    """Lids and lips that would pass each other meet instead."""
    pairs = np.array(LIDS + LIPS)
    pairs = np.vstack((pairs, mirror()[pairs]))
    upper, lower = pairs.T
    overlap = np.maximum(face[upper, 1] - face[lower, 1], 0)
    share = np.where(np.arange(len(pairs)) % len(LIDS + LIPS) < len(LIDS), 0.9, 0.5)  # a closing eye: the upper lid
    face[upper, 1] -= share * overlap
    face[lower, 1] += (1 - share) * overlap
    return face


@cache
def fields() -> dict[int, np.ndarray]:
    """The displacement (468, 3) of every action unit at full intensity."""
    return {unit: _field(reach, moves) for unit, (reach, moves) in FIELDS.items()}


def _field(reach: float, moves: Moves) -> np.ndarray:
    """Bend the mesh as little as possible, given what moves and what stays."""
    given = {}
    for vertices, (out, up, forward) in moves.items():
        for vertex in vertices:
            centre = vertex == mirror()[vertex]
            given[vertex] = np.array((0 if centre else -out, -up, forward))
            given[mirror()[vertex]] = given[vertex] * (-1, 1, 1)
    handles = np.array(list(given))
    distance = np.linalg.norm(neutral()[:, None] - neutral()[handles][None], axis=2).min(1)
    fixed = np.union1d(handles, np.flatnonzero(distance > reach))
    free = np.setdiff1d(np.arange(N_FACE), fixed)
    field = np.zeros((N_FACE, 3))
    field[handles] = np.array(list(given.values()))
    bending = _bending()
    field[free] = spsolve(bending[free][:, free].tocsc(), -(bending[free][:, fixed] @ field[fixed]))
    return (field + field[mirror()] * (-1, 1, 1)) / 2  # Face Mesh's triangles differ a little between the halves


@cache
def _bending() -> sparse.csr_matrix:
    """The squared graph Laplacian of the face mesh, with a trace of the plain one against overshooting."""
    a, b, c = face_triangles().T
    rows, columns = np.concatenate((a, b, c, b, c, a)), np.concatenate((b, c, a, a, b, c))
    joined = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(N_FACE, N_FACE))
    joined.data[:] = 1
    laplacian = sparse.diags(np.asarray(joined.sum(1)).ravel()) - joined
    return (laplacian @ laplacian + 1.0 * laplacian).tocsr()
