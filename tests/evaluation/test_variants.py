"""Every number here is worked out by hand from a few pictures."""

import json

import numpy as np
import pandas as pd
import pytest

from fer_lib.evaluation.compare import Difference
from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import BARE, COLUMNS
from fer_lib.evaluation.variants import Change, difference_table, differences, variant_rows, verdicts
from fer_lib.runs import Run

CLASSES = ("anger", "fear")
RECALL = Difference(-0.06, -0.08, -0.04)
SURELY_UP, SURELY_DOWN = (
    Change(Difference(*numbers), RECALL) for numbers in ((0.03, 0.01, 0.05, 0.004), (-0.03, -0.05, -0.01, 0.004))
)
WIDE, NARROW = (
    Change(Difference(*numbers), RECALL) for numbers in ((0.02, -0.02, 0.07, 0.4), (-0.01, -0.02, 0.005, 0.3))
)


def run_of(folder, right: str, order=slice(None), epochs=3, best=1, **settings) -> Run:
    """A run that judged as many test pictures as `right` has letters, the k-th rightly where it is an x."""
    folder.mkdir()
    numbers = np.arange(len(right))
    named = np.array([(number + (letter != "x")) % 2 for number, letter in enumerate(right)])
    frame = pd.DataFrame({"id": numbers, "split": "test", "label": [CLASSES[number % 2] for number in numbers]})
    frame = frame.assign(anger=np.where(named == 0, 0.9, 0.1), fear=np.where(named == 1, 0.9, 0.1))
    frame.iloc[order].to_parquet(folder / "predictions.parquet", index=False)
    accuracy = [0.9 if epoch + 1 == best else 0.5 for epoch in range(epochs)]
    pd.DataFrame({"validation_accuracy": accuracy}).to_csv(folder / "history.csv", index=False)
    settings = {"max_epochs": 9, "patience": 2, "schedule": "paper004", "chosen_by": "accuracy"} | settings
    (folder / "experiment.json").write_text(json.dumps({"experiment": settings}))
    return Run(folder)


def claim(experiment: str, value: float, **columns) -> dict:
    same = {"metric": "accuracy", "split": "test", "test_condition": BARE, "source": "paper"}
    return {"experiment": experiment, "value": value} | same | columns


