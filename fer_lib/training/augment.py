"""Augmentation drawn anew for every picture of a batch, on the batch's own device."""

import kornia.augmentation as K
import torch
from torch import nn


def augmentation(name: str) -> nn.Module:
    """The augmentation set called `name`, for float pictures (N, C, H, W) in 0-1.

    `paper004` is section 4.3 of paper 004: horizontal flip, rotation within ±20°, translation by 10, read as up
    to 10 % of the side since the paper gives no unit.
    """
    return nn.Sequential(*AUGMENTATIONS[name]())


def to_unit(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 pictures in 0-255 as float32 in 0-1."""
    return pictures.float().div_(255)


def centred(pictures: torch.Tensor) -> torch.Tensor:
    """Pictures in 0-1 as the networks see them: in -1 to 1, channels last in memory."""
    return pictures.mul(2).sub(1).contiguous(memory_format=torch.channels_last)


AUGMENTATIONS = {
    "none": lambda: [],
    "paper004": lambda: [
        K.RandomHorizontalFlip(p=0.5),
        K.RandomAffine(degrees=20.0, translate=(0.1, 0.1), p=1.0),
    ],
}
