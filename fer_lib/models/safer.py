"""SAFER: streams of features, each with its own normalisation, joined and judged by two layers (paper 000, 4.6)."""

from collections.abc import Mapping

import torch
from torch import nn

HIDDEN = 128  # of the first of the two layers; the paper names no number
DROPOUT = 0.5
LEAST_SPREAD = 1e-4  # of a feature in train; one that moves less has told nothing there, and tells nothing later


class Stream(nn.Module):
    """One stream's way into SAFER: each feature is given mean 0 and spread 1, as measured on train.

    Input: float (N, size), rows of NaN where the stream saw nothing. Output: (N, size), zeros in those rows, which is
    what a stream that tells nothing looks like.
    """

    def __init__(self, size: int, normalised: bool = True):
        super().__init__()
        self.normalised = normalised
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))

    def measure(self, train: torch.Tensor) -> None:
        """Take mean and spread of the rows that are there, (N, size)."""
        there = train[train.isfinite().all(1)]
        if self.normalised and len(there) > 1:
            self.mean.copy_(there.mean(0))
            spread = there.std(0)
            self.spread.copy_(spread.where(spread > LEAST_SPREAD, torch.inf))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        there = features.isfinite().all(1, keepdim=True)
        return torch.where(there, (features - self.mean) / self.spread, 0.0)


class Safer(nn.Module):
    """Any subset of streams, concatenated, and two fully connected layers.

    Parameters
    ----------
    sizes : features of each stream, in the order in which they lie beside each other in the input
    normalised : without, features keep their own scales, as in the paper's plain concatenation
    stream_dropout : 0-1, how often a stream is left out of a training picture, so that no other can rely on it

    Input: float (N, sum of sizes), NaN where a stream saw nothing. Output: logits (N, n_classes).
    """

    def __init__(self, sizes: Mapping[str, int], n_classes: int, normalised: bool = True, stream_dropout: float = 0.0):
        super().__init__()
        self.sizes, self.stream_dropout = dict(sizes), stream_dropout
        self.streams = nn.ModuleDict({name: Stream(size, normalised) for name, size in sizes.items()})
        self.layers = nn.Sequential(
            nn.Linear(sum(sizes.values()), HIDDEN),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, n_classes),
        )

    def measure(self, train: torch.Tensor) -> None:
        """Let every stream take its mean and spread from the training pictures, (N, sum of sizes)."""
        for stream, part in zip(self.streams.values(), self._parts(train), strict=True):
            stream.measure(part)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        pairs = zip(self.streams.values(), self._parts(features), strict=True)
        parts = [stream(part) for stream, part in pairs]
        if self.training and self.stream_dropout:
            kept = self._kept(len(features), features.device)
            parts = [part * kept[:, i : i + 1] for i, part in enumerate(parts)]
        return self.layers(torch.cat(parts, 1))

    def _parts(self, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return features.split(list(self.sizes.values()), 1)

    def _kept(self, n: int, device: torch.device) -> torch.Tensor:
        """Which streams each picture keeps, float (n, streams): at least one."""
        draws = torch.rand(n, len(self.sizes), device=device)
        kept = draws >= self.stream_dropout
        return (kept | (draws == draws.max(1, keepdim=True).values)).float()
