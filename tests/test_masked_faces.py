from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_lib import masked_faces
from fer_lib.data.sources import synthetic
from fer_lib.data.table import usable
from fer_lib.errors import StudyError
from fer_lib.evaluation.novelty import Novelty
from fer_lib.masked_faces import BASELINE, BOTH, EITHER, TESTED, UPPER, MaskedFaces
from fer_lib.models.baseline import baseline_search
from fer_lib.models.svm import fit_classical
from fer_lib.study import open_study
from fer_lib.training.catalogue import TAUGHT
from fer_lib.training.covers import WITH_MASK
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread")
NETWORK = "six_layer"
CELLS = tuple(product((BASELINE, NETWORK), TAUGHT, TESTED))
EXPERIMENTS = {taught: f"masked/{NETWORK}/{taught}" for taught in TAUGHT} | {"bare": "six_layer/base"}


@pytest.fixture(scope="module")
def table():
    """Drawn people, one of whom cannot be used."""
    people = synthetic.read(105, 0)
    people.loc[people.index[people["split"] == "test"][0], "problem"] = "for the sake of the test"
    return people


@pytest.fixture(scope="module")
def unmeasured(table, tmp_path_factory):
    study = open_study("07_masked_faces", "synthetic", "smoke", runs=tmp_path_factory.mktemp("runs"))
    return MaskedFaces(study, table, Trainings(study, table))


@pytest.fixture(scope="module")
def masks(unmeasured, one_thread):
    measured = replace(unmeasured, study=replace(unmeasured.study, page=[], results=[]), runs={}, predictions={})
    measured.measure_baseline()
    measured.measure_networks(NETWORK, EXPERIMENTS, "six-layer CNN")
    return measured


@pytest.fixture(scope="module")
def noticed(masks):
    """What `choose` says of the novelty of masks, and every set of scores that it computed on the way."""
    scores = []

    class Watched(Novelty):
        def scores(self, features):
            scores.append(super().scores(features))
            return scores[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masked_faces, "Novelty", Watched)
        return masks.choose(NETWORK), dict(zip(TESTED, scores, strict=True))


@pytest.fixture(scope="module")
def upper(masks):
    return masks.upper_covers(NETWORK)


def accuracy(frame, classes, split="test") -> float:
    part = frame[frame["split"] == split]
    return float((part[classes].idxmax(axis=1) == part["label"]).mean())


def rows_of_test(masks, experiment) -> pd.DataFrame:
    rows = masks.study.rows().query("experiment == @experiment and split == 'test' and metric == 'accuracy'")
    return rows[~rows["test_condition"].str.contains(",")]


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_about_the_same_pictures_with_their_own_labels(masks, table, cell):
    frame = masks.predictions[cell]
    asked = usable(table)[lambda rows: rows["split"] != "train"].set_index("id")
    assert set(frame["id"]) == set(asked.index)
    assert frame["id"].is_unique
    assert frame["id"].tolist() == masks.predictions[BASELINE, "bare", "bare"]["id"].tolist()
    assert frame["label"].tolist() == asked["label"].loc[frame["id"]].tolist()
    assert frame["split"].tolist() == asked["split"].loc[frame["id"]].tolist()


@pytest.mark.parametrize("model", [BASELINE, NETWORK])
def test_every_cell_has_a_row_of_its_conditions_and_all_rows_have_the_same_n(masks, table, model):
    rows = rows_of_test(masks, f"masked/{model}")
    rows = rows[rows["test_condition"].isin(TESTED)]
    conditions = rows[["train_condition", "test_condition"]].itertuples(index=False, name=None)
    assert list(conditions) == list(product(TAUGHT, TESTED))
    assert set(rows["n"]) == {(usable(table)["split"] == "test").sum()}
    twinless = masks.study.rows().query("test_condition.str.endswith('no twin in train') and metric == 'accuracy'")
    assert twinless[twinless["experiment"] == f"masked/{model}"]["n"].nunique() == 1


@pytest.mark.parametrize("cell", CELLS)
def test_recorded_accuracy_is_that_of_the_cells_predictions(masks, cell):
    model, taught, tested = cell
    rows, expected = rows_of_test(masks, f"masked/{model}"), accuracy(masks.predictions[cell], masks.classes)
    own = rows[(rows["train_condition"] == taught) & (rows["test_condition"] == tested)]
    assert own["value"].tolist() == pytest.approx([expected])
    cells = masks.cells().set_index(["model", "taught", "tested"])
    assert cells.loc[(masks.name_of(model), taught, tested), "value"] == pytest.approx(expected)


