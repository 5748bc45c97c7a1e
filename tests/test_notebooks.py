"""The notebooks: their form, and all of them run end to end in profile smoke."""

import ast
import json
import re
import shutil

import nbformat
import numpy as np
import pandas as pd
import pytest

from fer_lib.evaluation.results import COLUMNS, pick
from fer_lib.execute import execute
from fer_lib.files import REPORT, ROOT, sha256_file
from fer_lib.models.weights import has_imagenet
from fer_lib.show.report import publish
from fer_lib.synthetic.export import write_folder
from fer_lib.synthetic.presets import Preset

pytestmark = pytest.mark.timeout(1200)  # the fixture runs the whole study
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PARAMETERS = {"DATASET", "PROFILE", "DATA_ROOT", "SEED", "RUNS"}
# What profile smoke measures without a GPU and without ImageNet; ensembles beside it depend on what validation picks.
MEASURED = {
    *("pca_svm", "classical_best", "six_layer/base", "six_layer/augmented", "six_layer/balanced_augmented"),
    *("gimefive/13_bn", "strong/small", "strong/small_tta", "one_against_rest", "vote"),
    *("transfer/resnet18/random/frozen", "transfer/vgg11/random/head", "transfer/face_resnet_small/drawn/full"),
    *("safer/F", "safer/F+B", "safer/F+P", "safer/F+B+P", "safer/F-au", "safer/F-visible", "safer/redealt/F+B+P"),
    *("masked/pca_svm", "masked/six_layer", "masked/mobilenet_v2", "masked/strong", "masked/chosen", "masked/safer/F"),
    *("masked/safer/F+B+P", "bars_scratch/mouth", "regions", "regions/fear"),
    *("heat/mouth", "road/grad-cam", "deletion/occlusion", "sanity/saliency", "pointing/grad-cam", "streams/place"),
    *(
        "sentence/action_units",
        "bars_random/none",
        "bars_random/eyes",
        "bars_random/nose",
        "bars_random/mouth",
        "regions/alone/chin",
    ),
}


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Every notebook executed on the embedded data, and the report built from them."""
    runs = tmp_path_factory.mktemp("runs")
    parameters = {"DATASET": "synthetic", "PROFILE": "smoke", "DATA_ROOT": "", "SEED": 0, "RUNS": str(runs)}
    folder = runs / "synthetic-smoke"
    for path in PATHS:
        execute(path, folder / path.name, parameters)
    publish(folder, runs / "report")
    return runs


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_has_the_studys_form(path):
    first = cells(path, "markdown")[0].source
    assert re.match(r"# \d\d · ", first)
    for part in ("**You will learn**", "**Reads**", "**writes**", "**takes**"):
        assert part in first
    parameters = [cell for cell in cells(path, "code") if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    assigned = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(parameters[0].source).body}
    assert set(assigned) == PARAMETERS | ({"ONLY"} if path.stem == REPORT else set())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs_and_with_short_cells(path):
    for cell in cells(path, "code"):
        assert not cell.outputs
        assert cell.execution_count is None
        assert len(cell.source.splitlines()) <= 15


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_writes_no_measured_number_into_its_prose(path):
    """Percentages that a run produces come from the run; the confidence level is a setting."""
    for cell in cells(path, "markdown"):
        assert not re.search(r"\d+\.\d+ ?%", cell.source), cell.source


def test_links_between_notebooks_lead_somewhere():
    for path in PATHS:
        for cell in cells(path, "markdown"):
            for target in re.findall(r"\]\((\S+\.ipynb)\)", cell.source):
                assert (path.parent / target).exists(), target


def test_every_notebook_leaves_its_executed_copy_and_its_page(study):
    for path in PATHS:
        assert (study / "synthetic-smoke" / path.name).exists()
        assert json.loads((study / "synthetic-smoke" / "pages" / f"{path.stem}.json").read_text())


def test_results_are_tidy_rows_of_every_experiment(study):
    results = pd.read_csv(study / "report" / "results.csv")
    assert tuple(results.columns) == COLUMNS
    assert set(results["experiment"]) >= MEASURED
    started = {name.split("/")[1] for name in results["experiment"] if "/imagenet/" in name}
    assert all(has_imagenet(network) for network in started)
    signed = results["metric"].str.startswith(("ROAD", "gain over", "rank correlation", "probability added"))
    assert results["value"].between(np.where(signed, -1, 0), 1).all()
    assert ((results["low"] <= results["value"]) & (results["value"] <= results["high"]) | results["low"].isna()).all()


@pytest.mark.parametrize(
    ("experiment", "seed", "file"),
    [
        ("pca_svm", 42, "pca_svm-seed42"),
        ("six_layer/base", 0, "six_layer-base-seed0"),
        ("six_layer/base", 1, "six_layer-base-seed1"),
        ("strong/small_tta", 0, "strong-small-seed0-views"),
        ("vote", None, "vote"),
    ],
)
def test_a_reviewer_can_recompute_the_accuracy_from_the_published_predictions(study, experiment, seed, file):
    results = pd.read_csv(study / "report" / "results.csv")
    predictions = pd.read_parquet(study / "report" / "predictions" / f"{file}.parquet")
    assert set(predictions["split"]) == {"test"}
    right = predictions.drop(columns=["id", "split", "label"]).idxmax(axis=1) == predictions["label"]
    rows = results.query("experiment == @experiment and metric == 'accuracy' and split == 'test'")
    rows = rows[(rows["test_condition"] == "bare") & (rows["seed"].isna() if seed is None else rows["seed"] == seed)]
    assert rows["value"].tolist() == pytest.approx([right.mean()])
    assert rows["n"].tolist() == [len(predictions)]


@pytest.mark.parametrize("experiment", ["six_layer/base", "strong/small", "strong/small_tta"])
def test_several_seeds_have_their_mean_beside_them(study, experiment):
    results = pd.read_csv(study / "report" / "results.csv")
    rows = results.query("experiment == @experiment and metric == 'accuracy' and split == 'test'")
    values = rows[rows["test_condition"] == "bare"].set_index("seed")["value"]
    assert sorted(values.index.dropna()) == [0, 1]
    assert values[values.index.isna()].tolist() == pytest.approx([(values[0] + values[1]) / 2])


def test_every_run_in_the_store_read_test_once_and_twice_where_it_was_watched(study):
    """A setting that is only compared on validation never read it."""
    records = list((study / "store").glob("*/experiment.json"))
    assert len(records) > len(MEASURED)
    for record in records:
        settings, log = json.loads(record.read_text())["experiment"], record.with_name("test_readings.csv")
        readings = len(pd.read_csv(log)) if log.exists() else 0
        judges_test = "test" in settings.get("splits", ())
        assert readings == judges_test + settings.get("watch_test", False), record.parent.name


@pytest.mark.parametrize("family", ["masked/", "bars", "regions"])
def test_every_condition_of_masks_bars_and_regions_is_tested_on_the_same_pictures(study, family):
    """The regions of one emotion are tested on that emotion's pictures."""
    results = pd.read_csv(study / "report" / "results.csv").query("split == 'test' and source == 'ours'")
    rows = results[results["experiment"].str.startswith(family) & ~results["test_condition"].str.contains("no twin")]
    kinds = rows["experiment"].where(rows["metric"] == "recall", family)
    assert rows["test_condition"].nunique() > 1
    assert (rows["n"].groupby(kinds).nunique() == 1).all()


