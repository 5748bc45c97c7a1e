"""Filling holes in pictures from around them, so that what was taken away tells nothing (ROAD, Rong et al. 2022)."""

import torch
from torch.nn.functional import pad

NOISE = 0.01  # standard deviation of what is added to filled pixels, as in ROAD
RESIDUAL = 1e-5  # of a hole's equations, in grey values: where solving stops
ROUNDS = 500  # of solving at most; holes of four fifths of 48×48 pixels take about 100


def fill_in(pictures: torch.Tensor, keep: torch.Tensor, noise: float = NOISE, seed: int = 0) -> torch.Tensor:
    """Fill in what is not kept: every pixel becomes the weighted mean of its neighbours (Rong et al. 2022, section 4).

    Neighbours at a side weigh twice those at a corner. All pictures are solved at once by conjugate gradients, which is
    many times as fast as a sparse system for each, as the package grad-cam solves it, and finds the same pixels.

    Parameters
    ----------
    pictures : float (N, C, S, S)
    keep : bool (N, S, S), at least one pixel in each
    noise : added to what is filled in, each picture with the same numbers

    Returns
    -------
    float (N, C, S, S)
    """
    kept = keep[:, None].expand_as(pictures)
    hole = (~kept).to(pictures.dtype)
    neighbours = _around(torch.ones_like(pictures[:1]))
    solved = torch.zeros_like(pictures)
    residual = hole * _around(pictures * kept)
    way, size = residual.clone(), _size(residual)
    for _ in range(ROUNDS):
        if residual.abs().amax() < RESIDUAL:
            break
        against = hole * (neighbours * way - _around(way))
        step = size / _size(way, against).clamp_min(torch.finfo(size.dtype).tiny)
        solved += step * way
        residual -= step * against
        before, size = size, _size(residual)
        way = residual + size / before.clamp_min(torch.finfo(size.dtype).tiny) * way
    drawn = torch.randn(pictures.shape[1:], generator=torch.Generator().manual_seed(seed)).to(pictures)
    return torch.where(kept, pictures, solved + noise * drawn)


def _around(pictures: torch.Tensor) -> torch.Tensor:
    """Weighted sum of each pixel's neighbours: a sixth of each at its sides, a twelfth of each at its corners."""
    wide = pad(pictures, (1, 1, 1, 1))
    rows = wide[..., :-2, :] + 2 * wide[..., 1:-1, :] + wide[..., 2:, :]
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:] - 4 * pictures) / 12


def _size(one: torch.Tensor, other: torch.Tensor | None = None) -> torch.Tensor:
    """Product of each picture with another one, or with itself, (N, C, 1, 1)."""
    return (one * (one if other is None else other)).sum((-2, -1), keepdim=True)
