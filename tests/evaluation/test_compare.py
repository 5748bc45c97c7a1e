import numpy as np
import pytest
from scipy import stats

from fer_lib.evaluation import compare
from fer_lib.evaluation.compare import (
    Difference,
    change_of_change,
    intervals,
    mean_interval,
    paired_difference,
    paired_recall_difference,
    resample,
    seed_difference,
)
from fer_lib.evaluation.metrics import METRICS, accuracy, class_recall


def test_resamples_keep_the_number_of_pictures(rng):
    counts = rng.integers(0, 50, (7, 7))
    assert (resample(counts, 100).sum((1, 2)) == counts.sum()).all()


def test_the_interval_of_an_accuracy_is_scipys_bootstrap_interval():
    right = np.repeat([1, 0], [620, 380])
    theirs = stats.bootstrap((right,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(0))
    value, low, high = intervals(np.array([[620, 380], [0, 0]]), {"a": accuracy}, 9999)["a"]
    assert value == 0.62
    assert (low, high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_class_metrics_get_an_interval_per_class(rng):
    value, low, high = intervals(rng.integers(1, 50, (7, 7)), {"r": class_recall}, 500)["r"]
    assert value.shape == low.shape == high.shape == (7,)
    assert ((low < value) & (value < high)).all()


@pytest.mark.parametrize("metric", METRICS)
def test_a_perfect_model_has_no_doubt_even_where_a_resample_lacks_a_class(metric):
    assert intervals(np.diag([5, 1, 1]), METRICS, 100)[metric] == (1, 1, 1)


def test_mcnemar_by_hand_9_against_1():
    """Of ten discordant pictures the second model wins nine: p = 2 * (C(10,0) + C(10,1)) / 2**10."""
    before = np.array([True] * 1 + [False] * 9 + [True] * 40)
    after = np.array([False] * 1 + [True] * 9 + [True] * 40)
    change = paired_difference(before, after)
    assert change.value == pytest.approx(8 / 50)
    assert change.p == pytest.approx(2 * 11 / 1024)
    assert change.low < change.value < change.high


def test_equal_models_differ_by_nothing():
    right = np.array([True, False, True])
    assert paired_difference(right, right) == Difference(0, 0, 0, 1)


def test_a_difference_reads_in_points_and_claims_no_more_than_its_interval_allows():
    assert str(Difference(0.021, 0.008, 0.034, 0.0012)) == "+2.1 points [+0.8, +3.4], McNemar p = 0.0012"
    assert "[-2.9, +0.0]" in str(Difference(-0.014, -0.029, -0.0003, 0.051))
    differences = ((0.15, 0.1, 0.2, 0.01), (-0.15, -0.2, -0.1, 0.01), (0.0, -0.1, 0.1, 0.01), (0.15, 0.1, 0.2, 0.06))
    verdicts = [Difference(*numbers).verdict for numbers in differences]
    assert verdicts == ["raises", "lowers", "does not surely change", "does not surely change"]


def test_the_interval_of_a_recall_difference_is_scipys_paired_bootstrap_interval(rng):
    labels = np.repeat(np.arange(3), [400, 150, 50])
    before, after = rng.random(600) < 0.6, rng.random(600) < 0.7

    def difference(labels, before, after):
        return np.mean([after[labels == k].mean() - before[labels == k].mean() for k in range(3)])

    told = {"paired": True, "vectorized": False, "n_resamples": 2000, "method": "percentile"}
    theirs = stats.bootstrap((labels, before, after), difference, rng=np.random.default_rng(0), **told)
    ours = paired_recall_difference(labels, before, after, 9999)
    assert ours.value == pytest.approx(difference(labels, before, after))
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)
    assert ours.p is None


def test_the_change_of_a_mean_over_seeds_by_hand():
    """Mean accuracies of 3/8 and 5/8. Most seeds, and no tie, are right of picture 0 before, of 0, 1 and 2 after."""
    before = np.array([[1, 1, 0, 0], [1, 0, 0, 0]], bool)
    after = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 1, 0]], bool)
    change = seed_difference(before, after)
    assert change.value == pytest.approx((1 + 2 / 3 + 2 / 3 + 0) / 4 - 3 / 8)
    assert change.p == pytest.approx(2 * 1 / 2**2)  # two discordant pictures, both won
    assert change.low <= change.value <= change.high


