"""Are the drawn people seen as people? `python -m fer_lib.synthetic.measure` prints a table of targets and figures.

Face Mesh, BlazeFace and selfie segmentation, trained on photographs, look at drawings whose truth is known. The
eye distance is that between the centres of both eyes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import mediapipe as mp
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_lib.progress import progress
from fer_lib.synthetic import mesh
from fer_lib.synthetic.draw import Drawing, draw
from fer_lib.synthetic.face_masks import FACE_MASKS
from fer_lib.synthetic.person import SKIN_TONES, Person, draw_person
from fer_lib.synthetic.plan import PRESETS, Card, plan
from fer_lib.synthetic.render import draw_card

CLEAR_UNITS = (1, 2, 4, 5, 7, 9, 12, 15, 17, 20, 26)
FAINT_UNITS = (6, 10, 23, 25, 45)
# For each action unit: what grows (1) or shrinks (-1) with it, among the heights and widths of `_lengths`.
SIGNS = {
    1: ("inner brow", 1),
    2: ("outer brow", 1),
    4: ("inner brow", -1),
    5: ("eye opening", 1),
    6: ("lower lid", -1),
    7: ("lower lid", -1),
    9: ("nose", -1),
    10: ("upper lip", -1),
    12: ("mouth width", 1),
    15: ("mouth corner", 1),
    17: ("below the lip", -1),
    20: ("mouth width", 1),
    23: ("lips", -1),
    25: ("mouth opening", 1),
    26: ("jaw", 1),
    45: ("eye opening", -1),
}
GEOMETRY = (33, 133, 159, 145, 362, 263, 386, 374, 70, 105, 107, 336, 334, 300, 1, 98, 327, 61, 291, 0, 13, 14, 17, 152)
PARTS = {
    "brow": mesh.RIGHT_BROW + mesh.LEFT_BROW,
    "eye": mesh.RIGHT_EYE + mesh.LEFT_EYE,
    "mouth": mesh.OUTER_LIPS + mesh.INNER_LIPS,
}


@dataclass(frozen=True, eq=False)
class Eyes:
    """The three networks that look, as the wheel of mediapipe brings them."""

    detector: mp.solutions.face_detection.FaceDetection
    mesh: mp.solutions.face_mesh.FaceMesh
    segmenter: mp.solutions.selfie_segmentation.SelfieSegmentation

    def finds_face(self, picture: np.ndarray) -> bool:
        """Does BlazeFace find a face, at a score of 0.5?"""
        return bool(self.detector.process(picture).detections)

    def landmarks(self, picture: np.ndarray) -> np.ndarray | None:
        """Face Mesh of the largest face, (468, 3) in pixels, or None."""
        found = self.mesh.process(picture).multi_face_landmarks or []
        faces = [np.array([(p.x, p.y, p.z) for p in face.landmark[: mesh.N_FACE]]) * len(picture) for face in found]
        return max(faces, key=lambda face: np.ptp(face[:, 0]) * np.ptp(face[:, 1]), default=None)

    def overlap(self, drawing: Drawing) -> float:
        """Intersection over union of segmented and drawn people."""
        seen = self.segmenter.process(drawing.picture).segmentation_mask > 0.5
        truth = drawing.person_mask | drawing.others_mask
        return float((seen & truth).sum() / (seen | truth).sum())


def open_eyes() -> Eyes:
    """Load the networks."""
    return Eyes(
        mp.solutions.face_detection.FaceDetection(model_selection=0, min_detection_confidence=0.5),
        mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=3),
        mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0),
    )


def measure_people(eyes: Eyes, cards: Sequence[Card], size: int = 224) -> pd.DataFrame:
    """One row a card: found by BlazeFace and Face Mesh, landmark errors in eye distances, overlap of the masks."""
    rows = []
    for card in progress(cards, "measuring people", unit="face"):
        drawing = draw_card(card, size)
        row = {"skin tone": card.person.skin_tone, "subject": card.subject, "emotion": card.emotion}
        row |= {"blazeface": eyes.finds_face(drawing.picture), "overlap": eyes.overlap(drawing)}
        seen = eyes.landmarks(drawing.picture)
        row |= {"mesh": seen is not None}
        if seen is not None:
            row |= _errors(seen[:, :2], drawing.landmarks) | {"geometry": _geometry(seen)}
        rows.append(row)
    return pd.DataFrame(rows)


def _errors(seen: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    error = np.linalg.norm(seen - truth, axis=1) / _eye_distance(truth)
    return {"error": error.mean()} | {part: error[list(ring)].mean() for part, ring in PARTS.items()}


def _geometry(seen: np.ndarray) -> np.ndarray:
    """Distances in space between points of brows, eyes, nose, mouth and chin, in eye distances: (276,)."""
    points = seen[list(GEOMETRY)] / _eye_distance(seen)
    return np.array([np.linalg.norm(points[a] - points[b]) for a, b in combinations(range(len(points)), 2)])


def _eye_distance(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[list(mesh.LEFT_EYE)].mean(0) - points[list(mesh.RIGHT_EYE)].mean(0)))


def follow_unit(eyes: Eyes, unit: int, cards: Sequence[Card], steps: int = 11, size: int = 224) -> float:
    """Correlation of one action unit's intensity with its measured length, mean over the cards' people.

    Positive when the length goes the right way. Each person holds still, looks ahead, is at rest otherwise, and wears
    no glasses, whose rims hide the outer brow and the lower lid.
    """
    name, sign = SIGNS[unit]
    correlations = []
    for card in cards:
        shot = replace(card.shot, yaw=0.0, pitch=0.0, roll=0.0, companion=None)
        person = replace(card.person, glasses=False)
        intensities = np.linspace(0, 1, steps)
        drawings = [draw(person, {unit: float(intensity)}, shot, size) for intensity in intensities]
        lengths = [_lengths(eyes.landmarks(drawing.picture))[name] for drawing in drawings]
        correlations.append(sign * np.corrcoef(intensities, lengths)[0, 1])
    return float(np.mean(correlations))


def _lengths(face: np.ndarray) -> dict[str, float]:
    """What action units change, both sides together, in eye distances."""
    y, eye = face[:, 1] / _eye_distance(face), _eye_distance(face)
    corner = y[[33, 133, 362, 263]].mean()
    upper, lower = y[[159, 386]].mean(), y[[145, 374]].mean()
    return {
        "inner brow": corner - y[[55, 107, 285, 336]].mean(),
        "outer brow": corner - y[[63, 105, 293, 334]].mean(),
        "lower lid": lower - corner,
        "eye opening": lower - upper,
        "nose": y[[98, 327]].mean() - corner,
        "upper lip": y[0] - corner,
        "mouth width": float(np.linalg.norm(face[61, :2] - face[291, :2])) / eye,
        "mouth corner": y[[61, 291]].mean() - y[[0, 17]].mean(),
        "below the lip": y[18] - y[2],
        "lips": y[17] - y[0],
        "mouth opening": y[14] - y[13],
        "jaw": y[152] - y[2],
    }


def tone_gap(eyes: Eyes, cards: Sequence[Card], size: int = 224) -> float:
    """Largest difference of mean landmark error between skin tones, when the same people are drawn with each."""
    errors = []
    for tone in SKIN_TONES:
        toned = [replace(card, person=_in_tone(card.person, tone)) for card in cards]
        errors.append(measure_people(eyes, toned, size)["error"].mean())
    return float(np.ptp(errors))


def _in_tone(person: Person, tone: int) -> Person:
    """Somebody of the same age and gender, drawn from the same seed whatever the tone."""
    return draw_person(np.random.default_rng(person.texture_seed), person.age, person.gender, tone)


def linear_accuracy(people: pd.DataFrame) -> float:
    """Accuracy of a linear classifier of emotion on measured geometry; nobody is in both its train and test."""
    people = people.dropna(subset="geometry")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2000))
    features, folds = np.stack(people["geometry"]), GroupKFold(5)
    return float(cross_val_score(model, features, people["emotion"], groups=people["subject"], cv=folds).mean())


def milliseconds(cards: Sequence[Card], size: int = 224) -> float:
    """Median time to draw one picture."""
    times = []
    for card in cards:
        start = time.process_time()
        draw_card(card, size)
        times.append(time.process_time() - start)
    return 1000 * float(np.median(times))


def requirements(n: int = 210, seed: int = 0) -> pd.DataFrame:
    """The table: what is required of `n` drawn people, and what is measured."""
    eyes, cards = open_eyes(), plan(PRESETS["balanced"], n, np.random.default_rng(seed), n_subjects=n // 3)
    people = measure_people(eyes, cards)
    masked = measure_people(eyes, [replace(c, shot=replace(c.shot, face_mask=_style(c))) for c in cards])
    units = {unit: follow_unit(eyes, unit, cards[:3]) for unit in CLEAR_UNITS + FAINT_UNITS}
    many = plan(PRESETS["balanced"], 3 * n, np.random.default_rng([seed, 1]))
    weakest = [min(units[unit] for unit in group) for group in (CLEAR_UNITS, FAINT_UNITS)]
    rows: list[tuple[str, float, float, Callable[[float, float], bool]]] = [
        ("BlazeFace finds the face, share", people["blazeface"].mean(), 0.99, _least),
        ("Face Mesh finds the face, share", people["mesh"].mean(), 0.99, _least),
        ("BlazeFace finds the masked face, share", masked["blazeface"].mean(), 0.97, _least),
        ("Face Mesh finds the masked face, share", masked["mesh"].mean(), 0.97, _least),
        ("landmark error, mean, % of eye distance", 100 * people["error"].mean(), 2.5, _most),
        ("landmark error, 95 % of faces", 100 * people["error"].quantile(0.95), 3.5, _most),
        *((f"landmark error, {part}", 100 * people[part].mean(), 2.5, _most) for part in PARTS),
        ("selfie segmentation, mean IoU", people["overlap"].mean(), 0.96, _least),
        ("selfie segmentation, IoU of the worst 5 %", people["overlap"].quantile(0.05), 0.9, _least),
        (f"weakest correlation, AU {', '.join(map(str, CLEAR_UNITS))}", weakest[0], 0.9, _least),
        (f"weakest correlation, AU {', '.join(map(str, FAINT_UNITS))}", weakest[1], 0.75, _least),
        ("landmark error, gap between skin tones, points", 100 * tone_gap(eyes, cards[:21]), 0.5, _most),
        ("drawing 224 x 224, one core, ms", milliseconds(cards), 60, _most),
    ]
    table = pd.DataFrame([(name, bound, value, test(value, bound)) for name, value, bound, test in rows])
    accuracy = linear_accuracy(measure_people(eyes, many))
    table.loc[len(table)] = ("linear classifier on measured geometry", "0.7-0.9", accuracy, 0.7 <= accuracy <= 0.9)
    table.columns = ["requirement", "must reach", "measured", "reached"]
    return table


def _style(card: Card) -> str:
    return FACE_MASKS[card.number % len(FACE_MASKS)]


def _least(value: float, bound: float) -> bool:
    return value >= bound


def _most(value: float, bound: float) -> bool:
    return value <= bound


if __name__ == "__main__":
    import cv2

    cv2.setNumThreads(1)
    print(requirements().round(4).to_string(index=False))