def claimed(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def test_a_picture_more_of_four_is_a_quarter_and_proves_nothing(tmp_path):
    reference = run_of(tmp_path / "base", "xx--")
    others = {"better": run_of(tmp_path / "better", "xxx-"), "worse": run_of(tmp_path / "worse", "---x")}
    changes = differences(reference, others, CLASSES, 200)
    assert {name: change.accuracy.value for name, change in changes.items()} == {"better": 0.25, "worse": -0.25}
    assert (
        changes["better"].accuracy.p == 1.0
    )  # one picture changed: a coin always splits it like this, or the other way
    assert changes["worse"].accuracy.p == 1.0  # 1 won, 2 lost: all of three coins' ends are as extreme
    assert changes["better"].verdict == "does not surely change"


def test_four_pictures_of_four_are_too_few_for_mcnemar_and_six_of_six_enough(tmp_path):
    few, many = (
        differences(run_of(tmp_path / f"base{n}", n * "-"), {"all": run_of(tmp_path / f"all{n}", n * "x")}, CLASSES, 50)
        for n in (4, 6)
    )
    assert (few["all"].accuracy.value, few["all"].accuracy.p) == (1.0, 2 / 2**4)
    assert few["all"].verdict == "does not surely change"
    assert (many["all"].accuracy.value, many["all"].accuracy.p) == (1.0, 2 / 2**6)
    assert many["all"].verdict == "rises"


def test_pictures_are_compared_by_their_id_and_not_by_their_place(tmp_path):
    reference = run_of(tmp_path / "base", "x-x-")
    turned = run_of(tmp_path / "turned", "x-x-", order=slice(None, None, -1))
    change = differences(reference, {"turned": turned}, CLASSES, 50)["turned"].accuracy
    assert (change.value, change.low, change.high, change.p) == (0, 0, 0, 1)


def test_the_reference_is_not_compared_with_itself(tmp_path):
    reference, other = run_of(tmp_path / "base", "xx--"), run_of(tmp_path / "other", "xx--")
    assert list(differences(reference, {"base": reference, "other": other}, CLASSES, 50)) == ["other"]


def test_runs_about_other_pictures_are_not_compared(tmp_path):
    reference, other = run_of(tmp_path / "base", "xx--"), run_of(tmp_path / "other", "xx-")
    with pytest.raises(ValueError, match="not tested on the same pictures"):
        differences(reference, {"other": other}, CLASSES, 50)


def test_the_table_of_changes_shows_the_whole_interval_in_points():
    table = difference_table({"augmented": SURELY_UP, "focal": NARROW})
    assert table.index.tolist() == ["augmented", "focal"]
    assert table.loc["augmented"].tolist() == ["+3.0 [+1.0, +5.0]", "0.004", "-6.0 [-8.0, -4.0]", "rises"]
    assert table.loc["focal", "so accuracy"] == "does not surely change"


def test_a_training_that_its_limit_cut_off_is_told_and_proves_no_finding(tmp_path):
    reference = run_of(tmp_path / "base", "xxxxxx")
    others = {
        "ended": run_of(tmp_path / "ended", "------", epochs=9, best=7),  # its patience ran out just then
        "cut": run_of(tmp_path / "cut", "------", epochs=9, best=8),
        "patient": run_of(tmp_path / "patient", "------", epochs=9, patience=16),
        "planned": run_of(tmp_path / "planned", "------", epochs=9, best=9, schedule="cosine"),
    }
    changes = differences(reference, others, CLASSES, 50)
    cut = {name: change.cut_off for name, change in changes.items()}
    assert cut == {"ended": None, "cut": 9, "patient": 9, "planned": None}
    said = {9: "falls; training cut off after 9 epochs", None: "falls"}
    assert difference_table(changes)["so accuracy"].tolist() == [said[epochs] for epochs in cut.values()]
    papers = claimed(claim("six_layer/base", 0.57), claim("six_layer/cut", 0.61))
    (sentence,) = verdicts(changes, papers, "six_layer", [0.6])
    assert "by *cut* cannot be judged by a training that was cut off after 9 epochs: " in sentence


def test_a_reference_that_was_cut_off_proves_no_finding_either(tmp_path):
    reference = run_of(tmp_path / "base", "------", epochs=9, best=9)
    change = differences(reference, {"ended": run_of(tmp_path / "ended", "xxxxxx")}, CLASSES, 50)["ended"]
    assert change.cut_off == 9


def test_class_recall_counts_the_small_class_as_much_as_the_large_one(tmp_path):
    """Of anger's four pictures one is lost, of fear's two both are won: (-1/4 + 2/2) / 2."""
    for name, letters in (("before", "xxxx--"), ("after", "xxx-xx")):
        frame = run_of(tmp_path / name, letters).predictions
        frame["label"] = ["anger"] * 4 + ["fear"] * 2
        right = np.array([letter == "x" for letter in letters])
        frame["anger"] = np.where(right == (frame["label"] == "anger"), 0.9, 0.1)
        frame.assign(fear=1 - frame["anger"]).to_parquet(tmp_path / name / "predictions.parquet", index=False)
    change = differences(Run(tmp_path / "before"), {"after": Run(tmp_path / "after")}, CLASSES, 50)["after"]
    assert change.accuracy.value == pytest.approx(1 / 6)
    assert change.recall.value == pytest.approx(3 / 8)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (SURELY_UP, "is confirmed in sign: here it raises accuracy"),
        (SURELY_DOWN, "is refuted: here it lowers accuracy"),
        (NARROW, "is not confirmed: here it does not surely change accuracy"),  # its interval excludes +4.0
        (WIDE, "is neither confirmed nor refuted: here it does not surely change accuracy"),  # and this one holds it
    ],
)
def test_a_papers_finding_is_judged_by_what_was_measured_here(change, word):
    papers = claimed(claim("six_layer/base", 0.57), claim("six_layer/augmented", 0.61))
    (sentence,) = verdicts({"augmented": change}, papers, "six_layer", [0.6])
    assert sentence == (
        f"The paper's change of +4.0 points by *augmented* {word} ({change.accuracy}; one seed each) and lowers mean "
        "class recall (-6.0 points [-8.0, -4.0])."
    )


