"""Which pixels a network reacts to, and what its layers make of a picture (paper 003, figure 2; 000, figure 10)."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from torch import nn

from fer_lib.training.augment import centred, to_unit

BATCH = 256
STEPS = 16  # of the way from a grey picture that integrated gradients are summed over
WINDOWS = 6  # across a picture: how wide an occluding window is; it moves by half of its width


def guided_backprop(network: nn.Module, pictures: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Guided backpropagation (Springenberg et al. 2015): how much each pixel speaks for a class.

    Parameters
    ----------
    network : with `nn.ReLU` or `nn.ReLU6` as activations; others pass their gradients on as they are
    pictures : uint8 (N, C, S, S)
    targets : int (N,), the class of each picture that is asked for

    Returns
    -------
    absolute gradients, float32 (N, S, S), the largest of each picture 1
    """
    with _guided(network):
        return unit(_in_batches(_gradients, network, pictures, targets).abs().amax(1))


def saliency(network: nn.Module, pictures: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Plain gradients (Simonyan et al. 2014), by Captum; arguments and result as of `guided_backprop`."""
    return unit(_in_batches(_plain, network, pictures, targets).amax(1))


def integrated_gradients(network: nn.Module, pictures: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """What speaks for the class on the way from a grey picture to this one (Sundararajan et al. 2017), by Captum.

    Arguments and result as of `guided_backprop`; what speaks against the class counts as 0.
    """
    return unit(_in_batches(integrated, network, pictures, targets, half=True).sum(1).clamp_min(0))


def occlusion(network: nn.Module, pictures: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """How far the class's logit falls when a grey window lies there (Zeiler and Fergus 2014), by Captum: slow, but
    no gradient is asked. Arguments and result as of `guided_backprop`; where it rises is 0.
    """
    return unit(_in_batches(_occluded, network, pictures, targets)[:, 0].clamp_min(0))


def integrated(network: nn.Module, seen: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Integrated gradients as they are, of the size of `seen`; the sum of each is what its logit gained over grey."""
    method = IntegratedGradients(network)
    return method.attribute(seen, target=targets, n_steps=STEPS, internal_batch_size=BATCH).float()


def unit(maps: torch.Tensor) -> torch.Tensor:
    """Each map (N, S, S) divided by its largest value; what is below 0, and a map with a NaN, becomes 0."""
    maps = torch.where(maps.isfinite().all(-1).all(-1)[:, None, None], maps, 0.0).clamp_min(0)
    return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)


def convolution_maps(network: nn.Module, picture: torch.Tensor, layers: Sequence[int]) -> dict[int, torch.Tensor]:
    """What the numbered convolutions make of one picture.

    Parameters
    ----------
    picture : uint8 (C, S, S)
    layers : numbers of convolutions in the order in which the network uses them, from 1

    Returns
    -------
    {layer: float32 (channels, height, width)}, in main memory
    """
    found: list[torch.Tensor] = []
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [
        module.register_forward_hook(lambda *told: found.append(told[2][0].float().cpu().clone()))
        for module in convolutions
    ]
    try:
        with torch.no_grad():
            network.eval()(centred(to_unit(picture[None].to(next(network.parameters()).device))))
    finally:
        for hook in hooks:
            hook.remove()
    return {layer: found[layer - 1] for layer in layers}


Method = Callable[[nn.Module, torch.Tensor, torch.Tensor], torch.Tensor]


def _in_batches(
    method: Method, network: nn.Module, pictures: torch.Tensor, targets: torch.Tensor, half: bool = False
) -> torch.Tensor:
    """What a method makes of pictures, as a network sees them, and targets; float32 (N, C, S, S), in main memory.

    half : whether the network may answer in half precision, of which small differences of logits are lost
    """
    network = network.eval().to(memory_format=torch.channels_last)
    device = next(network.parameters()).device
    found = []
    for part, wanted in zip(pictures.split(BATCH), targets.split(BATCH), strict=True):
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            found.append(method(network, centred(to_unit(part.to(device))), wanted.to(device)).float().cpu())
    return torch.cat(found)


def _gradients(network: nn.Module, seen: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    seen.requires_grad_()
    wanted = network(seen).gather(1, targets[:, None]).sum()
    return torch.autograd.grad(wanted, seen)[0]


def _plain(network: nn.Module, seen: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return Saliency(network).attribute(seen.requires_grad_(), target=targets).detach()


@torch.no_grad()
def _occluded(network: nn.Module, seen: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    channels, side = seen.shape[1], seen.shape[-1]
    wide = max(2, side // WINDOWS)
    window, step = (channels, wide, wide), (channels, wide // 2, wide // 2)
    return Occlusion(network).attribute(seen, window, strides=step, target=targets)


@contextlib.contextmanager
def _guided(network: nn.Module) -> Iterator[None]:
    """Only what speaks for the class passes back through an activation, inside the block."""
    activations = [module for module in network.modules() if isinstance(module, (nn.ReLU, nn.ReLU6))]
    before = [module.inplace for module in activations]
    for module in activations:
        module.inplace = False  # which hooks do not allow
    hooks = [module.register_full_backward_hook(_positive) for module in activations]
    try:
        yield
    finally:
        for module, inplace, hook in zip(activations, before, hooks, strict=True):
            module.inplace = inplace
            hook.remove()


def _positive(module: nn.Module, inputs: tuple[torch.Tensor], outputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    return (inputs[0] * (outputs[0] > 0),)
