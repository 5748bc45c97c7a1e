"""Which action units are raised in a face, read from its mesh against a face at rest, and how often that is true.

Paper 000 (section 5.2) explains an emotion by what is seen in the face. Here drawn faces, whose units are known, tell
where each unit moves the landmarks; a face's intensities are those that together explain its own moves best (least
squares, none below 0). So a unit is read from what it moves, and hardly from the company that it keeps in emotions, as
a model that predicts units from landmarks would. It is named where validation says that the estimate can be believed.
"""

import json
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import pandas as pd
from scipy.optimize import nnls
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LinearRegression

from fer_lib.errors import StudyError
from fer_lib.evaluation.compare import LEVEL, resample
from fer_lib.faces.geometry import EYES, eye_distance, from_neutral
from fer_lib.faces.prepare import landmarks_of
from fer_lib.synthetic.action_units import ACTION_UNITS

OWN_REST, AVERAGE_REST = "this person's own neutral face", "an average face at rest"
DRIVEN, STRONG = 0.1, 0.5  # intensities: a weaker unit than the first can hardly be seen, the second should be found
TRUSTED = 0.95  # least share of the validation faces in which a unit is named that must have it driven
FALSE_ALARMS = 0.05  # of those that do not have it driven, the largest share in which it may be named
LEAST = 10  # faces of validation in which it is named; of fewer, the shares say too little


@dataclass(frozen=True)
class Reading:
    """Where units move landmarks, and from which intensity on each is named.

    rest : (956,), the moves of a face without any unit: close to 0
    fields : (17, 956), what each unit of `ACTION_UNITS` adds at full intensity
    sharpened : (956, 956); the product with it makes all that moves landmarks beside the units alike and independent
    thresholds : (17,), of the intensities; infinite for units that are never named
    """

    rest: np.ndarray
    fields: np.ndarray
    sharpened: np.ndarray
    thresholds: np.ndarray

    def intensities(self, moves: np.ndarray) -> np.ndarray:
        """How strongly each unit is driven, 0 or more, (N, 17), in faces whose landmarks moved by (N, 956)."""
        towards = (self.fields @ self.sharpened).T
        found = [nnls(towards, moved)[0] for moved in (moves - self.rest) @ self.sharpened]
        return np.reshape(found, (len(moves), len(self.fields)))


