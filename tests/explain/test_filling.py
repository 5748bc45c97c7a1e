import numpy as np
import pytest
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from scipy.ndimage import gaussian_filter

from fer_lib.explain.filling import NOISE, fill_in

pytestmark = pytest.mark.usefixtures("one_thread")


def photographs(rng, n, channels, side):
    """Smooth noise from -1 to 1."""
    noise = gaussian_filter(rng.normal(size=(n, channels, side, side)), (0, 0, 2, 2))
    return torch.from_numpy((noise / np.abs(noise).max()).astype(np.float32))


def kept_where_cold(rng, n, side, removed, smooth):
    heats = gaussian_filter(rng.random((n, side, side)), (0, smooth, smooth))
    return torch.from_numpy(heats < np.quantile(heats, 1 - removed, axis=(1, 2), keepdims=True))


@pytest.mark.parametrize("removed", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("smooth", [0, 5])
@pytest.mark.parametrize(("channels", "side"), [(1, 48), (3, 24)])
def test_pixels_are_filled_as_the_package_grad_cam_fills_them(rng, removed, smooth, channels, side):
    pictures, keep = photographs(rng, 3, channels, side), kept_where_cold(rng, 3, side, removed, smooth)
    by_package = [NoisyLinearImputer(noise=0)(one, kept.float()) for one, kept in zip(pictures, keep, strict=True)]
    assert fill_in(pictures, keep, noise=0).numpy() == pytest.approx(torch.stack(by_package).numpy(), abs=5e-4)


def test_what_is_kept_stays_as_it_is_and_the_rest_gets_the_noise_of_the_seed(rng):
    pictures, keep = photographs(rng, 2, 3, 16), torch.from_numpy(rng.random((2, 16, 16)) < 0.5)
    plain, noisy, again, other = (fill_in(pictures, keep, *more) for more in ((0,), (), (), (NOISE, 1)))
    kept = keep[:, None].expand_as(pictures)
    assert torch.equal(noisy[kept], pictures[kept])
    assert torch.equal(noisy, again)
    assert not torch.equal(noisy, other)
    assert (noisy - plain)[~kept].std().item() == pytest.approx(NOISE, rel=0.15)


def test_a_hole_in_a_slope_is_filled_with_the_slope():
    slope = np.add.outer(np.linspace(-0.5, 0.3, 20), np.linspace(-0.4, 0.4, 20)).astype(np.float32)
    keep = torch.ones(1, 20, 20, dtype=torch.bool)
    keep[:, 5:15, 3:17] = False
    (filled,) = fill_in(torch.from_numpy(slope[None, None]), keep, noise=0).numpy()
    assert filled[0] == pytest.approx(slope, abs=1e-3)


def test_a_picture_without_holes_beside_one_with_many_is_left_alone(rng):
    pictures = photographs(rng, 2, 1, 12)
    keep = torch.ones(2, 12, 12, dtype=torch.bool)
    keep[1, :, 3:] = False
    filled = fill_in(pictures, keep)
    assert torch.equal(filled[0], pictures[0])
    assert filled.isfinite().all()
