"""What a mask's outline alone tells of the emotion below it: the part of a result that is not seen but fitted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_lib.evaluation.compare import Difference, paired_difference
from fer_lib.evaluation.metrics import always_largest
from fer_lib.faces.geometry import EYES
from fer_lib.faces.prepare import landmarks_of


@dataclass(frozen=True)
class Hint:
    """Accuracy on test from the outline alone, its gain over always saying the largest class of train, and their N."""

    accuracy: float
    gain: Difference
    n: int


def outline_hint(masked: pd.DataFrame, landmarks: pd.Series, resamples: int = 2000) -> Hint:
    """How far logistic regression gets on where a mask begins and ends.

    Parameters
    ----------
    masked : the covered study table; masks that were not fitted to a mesh do not count
    landmarks : column of the measured bare faces, in the table's order
    """
    there = (masked["problem"].isna() & masked["cover_fitted"].eq(True)).to_numpy()
    rows, meshes = masked[there], landmarks_of(landmarks[there])
    outlines = (worn[0] for worn in rows["cover_outlines"])
    features = np.stack([extent(*pair) for pair in zip(outlines, meshes, strict=True)])
    learn, ask = ((rows["split"] == split).to_numpy() for split in ("train", "test"))
    labels = rows["label"].to_numpy()
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features[learn], labels[learn])
    right = linear.predict(features[ask]) == labels[ask]
    return Hint(float(right.mean()), paired_difference(always_largest(rows), right, resamples), int(ask.sum()))


def extent(outline: Sequence[float], mesh: np.ndarray) -> np.ndarray:
    """Where a mask begins and ends, across and along the face from between the eyes, in eye distances, (4,).

    Parameters
    ----------
    outline : x and y in turn, in pixels
    mesh : landmarks (468 or more, 2 or more) in the same pixels
    """
    left, right = (mesh[list(corners), :2].mean(0) for corners in EYES)
    distance = np.linalg.norm(left - right)
    across = (left - right) / distance
    axes = np.stack([across, (-across[1], across[0])], 1)
    points = (np.reshape(outline, (-1, 2)) - (left + right) / 2) @ axes / distance
    return np.concatenate([points.min(0), points.max(0)])
