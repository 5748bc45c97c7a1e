from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.svm import SVC as PlainSVC

from fer_lib.data.splits import split_rows
from fer_lib.data.table import decode_picture, encode_picture, load_pictures
from fer_lib.emotions import BASIC
from fer_lib.evaluation.metrics import predicted_labels
from fer_lib.models import svm
from fer_lib.models.svm import Classical, FastSVC, GridSearch, best_of, fit_classical, pipeline, search
from fer_lib.runs import RunStore

SMALL = Classical("small", components=20)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def test_the_fast_and_the_plain_machine_agree():
    if FastSVC is PlainSVC:
        pytest.skip("scikit-learn-intelex is not installed here")
    x, y = load_digits(return_X_y=True)
    experiment = replace(SMALL, gamma=20 * 0.001)
    fast, plain = (svm.svc(experiment, machine).fit(x[:1200], y[:1200]) for machine in (FastSVC, PlainSVC))
    assert (fast.predict(x[1200:]) == plain.predict(x[1200:])).mean() > 0.998
    assert np.allclose(fast.decision_function(x[1200:]), plain.decision_function(x[1200:]), atol=0.05)


def test_easy_pictures_are_learnt_and_scores_carry_the_labels(toy_table, store):
    test = fit_classical(SMALL, toy_table, store).of_split("test")
    assert (predicted_labels(test, SMALL.classes) == test["label"]).mean() > 0.9


def test_the_run_equals_scikit_learns_pipeline_fitted_by_hand(toy_table, store):
    run = fit_classical(SMALL, toy_table, store)
    train, validation = split_rows(toy_table, "train"), split_rows(toy_table, "validation")
    x, z = (load_pictures(rows).reshape(len(rows), -1) / np.float32(255) for rows in (train, validation))
    model = pipeline(SMALL).fit(x, train["label"])
    scores = run.of_split("validation")[list(model.classes_)].to_numpy()
    assert np.allclose(scores, model.decision_function(z), atol=1e-3)


def test_with_mirrored_views_a_picture_and_its_mirror_image_score_alike(toy_table, store):
    flipped = toy_table.copy()
    for row in flipped.index[flipped["split"] == "validation"]:
        flipped.at[row, "picture"] = encode_picture(decode_picture(flipped.at[row, "picture"], grey=True)[:, ::-1])
        flipped.at[row, "picture_hash"] = f"flipped-{row}"
    experiment = replace(SMALL, mirror=True, splits=("validation",))
    scores, mirrored = (fit_classical(experiment, table, store).predictions for table in (toy_table, flipped))
    assert np.allclose(scores[list(BASIC)], mirrored[list(BASIC)], atol=1e-4)


def test_a_setting_that_is_compared_on_validation_never_reads_test(toy_table, store):
    run = fit_classical(replace(SMALL, splits=("validation",)), toy_table, store)
    assert set(run.predictions["split"]) == {"validation"}
    assert not (run.folder / "test_readings.csv").exists()


def test_the_search_sees_train_alone_and_its_best_setting_is_taken(toy_table, store):
    no_others = toy_table[toy_table["split"] == "train"]
    grid = GridSearch("grid", SMALL, (1.0, 10.0), (0.01, 1.0), pictures=140, folds=2)
    run = search(grid, no_others, store)
    assert len(run.history) == 4
    chosen = best_of(run, SMALL, "chosen")
    top = run.history.sort_values("accuracy", ascending=False, kind="stable").iloc[0]
    assert (chosen.name, chosen.C, chosen.gamma) == ("chosen", top["C"], top["gamma"])