def test_what_another_seed_could_do_too_confirms_nothing():
    """Seeds at 60 and 62 % have a standard deviation of √2 points, so a difference of two has 2; twice that is 4."""
    papers = claimed(claim("six_layer/base", 0.57), claim("six_layer/augmented", 0.61))
    (sentence,) = verdicts({"augmented": SURELY_UP}, papers, "six_layer", [0.60, 0.62])
    assert "by *augmented* cannot be told from a change of seeds: " in sentence
    assert "seeds alone move a difference by 4.0 points" in sentence


def test_what_exceeds_the_spread_of_seeds_counts():
    """Seeds at 60 and 61 % move a difference by 2 points."""
    papers = claimed(claim("six_layer/base", 0.57), claim("six_layer/augmented", 0.61))
    (sentence,) = verdicts({"augmented": SURELY_UP}, papers, "six_layer", [0.60, 0.61])
    assert "is confirmed in sign" in sentence
    assert "seeds alone move a difference by 2.0 points" in sentence


def test_a_claimed_loss_is_confirmed_by_a_loss():
    papers = claimed(claim("six_layer/base", 0.62), claim("six_layer/balanced", 0.57))
    (sentence,) = verdicts({"balanced": SURELY_DOWN}, papers, "six_layer", [0.6])
    assert "of -5.0 points by *balanced* is confirmed in sign" in sentence


def test_what_no_paper_claims_has_no_verdict():
    papers = claimed(claim("six_layer/base", 0.57), claim("six_layer/augmented", 0.62, metric="macro F1"))
    assert verdicts({"focal": SURELY_UP, "augmented": SURELY_UP}, papers, "six_layer", [0.6]) == []
    assert verdicts({"augmented": SURELY_UP}, claims("synthetic"), "six_layer", [0.6]) == []


def test_paper_004s_three_changes_are_all_judged():
    changes = dict.fromkeys(("augmented", "balanced", "balanced_augmented", "focal"), SURELY_UP)
    sentences = verdicts(changes, claims("fer2013"), "six_layer", [0.6])
    assert [sentence.split("*")[1] for sentence in sentences] == ["augmented", "balanced", "balanced_augmented"]
    assert "+5.1 points by *augmented*" in sentences[0]  # 57.23 to 62.36 in the paper


def ours(experiment: str, value: float = 0.6, metric: str = "accuracy", condition: str = BARE) -> dict:
    told = {"metric": metric, "split": "test", "test_condition": condition, "source": "ours"}
    return {"experiment": experiment, "value": value, "low": value - 0.02, "high": value + 0.02, **told}


def shown(*papers: dict, metric: str = "accuracy") -> pd.Series:
    results = claimed(ours("six_layer/base"), ours("six_layer/base", 0.5, "macro F1"))
    return variant_rows(results, ["six_layer/base"], claimed(*papers), metric).iloc[0]


def test_a_variant_stands_beside_the_claim_about_its_own_metric_and_condition():
    right, wrong = claim("six_layer/base", 0.57), claim("six_layer/base", 0.1)
    others = [wrong | {"metric": "macro F1"}, wrong | {"test_condition": "masked"}, wrong | {"experiment": "vote"}]
    row = shown(*others, right)
    assert row.to_dict() == {"name": "six_layer/base", "value": 0.6, "low": 0.58, "high": 0.62, "paper": 0.57}
    assert np.isnan(shown(*others)["paper"])
    assert shown(*others, right, metric="macro F1")[["value", "paper"]].tolist() == [0.5, 0.1]


def test_a_claim_about_another_split_is_not_taken_for_one_about_test():
    assert np.isnan(shown(claim("six_layer/base", 0.9, split="train"))["paper"])


def test_variants_keep_the_order_that_was_asked_for():
    results = claimed(ours("six_layer/focal"), ours("six_layer/base"))
    rows = variant_rows(results, ["six_layer/base", "six_layer/focal"], claims("fer2013"))
    assert rows["name"].tolist() == ["six_layer/base", "six_layer/focal"]
    assert rows["paper"].fillna(0).tolist() == [0.5723, 0]