def test_of_one_seed_each_the_change_is_that_of_two_models(rng):
    before, after = rng.random((2, 1, 2000)) < np.array([0.6, 0.65])[:, None, None]
    ours, theirs = seed_difference(before, after, 9999), paired_difference(before[0], after[0], 9999)
    assert (ours.value, ours.p) == pytest.approx((theirs.value, theirs.p))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_the_interval_of_a_change_over_seeds_is_scipys_bootstrap_interval_over_pictures(rng):
    before, after = rng.random((3, 800)) < 0.6, rng.random((5, 800)) < 0.65
    moved = after.mean(0) - before.mean(0)
    theirs = stats.bootstrap((moved,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(0))
    change = seed_difference(before, after, 9999)
    assert change.value == pytest.approx(after.mean() - before.mean())
    assert (change.low, change.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_the_same_runs_on_both_sides_change_nothing(rng):
    right = rng.random((3, 50)) < 0.5
    assert seed_difference(right, right) == Difference(0, 0, 0, 1)


def test_a_change_of_a_change_by_hand():
    """Of four pictures the first change wins 1/2, 0, -1/2 and 0, the second 0, 1, 0 and 1/2."""
    first = np.array([[0, 1, 1, 0], [0, 1, 1, 0]], bool), np.array([[1, 1, 0, 0], [0, 1, 1, 0]], bool)
    second = np.array([[1, 0, 0, 0]], bool), np.array([[1, 1, 0, 1], [1, 1, 0, 0]], bool)
    change = change_of_change(*first, *second)
    assert change.value == pytest.approx((-1 / 2 + 1 + 1 / 2 + 1 / 2) / 4)
    assert change.low <= change.value <= change.high
    assert change.p is None


@pytest.mark.parametrize("seeds", [1, 3])
def test_two_equal_changes_do_not_differ_at_all(rng, seeds):
    before, after = rng.random((2, seeds, 60)) < 0.5
    assert change_of_change(before, after, before, after) == Difference(0, 0, 0)
    assert change_of_change(before, before, after, after) == Difference(0, 0, 0)


def test_the_other_way_round_a_change_of_a_change_has_the_other_sign(rng):
    pairs = rng.random((4, 2, 500)) < np.array([0.6, 0.5, 0.6, 0.3])[:, None, None]
    there, back = change_of_change(*pairs), change_of_change(*pairs[2:], *pairs[:2])
    assert there.value == pytest.approx(-back.value)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=0.01)
    assert (there.verdict, back.verdict) == ("lowers", "raises")


def test_a_first_change_of_nothing_leaves_the_second_change(rng):
    same = rng.random((2, 700)) < 0.6
    before, after = rng.random((2, 3, 700)) < np.array([0.6, 0.65])[:, None, None]
    ours, theirs = change_of_change(same, same, before, after, 9999), seed_difference(before, after, 9999)
    assert ours.value == pytest.approx(theirs.value)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


def test_the_interval_of_a_change_of_a_change_is_scipys_bootstrap_interval_over_pictures(rng):
    sides = [rng.random((seeds, 900)) < share for seeds, share in ((3, 0.6), (3, 0.5), (2, 0.7), (4, 0.55))]
    means = [side.mean(0) for side in sides]
    moved = (means[3] - means[2]) - (means[1] - means[0])
    theirs = stats.bootstrap((moved,), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(0))
    change = change_of_change(*sides, 9999)
    assert change.value == pytest.approx(moved.mean())
    assert (change.low, change.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_the_interval_of_a_change_of_a_change_holds_the_truth_nineteen_times_in_twenty():
    rng, held = np.random.default_rng(5), []
    for _ in range(200):
        sides = rng.random((4, 2, 300)) < np.array([0.7, 0.5, 0.6, 0.55])[:, None, None]
        change = change_of_change(*sides, 400)
        held.append(change.low <= (0.55 - 0.6) - (0.5 - 0.7) <= change.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_a_mean_is_numpys_with_the_interval_of_the_central_limit(rng):
    values = rng.random(800)
    found = mean_interval(values)
    error = 1.96 * values.std() / np.sqrt(800)
    assert found.value == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.003)
    assert found.p is None


def test_pictures_without_a_value_do_not_count(rng):
    values = rng.random(50)
    assert mean_interval(np.r_[values, np.nan, np.nan]) == mean_interval(values)
    assert mean_interval(np.full(9, 0.25)).low == mean_interval(np.full(9, 0.25)).high == 0.25


def test_of_no_value_at_all_nothing_is_known():
    found = mean_interval(np.full(3, np.nan))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.verdict == "does not surely change"


def test_blocks_of_a_bootstrap_change_nothing(rng, monkeypatch):
    values = rng.random(40)
    whole = mean_interval(values, 300)
    monkeypatch.setattr(compare, "BLOCK", 7 * 40 + 3)
    assert mean_interval(values, 300) == whole
