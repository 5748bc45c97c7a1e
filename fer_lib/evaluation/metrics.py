"""Metrics as functions of confusion matrices, so that thousands of resampled ones cost one call.

Every function takes counts of shape (..., K, K), rows true and columns predicted, and keeps the leading axes. An
empty class or an empty prediction counts as 0, as in scikit-learn with `zero_division=0`; means over classes are of
those that have pictures, since a resample may draw none of a small class.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve


def predicted_labels(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """The class with the highest score in each row."""
    return np.array(classes)[predictions[list(classes)].to_numpy().argmax(1)]


def rightly(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Whether each row is classified rightly, bool (N,)."""
    return predicted_labels(predictions, classes) == predictions["label"].to_numpy()


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Confusion matrix, int (K, K): rows true, columns predicted, in the order of `classes`."""
    return confusion_matrix(predictions["label"], predicted_labels(predictions, classes), labels=list(classes))


def always_largest(rows: pd.DataFrame) -> np.ndarray:
    """Which test rows are right by always saying the class that most train rows have, bool (N,).

    Parameters
    ----------
    rows : columns split and label; of equally frequent classes, the first by name
    """
    largest = rows["label"][rows["split"] == "train"].value_counts().sort_index().idxmax()
    return (rows["label"][rows["split"] == "test"] == largest).to_numpy()


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Share of pictures that are classified rightly, (...)."""
    return _ratio(np.trace(counts, axis1=-2, axis2=-1), counts.sum((-2, -1)))


def class_recall(counts: np.ndarray) -> np.ndarray:
    """Of each class, the share that is found, (..., K)."""
    return _ratio(_hits(counts), counts.sum(-1))


def class_precision(counts: np.ndarray) -> np.ndarray:
    """Of each class's predictions, the share that is right, (..., K)."""
    return _ratio(_hits(counts), counts.sum(-2))


def class_f1(counts: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and recall of each class, (..., K)."""
    return _ratio(2 * _hits(counts), counts.sum(-1) + counts.sum(-2))


def class_accuracy(counts: np.ndarray) -> np.ndarray:
    """Of all pictures, the share rightly told to be of each class or not, (..., K)."""
    total = counts.sum((-2, -1))[..., None]
    return _ratio(total - counts.sum(-1) - counts.sum(-2) + 2 * _hits(counts), total)


def mean_class_recall(counts: np.ndarray) -> np.ndarray:
    """Recall averaged over classes, each counting the same; also called balanced or mean class accuracy."""
    return _mean_of_present(class_recall(counts), counts)


def macro_precision(counts: np.ndarray) -> np.ndarray:
    """Precision averaged over classes."""
    return _mean_of_present(class_precision(counts), counts)


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """F1 averaged over classes, each counting the same."""
    return _mean_of_present(class_f1(counts), counts)


def weighted_f1(counts: np.ndarray) -> np.ndarray:
    """F1 averaged over classes, each counting by its number of pictures."""
    return _ratio((class_f1(counts) * counts.sum(-1)).sum(-1), counts.sum((-2, -1)))


METRICS = {
    "accuracy": accuracy,
    "mean class recall": mean_class_recall,
    "macro precision": macro_precision,
    "macro F1": macro_f1,
    "weighted F1": weighted_f1,
}
CLASS_METRICS = {
    "precision": class_precision,
    "recall": class_recall,
    "F1": class_f1,
    "accuracy": class_accuracy,
}


def roc_curves(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """One-against-rest ROC of each class: false positive rates, true positive rates, area under the curve."""
    curves = {}
    for name in classes:
        is_class = (predictions["label"] == name).to_numpy()
        false, true, _ = roc_curve(is_class, predictions[name])
        curves[name] = (false, true, float(roc_auc_score(is_class, predictions[name])))
    return curves


def roc_areas(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Areas under the curves of `roc_curves`, (K,), by ranks (Mann-Whitney); NaN where one side is empty."""
    is_class = predictions["label"].to_numpy()[:, None] == np.array(classes)
    ranks = rankdata(predictions[list(classes)].to_numpy(), axis=0)
    n = is_class.sum(0)
    above = (ranks * is_class).sum(0) - n * (n + 1) / 2
    pairs = n * (len(predictions) - n)
    return np.divide(above, pairs, out=np.full(len(n), np.nan), where=pairs > 0)


def _mean_of_present(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    present = counts.sum(-1) > 0
    return _ratio((values * present).sum(-1), present.sum(-1))


def _hits(counts: np.ndarray) -> np.ndarray:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.asarray(whole) > 0)
