"""Grad-CAM (Selvaraju et al. 2017), by the package grad-cam: which places of the last maps speak for a class."""

import contextlib
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from fer_lib.errors import StudyError
from fer_lib.evaluation.compare import LEVEL, Difference
from fer_lib.models.face_resnet import FaceResNet
from fer_lib.models.published import TwoPart
from fer_lib.models.scratch import SixLayerCNN
from fer_lib.progress import progress
from fer_lib.training.augment import centred, to_unit

BATCH = 128
LAST_OF = ("inception5b", "layer4", "features")  # what torchvision's networks call their last maps


def last_maps(network: nn.Module) -> nn.Module:
    """The layer that makes the last maps of a network, before they are averaged to one number each.

    Raises
    ------
    StudyError
        For a network whose layers are not known.
    """
    if isinstance(network, SixLayerCNN):
        return network.features[-3]
    if isinstance(network, FaceResNet):
        return network.body[-3]
    body = network.body.network if isinstance(network, TwoPart) else network
    for name in LAST_OF:
        if hasattr(body, name):
            return getattr(body, name)
    raise StudyError(f"{type(network).__name__} has no layer that Grad-CAM is known to work on.")


@torch.no_grad()
def map_means(network: nn.Module, pictures: torch.Tensor) -> np.ndarray:
    """Means of a network's last maps over the picture, float32 (N, channels).

    Parameters
    ----------
    pictures : uint8 (N, C, S, S)
    """
    found: list[torch.Tensor] = []
    hook = last_maps(network).register_forward_hook(lambda *told: found.append(told[2].float().mean((2, 3)).cpu()))
    device = next(network.parameters()).device
    try:
        for part in pictures.split(BATCH):
            network.eval()(centred(to_unit(part.to(device))))
    finally:
        hook.remove()
    return torch.cat(found).numpy()


def grad_cam(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Heat of each picture for a class.

    Parameters
    ----------
    pictures : uint8 (N, C, S, S)
    targets : int (N,), the class of each picture that is asked for

    Returns
    -------
    float32 (N, side, side), each from 0 to 1
    """
    found = np.empty((len(pictures), side, side), np.float32)
    device = next(network.parameters()).device
    last = last_maps(network)
    with _graph_from(network, last):
        cam = GradCAM(network, [last])
        try:
            for start in progress(range(0, len(pictures), BATCH), "Grad-CAM", unit="batch"):
                part = slice(start, start + BATCH)
                wanted = [ClassifierOutputTarget(int(target)) for target in targets[part]]
                heats = cam(centred(to_unit(pictures[part].to(device))), wanted)
                found[part] = [cv2.resize(heat, (side, side), interpolation=cv2.INTER_AREA) for heat in heats]
        finally:  # as the package's own context does, which hides an IndexError
            cam.activations_and_grads.release()
    return found


@contextlib.contextmanager
def _graph_from(network: nn.Module, last: nn.Module) -> Iterator[None]:
    """Inside the block gradients go back to the last maps alone, where these have parameters: the rest is not asked."""
    needed = {id(parameter) for parameter in last.parameters()}
    unneeded = [p for p in network.parameters() if needed and id(p) not in needed and p.requires_grad]
    for parameter in unneeded:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in unneeded:
            parameter.requires_grad_(True)


def shares_in(heats: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Share of each picture's heat that lies in a place, (N,); NaN for pictures without any heat.

    Parameters
    ----------
    heats : float (N, S, S)
    place : bool (S, S)
    """
    total = heats.sum((1, 2))
    return np.divide(heats[:, place].sum(1), total, out=np.full(len(heats), np.nan), where=total > 0)


def mean_interval(values: np.ndarray, resamples: int = 2000, seed: int = 0) -> Difference:
    """The mean over pictures, (N,), with its 95 % bootstrap interval; NaN do not count, and alone give NaN."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Difference(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    means = [known[rng.integers(len(known), size=len(known))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float(known.mean()), float(low), float(high))
