"""How sure a number is, and whether two models differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

LEVEL = 0.95
BLOCK = 2**20  # values that a bootstrap draws at once


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
    """One model's score minus another's on the same pictures: fractions, 95 % interval.

    p : McNemar's exact p, for accuracies
    """

    value: float
    low: float
    high: float
    p: float | None = None

    def __str__(self) -> str:
        told = self.points.replace(" ", " points ", 1)
        return told if self.p is None else f"{told}, McNemar p = {self.p:.2g}"

    @property
    def points(self) -> str:
        """The change and its interval in points, as in `+2.1 [+0.8, +3.4]`."""
        low, value, high = (f"{100 * x:+z.1f}" for x in (self.low, self.value, self.high))
        return f"{value} [{low}, {high}]"

    @property
    def verdict(self) -> str:
        """What interval and test together allow to say: raises, lowers, or does not surely change."""
        known = self.low > 0 or self.high < 0
        if not known or (self.p is not None and self.p >= 1 - LEVEL):
            return "does not surely change"
        return "raises" if self.value > 0 else "lowers"


def mean_interval(values: np.ndarray, resamples: int = 2000, seed: int = 0) -> Difference:
    """The mean over pictures, (N,), with its 95 % bootstrap interval; NaN do not count, and alone give NaN."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Difference(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK // len(known))
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    means = np.concatenate([known[rng.integers(len(known), size=(size, len(known)))].mean(1) for size in sizes])
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float(known.mean()), float(low), float(high))


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


def seed_difference(
    right_before: np.ndarray, right_after: np.ndarray, resamples: int = 2000, seed: int = 0
) -> Difference:
    """How mean accuracy over seeds changes from one model to another; the interval is over pictures.

    Parameters
    ----------
    right_before, right_after : bool (seeds, N), was each picture classified rightly by each seed's training; the same
        pictures in the same order, and any number of seeds on each side

    Returns
    -------
    the change; its p is McNemar's exact one of what most of the seeds say, a tie counting as wrong, and 1 where that
    changes the other way than the mean
    """
    change = right_after.mean(0) - right_before.mean(0)
    levels, counts = np.unique(change, return_counts=True)
    drawn = resample(counts, resamples, seed) @ levels / len(change)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    most = paired_difference(right_before.mean(0) > 0.5, right_after.mean(0) > 0.5, resamples, seed)
    agree = most.value * change.mean() >= 0
    return Difference(float(change.mean()), float(low), float(high), most.p if agree else 1.0)


def change_of_change(
    first_before: np.ndarray,
    first_after: np.ndarray,
    second_before: np.ndarray,
    second_after: np.ndarray,
    resamples: int = 2000,
    seed: int = 0,
) -> Difference:
    """How much larger a second change of mean accuracy over seeds is than a first one; the interval is over pictures.

    Parameters
    ----------
    first_before, …, second_after : bool (seeds, N), was each picture classified rightly by each seed; the same ones in
        order

    Returns
    -------
    the difference of both changes, without a p
    """
    first, second = first_after.mean(0) - first_before.mean(0), second_after.mean(0) - second_before.mean(0)
    levels, counts = np.unique(np.round(second - first, 9), return_counts=True)
    drawn = resample(counts, resamples, seed) @ levels / len(first)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float((second - first).mean()), float(low), float(high))


def paired_recall_difference(
    labels: np.ndarray, right_before: np.ndarray, right_after: np.ndarray, resamples: int = 2000, seed: int = 0
) -> Difference:
    """How mean class recall changes from one model to another that judged the same pictures.

    Parameters
    ----------
    labels : (N,), the true classes; those without a picture do not count
    right_before, right_after : bool (N,), was each picture classified rightly; the same pictures in the same order
    """
    names = np.unique(labels)
    change = right_after.astype(int) - right_before.astype(int)
    counts = np.array([[((labels == name) & (change == step)).sum() for step in (-1, 0, 1)] for name in names])
    drawn = resample(counts, resamples, seed)
    low, high = np.quantile(_recall_change(drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float(_recall_change(counts)), float(low), float(high))


def _recall_change(counts: np.ndarray) -> np.ndarray:
    """Mean over classes of (won - lost) / pictures; counts (…, K, 3) of pictures lost, kept and won."""
    pictures = counts.sum(-1)
    change = (counts[..., 2] - counts[..., 0]) / np.maximum(pictures, 1)
    return change.sum(-1) / (pictures > 0).sum(-1)