@dataclass(frozen=True)
class UnitReader:
    """Names the action units of measured faces.

    average : (956,), where landmarks lie in the average of train's subjects at rest
    readings : of faces beside the subject's own neutral pictures (`OWN_REST`; lacks where train or validation have too
        few), and beside `average` (`AVERAGE_REST`)
    """

    average: np.ndarray
    readings: dict[str, Reading]

    @classmethod
    def fit(cls, rows: pd.DataFrame, faces: pd.DataFrame) -> "UnitReader":
        """Learn from train what each unit moves, and choose the thresholds on validation; test is not used.

        Parameters
        ----------
        rows : usable rows of a study table that knows `action_units`
        faces : their measurements in the same order, with the column `landmarks`

        Raises
        ------
        StudyError
            When train has no neutral face with a mesh, or train or validation no face with a mesh and known units.
        """
        shapes, truth = aligned(faces["landmarks"]), true_intensities(rows)
        meshed, known = np.isfinite(shapes).all(1), np.isfinite(truth).all(1)
        train, validation = ((rows["split"] == split).to_numpy() & meshed for split in ("train", "validation"))
        learn, choose = train & known, validation & known
        resting = train & (rows["label"] == "neutral").to_numpy()  # of these nobody needs to know the units
        wanted = {"neutral face of train has a mesh": resting, "face of train has a mesh and action_units": learn}
        for what, there in (wanted | {"face of validation has a mesh and action_units": choose}).items():
            if not there.any():
                raise StudyError(f"no {what}; fit the reader on the embedded data.")
        subjects = rows["subject"].fillna(rows["id"])[resting].to_numpy()
        average = pd.DataFrame(shapes[resting]).groupby(subjects).mean().mean().to_numpy(shapes.dtype)
        readings = {}
        for against, moves in _moves(shapes, rows, average).items():
            seen = np.isfinite(moves).all(1)
            if against == AVERAGE_REST or min((learn & seen).sum(), (choose & seen).sum()) >= LEAST:
                readings[against] = _fit_reading(moves, truth, learn & seen, choose & seen)
        return cls(average, readings)

    def read(self, rows: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
        """What is raised in every face, and beside which face at rest.

        Parameters
        ----------
        rows, faces : as in `fit`, of any data; a subject's pictures with the label neutral are what its others are
            compared with, so they must be among them; no picture is compared with itself

        Returns
        -------
        one row a picture: `units`, a tuple of those named, in order, and `against`, `OWN_REST` or `AVERAGE_REST`; both
        None without a mesh
        """
        units, against = np.full((2, len(rows)), None, object)
        moves = _moves(aligned(faces["landmarks"]), rows, self.average)
        for beside, reading in self.readings.items():
            seen = np.flatnonzero(pd.isna(against) & np.isfinite(moves[beside]).all(1))
            against[seen] = beside
            for at, intensities in zip(seen, reading.intensities(moves[beside][seen]), strict=True):
                units[at] = tuple(np.compress(intensities >= reading.thresholds, ACTION_UNITS).tolist())
        return pd.DataFrame({"units": units, "against": against})

    def named(self, rows: pd.DataFrame, faces: pd.DataFrame) -> list[tuple[int, ...] | None]:
        """The units of `read` alone."""
        return self.read(rows, faces)["units"].tolist()

    @property
    def never(self) -> dict[str, tuple[int, ...]]:
        """For each face at rest that is compared with, the units for which validation supports no threshold."""
        missing = {against: np.isinf(reading.thresholds) for against, reading in self.readings.items()}
        return {against: tuple(np.compress(units, ACTION_UNITS).tolist()) for against, units in missing.items()}


def agreement(
    rows: pd.DataFrame, named: list[tuple[int, ...] | None], resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """How often named units are really driven, and how many strongly driven ones are named.

    Parameters
    ----------
    rows : of the study table; those whose `action_units` are not known do not count
    named : of `UnitReader.named`, in the same order; pictures with None do not count

    Returns
    -------
    index "all", then each unit; columns n (pictures), named (how often), agreement (share of those that are driven)
    with low and high of its 95 % bootstrap interval over pictures, strong (how often driven strongly) and recall (share
    of those that are named); fractions, NaN where there is nothing to divide by
    """
    counted = rows["action_units"].notna().to_numpy() & np.array([units is not None for units in named], bool)
    truth, chosen = true_intensities(rows)[counted], compress(named, counted)
    said = np.array([np.isin(ACTION_UNITS, units) for units in chosen], bool).reshape(truth.shape)
    strong = truth >= STRONG  # a unit whose intensity nobody graded is driven, and perhaps not strongly
    names, right, asked, found = (_with_all(part) for part in (said, said & ~(truth < DRIVEN), strong, said & strong))
    drawn = resample(np.ones(len(truth), int), resamples, seed) if len(truth) else np.zeros((1, 0), int)
    bounds = pd.DataFrame(_shares(drawn @ right, drawn @ names)).quantile([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    columns = {"n": len(truth), "named": names.sum(0), "agreement": _shares(right.sum(0), names.sum(0))}
    columns |= dict(zip(("low", "high"), bounds.to_numpy(), strict=True))
    columns |= {"strong": asked.sum(0), "recall": _shares(found.sum(0), asked.sum(0))}
    return pd.DataFrame(columns, index=["all", *ACTION_UNITS])


def aligned(landmarks: pd.Series) -> np.ndarray:
    """Where all landmarks lie, float32 (N, 956): from between the eyes, along and across the line through both eyes.

    In eye distances, so that place, size and tilt of the head do not matter; x and y in turn, NaN without a mesh.

    Parameters
    ----------
    landmarks : the column of measured faces
    """
    meshes = landmarks_of(landmarks)
    left, right = (meshes[:, list(corners), :2].mean(1) for corners in EYES)
    along = (left - right) / eye_distance(meshes)[:, None]
    axes = np.stack([along, along[:, ::-1] * np.float32([-1, 1])], -1)
    points = (meshes[..., :2] - (left + right)[:, None] / 2) / eye_distance(meshes)[:, None, None]
    return (points @ axes).reshape(len(meshes), 2 * meshes.shape[1])


def true_intensities(rows: pd.DataFrame) -> np.ndarray:
    """The column `action_units` as (N, 17), 0-1 in the order of `ACTION_UNITS`; NaN where that is not known.

    A unit that a row does not tell of is at rest; of a row that tells nothing, no unit is known.
    """
    truth = np.full((len(rows), len(ACTION_UNITS)), np.nan)
    for intensities, told in zip(truth, rows["action_units"], strict=True):
        if told is not None:
            units = json.loads(told)
            intensities[:] = [units.get(str(unit), 0.0) for unit in ACTION_UNITS]  # null becomes NaN
    return truth


def _moves(shapes: np.ndarray, rows: pd.DataFrame, average: np.ndarray) -> dict[str, np.ndarray]:
    """Shapes less those of the subject's own neutral pictures but itself, and less the average; NaN without any."""
    resting = (rows["label"] == "neutral").to_numpy() & np.isfinite(shapes).all(1)
    subjects = rows["subject"].to_numpy()
    count = pd.Series(resting, dtype=float).groupby(subjects).transform("sum").to_numpy()
    # A picture lies n / (n - 1) times as far from the mean of the n - 1 others as from the mean of all n.
    others = np.where(count > resting, count - resting, np.nan)
    own = from_neutral(shapes, subjects, resting) * (count / others)[:, None]
    return {OWN_REST: own, AVERAGE_REST: shapes - average}


def _fit_reading(moves: np.ndarray, truth: np.ndarray, learn: np.ndarray, choose: np.ndarray) -> Reading:
    forward = LinearRegression().fit(truth[learn], moves[learn])
    noise = LedoitWolf(assume_centered=True).fit(moves[learn] - forward.predict(truth[learn]))
    sharpened = np.linalg.cholesky(noise.precision_)
    reading = Reading(forward.intercept_, forward.coef_.T, sharpened, np.full(len(ACTION_UNITS), np.inf))
    columns = zip(reading.intensities(moves[choose]).T, (truth[choose] >= DRIVEN).T, strict=True)
    return replace(reading, thresholds=np.array([_threshold(*column) for column in columns]))


def _threshold(intensities: np.ndarray, driven: np.ndarray) -> float:
    """The lowest intensity, not below `DRIVEN`, from which on a unit can be named; infinite where there is none."""
    for threshold in np.unique(intensities[intensities >= DRIVEN]):
        named = intensities >= threshold
        if named.sum() < LEAST:
            break
        if driven[named].mean() >= TRUSTED and (driven.all() or named[~driven].mean() <= FALSE_ALARMS):
            return float(threshold)
    return np.inf


def _with_all(cells: np.ndarray) -> np.ndarray:
    """Counts (N, 1 + units): of all units together, then of each."""
    return np.column_stack([cells.sum(1), cells]).astype(int)


def _shares(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