@pytest.mark.parametrize("taught", TESTED)
def test_what_a_network_says_of_its_own_kind_is_what_its_run_says(masks, taught):
    said, run = masks.predictions[NETWORK, taught, taught], masks.runs[NETWORK, taught].predictions
    assert run["id"].tolist() == said["id"].tolist()
    other = masks.predictions[NETWORK, taught, next(kind for kind in TESTED if kind != taught)]
    assert np.allclose(said[masks.classes], run[masks.classes], atol=1e-4)
    assert not np.allclose(other[masks.classes], run[masks.classes], atol=1e-4)


def test_a_network_taught_on_both_says_of_both_kinds_what_its_run_says(masks):
    run = masks.runs[NETWORK, BOTH].predictions.set_index("id")[masks.classes]
    for tested, ending in zip(TESTED, ("", WITH_MASK), strict=True):
        said = masks.predictions[NETWORK, BOTH, tested].set_index("id")[masks.classes]
        assert np.allclose(said, run.loc[said.index + ending], atol=1e-3)


@pytest.mark.parametrize(("taught", "times"), [("bare", 1), ("masked", 1), (BOTH, 2)])
def test_the_support_vector_machine_learns_from_the_train_pictures_it_is_named_after(masks, table, taught, times):
    train = (usable(table)["split"] == "train").sum()
    assert masks.runs[BASELINE, taught].history["rows"].tolist() == [times * train]


def test_taught_on_bare_faces_the_support_vector_machine_is_that_of_notebook_03(masks, table):
    fitting = masks.study.profile.for_pictures((table["split"] == "train").sum())
    settings, _ = baseline_search(masks.classes, fitting, table, masks.study.store)
    alone = fit_classical(settings, table, masks.study.store).predictions.set_index("id")
    ours = masks.predictions[BASELINE, "bare", "bare"].set_index("id")
    assert np.allclose(ours[masks.classes], alone.loc[ours.index, masks.classes], atol=1e-6)


def test_a_change_is_the_difference_of_two_cells_accuracies(masks):
    before, after = (BASELINE, "bare", "bare"), (BASELINE, "bare", "masked")
    values = [accuracy(masks.predictions[cell], masks.classes) for cell in (before, after)]
    assert masks.change(before, after).value == pytest.approx(values[1] - values[0])
    assert values[0] != values[1]


def test_rows_are_the_usable_ones_of_a_split_and_a_reading_of_test_is_written_down(masks, table):
    rows = masks.rows("masked", "test")
    known = usable(table)[lambda all_: all_["split"] == "test"]
    assert rows["id"].tolist() == known["id"].tolist()
    assert not set(rows["picture_hash"]) & set(table["picture_hash"])
    readings = pd.read_csv(masks.study.folder / masked_faces.READINGS)
    assert readings["reader"].str.contains("07_masked_faces, masked faces").any()


def test_a_picture_is_answered_by_the_network_of_the_kind_that_it_is_taken_for(masks, noticed):
    _, scores = noticed
    validation = (masks.predictions[NETWORK, "bare", "bare"]["split"] == "validation").to_numpy()
    limit = np.quantile(scores["bare"][validation], 0.95)
    for tested in TESTED:
        bare, masked = (masks.predictions[NETWORK, taught, tested][masks.classes].to_numpy() for taught in TESTED)
        said = masks.predictions["chosen", EITHER, tested][masks.classes].to_numpy()
        taken = scores[tested] > limit
        assert (said == np.where(taken[:, None], masked, bare)).all()
        assert not np.allclose(bare, masked)


def test_one_in_twenty_bare_validation_pictures_is_taken_for_masked(masks, noticed):
    bare, masked, said = (
        masks.predictions[cell].query("split == 'validation'")[masks.classes].to_numpy()
        for cell in ((NETWORK, "bare", "bare"), (NETWORK, "masked", "bare"), ("chosen", EITHER, "bare"))
    )
    taken = (said == masked).all(1) & (said != bare).any(1)
    assert taken.sum() == np.ceil(0.05 * (len(said) - 1))


def test_choosing_says_how_well_masks_are_told_from_bare_faces(masks, noticed):
    (area, low, high), scores = noticed
    test = (masks.predictions[NETWORK, "bare", "bare"]["split"] == "test").to_numpy()
    pairs = scores["masked"][test][:, None] > scores["bare"][test]
    assert area == pytest.approx(pairs.mean())
    assert low <= area <= high


