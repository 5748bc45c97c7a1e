from collections import Counter

import pytest
import torch
from torch.utils.data import WeightedRandomSampler

from fer_lib.errors import StudyError
from fer_lib.training.balance import sample_order

TARGETS = torch.tensor([0] * 700 + [2] * 200 + [3] * 100)


def test_without_balance_every_picture_is_seen_once_in_torchs_own_order():
    torch.manual_seed(0)
    order = sample_order("none", TARGETS, 4)
    torch.manual_seed(0)
    assert torch.equal(order, torch.randperm(1000))


def test_balanced_batches_show_every_present_class_equally_often():
    torch.manual_seed(0)
    shown = torch.cat([TARGETS[sample_order("batches", TARGETS, 4)] for _ in range(30)])
    shares = torch.bincount(shown, minlength=4) / len(shown)
    assert shares.tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3], abs=0.01)


def test_balanced_batches_are_those_of_torchs_weighted_sampler():
    counts = Counter(TARGETS.tolist())
    weights = [len(TARGETS) / counts[target] for target in TARGETS.tolist()]
    torch.manual_seed(7)
    expected = list(WeightedRandomSampler(weights, len(TARGETS)))
    torch.manual_seed(7)
    assert sample_order("batches", TARGETS, 4).tolist() == expected


def test_an_unknown_balance_is_refused_with_the_known_ones():
    with pytest.raises(StudyError, match="balance 'even' is unknown; use one of none, batches"):
        sample_order("even", TARGETS, 4)
