"""What a network costs: parameters, multiply-accumulates and time for one picture."""

import contextlib
from collections.abc import Iterator, Mapping

import pandas as pd
import torch
from torch import nn
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

SECONDS = 0.3  # how long one network is timed after its warm-up


def cost(network: nn.Module, size: int, channels: int = 1) -> dict[str, int | float]:
    """Cost of one picture of `channels`×`size`×`size`, classified alone, in evaluation mode and without gradients.

    Returns
    -------
    parameters : int
    gmacs : 10⁹ multiply-accumulates of convolutions, linear layers and attention; the rest is negligible
    ms : median milliseconds after warm-up, on the network's device, with one thread where that is a CPU. It depends
        on the machine: compare only numbers measured on the same one.
    """
    device = next(network.parameters()).device
    picture = torch.zeros(1, channels, size, size, device=device)
    with _evaluating(network), torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            network(picture)
        timer = Timer("network(picture)", globals={"network": network, "picture": picture}, num_threads=1)
        seconds = timer.blocked_autorange(min_run_time=SECONDS).median
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "gmacs": counter.get_total_flops() / 2 / 1e9,
        "ms": 1000 * seconds,
    }


def cost_table(networks: Mapping[str, tuple]) -> pd.DataFrame:
    """Cost of several networks, one row each: index their names; columns parameters, gmacs, ms.

    Parameters
    ----------
    networks : {name: (network, size) or (network, size, channels)}
    """
    rows = {name: cost(*arguments) for name, arguments in networks.items()}
    return (
        pd.DataFrame.from_dict(rows, orient="index")
        .rename_axis("network")
        .astype({"parameters": int, "gmacs": float, "ms": float})
    )


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; after it each layer is as it was, frozen ones too."""
    modes = {layer: layer.training for layer in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for layer, training in modes.items():
            layer.training = training
