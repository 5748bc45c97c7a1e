"""A person's own face at rest: the average face, changed by the person's shape parameters."""

from functools import cache

import numpy as np

from fer_lib.synthetic.mesh import INNER_LIPS, OUTER_LIPS, mirror, neutral
from fer_lib.synthetic.person import Shape


def rest_face(shape: Shape) -> np.ndarray:
    """The face of a person at rest: (468, 3) in head coordinates."""
    face = neutral() + sum(getattr(shape, name) * field for name, field in shape_fields().items())
    return face * (1 + 0.05 * shape.face_width, 1 + 0.05 * shape.face_length, 1)


@cache
def shape_fields() -> dict[str, np.ndarray]:
    """How far each vertex moves (468, 3) for one unit of a shape parameter; width and length scale instead."""
    x, y, _ = neutral().T
    side = np.sign(x)
    eye_x, eye_y = np.abs(x) - 0.5, y - 0.0
    eye, brow = _bump(eye_x, eye_y, 0.38), _bump(eye_x * 0.6, y + 0.42, 0.2)
    nose, mouth = _bump(x, (y - 0.6) * 0.8, 0.3), _bump(x * 0.7, y - 1.08, 0.3)
    bridge = _bump(x * 1.6, (y - 0.35) * 0.7, 0.28)
    return {
        "jaw_width": _move(out=0.055 * np.abs(x) * _step(y, 0.7, 1.5)),
        "chin_length": _move(down=0.09 * _step(y, 1.2, 1.75)),
        "cheekbones": _move(out=0.03 * _cheek(), forward=0.06 * _cheek()),
        "forehead_height": _move(down=-0.07 * _step(-y, 0.5, 0.85)),
        "eye_size": _move(out=0.1 * eye * eye_x, down=0.24 * eye * eye_y),
        "eye_distance": _move(out=0.035 * eye),
        "eye_tilt": _move(down=-0.09 * eye * eye_x),
        "brow_height": _move(down=-0.05 * brow),
        "brow_tilt": _move(down=-0.09 * brow * eye_x),
        "nose_length": _move(down=0.07 * nose),
        "nose_width": _move(out=0.22 * np.abs(x) * nose),
        "nose_bridge": _move(forward=0.1 * bridge),
        "mouth_width": _move(out=0.15 * np.abs(x) * mouth),
        "mouth_height": _move(down=0.05 * mouth),
        "mouth_curve": _move(down=-0.04 * _bump(np.abs(x) - 0.42, y - 1.1, 0.16)),
        "lip_fullness": _fuller_lips(),
        "asymmetry": np.stack((0.02 * mouth, 0.025 * side * (brow + 0.7 * mouth), 0 * x), 1),
    }


def _move(
    out: np.ndarray | float = 0.0, down: np.ndarray | float = 0.0, forward: np.ndarray | float = 0.0
) -> np.ndarray:
    side = np.sign(np.round(neutral()[:, 0], 3))
    return np.stack(np.broadcast_arrays(side * out, down, forward), 1) * np.ones((len(side), 1))


def _bump(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    return np.exp(-((x**2 + y**2) / radius**2))


def _cheek() -> np.ndarray:
    x, y, _ = neutral().T
    return _bump(np.abs(x) - 0.78, y - 0.4, 0.3)


def _step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _fuller_lips() -> np.ndarray:
    """The lips' outer edges move away from the mouth's line, and the rows between them by their share."""
    middle = neutral()[list(INNER_LIPS), 1].mean()
    field = np.zeros_like(neutral())
    rows = {37: 1, 39: 0.9, 40: 0.6, 185: 0.3, 0: 1, 72: 0.6, 73: 0.55, 74: 0.4, 11: 0.6, 38: 0.25, 41: 0.25, 12: 0.25}
    rows |= {
        17: 1,
        84: 1,
        181: 0.9,
        91: 0.6,
        146: 0.3,
        16: 0.65,
        85: 0.65,
        180: 0.6,
        90: 0.4,
        15: 0.3,
        86: 0.3,
        179: 0.25,
    }
    for vertex, share in rows.items():
        down = 0.055 * share * np.sign(neutral()[vertex, 1] - middle)
        field[[vertex, mirror()[vertex]]] = (0, down, 0.02 * share)
    field[list(OUTER_LIPS), 2] += 0.01
    return field
