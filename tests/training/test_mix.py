import pytest
import torch
from torch.nn.functional import one_hot

from fer_lib.errors import StudyError
from fer_lib.training.mix import mix

MIXED = ["mixup", "cutmix", "mixup_cutmix"]


def batch(count=12):
    """Pictures of one brightness each, 0 or 1, and as targets that brightness: what is mixed can be read off."""
    targets = torch.arange(count) % 2
    return targets.float()[:, None, None, None].expand(count, 1, 16, 16).contiguous(), targets


def test_without_mixing_both_come_back_as_they_are():
    pictures, targets = batch()
    same = mix("none", 2)(pictures, targets)
    assert same[0] is pictures
    assert same[1] is targets


@pytest.mark.parametrize("name", MIXED)
def test_targets_are_mixed_in_the_same_shares_as_the_pixels(name):
    for _ in range(10):
        pictures, probabilities = mix(name, 2)(*batch())
        assert pictures.shape == (12, 1, 16, 16)
        assert probabilities.dtype == torch.float32
        assert torch.allclose(probabilities.sum(1), torch.ones(12))
        assert torch.allclose(pictures.mean(dim=(1, 2, 3)), probabilities[:, 1], atol=1e-5)


@pytest.mark.parametrize("name", MIXED)
def test_class_numbers_and_their_probabilities_are_mixed_alike(name):
    pictures, targets = batch()
    results = []
    for given in (targets, one_hot(targets, 2).double()):
        torch.manual_seed(4)
        results.append(mix(name, 2)(pictures, given))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize("name", MIXED)
def test_torchs_own_seed_repeats_the_mixing(name):
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        mixer = mix(name, 2)
        draws.append(torch.stack([mixer(*batch())[1] for _ in range(3)]))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_cutmix_pastes_what_mixup_blends():
    torch.manual_seed(0)
    blends = torch.cat([mix("mixup", 2)(*batch())[0] for _ in range(20)])
    pastes = torch.cat([mix("cutmix", 2)(*batch())[0] for _ in range(20)])
    assert ((blends > 0.01) & (blends < 0.99)).any()
    assert set(pastes.unique().tolist()) == {0, 1}


def test_each_batch_gets_mixup_or_cutmix_about_equally_often():
    """A pasted batch holds pixels of 0 and 1 alone, a blended one hardly ever."""
    torch.manual_seed(0)
    mixer = mix("mixup_cutmix", 2)
    pasted = [set(mixer(*batch())[0].unique().tolist()) <= {0, 1} for _ in range(400)]
    assert 0.4 < sum(pasted) / 400 < 0.7


def test_what_was_given_is_not_changed():
    pictures, targets = batch()
    copies = pictures.clone(), targets.clone()
    mix("mixup", 2)(pictures, targets)
    assert torch.equal(pictures, copies[0])
    assert torch.equal(targets, copies[1])


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(StudyError, match="mix 'mixdown' is unknown; use one of none, mixup, cutmix, mixup_cutmix"):
        mix("mixdown", 7)