def test_what_is_chosen_is_recorded_for_both_kinds_as_an_experiment_of_its_own(masks, noticed):
    rows = rows_of_test(masks, "masked/chosen")
    assert rows["test_condition"].tolist() == list(TESTED)
    assert set(rows["train_condition"]) == {EITHER}
    assert set(rows["n"]) == set(rows_of_test(masks, f"masked/{NETWORK}")["n"])
    assert rows["seed"].isna().all()
    assert masks.name_of("chosen").startswith("two networks (six-layer CNN)")


def test_covers_of_the_eyes_are_tested_on_as_many_pictures_and_recorded_by_their_kind(masks, upper, table):
    rows = rows_of_test(masks, f"masked/{NETWORK}")
    rows = rows[rows["test_condition"].isin(UPPER)]
    assert set(rows["test_condition"]) == {"sunglasses", "headset"}
    assert sorted(zip(rows["train_condition"], rows["test_condition"], strict=True)) == sorted(product(TAUGHT, UPPER))
    assert set(rows["n"]) == {(usable(table)["split"] == "test").sum()}
    bare = masks.predictions[NETWORK, "bare", "bare"].query("split == 'test'")
    assert all(masks.predictions[NETWORK, *key]["id"].tolist() == bare["id"].tolist() for key in product(TAUGHT, UPPER))


def test_covers_of_the_eyes_are_seen_and_what_they_change_is_told(masks, upper):
    for (taught, kind), change in upper.items():
        bare, covered = (masks.predictions[NETWORK, taught, tested] for tested in ("bare", kind))
        by_hand = accuracy(covered, masks.classes) - accuracy(bare, masks.classes)
        assert change.value == pytest.approx(by_hand)
        shown = bare.query("split == 'test'")[masks.classes].to_numpy()
        assert not np.allclose(shown, covered[masks.classes], atol=1e-6)
    assert set(upper) == set(product(TAUGHT, UPPER))


def test_models_taught_in_every_way_are_whole(masks, noticed):
    assert masks.whole_models == [BASELINE, NETWORK]
    assert set(masks.models) == {BASELINE, NETWORK, "chosen"}
    assert masks.strongest == NETWORK


def said_rightly(classes, n_right) -> pd.DataFrame:
    """Four validation pictures, so many of them told rightly, and four of test, told the other way round."""
    labels = [classes[0]] * 8
    right = np.r_[np.arange(4) < n_right, np.arange(4) >= n_right]
    scores = {name: np.where(right == (name == classes[0]), 1.0, 0.0) for name in classes[:2]}
    frame = pd.DataFrame({"id": range(8), "split": ["validation"] * 4 + ["test"] * 4, "label": labels, **scores})
    return frame.assign(**dict.fromkeys(classes[2:], 0.0))


def test_the_strongest_network_is_the_best_on_bare_validation_faces(unmeasured):
    right = {BASELINE: 4, "weak": 1, "fair": 3, "half-taught": 4}
    runs = {(model, taught): None for model, taught in product(right, TAUGHT)}
    runs.pop(("half-taught", BOTH))
    predictions = {(model, "bare", "bare"): said_rightly(unmeasured.classes, n) for model, n in right.items()}
    drawn_up = replace(unmeasured, runs=runs, predictions=predictions)
    assert drawn_up.whole_models == [BASELINE, "weak", "fair"]
    assert drawn_up.validation(("fair", "bare", "bare")) == 0.75
    assert drawn_up.strongest == "fair"


def test_where_no_network_is_taught_in_every_way_it_is_told_what_to_train(unmeasured):
    nothing = SimpleNamespace(runs=lambda name: [])
    left = replace(unmeasured, trainings=nothing, runs={}, predictions={})
    left.measure_networks(NETWORK, EXPERIMENTS, "six-layer CNN")
    assert left.models == []
    with pytest.raises(StudyError, match="train masked/six_layer/masked, masked/six_layer/both with"):
        _ = left.strongest


def test_a_models_name_and_its_accuracy_in_percent_are_those_of_tables(masks):
    assert masks.name_of(NETWORK) == "six-layer CNN"
    assert masks.name_of(BASELINE) == "PCA-10 + RBF SVC"  # of 10, 30 and 60, no more than a third of train
    for model, taught, tested in CELLS:
        expected = 100 * accuracy(masks.predictions[model, taught, tested], masks.classes)
        assert masks.text(model, taught, tested).startswith(f"{expected:.1f} [")
