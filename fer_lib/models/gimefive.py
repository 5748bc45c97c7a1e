"""The GiMeFive family: from-scratch networks of growing depth, with and without their parts (paper 001)."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import nn


class GiMeFive(nn.Module):
    """One member of the family of paper 001, section 4.3 and table 1.

    Blocks of one 3×3 convolution (padding 1, with bias), batch normalisation, ReLU and 2×2 max-pooling; the average
    of each map; three fully connected layers of twice the last width, the last width, and the classes. The paper
    counts layers as convolutions + batch normalisations + SE blocks + these three + pooling + one dropout.

    The paper does not say where its 50 % dropout lies (here after the first fully connected layer), where the one
    SE block does (here after block 1, the only one of 64 channels), or how residual connections cross a change of
    width (here by a 1×1 convolution from the block's input, added before ReLU).

    Input: float (N, 1, 64, 64) in -1 to 1; any side of 2**len(widths) or more works. Output: logits (N, n_classes).

    n_classes : the paper has six, without neutral
    widths : channels of the blocks, at least one
    batch_norm : normalise after each convolution
    squeeze_excite : weigh the channels after block 1
    residual : add a shortcut to each block
    dropout : share, 0 to 1, of values dropped after every block but the last, in training
    """

    def __init__(
        self,
        n_classes: int = 6,
        widths: tuple[int, ...] = (64, 128, 256, 512, 1024),
        batch_norm: bool = True,
        squeeze_excite: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        for depth, (before, after) in enumerate(pairwise((3, *widths)), start=1):
            layers.append(_Block(before, after, batch_norm, residual))
            if squeeze_excite and depth == 1:
                layers.append(SqueezeExcite(after))
            if dropout and depth < len(widths):
                layers.append(nn.Dropout(dropout))
        last = widths[-1]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(last, 2 * last),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(2 * last, last),
            nn.ReLU(),
            nn.Linear(last, n_classes),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(pictures.expand(-1, 3, -1, -1)))


class SqueezeExcite(nn.Module):
    """Weighs each channel by a factor in 0 to 1 read from the averages of all (Hu et al. 2018), without biases.

    Maps (N, channels, H, W) to the same shape; channels ≥ reduction.
    """

    # torchvision's own has biases, and the paper's parameter count leaves no room for them.
    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps * self.gate(maps)[:, :, None, None]


class _Block(nn.Module):
    """Maps (N, before, H, W) to (N, after, H // 2, W // 2)."""

    def __init__(self, before: int, after: int, batch_norm: bool, residual: bool):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, padding=1)
        self.norm = nn.BatchNorm2d(after) if batch_norm else nn.Identity()
        self.shortcut = nn.Conv2d(before, after, 1) if residual else None
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        new = self.norm(self.convolution(maps))
        if self.shortcut is not None:
            new = new + self.shortcut(maps)
        return self.pool(self.relu(new))


# Each member is called with the number of classes.
GIMEFIVE: dict[str, Callable[[int], GiMeFive]] = {
    "gimefive_10": partial(GiMeFive, batch_norm=False),
    "gimefive_13_bn": partial(GiMeFive, widths=(64, 128, 256, 512)),
    "gimefive_15_bn": GiMeFive,
    "gimefive_16_bn_se": partial(GiMeFive, squeeze_excite=True),
    "gimefive_17_bn": partial(GiMeFive, widths=(64, 128, 256, 512, 1024, 2048)),
    "gimefive_15_bn_dropout": partial(GiMeFive, dropout=0.2),
    "gimefive_15_bn_dropout_50": partial(GiMeFive, dropout=0.5),
    "gimefive_15_bn_residual": partial(GiMeFive, residual=True),
}
