"""Where paper 002's networks look: Grad-CAM under every bar, and what the paper reads in it held against numbers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fer_lib.evaluation.compare import Difference, mean_interval
from fer_lib.explain.cams import placed_grad_cam, shares_in
from fer_lib.faces.patches import BARS, bar_mask
from fer_lib.noise_bars import LEARNT, NoiseBars, in_size
from fer_lib.training.covers import NOTHING

MOST = 1000  # pictures of each emotion and condition behind a mean heat map
LOOKED_AT = {"eyes": "eyes", "nose": "eyes", "mouth": "mouth"}  # part covered: where paper 002 sees the heat
RESAMPLES = 1000
ENOUGH = 0.5  # share of pictures that need heat under both networks before anything is said of it

Heats = Mapping[tuple[str, str], np.ndarray]  # (part under the bar, emotion) → float32 (N, 48, 48) of `heat_of`


def all_heats(bars: NoiseBars, family: str) -> Heats:
    """Grad-CAM for every bar and emotion."""
    return {(part, emotion): heat_of(bars, family, part, emotion) for part in LEARNT for emotion in bars.classes}


def heat_of(bars: NoiseBars, family: str, part: str, emotion: str) -> np.ndarray:
    """Grad-CAM of an emotion in test faces that show it, under the bar that the network learnt with.

    Returns
    -------
    float32 (N, 48, 48), at most `MOST`, drawn at random
    """
    experiment, network = bars.network(family, part)
    there = np.flatnonzero(bars.rows["label"] == emotion)
    some = np.random.default_rng(bars.study.seed).permutation(there)[:MOST]
    shown = in_size(bars.tested(part)[np.sort(some)], experiment.size)
    return placed_grad_cam(network, shown, np.full(len(some), experiment.classes.index(emotion)))


def heat_shares(heats: Heats) -> pd.DataFrame:
    """Share of heat in the rows of each bar, percent with intervals: one row for each bar and emotion."""
    rows = []
    for (part, emotion), maps in heats.items():
        shares = {place: shares_in(maps, bar_mask(place)) for place in BARS}
        shown = {f"on the {place}": _percent(mean_interval(values, RESAMPLES)) for place, values in shares.items()}
        n = f"{int((maps.sum((1, 2)) > 0).sum()):,} of {len(maps):,}"
        rows.append({"bar over": part, "emotion": emotion, "with any heat": n, **shown})
    return pd.DataFrame(rows).set_index("bar over")


def heat_claims(heats: Heats) -> list[str]:
    """What paper 002 reads in its heat maps, each held against the share of heat with and without the bar.

    A claim holds when the share rises over that of the network without a bar, and is larger than that of the area.
    """
    return [_judged(heats, part, looked) for part, looked in LOOKED_AT.items()]


def _judged(heats: Heats, part: str, looked: str) -> str:
    place = bar_mask(looked)
    bare, under = (
        np.concatenate([shares_in(maps, place) for (bar, _), maps in heats.items() if bar == kind])
        for kind in (NOTHING, part)
    )
    both = ~np.isnan(under - bare)
    claim = f"“With the {part} covered, the network looks at the {looked}”"
    if both.mean() < ENOUGH:
        none = f"{100 * (1 - both.mean()):.0f} % have no heat under one network or the other"
        return f"{claim} cannot be judged: {none}."
    change, share = (mean_interval(values[both], RESAMPLES) for values in (under - bare, under))
    holds = change.low > 0 and share.low > place.mean()
    return (
        f"{claim} {'holds' if holds else 'does not hold'}: the share of heat in those rows changes by {change.points} "
        f"points, to {_percent(share)} %, where the rows are {100 * place.mean():.0f} % of the picture "
        f"(N {both.sum():,}; two networks, one training each)."
    )


def _percent(share: Difference) -> str:
    low, value, high = (f"{100 * number:.1f}" for number in (share.low, share.value, share.high))
    return f"{value} [{low}, {high}]"
