import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata, spearmanr
from torch import nn

from fer_lib.explain import faithfulness
from fer_lib.explain.faithfulness import REMOVED, STEPS, area, deletion, insertion, likeness, ranks, road
from fer_lib.explain.methods import CONTROLS, GAUSSIAN, RANDOM

pytestmark = pytest.mark.usefixtures("one_thread")
ROWS, COLUMNS = slice(4, 14), slice(30, 42)  # all that the network reads


class PatchReader(nn.Module):
    """Class 0 is the brightness of one patch, and no other pixel counts."""

    def __init__(self, strength=2.0):
        super().__init__()
        self.strength = nn.Parameter(torch.tensor(strength))

    def forward(self, pictures):
        read = pictures[:, :, ROWS, COLUMNS].mean((1, 2, 3)) * self.strength
        return torch.stack([read, -read], 1)


class Fixed(nn.Module):
    """The probability of class 0 is the mean of the picture, made of 0 and 1."""

    def __init__(self):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, pictures):
        chance = pictures.mean((1, 2, 3)).double().clamp(1e-9, 1 - 1e-9)
        return torch.stack([chance.log(), (1 - chance).log()], 1)


@pytest.fixture
def pictures():
    """Dark noise with a bright patch."""
    shown = np.random.default_rng(0).integers(0, 90, (3, 1, 48, 48), np.uint8)
    shown[:, :, ROWS, COLUMNS] += 150
    return torch.from_numpy(shown)


TARGETS = np.zeros(3, int)


def true_maps(n=3):
    patch = np.zeros((48, 48))
    patch[ROWS, COLUMNS] = 1
    return np.repeat((patch + 0.01 * gaussian_filter(patch, 6))[None], n, 0).astype(np.float32)


def wrong_maps(pictures):
    controls = {name: CONTROLS[name](None, pictures, TARGETS, 48) for name in (GAUSSIAN, RANDOM)}
    return controls | {"inverted": 1 - true_maps()}


def certainty(network, shown):
    """Probability of class 0 by hand."""
    with torch.no_grad():
        logits = network(shown.float()).numpy().astype(float)
    return 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))


@pytest.mark.parametrize("control", [GAUSSIAN, RANDOM, "inverted"])
@pytest.mark.parametrize(
    ("test", "sign"),
    [(lambda *a: road(*a).mean(1), 1), (lambda *a: area(deletion(*a)), -1), (lambda *a: area(insertion(*a)), 1)],
    ids=["road", "deletion", "insertion"],
)
def test_the_true_map_beats_every_other(pictures, test, sign, control):
    network = PatchReader()
    true, other = (test(network, pictures, TARGETS, heats) for heats in (true_maps(), wrong_maps(pictures)[control]))
    assert (sign * (true - other) > 0.05).all()


def test_road_is_about_0_for_random_maps_positive_for_the_true_one_and_negative_for_its_inverse(pictures):
    network = PatchReader()
    true, random, inverted = (
        road(network, pictures, TARGETS, heats)
        for heats in (true_maps(), np.random.default_rng(2).random((3, 48, 48)), 1 - true_maps())
    )
    assert true.shape == (3, len(REMOVED))
    assert random == pytest.approx(np.zeros((3, 4)), abs=0.1)
    assert (true > 0.25).all()
    assert inverted == pytest.approx(-true, abs=0.02)
    assert (np.abs(true) <= 0.5).all()


def test_the_class_that_is_asked_for_counts(pictures):
    asked = [road(PatchReader(), pictures, np.full(3, target), true_maps()) for target in (0, 1)]
    assert asked[1] == pytest.approx(-asked[0], abs=1e-6)


@pytest.mark.parametrize("side", [10, 48])
def test_every_share_takes_away_that_many_of_the_hottest_and_of_the_coldest_pixels(monkeypatch, rng, side):
    kept, heats = [], rng.random((2, side, side))
    monkeypatch.setattr(faithfulness, "fill_in", lambda seen, keep: kept.append(keep.numpy()) or seen)
    road(Fixed(), torch.zeros(2, 1, side, side, dtype=torch.uint8), TARGETS[:2], heats)
    pairs = list(zip(kept[::2], kept[1::2], strict=True))
    assert len(pairs) == len(REMOVED)
    for share, (without_coldest, without_hottest) in zip(REMOVED, pairs, strict=True):
        for one, rest, hot in zip(without_coldest, without_hottest, heats, strict=True):
            assert [(~one).sum(), (~rest).sum()] == pytest.approx([share * side**2] * 2, abs=0.999)
            assert hot[~one].max() < hot[one].min()
            assert hot[rest].max() < hot[~rest].min()
    if side == 10:
        assert [int((~one[0]).sum()) for one in kept] == [20, 20, 40, 40, 60, 60, 80, 80]


