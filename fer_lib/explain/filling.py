"""Filling holes in pictures from around them, so that what was taken away tells nothing (ROAD, Rong et al. 2022)."""

import torch
from torch.nn.functional import pad

from fer_lib.errors import StudyError

NOISE = 0.01  # standard deviation of what is added to filled pixels, as in ROAD
RESIDUAL = 1e-6  # of the equations of each pixel, where solving stops; pixels are then right to about 1e-4
ROUNDS = 1000  # of solving at most; holes of four fifths of 48×48 pixels take about 100


def fill_in(pictures: torch.Tensor, keep: torch.Tensor, noise: float = NOISE, seed: int = 0) -> torch.Tensor:
    """Fill in what is not kept: every pixel becomes the weighted mean of its neighbours (Rong et al. 2022, section 4).

    Neighbours at a side weigh twice those at a corner. All pictures are solved at once by conjugate gradients; the
    package grad-cam, which finds the same pixels, solves one sparse system after the other.

    Parameters
    ----------
    pictures : float (N, C, S, S), -1 to 1
    keep : bool (N, S, S), at least one pixel in each
    noise : standard deviation of what is added to filled pixels: one pattern, from `seed`, laid on every picture

    Returns
    -------
    float (N, C, S, S)

    Raises
    ------
    StudyError
        When a hole cannot be filled: pictures with values that are not finite.
    """
    kept = keep[:, None].expand_as(pictures)
    if kept.all():
        return pictures.clone()
    solved = _solved(pictures * kept, ~kept)
    pattern = torch.randn(pictures.shape[1:], generator=torch.Generator().manual_seed(seed)).to(pictures)
    return torch.where(kept, pictures, solved + noise * pattern)


def _solved(known: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
    """In the hole, x with `neighbours · x - around(x) = around(known)`, by conjugate gradients; 0 elsewhere."""
    neighbours = _around(torch.ones_like(known[:1]))
    tiny = torch.finfo(known.dtype).tiny  # what is solved already takes no step, where others still do
    solved, residual = torch.zeros_like(known), hole * _around(known)
    direction, squared = residual.clone(), _product(residual, residual)
    for _ in range(ROUNDS):
        if residual.abs().amax() < RESIDUAL:
            return solved
        applied = hole * (neighbours * direction - _around(direction))
        step = squared / _product(direction, applied).clamp_min(tiny)
        solved += step * direction
        residual -= step * applied
        before, squared = squared, _product(residual, residual)
        direction = residual + squared / before.clamp_min(tiny) * direction
    raise StudyError(f"holes were not filled after {ROUNDS} rounds; look for values that are not finite.")


def _around(pictures: torch.Tensor) -> torch.Tensor:
    """Weighted sum of each pixel's neighbours: a sixth of each at its sides, a twelfth of each at its corners."""
    wide = pad(pictures, (1, 1, 1, 1))
    rows = wide[..., :-2, :] + 2 * wide[..., 1:-1, :] + wide[..., 2:, :]
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:] - 4 * pictures) / 12


def _product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The inner product of each picture with another one, (N, C, 1, 1)."""
    return (one * other).sum((-2, -1), keepdim=True)
