import pandas as pd
import pytest
from scipy.special import softmax

from fer_lib.emotions import BASIC
from fer_lib.evaluation.calibration import expected_calibration_error
from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import (
    BARE,
    BARE_SIX,
    COLUMNS,
    class_table,
    frame_results,
    interval_text,
    pick,
    run_results,
    without_twins,
)
from fer_lib.evaluation.tables import beside_papers
from fer_lib.models.svm import Classical, fit_classical
from fer_lib.runs import RunStore

TOLD = {"notebook": "03", "model": "SVM", "selection": "none"}


@pytest.fixture(scope="module")
def table(toy_table):
    """The toy pictures, 56 of the 70 in test with a twin in train."""
    table = toy_table.copy()
    table.loc[table["split"] == "test", "picture_hash"] = table["picture_hash"][:70].to_numpy()
    table.loc[table["id"].isin([f"toy-{number}" for number in range(406, 420)]), "picture_hash"] = "alone"
    return table


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    return fit_classical(Classical("pca_svm", components=20), table, RunStore(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def results(run, table):
    return run_results(run, table, BASIC, 200, **TOLD)


@pytest.fixture(scope="module")
def probabilities(run):
    """The run's predictions with scores that sum to 1."""
    scores = softmax(run.predictions[list(BASIC)].to_numpy(float), axis=1)
    return run.predictions.assign(**dict(zip(BASIC, scores.T, strict=True)))


def test_rows_have_the_columns_that_stay(results):
    assert tuple(results.columns) == COLUMNS
    assert results["value"].between(0, 1).all()


def test_pictures_with_a_twin_in_train_are_left_out_of_their_own_row(results):
    assert pick(results, "pca_svm")["n"] == 70
    assert pick(results, "pca_svm", condition=without_twins(BARE))["n"] == 14


def test_a_missing_row_is_named(results):
    with pytest.raises(KeyError, match="no result for pca_svm, accuracy, train"):
        pick(results, "pca_svm", split="train")


def test_an_interval_reads_in_percent():
    assert interval_text(pd.Series({"value": 0.6123, "low": 0.596, "high": 0.628})) == "61.2 [59.6, 62.8]"
    assert interval_text(pd.Series({"value": 0.65, "low": None, "high": None})) == "65.0"


def test_the_class_table_has_a_row_per_class(results):
    assert class_table(results, "pca_svm", BASIC).index.tolist() == list(BASIC)


def test_a_claim_about_other_pictures_says_so(results):
    ours = results.assign(experiment="masked/pca_svm", train_condition="masked")
    table = beside_papers(ours, claims("fer2013"), ["masked/pca_svm"]).set_index("metric")
    assert table.loc["accuracy", "paper, %"] == "42.0 (masked faces, N 4,962)"


def test_the_papers_number_stands_beside_ours(results):
    ours = results.assign(experiment="six_layer/base")
    table = beside_papers(ours, claims("fer2013"), ["six_layer/base"]).set_index("metric")
    assert table.loc["accuracy", "paper, %"] == "57.2"
    assert beside_papers(ours, claims("synthetic"), ["six_layer/base"])["paper, %"].unique().tolist() == ["–"]


def test_a_claim_about_another_number_of_pictures_says_so(results):
    ours = results.assign(experiment="transfer/mobilenet_v2/imagenet/full")
    table = beside_papers(ours, claims("fer2013"), list(set(ours["experiment"]))).set_index("metric")
    assert table.loc["mean class recall", "paper, %"] == "55.0 (N 4,962)"
    assert table.loc["accuracy", "paper, %"] == "–"


def test_other_predictions_of_a_run_can_be_measured_in_place_of_its_own(run, table, results):
    wrong = run.predictions.assign(label=run.predictions["label"].map(dict(zip(BASIC, BASIC[::-1], strict=True))))
    turned = run_results(run, table, BASIC, 200, predictions=wrong, **TOLD)
    assert pick(turned, "pca_svm")["value"] < pick(results, "pca_svm")["value"]
    assert pick(turned, "pca_svm")["seed"] == run.experiment["seed"]


def test_an_ensemble_has_rows_without_a_seed(run, table):
    rows = frame_results(run.predictions, table, BASIC, 50, experiment="vote", **TOLD)
    assert rows["seed"].isna().all()
    assert rows.groupby(["split", "test_condition"], sort=False).first().index.tolist() == [
        ("validation", BARE),
        ("test", BARE),
        ("test", without_twins(BARE)),
    ]
    assert rows.equals(frame_results(run.predictions, table, BASIC, 50, experiment="vote", **TOLD))


def test_another_task_has_its_own_condition_and_is_found_by_it(run, table):
    rows = run_results(run, table, BASIC, 50, condition=BARE_SIX, experiment="gimefive/13_bn", **TOLD)
    assert set(rows["test_condition"]) == {BARE_SIX, without_twins(BARE_SIX)}
    assert set(rows["train_condition"]) == {BARE}
    assert pick(rows, "gimefive/13_bn")["n"] == 70
    shown = beside_papers(rows, claims("fer2013"), ["gimefive/13_bn"], ["accuracy"]).iloc[0]
    assert shown["paper, %"] == "64.1 (N 5,945)"
    assert shown["without twins in train"] != "–"


def test_a_claim_about_another_task_says_so(results):
    ours = results.assign(experiment="gimefive/13_bn")
    shown = beside_papers(ours, claims("fer2013"), ["gimefive/13_bn"], ["accuracy"]).iloc[0]
    assert shown["paper, %"] == "64.1 (bare, six emotions, N 5,945)"


def test_bare_faces_are_what_an_experiment_is_judged_by_where_it_saw_them(results):
    masked = results.assign(test_condition="masked", value=0.1)
    assert pick(pd.concat([masked, results]), "pca_svm")["test_condition"] == BARE
    assert pick(masked, "pca_svm")["value"] == 0.1


def test_calibration_is_measured_where_scores_are_probabilities(run, table, results, probabilities):
    rows = run_results(run, table, BASIC, 50, predictions=probabilities, **TOLD)
    error = pick(rows, "pca_svm", "ECE")
    on_test = probabilities[probabilities["split"] == "test"]
    assert error["value"] == pytest.approx(expected_calibration_error(on_test, BASIC))
    assert error[["low", "high"]].isna().all()
    assert "ECE" not in set(results["metric"])  # an SVM's scores are decision values


def test_a_split_without_predictions_has_no_rows(run, table):
    rows = run_results(run, table, BASIC, 50, predictions=run.of_split("validation"), **TOLD)
    assert set(rows["split"]) == {"validation"}


@pytest.mark.parametrize(("taught", "value"), [("masked", 0.3), ("both", 0.4), (None, 0.3)])
def test_of_several_train_conditions_the_one_that_is_asked_for_is_picked(results, taught, value):
    trained = {"masked": 0.3, "both": 0.4}
    rows = pd.concat([results.assign(train_condition=name, value=number) for name, number in trained.items()])
    found = pick(rows, "pca_svm", taught=taught)
    assert (found["value"], found["train_condition"]) == (value, taught or "masked")


def test_a_train_condition_without_a_row_is_named(results):
    assert pick(results, "pca_svm", taught=BARE).equals(pick(results, "pca_svm"))
    with pytest.raises(KeyError, match="no result for pca_svm, accuracy, test, bare, masked"):
        pick(results, "pca_svm", taught="masked")
