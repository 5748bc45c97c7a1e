"""Make `neutral.csv` and `triangles.csv` anew, without any photograph: `python -m fer_lib.synthetic.rebuild`.

Plain drawn faces are shown to mediapipe's Face Mesh, whose answers are averaged into a first surface. Then a few
rounds of drawing people with it, measuring them and correcting the surface where Face Mesh places a vertex elsewhere:
its x and y by the mean difference, its z by how the difference grows with the head's turning and nodding.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
from scipy.optimize import linear_sum_assignment

from fer_lib.progress import progress
from fer_lib.synthetic import action_units, anatomy, mesh, skin
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.plan import PRESETS, plan
from fer_lib.synthetic.render import draw_card

FOLDER = Path(__file__).parent
# Two triples of neighbours in Face Mesh's drawing of edges that bound no face of the surface.
NO_TRIANGLES = {(279, 294, 358), (49, 64, 129)}
# The lips' right half from the middle to the corner, rows from the mouth's line outwards.
UPPER_LIP = ((13, 82, 81, 80, 191), (12, 38, 41, 42, 183), (11, 72, 73, 74, 184), (0, 37, 39, 40, 185))
LOWER_LIP = ((14, 87, 178, 88, 95), (15, 86, 179, 89, 96), (16, 85, 180, 90, 77), (17, 84, 181, 91, 146))
ROUNDS = 4
REBUILD = 468  # a seed of its own: nobody who is drawn here is measured in `measure.py`
GAIN = 1.2  # above 1, since scaling back to an eye distance of 1 undoes a part of every step
MOUTH_LINE = 0.07  # its thickness in the middle, in head units
Measure = Callable[[np.ndarray], np.ndarray | None]


def main() -> None:
    """Write both tables."""
    options = {"static_image_mode": True, "refine_landmarks": True, "min_detection_confidence": 0.3}
    with mp.solutions.face_mesh.FaceMesh(**options) as network:

        def measure(picture: np.ndarray) -> np.ndarray | None:
            found = network.process(picture).multi_face_landmarks
            points = [(p.x, p.y, -p.z) for p in found[0].landmark[: mesh.N_FACE]] if found else None
            return None if points is None else np.array(points) * len(picture)

        _save("triangles.csv", "a,b,c", find_triangles(), "%d")
        average = average_plain_face(measure)
        mirror = find_mirror(average)
        surface = _closed(_symmetric(average, mirror), mirror)
        _save_surface(surface, mirror)
        for number in range(1, ROUNDS + 1):
            surface = correct(surface, mirror, measure, number)
            _save_surface(surface, mirror)


def find_triangles() -> np.ndarray:
    """The triples of joined vertices, all in the sense of rotation that faces the viewer: (852, 3) int."""
    joined: dict[int, set[int]] = {}
    for a, b in mp.solutions.face_mesh_connections.FACEMESH_TESSELATION:
        joined.setdefault(a, set()).add(b)
        joined.setdefault(b, set()).add(a)
    triples = {tuple(sorted((a, b, c))) for a in joined for b in joined[a] for c in joined[a] & joined[b]}
    faces = _turned_alike(sorted(triples - NO_TRIANGLES))
    edges = {(a, b) for face in faces.tolist() for a, b in zip(face, face[1:] + face[:1], strict=True)}
    return faces if mesh.OVAL[1::-1] in edges else faces[:, ::-1]


def _turned_alike(faces: list[tuple[int, int, int]]) -> np.ndarray:
    """Neighbours run along their common edge in opposite directions; flat lips would leave this to chance."""
    at_edge: dict[frozenset, list[int]] = {}
    for number, (a, b, c) in enumerate(faces):
        for edge in ((a, b), (b, c), (c, a)):
            at_edge.setdefault(frozenset(edge), []).append(number)
    turned, waiting = {0: faces[0]}, [0]
    while waiting:
        a, b, c = turned[waiting.pop()]
        for start, end in ((a, b), (b, c), (c, a)):
            for number in at_edge[frozenset((start, end))]:
                if number not in turned:
                    (third,) = set(faces[number]) - {start, end}
                    turned[number] = (end, start, third)
                    waiting.append(number)
    return np.array([turned[number] for number in range(len(faces))])


def find_mirror(surface: np.ndarray) -> np.ndarray:
    """For each vertex its counterpart, (468,) int: the pairing with the least distance over the midline."""
    distance = np.linalg.norm(surface[:, None] - surface[None] * (-1, 1, 1), axis=2)
    mirror = linear_sum_assignment((distance + distance.T) ** 2)[1]
    if not np.array_equal(mirror[mirror], np.arange(mesh.N_FACE)):
        raise RuntimeError("the average of the plain faces is too crooked to pair its halves; draw more of them.")
    return mirror


def average_plain_face(measure: Measure, n: int = 70) -> np.ndarray:
    """The average (468, 3), in head coordinates, of what Face Mesh sees in plain drawings."""
    seen = [measure(plain_face(np.random.default_rng(seed))) for seed in range(n)]
    return np.mean([_in_head_coordinates(points) for points in seen if points is not None], axis=0) * (1, 1, 0.8)


def plain_face(rng: np.random.Generator, size: int = 384) -> np.ndarray:
    """A flat frontal face: (size, size, 3) uint8."""
    unit, skin_colour = 0.15 * size * rng.uniform(0.9, 1.1), tuple(rng.uniform(0.8, 1) * c for c in (226, 178, 146))
    dark = tuple(0.35 * c for c in skin_colour)
    picture = np.full((size, size, 3), rng.integers(90, 230, 3), np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(size / 2 + x * unit), round(0.46 * size + y * unit)

    def oval(x: float, y: float, rx: float, ry: float, colour, start: float = 0, end: float = 360, line: int = -1):
        axes = round(rx * unit), round(ry * unit)
        cv2.ellipse(picture, at(x, y), axes, 0, start, end, colour, line, cv2.LINE_AA)

    wide, tall = rng.uniform(0.95, 1.05, 2)
    oval(0, -0.2, 1.22 * wide, 1.72, dark)
    cv2.rectangle(picture, at(-0.55, 1.0), at(0.55, 3.5), tuple(0.8 * c for c in skin_colour), -1)
    oval(0, 0.3, 1.12 * wide, 1.5 * tall, skin_colour)
    for side in (-1, 1):
        oval(0.5 * side, 0, 0.22, 0.11, (240, 238, 234))
        oval(0.5 * side, 0, 0.1, 0.1, (70, 46, 34))
        oval(0.5 * side, 0.02, 0.24, 0.14, dark, 180, 360, 3)
        oval(0.5 * side, -0.16, 0.36, 0.2, dark, 205, 335, round(0.09 * unit))
        oval(0.13 * side, 0.64, 0.07, 0.03, dark)
    oval(0, 0.6, 0.2, 0.14, tuple(0.78 * c for c in skin_colour), 20, 160, 3)
    oval(0, 1.08, 0.42 * rng.uniform(0.95, 1.05), 0.12, (188, 92, 88))
    cv2.line(picture, at(-0.4, 1.08), at(0.4, 1.08), (110, 44, 44), 2, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), 1.5)


def correct(surface: np.ndarray, mirror: np.ndarray, measure: Measure, number: int, n: int = 420) -> np.ndarray:
    """One round: draw people with the surface, measure, and move each vertex to where it is seen."""
    for cached in (mesh.neutral, mesh.mirror, action_units.fields, anatomy.shape_fields, skin.flat):
        cached.cache_clear()
    causes, errors = [], []
    cards = plan(PRESETS["balanced"], n, np.random.default_rng([REBUILD, number]), n_subjects=n)
    for card in progress(cards, f"round {number}", unit="face"):
        drawing = draw_card(replace(card, shot=replace(card.shot, companion=None)))
        seen, truth = measure(drawing.picture), drawing.landmarks
        if seen is None:
            continue
        angle = np.radians(card.shot.roll)
        upright = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        errors.append((seen[:, :2] - truth) @ upright / _eye_distance(truth))
        units = [card.expression.units.get(unit, 0.0) for unit in ACTION_UNITS]
        causes.append((np.sin(np.radians(card.shot.yaw)), np.sin(np.radians(card.shot.pitch)), *units))
    errors, causes = np.array(errors), np.array(causes)
    causes = np.column_stack((np.ones(len(causes)), causes - causes.mean(0)))
    print(f"round {number}: mean error {100 * np.linalg.norm(errors, axis=2).mean():.2f} % of the eye distance")
    effects = np.linalg.lstsq(causes, errors.reshape(len(errors), -1), rcond=None)[0].reshape(-1, mesh.N_FACE, 2)
    weight = causes[:, 1:3].var(0)
    depth = (weight[0] * effects[1, :, 0] + weight[1] * effects[2, :, 1]) / weight.sum()
    moved = np.column_stack((effects[0], depth))
    return _closed(_symmetric(surface + GAIN * moved, mirror), mirror)


def _closed(surface: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Lips with a mouth's line between them: any wider gap would be seen and opened further in the next round."""
    closed = surface.copy()
    gap = (
        surface[list(LOWER_LIP[0]), 1] - surface[list(UPPER_LIP[0]), 1] - MOUTH_LINE * np.array((1, 1, 0.95, 0.8, 0.4))
    )
    for rows, sign in ((UPPER_LIP, 1), (LOWER_LIP, -1)):
        for row, share in zip(rows, (0.5, 0.45, 0.3, 0.15), strict=True):
            closed[list(row), 1] += sign * share * gap
            closed[mirror[list(row)], 1] = closed[list(row), 1]
    return closed


def _in_head_coordinates(points: np.ndarray) -> np.ndarray:
    right, left = points[list(mesh.RIGHT_EYE)].mean(0), points[list(mesh.LEFT_EYE)].mean(0)
    angle = np.arctan2(left[1] - right[1], left[0] - right[0])
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return (points - (left + right) / 2) @ turn / np.hypot(*(left - right)[:2])


def _symmetric(surface: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """The mean of a surface and its mirror image, back in head coordinates."""
    return _in_head_coordinates((surface + surface[mirror] * (-1, 1, 1)) / 2)


def _eye_distance(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[list(mesh.LEFT_EYE)].mean(0) - points[list(mesh.RIGHT_EYE)].mean(0)))


def _save_surface(surface: np.ndarray, mirror: np.ndarray) -> None:
    _save("neutral.csv", "x,y,z,mirror", np.column_stack((surface, mirror)), ["%.4f"] * 3 + ["%d"])


def _save(name: str, header: str, table: np.ndarray, form: str | list[str]) -> None:
    np.savetxt(FOLDER / name, table, form, delimiter=",", header=header, comments="")


if __name__ == "__main__":
    main()
