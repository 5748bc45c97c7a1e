"""Augmentation drawn anew for every picture of a batch, on the batch's own device."""

import kornia.augmentation as K
import torch
from torch import nn


def augmentation(name: str) -> nn.Module:
    """The augmentation set called `name`, for float pictures (N, C, H, W) in 0-1, which stay in 0-1.

    | name | what is done to each picture |
    | --- | --- |
    | none | nothing |
    | flip | horizontal flip, all that the code of paper 001 does |
    | paper004 | section 4.3: horizontal flip, rotation within ±20°, translation by 10, read as up to 10 % of the side |
    | paper004_pixels | the same, its 10 read as pixels of 48, since the paper gives no unit |
    | paper000 | section 5: crop, rotation, brightness, contrast, of no given range |
    | paper001 | the code's flip; rotation and crop (section 4.2); size, brightness and perspective (5.1) |
    | strong | ours: flip, rotation, scale, shift, brightness, contrast, and an erased patch in 3 of 10 pictures |

    Papers 000 and 001 give no ranges, so all of those are ours. Paper 001's colour channels say nothing about a grey
    picture.

    Raises
    ------
    KeyError
        For another name.
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
    "flip": lambda: [K.RandomHorizontalFlip(p=0.5)],
    "paper004": lambda: [
        K.RandomHorizontalFlip(p=0.5),
        K.RandomAffine(degrees=20.0, translate=(0.1, 0.1), p=1.0),
    ],
    "paper004_pixels": lambda: [
        K.RandomHorizontalFlip(p=0.5),
        K.RandomAffine(degrees=20.0, translate=(10 / 48, 10 / 48), p=1.0),
    ],
    "paper000": lambda: [
        K.RandomAffine(degrees=10.0, translate=(0.05, 0.05), scale=(1.0, 1.2), padding_mode="border", p=1.0),
        K.RandomBrightness((0.8, 1.2), p=1.0),
        K.RandomContrast((0.8, 1.2), p=1.0),
    ],
    "paper001": lambda: [
        K.RandomHorizontalFlip(p=0.5),
        # an enlarged and shifted picture is a cropped one, and costs no second interpolation
        K.RandomAffine(degrees=10.0, translate=(0.05, 0.05), scale=(1.0, 1.2), padding_mode="border", p=1.0),
        K.RandomPerspective(distortion_scale=0.2, p=0.5),
        K.RandomBrightness((0.8, 1.2), p=1.0),
    ],
    "strong": lambda: [
        K.RandomHorizontalFlip(p=0.5),
        K.RandomAffine(degrees=15.0, translate=(0.1, 0.1), scale=(0.85, 1.15), padding_mode="border", p=1.0),
        K.RandomBrightness((0.8, 1.2), p=1.0),
        K.RandomContrast((0.8, 1.2), p=1.0),
        K.RandomErasing(scale=(0.02, 0.15), value=0.5, p=0.3),  # mid grey, which `centred` makes 0
    ],
}
