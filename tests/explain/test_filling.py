import numpy as np
import pytest
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from scipy.ndimage import gaussian_filter

from fer_lib.errors import StudyError
from fer_lib.explain.filling import NOISE, fill_in

pytestmark = pytest.mark.usefixtures("one_thread")


def photographs(rng, n, channels, side):
    """Smooth noise from -1 to 1."""
    noise = gaussian_filter(rng.normal(size=(n, channels, side, side)), (0, 0, 2, 2))
    return torch.from_numpy((noise / np.abs(noise).max()).astype(np.float32))


def noisy_pictures(rng, n, channels, side):
    return torch.from_numpy(rng.uniform(-1, 1, (n, channels, side, side)).astype(np.float32))


def kept_where_cold(rng, n, side, removed, smooth):
    heats = gaussian_filter(rng.random((n, side, side)), (0, smooth, smooth))
    return torch.from_numpy(heats < np.quantile(heats, 1 - removed, axis=(1, 2), keepdims=True))


@pytest.mark.parametrize("removed", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("smooth", [0, 5])
@pytest.mark.parametrize(("pictures_of", "channels", "side"), [(photographs, 1, 48), (noisy_pictures, 3, 24)])
def test_pixels_are_filled_as_the_package_grad_cam_fills_them(rng, removed, smooth, pictures_of, channels, side):
    pictures, keep = pictures_of(rng, 3, channels, side), kept_where_cold(rng, 3, side, removed, smooth)
    by_package = [NoisyLinearImputer(noise=0)(one, kept.float()) for one, kept in zip(pictures, keep, strict=True)]
    assert fill_in(pictures, keep, noise=0).numpy() == pytest.approx(torch.stack(by_package).numpy(), abs=2e-4)


def test_what_is_kept_stays_as_it_is_and_the_rest_gets_the_noise_of_the_seed(rng):
    pictures, keep = photographs(rng, 2, 3, 16), torch.from_numpy(rng.random((2, 16, 16)) < 0.5)
    plain, noisy, again, other = (fill_in(pictures, keep, *more) for more in ((0,), (), (), (NOISE, 1)))
    kept = keep[:, None].expand_as(pictures)
    assert torch.equal(noisy[kept], pictures[kept])
    assert torch.equal(noisy, again)
    assert not torch.equal(noisy, other)
    added = noisy - plain
    assert added[~kept].std().item() == pytest.approx(NOISE, rel=0.15)
    both = ~(kept[0] | kept[1])
    assert torch.allclose(added[0][both], added[1][both], atol=1e-5)
    assert abs(np.corrcoef(added[0, 0][~keep[0]], added[0, 1][~keep[0]])[0, 1]) < 0.5


def test_a_hole_in_a_slope_is_filled_with_the_slope():
    slope = np.add.outer(np.linspace(-0.5, 0.3, 20), np.linspace(-0.4, 0.4, 20)).astype(np.float32)
    keep = torch.ones(1, 20, 20, dtype=torch.bool)
    keep[:, 5:15, 3:17] = False
    (filled,) = fill_in(torch.from_numpy(slope[None, None]), keep, noise=0).numpy()
    assert filled[0] == pytest.approx(slope, abs=1e-3)


def test_what_is_solved_at_once_stands_beside_what_takes_many_rounds(rng):
    pictures = photographs(rng, 3, 1, 12)
    pictures[1] = 0
    keep = torch.ones(3, 12, 12, dtype=torch.bool)
    keep[1:, :, 3:] = False
    whole, black, rest = fill_in(pictures, keep, noise=0)
    assert torch.equal(whole, pictures[0])
    assert torch.equal(black, pictures[1])
    (alone,) = fill_in(pictures[2:], keep[2:], noise=0)
    assert torch.allclose(rest, alone, atol=1e-4)


def test_pictures_with_nothing_taken_away_come_back_and_so_do_none(rng):
    pictures, keep = photographs(rng, 2, 1, 12), torch.ones(2, 12, 12, dtype=torch.bool)
    assert torch.equal(fill_in(pictures, keep), pictures)
    assert fill_in(pictures[:0], keep[:0]).shape == (0, 1, 12, 12)


def test_a_picture_that_is_not_finite_is_an_error_and_no_map(rng):
    pictures, keep = photographs(rng, 2, 1, 12), torch.from_numpy(rng.random((2, 12, 12)) < 0.5)
    pictures[0, 0][keep[0]] = torch.nan
    with pytest.raises(StudyError, match="not finite"):
        fill_in(pictures, keep)