def test_the_report_is_one_file_that_asks_for_no_other(study):
    html = (study / "report" / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)
    assert html.count('src="data:image/webp;base64,') == len(list((study / "report" / "figures").glob("*.png")))


def test_no_line_of_the_report_breaks_between_a_number_and_its_interval(study):
    html = (study / "report" / "report.html").read_text()
    assert re.search(r"\d\xa0\[\d", html)
    assert not re.search(r"\d \[[-+]?\d", html)


def test_the_manifest_has_the_true_hash_of_every_input_and_output(study):
    manifest = json.loads((study / "report" / "manifest.json").read_text())
    for name, expected in manifest["inputs"].items():
        assert sha256_file(ROOT / name) == expected
    outputs = {path for path in (study / "report").rglob("*") if path.is_file() and path.name != "manifest.json"}
    for path in outputs:
        assert manifest["outputs"][str(path.relative_to(study / "report"))] == sha256_file(path)
    assert set(manifest["wall_seconds"]) == {path.stem for path in PATHS}
    assert {run["experiment"]["name"] for run in manifest["runs"].values()} >= {"pca_svm", "six_layer/base"}
    watched = {name for name, run in manifest["runs"].items() if run["experiment"].get("watch_test")}
    assert watched
    assert all(len(run["test_readings"]) == 1 + (name in watched) for name, run in manifest["runs"].items())
    assert {"git_commit", "git_dirty", "packages", "processor"} <= set(manifest["environment"])


