"""The CAM family, by the package grad-cam: which places of a network's last maps speak for a class (papers 001-004)."""

import contextlib
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus
from pytorch_grad_cam.base_cam import BaseCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torchvision.models import VGG

from fer_lib.errors import StudyError
from fer_lib.models.face_resnet import FaceResNet
from fer_lib.models.gimefive import GiMeFive
from fer_lib.models.published import TwoPart
from fer_lib.models.regular import RegularCNN, RegularStream
from fer_lib.models.scratch import SixLayerCNN
from fer_lib.progress import progress
from fer_lib.training.augment import centred, to_unit

BATCH = 128
SIX_LAYER_SIDE = 48  # pixels of its pictures
LAST_OF = ("inception5b", "layer4", "features")  # what torchvision's networks call their last maps


def last_maps(network: nn.Module) -> nn.Module:
    """The layer that makes the last maps of a network, before they are pooled.

    Raises
    ------
    StudyError
        For a network whose layers are not known.
    """
    if isinstance(network, SixLayerCNN):
        return network.features[-3]
    if isinstance(network, FaceResNet):
        return network.body[-3]
    if isinstance(network, RegularCNN):
        return network.features[-2]
    if isinstance(network, GiMeFive):
        return network.features[-1].relu
    if isinstance(network, RegularStream):
        return last_maps(network.body[0])
    if hasattr(network, "stream_network"):  # `explain.streams.OneStream`
        return last_maps(network.stream_network)
    body = network.body.network if isinstance(network, TwoPart) else network
    for name in LAST_OF:
        if hasattr(body, name):
            return getattr(body, name)
    raise StudyError(f"{type(network).__name__} has no layer that Grad-CAM is known to work on.")


def class_weights(network: nn.Module) -> torch.Tensor:
    """How much each of the last maps counts for each class, (classes, channels): all that CAM needs.

    Raises
    ------
    StudyError
        For a network that does more with its last maps than to average each and weigh the averages.
    """
    averages = isinstance(network, FaceResNet) or (
        isinstance(network, TwoPart) and not isinstance(network.body.network, VGG)
    )
    head = network.head if averages else None
    if isinstance(head, nn.Sequential) and [type(layer) for layer in head] == [nn.Dropout, nn.Linear]:
        head = head[-1]
    if not isinstance(head, nn.Linear):
        raise StudyError(
            f"{type(network).__name__} has no CAM: that needs an average over the last maps and one linear layer "
            "after it; use Grad-CAM."
        )
    return head.weight.detach()


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


class _ClassActivation(BaseCAM):
    """CAM (Zhou et al. 2016) in the package's frame: weights are those of the last layer, and no gradient is asked."""

    def __init__(self, network: nn.Module, layers: list[nn.Module]):
        super().__init__(network, layers, uses_gradients=False)
        self.weights = class_weights(network).cpu().numpy()

    def get_cam_weights(self, input_tensor, target_layers, targets, activations, grads):
        return self.weights[[target.category for target in targets]]


def cam(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Class activation maps (Zhou et al. 2016; paper 001, section 2.3), as `grad_cam` gives them.

    Raises
    ------
    StudyError
        For a network that has none, see `class_weights`.
    """
    return _heats(_ClassActivation, network, pictures, targets, side)


def grad_cam(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Heat of each picture for a class (Selvaraju et al. 2017).

    Parameters
    ----------
    pictures : uint8 (N, C, S, S)
    targets : int (N,), the class of each picture that is asked for

    Returns
    -------
    float32 (N, side, side), each from 0 to 1; 0 everywhere where nothing speaks for the class
    """
    return _heats(GradCAM, network, pictures, targets, side)


def grad_cam_in_place(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Grad-CAM with every cell of the last maps laid where its receptive field is, see `field_of_cells`.

    The usual way stretches the maps over the whole picture, which is right for padded convolutions alone.

    Raises
    ------
    StudyError
        For a network whose maps reach the picture's edges and need no moving.
    """
    first, step, cells, spread = field_of_cells(network)
    pixels = (np.arange(side) + 0.5) * SIX_LAYER_SIDE / side - 0.5
    away = pixels[:, None] - (first + step * np.arange(cells))
    bells = np.exp(-((away / spread) ** 2) / 2)
    heats = bells @ _heats(_Cells, network, pictures, targets, cells) @ bells.T
    return (heats / np.maximum(heats.max((1, 2), keepdims=True, initial=0), 1e-12)).astype(np.float32)


def placed_grad_cam(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Grad-CAM in place for the six-layer network, as usual for all others."""
    where = grad_cam_in_place if isinstance(network, SixLayerCNN) else grad_cam
    return where(network, pictures, targets, side)


class _Cells(GradCAM):
    """Grad-CAM of the size of the last maps, not stretched."""

    def get_target_width_height(self, input_tensor):
        return field_of_cells(self.model)[2], field_of_cells(self.model)[2]


def field_of_cells(network: nn.Module) -> tuple[float, float, int, float]:
    """Where in its 48 pixels the last maps of the six-layer network look: 5 cells with middles in the middle third.

    Returns
    -------
    pixels from the edge to the first cell's middle, pixels from cell to cell, cells in a row, and the standard
    deviation in pixels of what a cell sees, were all weights of a convolution equal

    Raises
    ------
    StudyError
        For another network.
    """
    if not isinstance(network, SixLayerCNN):
        raise StudyError(f"the maps of {type(network).__name__} reach the picture's edges; use Grad-CAM.")
    first, step, cells, variance = 0.0, 1.0, SIX_LAYER_SIDE, 0.0
    for layer in network.features[:-2]:
        if isinstance(layer, nn.Conv2d):  # 3×3, unpadded
            first, cells, variance = first + step, cells - 2, variance + 2 / 3 * step**2
        if isinstance(layer, nn.MaxPool2d):  # 2×2
            variance += step**2 / 4
            first, step, cells = first + step / 2, 2 * step, cells // 2
    return first, step, cells, variance**0.5


def grad_cam_plus_plus(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Grad-CAM++ (Chattopadhay et al. 2018), whose weights count only where a map speaks for the class."""
    return _heats(GradCAMPlusPlus, network, pictures, targets, side)


def _heats(
    kind: type[BaseCAM], network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int
) -> np.ndarray:
    found = np.empty((len(pictures), side, side), np.float32)
    device = next(network.parameters()).device
    last = last_maps(network)
    with _graph_from(network, last):
        method = kind(network, [last])
        try:
            for start in progress(range(0, len(pictures), BATCH), "heat", unit="batch"):
                part = slice(start, start + BATCH)
                wanted = [ClassifierOutputTarget(int(target)) for target in targets[part]]
                heats = method(centred(to_unit(pictures[part].to(device))), wanted)
                found[part] = [cv2.resize(heat, (side, side), interpolation=cv2.INTER_AREA) for heat in heats]
        finally:  # as the package's own context does, which hides an IndexError
            method.activations_and_grads.release()
            network.zero_grad()
    return np.where(np.isfinite(found), found, np.float32(0))


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
