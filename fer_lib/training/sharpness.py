"""Sharpness-aware minimisation (Foret et al. 2021): step by the gradient at the worst point nearby."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextlib.contextmanager
def climbed(network: nn.Module, distance: float) -> Iterator[None]:
    """Inside the block the weights lie `distance` up their gradient (in Euclidean norm); after it, where they were.

    The gradients are cleared, so that a backward pass inside the block leaves those of the higher point. Running
    averages of batch normalisation do not move inside the block: each batch counts once.
    """
    parameters = [parameter for parameter in network.parameters() if parameter.grad is not None]
    with torch.no_grad():
        norm = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in parameters])).clamp_min(1e-12)
        before = [p.clone() for p in parameters]
        for parameter in parameters:
            parameter.add_(parameter.grad * (distance / norm))
            parameter.grad = None
    momenta = _pause_running_averages(network)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, before, strict=True):
                parameter.copy_(value)
        for layer, momentum in momenta:
            layer.momentum = momentum


def _pause_running_averages(network: nn.Module) -> Sequence[tuple[_BatchNorm, float]]:
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    momenta = [(layer, layer.momentum) for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    return momenta
