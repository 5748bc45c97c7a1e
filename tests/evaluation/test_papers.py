import re

import numpy as np
import pytest

from fer_lib.evaluation.papers import SAFER_TABLES, claims, table_9
from fer_lib.evaluation.results import BARE, BARE_SIX, COLUMNS
from fer_lib.multistream import FUSIONS
from fer_lib.noise_bars import LEARNT, barred
from fer_lib.training.catalogue import CATALOGUE

SIX_LAYER = {
    "six_layer/base": (0.6150, 0.5373, 0.5612, 0.5723),
    "six_layer/augmented": (0.6231, 0.5708, 0.5781, 0.6236),
    "six_layer/balanced": (0.6107, 0.5315, 0.5468, 0.6045),
    "six_layer/balanced_augmented": (0.5846, 0.6087, 0.5902, 0.6101),
    "transfer/vgg11/imagenet/head": (0.4183, 0.4795, 0.4267, 0.4682),
    "transfer/resnet18/imagenet/head": (0.2697, 0.2545, 0.2441, 0.3221),
}
SIX_EMOTIONS = {
    "gimefive/13_bn": 0.641,
    "gimefive/15_bn": 0.656,
    "gimefive/17_bn": 0.655,
    "gimefive/15_bn_dropout": 0.675,
}
PUBLISHED = {
    "humans": 0.65,
    "ResNet18, mixup, label smoothing": 0.7370,
    "VGG19": 0.7311,
    "VGG, Khaireddin and Chen": 0.7328,
    "Residual Masking Network": 0.7414,
    "eight networks, Pramerdorfer and Kampel": 0.752,
    "SAFER": 0.758,
    "seven Residual Masking Networks": 0.7682,
}


def values(experiment: str, column: str = "metric") -> dict:
    rows = claims("fer2013").query("experiment == @experiment and split == 'test'")
    assert rows[column].is_unique
    return dict(zip(rows[column], rows["value"], strict=True))


@pytest.mark.parametrize(("experiment", "expected"), SIX_LAYER.items())
def test_paper_004_reports_four_values_for_each_network(experiment, expected):
    names = ("macro precision", "mean class recall", "macro F1", "accuracy")
    assert values(experiment) == dict(zip(names, expected, strict=True))


@pytest.mark.parametrize(("experiment", "expected"), SIX_EMOTIONS.items())
def test_paper_001_reports_accuracy_on_six_emotions(experiment, expected):
    assert values(experiment) == {"accuracy": expected}


def test_the_six_emotion_task_is_told_apart_and_so_is_what_chose_its_epoch():
    rows = claims("fer2013")
    six = rows["experiment"].str.startswith("gimefive/")
    assert set(rows["test_condition"][six]) == {BARE_SIX}
    assert set(rows["selection"][six]) == {"test epoch"}
    assert set(rows["n"][six & (rows["split"] == "test")]) == {5945}
    assert BARE_SIX not in set(rows["test_condition"][~six])


def test_paper_001_falls_on_its_own_validation_pictures():
    rows = claims("fer2013").query("experiment.str.startswith('gimefive/')")
    pivot = rows.pivot_table(index="experiment", columns="split", values="value").dropna()
    assert pivot["train"].tolist() == [0.866, 0.896, 0.960]
    assert pivot["validation"].tolist() == [0.402, 0.407, 0.416]


def test_paper_003_reports_an_svm_on_masked_faces_and_mobilenet_on_bare_ones():
    assert values("masked/pca_svm") == {"accuracy": 0.42, "mean class recall": 0.43, "macro F1": 0.43}
    assert values("transfer/mobilenet_v2/imagenet/full") == {"mean class recall": 0.55, "macro F1": 0.54}
    conditions = claims("fer2013").query("n == 4962").groupby("experiment")["test_condition"].unique()
    assert conditions["masked/pca_svm"].tolist() == ["masked"]
    assert conditions["transfer/mobilenet_v2/imagenet/full"].tolist() == [BARE]


def test_the_best_published_numbers_are_known_and_what_chose_them():
    assert values("published", "model") == PUBLISHED
    chosen = claims("fer2013").query("experiment == 'published'").set_index("model")["selection"]
    assert chosen[chosen == "test"].index.tolist() == list(PUBLISHED)[1:4]


def test_ferplus_has_the_networks_trained_from_nothing():
    rows = claims("ferplus")
    assert dict(zip(rows["model"], rows["value"], strict=True)) == {"VGG13": 0.84986, "VGG and ResNet": 0.874}
    assert set(rows["experiment"]) == {"published"}


def test_paper_000_reports_its_ablation_on_two_data_sets():
    ours = {name: claims(name).set_index("experiment")["value"].to_dict() for name in ("affectnet", "caer_s")}
    assert ours["affectnet"] == table_9()["AffectNet"].to_dict()
    assert list(ours["caer_s"].values()) == [0.867, 0.893, 0.901, 0.914]


