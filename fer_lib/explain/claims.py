"""What papers read by eye in heat maps, each held against the share of heat in the places that they name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_lib.evaluation.compare import LEVEL, Difference, mean_interval
from fer_lib.explain.regions import OUTSIDE

ENOUGH = 10  # pictures; of fewer, an interval says nothing
UNJUDGED = "cannot be judged"
MOSTLY = 0.5  # share of a picture's heat outside the face from which the network looks elsewhere


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper: for these emotions (all where empty) a network looks at these places."""

    paper: str
    text: str
    emotions: tuple[str, ...]
    places: tuple[str, ...]


CLAIMS = (
    Claim("004, section 5", "anger: the upper part of the face", ("anger",), ("brows", "eyes")),
    Claim("004, section 5", "fear: around the nose and the lower part", ("fear",), ("nose", "mouth", "chin")),
    Claim("004, section 5", "happiness: around the mouth and the lower part", ("happiness",), ("mouth", "chin")),
    Claim("004, section 5", "the area around the eyes is crucial", (), ("brows", "eyes")),
    Claim("003, section 5", "surprise, happiness: mainly eyes and mouth", ("surprise", "happiness"), ("eyes", "mouth")),
)


def judged(
    claims: Sequence[Claim], shares: pd.DataFrame, expected: pd.DataFrame, named: Sequence[str], resamples: int = 2000
) -> pd.DataFrame:
    """One row a claim: N, heat in its places, heat expected there, heat there for other emotions (percent), verdict.

    A claim holds where the places surely get more heat than expected, and surely more than for other emotions.

    Parameters
    ----------
    shares, expected : of `explain.regions.place_shares`, of the heat and of a map that never looked; rows of NaN are
        left out
    named : (N,), the emotion that the network names in each picture, for which its heat speaks
    """
    named = np.asarray(named)
    return pd.DataFrame([_judged(claim, shares, expected, named, resamples) for claim in claims])


def _judged(claim: Claim, shares: pd.DataFrame, expected: pd.DataFrame, named: np.ndarray, resamples: int) -> dict:
    heat, chance = (frame[list(claim.places)].sum(axis=1, skipna=False).to_numpy() for frame in (shares, expected))
    known = ~np.isnan(heat)
    own = known & (np.isin(named, claim.emotions) if claim.emotions else True)
    others = known & ~own
    told = {"paper": claim.paper, "claim": claim.text, "N": int(own.sum())}
    if own.sum() < ENOUGH:
        return told | {"verdict": f"{UNJUDGED}: fewer than {ENOUGH} pictures"}
    found = mean_interval(heat[own], resamples)
    more = mean_interval(heat[own] - chance[own], resamples).low > 0
    compared = bool(claim.emotions)
    if compared and others.sum() < ENOUGH:
        return told | {"verdict": f"{UNJUDGED}: fewer than {ENOUGH} pictures of other emotions"}
    apart = not compared or difference_of_means(heat[others], heat[own], resamples).low > 0
    weak = "more than a bell, but not more than for other emotions"
    return told | {
        "heat there, %": percent(found),
        "a bell in the middle, %": f"{100 * chance[own].mean():.1f}",
        "heat there, other emotions, %": f"{100 * heat[others].mean():.1f}" if compared else "–",
        "verdict": ("holds" if apart else weak) if more else "does not hold",
    }


def elsewhere(shares: pd.DataFrame, right: np.ndarray, resamples: int = 2000) -> tuple[np.ndarray, Difference | None]:
    """Pictures in which most of the heat lies outside the face: right for the wrong reason, or wrong (paper 004, 5.2).

    Parameters
    ----------
    shares : of `explain.regions.place_shares`; rows of NaN are in neither group
    right : bool (N,), was the picture classified rightly

    Returns
    -------
    bool (N,), which pictures; and how accuracy among them differs from that of the others, None where either are fewer
    than `ENOUGH`
    """
    outside = shares[OUTSIDE].to_numpy()
    flagged, rest = outside > MOSTLY, outside <= MOSTLY
    if min(flagged.sum(), rest.sum()) < ENOUGH:
        return flagged, None
    return flagged, difference_of_means(right[rest].astype(float), right[flagged].astype(float), resamples)


def difference_of_means(first: np.ndarray, second: np.ndarray, resamples: int = 2000, seed: int = 0) -> Difference:
    """Mean of a second group of pictures less that of a first one, (N,) and (M,), with its 95 % bootstrap interval."""
    rng = np.random.default_rng(seed)
    drawn = [
        second[rng.integers(len(second), size=len(second))].mean()
        - first[rng.integers(len(first), size=len(first))].mean()
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float(second.mean() - first.mean()), float(low), float(high))


def percent(share: Difference) -> str:
    """A mean share and its interval in percent, as in `61.2 [59.6, 62.8]`; a dash where it is not known."""
    if np.isnan(share.value):
        return "–"
    return f"{100 * share.value:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"
