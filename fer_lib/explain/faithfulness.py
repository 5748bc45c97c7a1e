"""Is a heat map true? What a network says when the hottest pixels are taken away, or the coldest, or given first."""

import numpy as np
import torch
from scipy.integrate import trapezoid
from scipy.stats import spearmanr
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from fer_lib.explain.filling import fill_in
from fer_lib.training.augment import centred, to_unit

REMOVED = (0.2, 0.4, 0.6, 0.8)  # shares of the picture that ROAD takes away
STEPS = 12  # of a deletion or insertion curve
BATCH = 256
BLUR = 6  # pixels: standard deviation of the blurred picture that insertion begins with


def ranks(heats: np.ndarray, seed: int = 0) -> np.ndarray:
    """Every pixel's rank in its map, 0 (coldest) to below 1, float (N, S, S); chance decides between equals."""
    flat = heats.reshape(len(heats), -1)
    chance = np.random.default_rng(seed).random(flat.shape)
    order = np.lexsort((chance, flat), axis=1)
    found = np.empty(flat.shape)
    np.put_along_axis(found, order, np.arange(flat.shape[1])[None] / flat.shape[1], 1)
    return found.reshape(heats.shape)


def road(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, heats: np.ndarray) -> np.ndarray:
    """ROAD (Rong et al. 2022): probability of the class without the coldest pixels, less that without the hottest.

    Taken away are `REMOVED` shares, each filled in from its neighbours, so that the hole itself tells nothing.

    Parameters
    ----------
    pictures : uint8 (N, C, S, S)
    targets : int (N,)
    heats : float (N, S, S)

    Returns
    -------
    float (N, shares removed), halved, so that 0 is no better than chance and .5 perfect
    """
    seen, order = centred(to_unit(pictures)), torch.from_numpy(ranks(heats))
    found = np.empty((len(pictures), len(REMOVED)))
    for k, share in enumerate(REMOVED):
        without_hottest, without_coldest = order < 1 - share, order >= share
        ends = [_probability(network, fill_in(seen, keep), targets) for keep in (without_coldest, without_hottest)]
        found[:, k] = (ends[0] - ends[1]) / 2
    return found


def deletion(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, heats: np.ndarray) -> np.ndarray:
    """Probability of the class while the hottest pixels turn grey first (Petsiuk et al. 2018), (N, STEPS + 1)."""
    seen = centred(to_unit(pictures))
    return _curve(network, seen, torch.zeros_like(seen), targets, heats)


def insertion(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, heats: np.ndarray) -> np.ndarray:
    """Probability of the class while the hottest pixels of a blurred picture become sharp first, (N, STEPS + 1)."""
    seen = centred(to_unit(pictures))
    return _curve(network, gaussian_blur(seen, 4 * BLUR + 1, BLUR), seen, targets, heats)


def area(curves: np.ndarray) -> np.ndarray:
    """Area under each curve (N, STEPS + 1) over shares from 0 to 1, (N,)."""
    return trapezoid(curves, dx=1 / STEPS, axis=1)


def likeness(heats: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of each map with another one of the same picture, (N,); NaN where one is constant."""
    pairs = zip(heats.reshape(len(heats), -1), others.reshape(len(others), -1), strict=True)
    return np.array([spearmanr(*pair).statistic if all(np.ptp(one) > 0 for one in pair) else np.nan for pair in pairs])


def _curve(
    network: nn.Module, start: torch.Tensor, end: torch.Tensor, targets: np.ndarray, heats: np.ndarray
) -> np.ndarray:
    """Probability of the class on the way from one picture to another, the hottest pixels first."""
    order = torch.from_numpy(ranks(heats))[:, None]
    mixed = (torch.where(order >= 1 - step / STEPS, end, start) for step in range(STEPS + 1))
    return np.stack([_probability(network, part, targets) for part in mixed], 1)


@torch.no_grad()
def _probability(network: nn.Module, seen: torch.Tensor, targets: np.ndarray) -> np.ndarray:
    device = next(network.eval().to(memory_format=torch.channels_last).parameters()).device
    with torch.autocast(device.type, torch.bfloat16):  # as the study judges
        scores = torch.cat([network(part.to(device)).float().softmax(1).cpu() for part in seen.split(BATCH)])
    return scores.numpy()[np.arange(len(targets)), targets]
