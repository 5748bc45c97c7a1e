"""The study's own network: a small residual network for grey faces of 48 to 64 pixels, trained from nothing."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn


class SqueezeExcite(nn.Module):
    """Weighs each channel by what all channels say on average (Hu et al. 2018). Maps (N, C, H, W) in and out."""

    def __init__(self, channels: int, reduction: int = 8):
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps * self.weigh(maps)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with squeeze-and-excitation, added to their input; with `stride` 2 the maps are halved.

    The way past the convolutions averages before it projects, so that no pixel is skipped (He et al. 2019, ResNet-D).
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.convolve = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            SqueezeExcite(outputs),
        )
        pool = [nn.AvgPool2d(2, ceil_mode=True)] if stride == 2 else []
        project = [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)] if inputs != outputs else []
        self.skip = nn.Sequential(*pool, *project)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.convolve(maps) + self.skip(maps))


class FaceResNet(nn.Module):
    """Two plain convolutions at full resolution, pooled; then stages of residual blocks; then an average over the map.

    Unlike ResNet18, which gives away three quarters of the resolution before its first block, it halves 48 pixels
    only once. `body` makes (N, `n_features`) of pictures, `head` logits of those.

    Parameters
    ----------
    widths : channels of the first convolutions and of each stage
    blocks : residual blocks in each stage

    Input: float (N, 1, S, S) in -1 to 1, S from 16. Output: logits (N, n_classes).
    """

    def __init__(self, n_classes: int, widths: Sequence[int], blocks: int, dropout: float = 0.2):
        super().__init__()
        first, *stages = widths
        layers = [*_convolution(1, first), *_convolution(first, first), nn.MaxPool2d(2)]
        inputs = first
        for stage, width in enumerate(stages):
            for block in range(blocks):
                layers.append(ResidualBlock(inputs, width, 2 if stage > 0 and block == 0 else 1))
                inputs = width
        self.n_features = inputs
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, n_classes))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(pictures))


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


# The strong network has 11 million parameters and takes a billion multiplications a picture of 48×48, which wants a
# GPU; the small one has half its width and blocks and takes an eighth of the work.
FACE_RESNETS: dict[str, Callable[[int], FaceResNet]] = {
    "face_resnet": partial(FaceResNet, widths=(64, 128, 256, 512), blocks=2),
    "face_resnet_small": partial(FaceResNet, widths=(32, 64, 128, 256), blocks=1),
}
