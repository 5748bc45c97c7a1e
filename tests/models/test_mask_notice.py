import numpy as np
import pytest
import torch

from fer_lib.models.mask_notice import MaskNotice

SIDE = 12


def faces(n, seed, bright=False) -> torch.Tensor:
    """Noise of different brightness."""
    rng = np.random.default_rng(seed)
    shown = rng.integers(40, 140, (n, 1, SIDE, SIDE)) + rng.integers(0, 60, (n, 1, 1, 1)) + 40 * bright
    return torch.from_numpy(shown.astype(np.uint8))


def painted(pictures: torch.Tensor) -> torch.Tensor:
    """The same with the lower half painted in one grey."""
    masked = pictures.clone()
    masked[:, :, SIDE // 2 :] = 190
    return masked


@pytest.fixture(scope="module")
def validation():
    return faces(200, 2)


@pytest.fixture(scope="module")
def notice(validation):
    bare = faces(80, 0)
    return MaskNotice.fit(bare, painted(bare), validation, 0.99)


def test_unseen_pictures_whose_lower_half_is_painted_are_noticed_and_bare_ones_are_not(notice):
    shown = faces(300, 1)
    assert notice.noticed(painted(shown)).all()
    assert notice.noticed(shown).mean() < 0.04
    assert notice.noticed(shown).dtype == bool


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99, 1.0])
def test_the_asked_share_of_bare_validation_faces_passes_as_bare(validation, kept):
    bare = faces(80, 0)
    notice = MaskNotice.fit(bare, painted(bare), validation, kept)
    scores = notice.linear.decision_function(validation.numpy().reshape(len(validation), -1) / 255)
    assert notice.limit == pytest.approx(np.quantile(scores, kept))
    passed = int((~notice.noticed(validation)).sum())
    assert abs(passed - kept * len(validation)) <= 1
    assert passed == len(validation) or kept < 1


def test_the_limit_hangs_on_validation_alone_and_what_is_learnt_on_the_others_alone(notice):
    bare = faces(80, 0)
    other = MaskNotice.fit(bare, painted(bare), painted(faces(50, 3)), 0.99)
    shown = faces(20, 4).numpy().reshape(20, -1) / 255
    assert np.allclose(other.linear.decision_function(shown), notice.linear.decision_function(shown))
    assert other.limit > notice.limit


def test_pictures_in_colour_are_judged_as_well():
    bare = faces(60, 0).repeat(1, 3, 1, 1)
    notice = MaskNotice.fit(bare, painted(bare), faces(60, 1).repeat(1, 3, 1, 1), 0.95)
    assert notice.noticed(painted(faces(10, 5).repeat(1, 3, 1, 1))).tolist() == [True] * 10