@pytest.mark.parametrize(
    ("dataset", "experiment", "value"),
    [("ck_plus", "safer/F+B+P", 0.985), ("raf_db", "safer/F", 0.871), ("fabo", "safer/F+B+P", 0.961)],
)
def test_paper_000_reports_one_number_on_other_data_sets(dataset, experiment, value):
    assert claims(dataset)[["experiment", "value"]].to_numpy().tolist() == [[experiment, value]]


def test_safer_is_in_each_of_the_papers_tables():
    safer = [(name, value) for name, method, _, value in SAFER_TABLES if method.startswith("SAFER")]
    assert dict(safer) == {
        **{"CK+": 0.985, "RAF-DB": 0.871, "FABO": 0.961},
        **{"CAER-S": 0.914, "FER2013": 0.758, "AffectNet": 0.621},
    }
    assert ("AffectNet", 0.637) in safer


@pytest.mark.parametrize("dataset", ["fer2013", "ferplus", "caer_s", "affectnet", "raf_db", "ck_plus", "fabo"])
def test_every_claim_is_a_tidy_fraction_that_names_its_paper(dataset):
    rows = claims(dataset)
    assert tuple(rows.columns) == COLUMNS
    assert set(rows["source"]) == {"paper"}
    assert rows["value"].between(0, 1).all()
    assert (rows["low"].isna() | (rows["low"] < rows["value"])).all()
    assert all(re.search(r"paper 00\d|\b(?:19|20)\d\d\b|GitHub", note) for note in rows["note"])
    compares = rows["experiment"].str.startswith(("masked/", "bars/"))
    assert set(rows["train_condition"][~compares]) == {BARE}


def test_every_claim_is_about_an_experiment_that_can_be_run():
    named = set(claims("fer2013")["experiment"]) - {"published", "masked/pca_svm"}
    made = set(CATALOGUE) | set(FUSIONS) | {"masked/mobilenet_v2", *(f"bars/{part}" for part in LEARNT)}
    assert named <= made


def test_no_row_is_claimed_twice():
    key = ["experiment", "model", "metric", "split", "train_condition", "test_condition"]
    assert not claims("fer2013").duplicated(key).any()


def test_nothing_is_claimed_about_drawn_people():
    assert claims("synthetic").empty
    assert tuple(claims("synthetic").columns) == COLUMNS


TWO_BY_TWO = {
    ("bare", "bare"): (0.55, 0.54),
    ("bare", "masked"): (0.33, 0.30),
    ("masked", "bare"): (0.38, 0.40),
    ("masked", "masked"): (0.45, 0.47),
}


def masked_cell(taught: str, tested: str) -> dict:
    """What paper 003 reports of MobileNetV2, by metric."""
    rows = claims("fer2013").query("experiment == 'masked/mobilenet_v2'")
    rows = rows[(rows["train_condition"] == taught) & (rows["test_condition"] == tested)]
    assert rows["metric"].is_unique
    return dict(zip(rows["metric"], rows["value"], strict=True))


@pytest.mark.parametrize(("pair", "expected"), TWO_BY_TWO.items())
def test_paper_003_reports_two_by_two_kinds_of_faces(pair, expected):
    told = masked_cell(*pair)
    assert (told["mean class recall"], told["macro F1"]) == expected
    assert sum(name.startswith("recall[") for name in told) == sum(name.startswith("F1[") for name in told) == 7


@pytest.mark.parametrize(
    ("pair", "metric", "overall"),
    [
        (("bare", "bare"), "recall", "mean class recall"),
        (("bare", "bare"), "F1", "macro F1"),
        (("bare", "masked"), "F1", "macro F1"),
        (("masked", "bare"), "recall", "mean class recall"),
    ],
)
def test_paper_003s_mean_is_that_of_its_classes_within_rounding(pair, metric, overall):
    told = masked_cell(*pair)
    mean = np.mean([value for name, value in told.items() if name.startswith(f"{metric}[")])
    assert mean == pytest.approx(told[overall], abs=0.01)  # classes and mean are rounded to half a point each


def test_bare_faces_in_both_tables_of_paper_003_are_one_claim():
    alone = values("transfer/mobilenet_v2/imagenet/full")
    cell = masked_cell("bare", "bare")
    assert {name: cell[name] for name in alone} == alone


def test_paper_002_reports_an_accuracy_for_every_bar_under_the_conditions_names():
    rows = claims("fer2013").query("notebook == '08'")
    told = {row.experiment: (row.value, row.train_condition, row.test_condition) for row in rows.itertuples()}
    accuracies = dict(zip(("none", "eyes", "nose", "mouth"), (0.7420, 0.7201, 0.7021, 0.5210), strict=True))
    assert tuple(accuracies) == LEARNT
    assert told == {f"bars/{part}": (value, barred(part), barred(part)) for part, value in accuracies.items()}
    assert set(rows["metric"]) == {"accuracy"}
    assert set(rows["n"]) == {6042}
