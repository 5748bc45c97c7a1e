"""The small network of SAFER, for faces and for backgrounds (paper 000)."""

from itertools import pairwise

import torch
from torch import nn

from fer_lib.errors import StudyError

SMALLEST = 16
N_FEATURES = 128  # of a stream; the paper names no number


class RegularCNN(nn.Module):
    """The "regular CNN" of paper 000, sections 4.3 and 4.4: three convolutions and one fully connected layer.

    Each convolution has 2×2 filters and stride 1 and is followed by 2×2 max-pooling. The paper is silent on channels
    (here 16-32-64, as the six-layer network of paper 004 begins), on the activation (here ReLU) and on padding
    (here none), so that 226 pixels end as 64 maps of 27×27.

    Input: float (N, channels, size, size) in -1 to 1. Output: (N, n_outputs): logits, or the features of a stream.

    Raises
    ------
    StudyError
        When size is below 16 pixels.
    """

    def __init__(self, n_outputs: int = 7, size: int = 226, channels: int = 1):
        super().__init__()
        if size < SMALLEST:
            raise StudyError(f"size is {size} pixels; the regular CNN needs {SMALLEST} or more.")
        widths = (channels, 16, 32, 64)
        layers: list[nn.Module] = []
        side = size
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 2), nn.ReLU(), nn.MaxPool2d(2)]
            side = (side - 1) // 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * side**2, n_outputs))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(pictures))


class RegularStream(nn.Module):
    """A stream of SAFER while it learns alone: the regular CNN's features are its `body`, a new layer is its `head`.

    Input: float (N, channels, size, size) in -1 to 1. Output: logits (N, n_classes).
    """

    def __init__(self, n_classes: int, size: int, channels: int = 1):
        super().__init__()
        self.body = nn.Sequential(RegularCNN(N_FEATURES, size, channels), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(N_FEATURES, n_classes))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(pictures))
