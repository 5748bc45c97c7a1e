"""Which pixels a network reacts to, and what its layers make of a picture (paper 003, figure 2; 000, figure 10)."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from fer_lib.training.augment import centred, to_unit

BATCH = 256


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
    network.eval()
    parts = zip(pictures.split(BATCH), targets.split(BATCH), strict=True)
    with _guided(network):
        maps = torch.cat([_gradients(network, part, wanted) for part, wanted in parts]).abs().amax(1)
    return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)


def convolution_maps(network: nn.Module, picture: torch.Tensor, layers: Sequence[int]) -> dict[int, torch.Tensor]:
    """What the numbered convolutions make of one picture.

    Parameters
    ----------
    picture : uint8 (C, S, S)
    layers : numbers of convolutions in the order in which the network uses them, from 1

    Returns
    -------
    {layer: float32 (channels, height, width)}
    """
    found: list[torch.Tensor] = []
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [
        module.register_forward_hook(lambda *told: found.append(told[2][0].float().clone())) for module in convolutions
    ]
    try:
        with torch.no_grad():
            network.eval()(centred(to_unit(picture[None])))
    finally:
        for hook in hooks:
            hook.remove()
    return {layer: found[layer - 1] for layer in layers}


def _gradients(network: nn.Module, pictures: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    seen = centred(to_unit(pictures)).requires_grad_()
    wanted = network(seen).gather(1, targets[:, None]).sum()
    return torch.autograd.grad(wanted, seen)[0]


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
