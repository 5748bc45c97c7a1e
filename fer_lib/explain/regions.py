"""Heat maps read with numbers: how much lies in which part of the face, and whether that is where it should be."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd

from fer_lib.evaluation.compare import mean_interval
from fer_lib.explain.faithfulness import ranks
from fer_lib.faces.patches import SIDE
from fer_lib.synthetic.draw import REGIONS
from fer_lib.synthetic.expressions import PROTOTYPES

OUTSIDE, REST = "outside the face", "rest of the face"
PLACES = (*REGIONS, REST, OUTSIDE)  # every pixel lies in one of them
_DRAWN = ("cheeks", "chin", "nose", "mouth", "eyes", "brows")  # each over those before it, where they overlap

# Where each action unit of FACS shows (Ekman, Friesen and Hager 2002), in the regions above.
UNIT_REGIONS: dict[int, tuple[str, ...]] = {
    **dict.fromkeys((1, 2, 4), ("brows",)),
    **dict.fromkeys((5, 7, 45), ("eyes",)),
    6: ("eyes", "cheeks"),
    9: ("nose",),
    **dict.fromkeys((10, 12, 14, 15, 20, 23, 25), ("mouth",)),
    17: ("chin",),
    26: ("mouth", "chin"),
}


def emotion_regions(emotion: str) -> tuple[str, ...]:
    """The regions in which an emotion's action units show; none for neutral."""
    found = {region for unit in PROTOTYPES[emotion] for region in UNIT_REGIONS[unit]}
    return tuple(region for region in REGIONS if region in found)


def place_maps(meshes: np.ndarray) -> np.ndarray:
    """The place of every pixel, as its number in `PLACES`: int (N, 48, 48).

    Parameters
    ----------
    meshes : (N, 468, 2) in pixels of 48×48, as `faces.patches.meshes_in_view` gives them
    """
    return np.stack([_places(points) for points in meshes]) if len(meshes) else np.zeros((0, SIDE, SIDE), np.uint8)


def _places(points: np.ndarray) -> np.ndarray:
    places = np.full((SIDE, SIDE), PLACES.index(OUTSIDE), np.uint8)
    everything = [np.arange(len(points))]
    for name, rings in ((REST, everything), *((name, REGIONS[name]) for name in _DRAWN)):
        for ring in rings:
            hull = cv2.convexHull(np.rint(points[list(ring)] * 16).astype(np.int32))
            cv2.fillConvexPoly(places, hull, PLACES.index(name), shift=4)
    return places


def place_shares(heats: np.ndarray, places: np.ndarray) -> pd.DataFrame:
    """Share of each picture's heat in every place, one row a picture; NaN in rows without any heat.

    Parameters
    ----------
    heats : float (N, 48, 48); ones give the share of the area
    places : int (N, 48, 48) of `place_maps`
    """
    total = heats.sum((1, 2), dtype=float)
    total = np.where(total > 0, total, np.nan)
    return pd.DataFrame({name: (heats * (places == k)).sum((1, 2)) / total for k, name in enumerate(PLACES)})


def heat_table(shares: pd.DataFrame, expected: pd.DataFrame, labels: Sequence[str], resamples: int) -> pd.DataFrame:
    """Heat of each emotion in each place: emotion, place, n; value, low, high (of the heat); expected.

    Parameters
    ----------
    shares, expected : of `place_shares`, of the heat and of a map that never looked
    labels : (N,), the emotion of each picture
    """
    labels, found = np.asarray(labels), []
    for emotion in dict.fromkeys(labels):
        for place in PLACES:
            values = shares[place].to_numpy()[labels == emotion]
            mean = mean_interval(values, resamples)
            told = {"emotion": emotion, "place": place, "n": int((~np.isnan(values)).sum())}
            told |= {"value": mean.value, "low": mean.low, "high": mean.high}
            chance = expected[place].to_numpy()[labels == emotion][~np.isnan(values)]
            found.append(told | {"expected": float(chance.mean()) if len(chance) else np.nan})
    return pd.DataFrame(found)


def true_places(places: np.ndarray, emotions: Sequence[str]) -> np.ndarray:
    """The pixels in which each picture's emotion shows by FACS, bool (N, 48, 48)."""
    numbers = {emotion: [PLACES.index(name) for name in emotion_regions(emotion)] for emotion in set(emotions)}
    return np.stack([np.isin(one, numbers[emotion]) for one, emotion in zip(places, emotions, strict=True)])


def most_changed(changes: np.ndarray, share: float = 0.5) -> np.ndarray:
    """The fewest pixels of each picture that hold a share (0-1) of all its change, bool (N, S, S).

    Parameters
    ----------
    changes : float (N, S, S), of `explain.planted.expression_change`; pictures without any have no such pixel
    """
    flat = changes.reshape(len(changes), -1)
    order = np.argsort(-flat, axis=1, kind="stable")
    ordered = np.take_along_axis(flat, order, 1)
    before = np.cumsum(ordered, 1) - ordered
    chosen = np.zeros(flat.shape, bool)
    np.put_along_axis(chosen, order, (before < share * flat.sum(1, keepdims=True)) & (ordered > 0), 1)
    return chosen.reshape(changes.shape)


def pointing(heats: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The pointing game (Zhang et al. 2018): share of each map's hottest pixels that lie where they should, (N,).

    NaN where a map has no heat or a picture no such place.

    Parameters
    ----------
    heats : float (N, S, S)
    truth : bool (N, S, S)
    """
    hottest = heats == heats.max((1, 2), keepdims=True)
    hit = (hottest & truth).sum((1, 2)) / hottest.sum((1, 2))
    return np.where(_known(heats, truth), hit, np.nan)


def overlap(heats: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of the true pixels and as many of the hottest, (N,); NaN as in `pointing`.

    Chance decides between pixels of one heat.
    """
    true = truth.reshape(len(truth), -1)
    wanted = 1 - true.sum(1, keepdims=True) / true.shape[1]
    chosen = ranks(heats).reshape(true.shape) >= wanted - 1e-9
    both, either = (chosen & true).sum(1), (chosen | true).sum(1)
    return np.where(_known(heats, truth), both / np.maximum(either, 1), np.nan)


def _known(heats: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return (heats.max((1, 2)) > 0) & truth.any((1, 2))
