import numpy as np
import pandas as pd
import pytest

from fer_lib.evaluation.crossed import crossed_classes, crossed_table
from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import frame_results, pick

CLASSES = ("anger", "fear", "happiness")
CELLS = {("bare", "bare"): 9, ("bare", "masked"): 5, ("masked", "bare"): 6, ("masked", "masked"): 8}  # right of twelve
PAPER = {
    ("bare", "bare"): "mean class recall 55.0; macro F1 54.0",
    ("bare", "masked"): "mean class recall 33.0; macro F1 30.0",
    ("masked", "bare"): "mean class recall 38.0; macro F1 40.0",
    ("masked", "masked"): "mean class recall 45.0; macro F1 47.0",
}
ARROW = "\N{RIGHTWARDS ARROW}"


def predictions(right):
    """Twelve test pictures, four of each class in turn; the first `right` are named rightly, the others as the next."""
    said = [(k + (k >= right)) % 3 for k in range(12)]
    scores = pd.DataFrame(np.eye(3)[said], columns=list(CLASSES))
    rows = [{"id": f"toy-{k}", "split": "test", "label": CLASSES[k % 3]} for k in range(12)]
    return pd.DataFrame(rows).join(scores)


def cell(model, taught, tested, right, **columns):
    """Tidy rows of a model, one of whose test pictures also lies in train."""
    table = predictions(right).assign(picture_hash=[str(k) for k in range(12)], problem=None)
    twin = table.iloc[:1].assign(id="twin", split="train")
    told = {"experiment": f"masked/{model}", "model": f"{model}, told", "train_condition": taught, "seed": 0}
    told |= {"notebook": "07", "selection": "validation"}
    return frame_results(predictions(right), pd.concat([table, twin]), CLASSES, 50, condition=tested, **told | columns)


@pytest.fixture(scope="module")
def results():
    """Two models with all four cells; the second was also taught both, and is of no paper."""
    frames = [cell("mobilenet_v2", *pair, right) for pair, right in CELLS.items()]
    frames += [cell("other", *pair, 12 - right) for pair, right in CELLS.items()]
    frames += [cell("other", "both", "masked", 12)]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def papers():
    return claims("fer2013")


@pytest.fixture(scope="module")
def crossed(results, papers):
    return crossed_table(results, ["mobilenet_v2", "other"], papers)


def test_every_model_has_a_row_for_each_pair_of_taught_and_tested(crossed):
    pairs = list(zip(crossed.index, crossed["taught on"], crossed["tested on"], strict=True))
    first = [("mobilenet_v2, told", *pair) for pair in CELLS]
    assert pairs == [*first, *(("other, told", *pair) for pair in CELLS), ("other, told", "both", "masked")]
    assert set(crossed["N"]) == {"12"}


@pytest.mark.parametrize(("pair", "right"), CELLS.items())
def test_a_cell_tells_what_was_right_of_its_pictures(crossed, pair, right):
    rows = crossed[(crossed["taught on"] == pair[0]) & (crossed["tested on"] == pair[1])]
    told = [text.partition(" ")[0] for text in rows["accuracy, %"]]
    assert told == [f"{100 * right / 12:.1f}", f"{100 * (12 - right) / 12:.1f}"]


@pytest.mark.parametrize("metric", ["accuracy", "mean class recall", "macro F1"])
def test_the_numbers_of_a_cell_are_those_of_its_own_result_row(crossed, results, metric):
    for taught, tested in CELLS:
        row = pick(results, "masked/mobilenet_v2", metric, condition=tested, taught=taught)
        shown = crossed.loc["mobilenet_v2, told"]
        shown = shown[(shown["taught on"] == taught) & (shown["tested on"] == tested)].iloc[0]
        assert shown[f"{metric}, %"] == f"{100 * row['value']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def test_the_papers_numbers_stand_beside_its_own_cell_and_its_own_model(crossed):
    ours = crossed.loc["mobilenet_v2, told"]
    told = dict(zip(zip(ours["taught on"], ours["tested on"], strict=True), ours["paper 003, %"], strict=True))
    assert told == PAPER
    assert set(crossed.loc["other, told", "paper 003, %"]) == {"–"}


def test_a_cell_that_the_paper_did_not_measure_has_none_of_its_numbers(papers):
    rows = pd.concat([cell("pca_svm", *pair, right) for pair, right in CELLS.items()], ignore_index=True)
    crossed = crossed_table(rows, ["pca_svm"], papers)
    claimed = "accuracy 42.0; mean class recall 43.0; macro F1 43.0"
    assert crossed["paper 003, %"].tolist() == ["–", "–", "–", claimed]


def test_where_the_paper_claims_nothing_it_has_no_column(results):
    crossed = crossed_table(results, ["mobilenet_v2", "other"], claims("synthetic"))
    assert "paper 003, %" not in crossed


def test_of_several_seeds_a_cell_shows_their_mean(papers):
    seeds = [cell("six_layer", "masked", "masked", right, seed=seed) for seed, right in ((0, 4), (1, 8))]
    mean = cell("six_layer", "masked", "masked", 6, seed=None)
    crossed = crossed_table(pd.concat([*seeds, mean]), ["six_layer"], papers)
    assert [text.partition(" ")[0] for text in crossed["accuracy, %"]] == ["50.0"]


def test_a_model_that_was_not_measured_has_no_row(results, papers):
    crossed = crossed_table(results, ["mobilenet_v2", "missing"], papers)
    assert set(crossed.index) == {"mobilenet_v2, told"}


@pytest.mark.parametrize("metric", ["recall", "F1"])
def test_classes_stand_below_each_other_and_cells_side_by_side(results, papers, metric):
    frame = crossed_classes(results, "mobilenet_v2", CLASSES, papers, metric)
    assert frame.index.tolist() == list(CLASSES)
    assert frame.columns.tolist() == [f"{taught} {ARROW} {tested}" for taught, tested in CELLS]
    for taught, tested in CELLS:
        for name in CLASSES:
            row = pick(results, "masked/mobilenet_v2", f"{metric}[{name}]", condition=tested, taught=taught)
            assert frame.loc[name, f"{taught} {ARROW} {tested}"].startswith(f"{100 * row['value']:.1f} [")


def test_the_papers_number_of_a_class_stands_in_its_cell(results, papers):
    frame = crossed_classes(results, "mobilenet_v2", CLASSES, papers, "recall")
    told = {column: [text.partition("(paper ")[2].rstrip(")") for text in frame[column]] for column in frame}
    assert list(told.values()) == [["45", "26", "88"], ["17", "36", "14"], ["23", "9", "74"], ["32", "16", "83"]]
    assert (
        not crossed_classes(results, "other", CLASSES, papers, "recall")
        .map(lambda text: "paper" in text)
        .any(axis=None)
    )


def test_a_cell_that_was_not_measured_is_named(results, papers):
    few = results[results["test_condition"] == "bare"]
    with pytest.raises(KeyError, match=r"masked/mobilenet_v2, recall\[anger\], test, masked, bare"):
        crossed_classes(few, "mobilenet_v2", CLASSES, papers, "recall")
