import numpy as np
import pandas as pd
import pytest

from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import COLUMNS
from fer_lib.evaluation.seeds import over_seeds, seed_values, spread_text

VALUES = (0.741, 0.743, 0.745, 0.744, 0.742)  # mean 0.743, sd √(10/4) · 0.001


def rows(values=VALUES, **columns) -> pd.DataFrame:
    """One tidy row per seed, in backward order of the seeds."""
    same = {"notebook": "04", "experiment": "strong/single", "model": "ResNet", "train_condition": "bare"}
    same |= {"test_condition": "bare", "split": "test", "n": 3589, "metric": "accuracy", "source": "ours"}
    frame = pd.DataFrame({"seed": range(len(values)), "value": values, "low": 0.7, "high": 0.8})
    return frame.assign(**{**same, **columns}).reindex(columns=COLUMNS).iloc[::-1]


def test_the_aggregate_is_a_tidy_row_with_the_mean_and_the_spread_in_its_note():
    aggregate = over_seeds(rows())
    row = aggregate.iloc[0]
    assert tuple(aggregate.columns) == COLUMNS
    assert len(aggregate) == 1
    assert row["value"] == pytest.approx(0.743)
    assert row["note"] == "mean of 5 seeds, sd 0.0016"
    assert pd.isna(row["seed"])
    assert (row["n"], row["notebook"], row["source"]) == (3589, "04", "ours")


def test_experiments_conditions_splits_and_metrics_are_not_mixed():
    others = [{"experiment": "a"}, {"test_condition": "masked"}, {"train_condition": None}, {"split": "validation"}]
    others += [{"metric": "macro F1"}, {"model": "VGG"}]
    mixed = pd.concat([rows(), *(rows((0.1, 0.3), **other) for other in others)])
    aggregate = over_seeds(mixed)
    assert sorted(aggregate["value"]) == pytest.approx([0.2] * len(others) + [0.743])


def test_rows_without_a_seed_are_left_out():
    everything = pd.concat([rows(), over_seeds(rows()), claims("fer2013")])
    assert len(over_seeds(everything)) == 1
    assert len(seed_values(everything, "strong/single")) == 5


def test_values_come_in_the_order_of_the_seeds():
    assert seed_values(rows(), "strong/single").tolist() == list(VALUES)


def test_mean_and_spread_read_in_percent():
    assert spread_text(seed_values(rows(), "strong/single")) == "74.3 ± 0.2"


def test_one_seed_claims_no_spread():
    assert spread_text(seed_values(rows(VALUES[1:2]), "strong/single")) == "74.3"
    assert over_seeds(rows(VALUES[1:2]))["note"].tolist() == ["mean of 1 seed"]


def test_the_spread_is_that_of_a_sample(rng):
    values = rng.random(6)
    assert spread_text(values) == f"{100 * values.mean():.1f} ± {100 * pd.Series(values).std():.1f}"
    assert pd.Series(values).std() > np.std(values)


def test_seeds_tested_on_different_pictures_or_counted_twice_are_an_error():
    for wrong, message in ((rows().assign(n=range(5)), "different numbers"), (rows().assign(seed=1), "comes twice")):
        with pytest.raises(ValueError, match=f"strong/single, test, bare, accuracy: .*{message}"):
            over_seeds(wrong)
        with pytest.raises(ValueError, match=message):
            seed_values(wrong, "strong/single")


def test_an_experiment_without_seeds_is_named():
    with pytest.raises(KeyError, match="no seeds of other, accuracy, test, bare"):
        seed_values(rows(), "other")
