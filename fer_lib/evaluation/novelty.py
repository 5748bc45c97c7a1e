"""Is a picture unlike those that a model learnt from? How far its features lie from theirs."""

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from fer_lib.evaluation.compare import LEVEL


class Novelty:
    """Mahalanobis distance to the nearest class of what is known, with one covariance for all (Lee et al. 2018).

    Parameters
    ----------
    features : float (N, D) of known pictures
    labels : (N,), their classes
    """

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        self.means = {name: features[labels == name].mean(0) for name in np.unique(labels)}
        spread = features - np.stack([self.means[name] for name in labels])
        self.covariance = LedoitWolf(assume_centered=True).fit(spread)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Squared distance of each row of (N, D) from the nearest mean, (N,)."""
        return np.min([self.covariance.mahalanobis(features - mean) for mean in self.means.values()], axis=0)


def auroc(known: np.ndarray, novel: np.ndarray, resamples: int = 1000, seed: int = 0) -> tuple[float, float, float]:
    """Chance that a novel picture scores higher than a known one, and its 95 % bootstrap interval.

    Parameters
    ----------
    known, novel : scores of pictures, (N,) and (M,); of the same pictures in two forms where N equals M, which are
        then drawn together
    """
    rng = np.random.default_rng(seed)
    paired = len(known) == len(novel)
    drawn = []
    for _ in range(resamples):
        first = rng.integers(len(known), size=len(known))
        second = first if paired else rng.integers(len(novel), size=len(novel))
        drawn.append(_area(known[first], novel[second]))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return _area(known, novel), float(low), float(high)


def _area(known: np.ndarray, novel: np.ndarray) -> float:
    truth = np.r_[np.zeros(len(known)), np.ones(len(novel))]
    return float(roc_auc_score(truth, np.r_[known, novel]))
