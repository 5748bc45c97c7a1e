"""Whether a model's score is the share of times that it is right, and the one number that mends it.

Predictions are frames with the column label and one column of probabilities per class; what else they hold is kept.
Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks".
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from fer_lib.evaluation.metrics import rightly

SMALLEST = np.finfo(float).eps  # scikit-learn's log_loss clips here too
COLDEST, HOTTEST = 0.01, 100.0  # a model without a single error on validation would ask for temperature 0


def confidence_bins(predictions: pd.DataFrame, classes: Sequence[str], bins: int = 15) -> pd.DataFrame:
    """The highest score of each picture beside the share that is right, in bins of equal width.

    Returns
    -------
    one row a bin, from 0 to 1: low, high (a score s lies in low < s ≤ high), n (pictures), confidence (mean highest
    score) and accuracy, both fractions, NaN in an empty bin
    """
    edges = np.linspace(0, 1, bins + 1)
    scores = predictions[list(classes)].to_numpy(float).max(1)
    number = np.clip(np.searchsorted(edges, scores) - 1, 0, bins - 1)
    n = np.bincount(number, minlength=bins)
    means = {
        name: np.bincount(number, values, bins) / np.where(n, n, np.nan)
        for name, values in (("confidence", scores), ("accuracy", rightly(predictions, classes)))
    }
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": n, **means})


def bins_error(bins: pd.DataFrame) -> float:
    """Expected calibration error of `confidence_bins`, a fraction: |accuracy - confidence|, weighted by pictures."""
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    return float((gaps * bins["n"]).sum() / bins["n"].sum())


def expected_calibration_error(predictions: pd.DataFrame, classes: Sequence[str], bins: int = 15) -> float:
    """How far the highest score lies from the share that is right, a fraction; 0 is perfect (Guo et al., eq. 3)."""
    return bins_error(confidence_bins(predictions, classes, bins))


def fit_temperature(validation_predictions: pd.DataFrame, classes: Sequence[str]) -> float:
    """The temperature, from `COLDEST` to `HOTTEST`, with the lowest negative log likelihood on validation.

    Above 1 the model was too sure of itself, below 1 too timid. The logarithms of the scores are the logits but for
    a constant per picture, which softmax does not see.

    Raises
    ------
    ValueError
        When a label is none of the classes.
    """
    logits = _log_scores(validation_predictions, classes)
    numbers = _class_numbers(validation_predictions, classes)
    found = minimize_scalar(
        lambda log_t: _mean_surprise(logits / np.exp(log_t), numbers),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
    )
    return float(np.exp(found.x))


def with_temperature(predictions: pd.DataFrame, classes: Sequence[str], temperature: float) -> pd.DataFrame:
    """The predictions with every score rescaled by a temperature; the predicted classes stay the same.

    Raises
    ------
    ValueError
        When the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, not {temperature}")
    scores = softmax(_log_scores(predictions, classes) / temperature, axis=1)
    return predictions.assign(**dict(zip(classes, scores.T, strict=True)))


def _log_scores(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return np.log(np.clip(predictions[list(classes)].to_numpy(float), SMALLEST, None))


def _class_numbers(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return predictions["label"].map(list(classes).index).to_numpy()


def _mean_surprise(logits: np.ndarray, numbers: np.ndarray) -> float:
    true = np.take_along_axis(logits, numbers[:, None], axis=1)[:, 0]
    return float((np.logaddexp.reduce(logits, axis=1) - true).mean())