def test_ranks_are_scipys_where_no_two_pixels_are_equal(rng):
    heats = rng.random((3, 7, 7))
    expected = [(rankdata(heat, "ordinal") - 1).reshape(7, 7) / 49 for heat in heats]
    assert ranks(heats) == pytest.approx(np.stack(expected))


def test_between_equals_chance_decides_by_seed_and_every_rank_is_dealt_once():
    heats = np.zeros((2, 8, 8))
    heats[:, :4] = 1
    first, again, other = ranks(heats), ranks(heats), ranks(heats, 1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])
    for one in (*first, *other):
        assert np.sort(one, axis=None).tolist() == [k / 64 for k in range(64)]
        assert one[:4].min() > one[4:].max()
        assert abs(spearmanr(one[:4].ravel(), np.arange(32)).statistic) < 0.6


def test_deletion_goes_from_the_picture_to_grey_and_insertion_from_a_blurred_one_to_the_picture(pictures):
    network = PatchReader()
    seen = pictures / 127.5 - 1
    away, back = (ask(network, pictures, TARGETS, true_maps()) for ask in (deletion, insertion))
    assert away.shape == back.shape == (3, STEPS + 1)
    assert away[:, 0] == pytest.approx(certainty(network, seen), abs=1e-6)
    assert away[:, -1] == pytest.approx([0.5] * 3)
    assert back[:, -1] == pytest.approx(certainty(network, seen), abs=1e-6)
    blurred = gaussian_filter(seen.numpy(), (0, 0, 6, 6), mode="mirror", truncate=2)
    assert back[:, 0] == pytest.approx(certainty(network, torch.from_numpy(blurred)), abs=1e-3)


def test_each_step_of_a_curve_turns_as_many_pixels():
    black, white = torch.zeros(2, 1, 48, 48), torch.ones(2, 1, 48, 48)
    heats = np.random.default_rng(4).random((2, 48, 48))
    curve = faithfulness._curve(Fixed(), black, white, TARGETS[:2], heats)
    assert curve == pytest.approx(np.tile(np.linspace(0, 1, STEPS + 1), (2, 1)), abs=1.5 / 48**2)
    assert area(curve) == pytest.approx([0.5] * 2, abs=1e-3)


def test_the_hottest_pixels_are_taken_first(pictures):
    curves = [deletion(PatchReader(), pictures, TARGETS, heats) for heats in (true_maps(), 1 - true_maps())]
    assert curves[0][:, 1:] == pytest.approx(np.full((3, STEPS), 0.5), abs=1e-3)  # the patch is within the first step
    assert curves[1][:, :-1] == pytest.approx(np.repeat(curves[1][:, :1], STEPS, 1), abs=1e-3)


def test_area_is_that_of_the_trapezoids_below_a_curve(rng):
    curves = rng.random((5, STEPS + 1))
    assert area(curves) == pytest.approx(((curves[:, 1:] + curves[:, :-1]) / 2).mean(1))
    assert area(np.ones((2, STEPS + 1))) == pytest.approx([1, 1])


def test_likeness_is_spearmans_1_with_itself_or_what_rises_with_it_and_unknown_for_a_constant(rng):
    heats, others = rng.random((2, 6, 5, 5))
    others[3:] = np.round(others[3:], 1)  # with equals
    expected = [spearmanr(one.ravel(), other.ravel()).statistic for one, other in zip(heats, others, strict=True)]
    assert likeness(heats, others) == pytest.approx(expected)
    assert likeness(heats, np.exp(3 * heats)) == pytest.approx(np.ones(6))
    assert likeness(heats, -heats) == pytest.approx(-np.ones(6))
    others[1], heats[4] = 0.3, 0
    assert np.isnan(likeness(heats, others)).tolist() == [False, True, False, False, True, False]


def test_batches_do_not_change_what_a_network_says(pictures, monkeypatch):
    whole = deletion(PatchReader(), pictures, TARGETS, true_maps())
    monkeypatch.setattr(faithfulness, "BATCH", 2)
    assert deletion(PatchReader(), pictures, TARGETS, true_maps()) == pytest.approx(whole)
