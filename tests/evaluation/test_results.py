import pandas as pd
import pytest

from fer_lib.emotions import BASIC
from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import (
    COLUMNS,
    NO_TWIN,
    beside_papers,
    class_table,
    interval_text,
    pick,
    run_results,
)
from fer_lib.models.svm import Classical, fit_classical
from fer_lib.runs import RunStore


@pytest.fixture(scope="module")
def results(toy_table, tmp_path_factory):
    table = toy_table.copy()
    table.loc[table["split"] == "test", "picture_hash"] = table["picture_hash"][:70].to_numpy()
    table.loc[table["id"].isin([f"toy-{number}" for number in range(406, 420)]), "picture_hash"] = "alone"
    run = fit_classical(Classical("pca_svm", components=20), table, RunStore(tmp_path_factory.mktemp("store")))
    return run_results(run, table, BASIC, 200, notebook="03", model="SVM", selection="none")


def test_rows_have_the_columns_that_stay(results):
    assert tuple(results.columns) == COLUMNS
    assert results["value"].between(0, 1).all()


def test_pictures_with_a_twin_in_train_are_left_out_of_their_own_row(results):
    assert pick(results, "pca_svm")["n"] == 70
    assert pick(results, "pca_svm", condition=NO_TWIN)["n"] == 14


def test_a_missing_row_is_named(results):
    with pytest.raises(KeyError, match="no result for pca_svm, accuracy, train"):
        pick(results, "pca_svm", split="train")


def test_an_interval_reads_in_percent():
    assert interval_text(pd.Series({"value": 0.6123, "low": 0.596, "high": 0.628})) == "61.2 [59.6, 62.8]"
    assert interval_text(pd.Series({"value": 0.65, "low": None, "high": None})) == "65.0"


def test_the_class_table_has_a_row_per_class(results):
    assert class_table(results, "pca_svm", BASIC).index.tolist() == list(BASIC)


def test_a_claim_about_other_pictures_says_so(results):
    table = beside_papers(results, claims("fer2013"), ["pca_svm"]).set_index("metric")
    assert table.loc["accuracy", "paper, %"] == "42.0 (masked faces, N 4,962)"


def test_the_papers_number_stands_beside_ours(results):
    ours = results.assign(experiment="six_layer/base")
    table = beside_papers(ours, claims("fer2013"), ["six_layer/base"]).set_index("metric")
    assert table.loc["accuracy", "paper, %"] == "57.2"
    assert beside_papers(ours, claims("synthetic"), ["six_layer/base"])["paper, %"].unique().tolist() == ["–"]


def test_claims_are_rows_of_the_same_table_marked_as_the_papers():
    rows = claims("fer2013")
    assert tuple(rows.columns) == COLUMNS
    assert rows["source"].unique().tolist() == ["paper"]
    assert rows["value"].between(0, 1).all()
