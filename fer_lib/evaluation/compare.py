"""How sure a number is, and whether two models differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
    return {name: (metric(counts), *np.quantile(metric(drawn), tails, axis=0)) for name, metric in metrics.items()}


@dataclass(frozen=True)
class Difference:
    """Accuracy of one model minus another's on the same pictures: fractions, 95 % interval, McNemar's exact p."""

    value: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        low, value, high = (f"{100 * x:+z.1f}" for x in (self.low, self.value, self.high))
        return f"{value} points [{low}, {high}], McNemar p = {self.p:.2g}"

    @property
    def verdict(self) -> str:
        """What interval and test together allow to say: raises, lowers, or does not surely change."""
        if self.low <= 0 <= self.high or self.p >= 1 - LEVEL:
            return "does not surely change"
        return "raises" if self.value > 0 else "lowers"


def paired_difference(
    right_before: np.ndarray, right_after: np.ndarray, resamples: int = 2000, seed: int = 0
) -> Difference:
    """How accuracy changes from one model to another that judged the same pictures.

    Parameters
    ----------
    right_before, right_after : bool (N,), was each picture classified rightly; the same pictures in the same order
    """
    n = len(right_before)
    lost = int((right_before & ~right_after).sum())
    won = int((right_after & ~right_before).sum())
    drawn = resample(np.array([lost, won, n - lost - won]), resamples, seed)
    low, high = np.quantile((drawn[:, 1] - drawn[:, 0]) / n, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    p = binomtest(lost, lost + won).pvalue if lost + won else 1.0
    return Difference((won - lost) / n, float(low), float(high), float(p))
