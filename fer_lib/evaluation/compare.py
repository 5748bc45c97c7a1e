"""How sure a number is, and whether two models differ."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import binomtest

LEVEL = 0.95


def resample(counts: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """Bootstrap resamples of a table of counts: shape (resamples, *counts.shape).

    To draw N pictures with replacement and count them again is to draw the counts from a multinomial
    distribution, which needs no picture.
    """
    total = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(total, counts.ravel() / total, resamples)
    return draws.reshape(resamples, *counts.shape)


def intervals(
    counts: np.ndarray, metrics: Mapping[str, Callable], resamples: int = 2000, seed: int = 0
) -> dict[str, tuple]:
    """Each metric's value with its 95 % percentile bootstrap interval.

    Parameters
    ----------
    counts : confusion matrix, int (K, K)
    metrics : {name: function of confusion matrices}, one value or one per class

    Returns
    -------
    {name: (value, low, high)}; floats, or float arrays (K,) for metrics per class
    """
    drawn = resample(counts, resamples, seed)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    return {
        name: (metric(counts), *np.quantile(metric(drawn), tails, axis=0)) for name, metric in metrics.items()
    }


def paired_difference(
    right_a: np.ndarray, right_b: np.ndarray, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float, float]:
    """Accuracy of B minus accuracy of A on the same pictures.

    Parameters
    ----------
    right_a, right_b : bool (N,), was each picture classified rightly

    Returns
    -------
    difference, low, high (95 % paired bootstrap), and the p-value of McNemar's exact test
    """
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    counts = np.array([only_a, only_b, len(right_a) - only_a - only_b])
    drawn = resample(counts, resamples, seed)
    low, high = np.quantile((drawn[:, 1] - drawn[:, 0]) / len(right_a), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return (only_b - only_a) / len(right_a), float(low), float(high), float(p)
