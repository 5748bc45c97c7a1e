"""What a network is shown of one picture at test time; its answers to all views are averaged."""

from torch import Tensor
from torch.nn.functional import pad

SHIFT = 2  # pixels


def _one(pictures: Tensor) -> list[Tensor]:
    return [pictures]


def _flip(pictures: Tensor) -> list[Tensor]:
    return [pictures, pictures.flip(-1)]


def _flip_shift(pictures: Tensor) -> list[Tensor]:
    return [view for mirrored in _flip(pictures) for view in (mirrored, *_shifted(mirrored))]


def _shifted(pictures: Tensor) -> list[Tensor]:
    """The pictures moved by `SHIFT` pixels along both sides, to each of the four corners, their edge repeated."""
    height, width = pictures.shape[-2:]
    wider = pad(pictures, (SHIFT,) * 4, mode="replicate")
    starts = (0, 2 * SHIFT)
    return [wider[..., top : top + height, left : left + width] for top in starts for left in starts]


# Each takes pictures (N, 1, H, W) and returns views of that shape: 1, 2 or 10 of them, the pictures themselves first.
VIEWS = {"one": _one, "flip": _flip, "flip_shift": _flip_shift}
