"""Every way to ask where a network looks, by name, and two controls that ask it nothing."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from fer_lib.errors import StudyError
from fer_lib.explain.cams import cam, class_weights, field_of_cells, grad_cam, grad_cam_in_place, grad_cam_plus_plus
from fer_lib.explain.saliency import guided_backprop, integrated_gradients, occlusion, saliency
from fer_lib.files import atomic_write, code_version, content_hash

Heat = Callable[[nn.Module, torch.Tensor, np.ndarray, int], np.ndarray]
WIDE = 0.25  # of the picture's side: standard deviation of the centred Gaussian
PROGRAM = tuple(f"fer_lib.explain.{name}" for name in ("cams", "saliency", "methods"))


def heat(method: str, network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int = 48) -> np.ndarray:
    """Where a network looks for a class, by a method of `METHODS` or `CONTROLS`.

    Parameters
    ----------
    pictures : uint8 (N, C, S, S)
    targets : int (N,), the class of each picture that is asked for

    Returns
    -------
    float32 (N, side, side), 0 to 1. 0 everywhere, see `is_empty`, where nothing speaks for the class, or a value is not
    finite; by the CAM family also where all places speak alike, since grad-cam takes each map's least value from it

    Raises
    ------
    StudyError
        For an unknown method, a class that the network does not have, or a network without the layer that it needs.
    """
    if method in CONTROLS:
        return CONTROLS[method](network, pictures, targets, side)
    if method not in METHODS:
        raise StudyError(f"method {method!r} is unknown; use one of {', '.join(METHODS | CONTROLS)}.")
    found = METHODS[method](network, pictures, _checked(network, pictures, targets), side)
    return np.where(np.isfinite(found).all((1, 2), keepdims=True), found, np.float32(0))


def kept_heat(
    folder: Path,
    key: object,
    method: str,
    network: nn.Module,
    pictures: torch.Tensor,
    targets: np.ndarray,
    side: int = 48,
) -> np.ndarray:
    """The same, computed once and kept in a folder.

    Parameters
    ----------
    key : what names the network's weights, such as its run's folder
    """
    seen = [str(pictures.shape), pictures.numpy().tobytes().hex(), np.asarray(targets).tolist()]
    path = folder / f"{content_hash([key, method, side, code_version(*PROGRAM), seen])}.npy"
    if not path.exists():
        with atomic_write(path) as temporary, open(temporary, "wb") as file:
            np.save(file, heat(method, network, pictures, targets, side))
    return np.load(path)


def fitting(network: nn.Module) -> list[str]:
    """The methods that can be asked of a network.

    CAM is for those that average their last maps, Grad-CAM in place for those whose maps do not reach the edges.
    """
    needs = {"CAM": class_weights, IN_PLACE: field_of_cells}
    return [method for method in METHODS if method not in needs or _has(needs[method], network)]


def _has(need: Callable, network: nn.Module) -> bool:
    try:
        need(network)
    except StudyError:
        return False
    return True


def targets_of(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """The number of each named class, int (N,).

    Raises
    ------
    StudyError
        When a name is none of the classes.
    """
    unknown = [name for name in names if name not in classes]
    if unknown:
        raise StudyError(f"class {unknown[0]!r} is none of this network's: {', '.join(classes)}.")
    return np.array([list(classes).index(name) for name in names], int)


def is_empty(heats: np.ndarray) -> np.ndarray:
    """Which maps (N, S, S) hold no heat at all, bool (N,): of these nothing can be said."""
    return ~(heats > 0).any((1, 2))


def _checked(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray) -> np.ndarray:
    """The targets, when the network has such classes."""
    targets = np.asarray(targets, int)
    if not len(pictures):
        return targets
    device = next(network.parameters()).device
    with torch.no_grad():
        n_classes = network.eval()(pictures[:1].to(device).float()).shape[1]
    wrong = targets[(targets < 0) | (targets >= n_classes)]
    if len(wrong):
        raise StudyError(f"class number {wrong[0]} does not exist; this network has classes 0 to {n_classes - 1}.")
    return targets


def _guided_grad_cam(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int) -> np.ndarray:
    """Guided backpropagation where Grad-CAM is (Selvaraju et al. 2017)."""
    product = _of_pixels(guided_backprop, network, pictures, targets, side) * grad_cam(network, pictures, targets, side)
    return product / np.maximum(product.max((1, 2), keepdims=True), 1e-12)


def _of_pixels(method: Callable, network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int):
    maps = method(network, pictures, torch.from_numpy(targets)).numpy()
    if maps.shape[-1] == side:
        return maps
    return np.stack([cv2.resize(found, (side, side), interpolation=cv2.INTER_AREA) for found in maps])


def _gaussian(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int) -> np.ndarray:
    away = np.linspace(-0.5, 0.5, side) / WIDE
    bell = np.exp(-(away[:, None] ** 2 + away[None] ** 2) / 2).astype(np.float32)
    return np.repeat((bell / bell.max())[None], len(pictures), 0)


def _at_random(network: nn.Module, pictures: torch.Tensor, targets: np.ndarray, side: int) -> np.ndarray:
    """As coarse as Grad-CAM's heat: random numbers for 6×6 places, smoothly between."""
    rng = np.random.default_rng(0)
    coarse = rng.random((len(pictures), 6, 6), np.float32)
    return np.stack([np.clip(cv2.resize(one, (side, side), interpolation=cv2.INTER_LINEAR), 0, 1) for one in coarse])


IN_PLACE = "Grad-CAM in place"
METHODS: dict[str, Heat] = {
    "CAM": cam,
    "Grad-CAM": grad_cam,
    IN_PLACE: grad_cam_in_place,
    "Grad-CAM++": grad_cam_plus_plus,
    "saliency": partial(_of_pixels, saliency),
    "guided backprop": partial(_of_pixels, guided_backprop),
    "guided Grad-CAM": _guided_grad_cam,
    "integrated gradients": partial(_of_pixels, integrated_gradients),
    "occlusion": partial(_of_pixels, occlusion),
}
GAUSSIAN, RANDOM = "centred Gaussian", "random map"
CONTROLS: dict[str, Heat] = {GAUSSIAN: _gaussian, RANDOM: _at_random}