def test_a_second_run_measures_the_same_numbers(study, tmp_path):
    again = tmp_path / "runs"
    shutil.copytree(study / "synthetic-smoke", again / "synthetic-smoke")
    shutil.rmtree(again / "synthetic-smoke" / "results")
    name = "03_svm_pca_baseline.ipynb"
    parameters = {"DATASET": "synthetic", "PROFILE": "smoke", "DATA_ROOT": "", "SEED": 0, "RUNS": str(again)}
    execute(ROOT / "notebooks" / name, again / "synthetic-smoke" / name, parameters)
    first, second = (pd.read_csv(r / "synthetic-smoke/results/03_svm_pca_baseline.csv") for r in (study, again))
    pd.testing.assert_frame_equal(first, second)


def test_a_users_own_folder_of_two_emotions_runs_through_data_and_baseline(tmp_path):
    shares = {"happiness": 1, "sadness": 1}
    write_folder(Preset("two", "", shares, difficulty=0.2, framing="face"), 120, 1, tmp_path / "mine", size=48)
    runs = tmp_path / "runs"
    parameters = {"DATASET": "folder", "PROFILE": "smoke", "DATA_ROOT": str(tmp_path / "mine")}
    for name in ("01_data_preparation.ipynb", "03_svm_pca_baseline.ipynb"):
        execute(ROOT / "notebooks" / name, runs / "folder-smoke" / name, parameters | {"SEED": 0, "RUNS": str(runs)})
    results = pd.read_csv(runs / "folder-smoke" / "results" / "03_svm_pca_baseline.csv")
    assert pick(results, "classical_best")["value"] > 0.7


def test_a_missing_notebook_run_is_named_before_a_report_is_built(study, tmp_path):
    from fer_lib.errors import StudyError

    shutil.copytree(study / "synthetic-smoke", tmp_path / "x")
    (tmp_path / "x" / "pages" / "04_cnn_variants.json").unlink()
    with pytest.raises(StudyError, match="notebook 04_cnn_variants has not run; run `make report`"):
        publish(tmp_path / "x", tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_report_of_some_notebooks_has_their_pages_rows_and_trainings_alone(study, tmp_path):
    runs, ran = tmp_path / "runs", ["00_start_here", "01_data_preparation", "08_occluded_regions"]
    folder = runs / "synthetic-smoke"
    folder.mkdir(parents=True)
    for name in ("pages", "figures", "tables", "results"):
        shutil.copytree(study / "synthetic-smoke" / name, folder / name)
    for name in (*(f"{name}.ipynb" for name in ran), "table.parquet", "study.json"):
        shutil.copy(study / "synthetic-smoke" / name, folder)
    (runs / "store").symlink_to(study / "store")
    parameters = {"DATASET": "synthetic", "PROFILE": "smoke", "DATA_ROOT": "", "SEED": 0}
    parameters |= {"RUNS": str(runs), "ONLY": "08"}
    execute(ROOT / "notebooks" / "11_report.ipynb", folder / "11_report.ipynb", parameters)
    publish(folder, tmp_path / "report", only=["08"])
    text = (tmp_path / "report" / "report.md").read_text()
    assert "A part of the study: notebooks 00, 01, 08, 11 alone." in text
    assert "## 08 · " in text
    assert "## 07 · " not in text
    assert set(pd.read_csv(tmp_path / "report" / "results.csv", dtype=str)["notebook"]) == {"08"}
    manifest = json.loads((tmp_path / "report" / "manifest.json").read_text())
    assert list(manifest["wall_seconds"]) == [*ran, "11_report"]
    names = {run["experiment"]["name"].split("/")[0] for run in manifest["runs"].values()}
    assert {"bars", "bars_scratch"} <= names  # of experiments, not of families in results
    assert "masked" not in names
