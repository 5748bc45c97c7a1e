import numpy as np
import pandas as pd
import pytest

from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import BARE, BARE_SIX, COLUMNS, without_twins
from fer_lib.evaluation.tables import comparison_table, starts_table

VALUES = {"accuracy": 0.60, "mean class recall": 0.55, "macro F1": 0.50}


def rows(experiment: str, seed: float = 0, condition: str = BARE, plus: float = 0.0, **columns) -> pd.DataFrame:
    """Tidy test rows of one training, `plus` added to each value."""
    same = {"experiment": experiment, "seed": seed, "split": "test", "n": 3589, "source": "ours", "selection": "epoch"}
    same["train_condition"] = BARE
    numbers = [
        {"metric": metric, "value": value + plus - loss, "low": value - 0.02, "high": value + 0.02, "test_condition": c}
        for c, loss in ((condition, 0), (without_twins(condition), 0.03))
        for metric, value in VALUES.items()
    ]
    return pd.DataFrame(numbers).assign(**same | columns).reindex(columns=COLUMNS)


def table(results, experiments=("six_layer/base",)) -> pd.DataFrame:
    return comparison_table(results, list(experiments), claims("fer2013"))


def test_one_row_tells_all_about_one_variant():
    row = table(rows("six_layer/base")).loc["six_layer/base"]
    assert row.to_dict() == {
        "N": "3,589",
        "accuracy, % [95 % interval]": "60.0 [58.0, 62.0]",
        "mean class recall": "55.0 [53.0, 57.0]",
        "macro F1": "50.0 [48.0, 52.0]",
        "paper's accuracy": "57.2",
        "without twins": "57.0 [58.0, 62.0]",
        "chosen by": "epoch",
    }


def test_variants_keep_the_order_that_was_asked_for():
    names = ["six_layer/focal", "six_layer/base"]
    shown = table(pd.concat([rows("six_layer/base"), rows("six_layer/focal")]), names)
    assert shown.index.tolist() == names
    assert shown.index.name == "experiment"
    assert shown["paper's accuracy"].tolist() == ["–", "57.2"]


def test_several_seeds_show_their_mean_and_spread():
    seeds = pd.concat([rows("six_layer/base", seed, plus=0.01 * seed) for seed in (0, 1, 2)])
    aggregate = rows("six_layer/base", np.nan, plus=0.3)  # which says the same once more and must not count
    row = table(pd.concat([seeds, aggregate])).loc["six_layer/base"]
    assert row["accuracy, % [95 % interval]"] == "61.0 ± 1.0 [58.0, 62.0] (3 seeds)"
    assert row["macro F1"] == "51.0 ± 1.0 [48.0, 52.0]"
    assert row["without twins"] == "58.0 ± 1.0 [58.0, 62.0]"


def test_seeds_without_intervals_show_their_spread_alone():
    seeds = pd.concat([rows("six_layer/base", seed, plus=0.01 * seed) for seed in (0, 1)]).assign(low=None, high=None)
    assert table(seeds).loc["six_layer/base", "macro F1"] == "50.5 ± 0.7"


def test_an_ensemble_without_a_seed_has_its_interval():
    row = table(rows("vote", np.nan, selection=None), ["vote"]).loc["vote"]
    assert row["accuracy, % [95 % interval]"] == "60.0 [58.0, 62.0]"
    assert "chosen by" not in row


def test_another_task_stands_beside_the_claim_about_it():
    six = rows("gimefive/15_bn", condition=BARE_SIX, n=5945)
    row = table(six, ["gimefive/15_bn"]).loc["gimefive/15_bn"]
    assert (row["N"], row["paper's accuracy"]) == ("5,945", "65.6")
    assert row["without twins"] == "57.0 [58.0, 62.0]"


def test_what_a_paper_calls_accuracy_is_called_by_its_name():
    name = "transfer/mobilenet_v2/imagenet/full"
    assert table(rows(name), [name]).loc[name, "paper's accuracy"] == "55.0 (N 4,962), mean class recall"


def test_a_column_that_would_be_empty_is_left_out_and_a_cell_shows_a_dash():
    with_twins, alone = rows("six_layer/base"), rows("six_layer/focal").query("test_condition == @BARE")
    assert "without twins" not in table(alone, ["six_layer/focal"])
    both = table(pd.concat([with_twins, alone]), ["six_layer/base", "six_layer/focal"])
    assert both["without twins"].tolist() == ["57.0 [58.0, 62.0]", "–"]


def test_data_without_claims_have_a_table_too():
    shown = comparison_table(rows("six_layer/base"), ["six_layer/base"], claims("synthetic"))
    assert "paper's accuracy" not in shown
    assert shown["macro F1"].tolist() == ["50.0 [48.0, 52.0]"]


def test_a_variant_that_was_not_measured_is_named():
    with pytest.raises(KeyError, match="no result for six_layer/focal"):
        table(rows("six_layer/base"), ["six_layer/focal"])


def test_of_each_start_the_network_that_validation_prefers_is_shown_with_its_test_accuracy():
    def both(network, start, part, validation, test):
        name = f"transfer/{network}/{start}/{part}"
        return pd.concat([rows(name, plus=validation, split="validation"), rows(name, plus=test)])

    measured = [
        both("vgg11", "random", "frozen", 0.2, 0.0),
        both("resnet18", "random", "frozen", 0.1, 0.3),  # better on test alone
        both("resnet18", "drawn", "frozen", 0.0, 0.1),
        both("vgg11", "random", "full", 0.3, 0.3),
        both("vgg11", "random", "full_tta", 0.4, 0.4),
        both("vgg11", "random", "head", 0.4, 0.0),
        rows("strong/small"),
    ]
    table = starts_table(pd.concat(measured))
    assert table.loc["frozen"].to_dict() == {"random": "60.0 [58.0, 62.0] vgg11", "drawn": "70.0 [58.0, 62.0] resnet18"}
    assert table.loc["head"].to_dict() == {"random": "60.0 [58.0, 62.0] vgg11", "drawn": "–"}
    assert table.index.tolist() == ["frozen", "head", "full"]
