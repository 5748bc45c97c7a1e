from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

from fer_lib.__main__ import main
from fer_lib.data.sources import synthetic
from fer_lib.profiles import PROFILES


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder of runs for profile smoke with 70 small drawn pictures, so that they are drawn once and soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "SIZE", 64)
        patch.setitem(PROFILES, "smoke", replace(PROFILES["smoke"], synthetic_pictures=70))
        patch.setattr("fer_lib.data.splits.FEWEST_IN_TRAIN", 7)
        yield str(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["prepare", "--dataset", "fer2013"], "error: DATASET=fer2013 needs DATA_ROOT"),
        (["prepare", "--dataset", "fer2013", "--data-root", "/nowhere"], "error: DATA_ROOT /nowhere is no folder"),
        (["prepare", "--dataset", "mnist"], "error: DATASET 'mnist' is unknown"),
        (["prepare", "--profile", "huge"], "error: PROFILE 'huge' is unknown"),
        (["prepare", "--seed", "x"], "error: SEED 'x' is no whole number"),
        (
            ["notebook", "notebooks/00_start_here.ipynb", "--profile", "huge"],
            "error: PROFILE 'huge' is unknown",
        ),
        (["train", "vgg", "--profile", "smoke"], "error: experiment 'vgg' is unknown"),
    ],
)
def test_bad_settings_end_in_one_sentence_without_a_traceback(words, sentence, runs, capsys):
    assert main([*words, "--runs", runs]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert sentence in error


def test_prepare_prints_the_pictures_of_each_split(runs, capsys):
    assert main(["prepare", "--profile", "smoke", "--runs", runs]) == 0
    assert "synthetic: 49 train, 14 validation, 7 test pictures." in capsys.readouterr().out


@pytest.mark.parametrize(("name", "told"), [("11_report", {"ONLY": "07 08"}), ("07_masked_faces", {})])
def test_only_the_notebook_of_the_report_is_told_which_notebooks_it_is_about(monkeypatch, runs, name, told):
    given = []
    monkeypatch.setattr("fer_lib.execute.execute", lambda path, target, parameters: given.append(parameters))
    assert main(["notebook", f"notebooks/{name}.ipynb", "--only", "07 08", "--profile", "smoke", "--runs", runs]) == 0
    assert {key: value for key, value in given[0].items() if key == "ONLY"} == told


def test_train_fills_the_store_and_finds_it_full(runs, capsys):
    words = ["train", "six_layer/base", "--profile", "smoke", "--runs", runs]
    assert main(words) == 0
    first = capsys.readouterr().out
    (folder,) = Path(runs, "store").glob("six_layer-base-*[0-9a-f]")
    best = pd.read_csv(folder / "history.csv")["validation_accuracy"].max()
    assert first == f"six_layer/base, seed 0: {best:.4f} on validation, {folder}\n"
    assert main(words) == 0
    assert capsys.readouterr().out == first
    assert len(list(Path(runs, "store").glob("*/experiment.json"))) == 1


def test_scores_judges_a_folder_by_the_run_that_train_left(runs, tmp_path, capsys):
    asked = ["--profile", "smoke", "--runs", runs]
    assert main(["train", "six_layer/base", *asked]) == 0
    before = {path: path.stat().st_mtime_ns for path in Path(runs, "store").iterdir()}
    for face in (40, 200):
        Image.new("RGB", (50, 50), (face,) * 3).save(tmp_path / f"{face}.png")
    capsys.readouterr()
    out = tmp_path / "scores.csv"
    assert main(["scores", str(tmp_path), "--out", str(out), *asked]) == 0
    ready, judged, _ = capsys.readouterr().out.split("\n")
    assert ready == f"{out} is ready: 2 pictures, 2 with a problem."
    assert judged.startswith("Judged by six_layer/base, taught on synthetic (smoke): 0.")
    assert list(pd.read_csv(out)["filepath"]) == ["200.png", "40.png"]
    assert {path: path.stat().st_mtime_ns for path in Path(runs, "store").iterdir()} == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "error: nowhere is no folder"),
        (["."], "no pictures in it or below"),
        ([".", "--experiment", "safer/place"], "error: experiment 'safer/place' is no network from faces to emotions"),
    ],
)
def test_scores_says_what_is_wrong_before_it_reads_any_data(words, sentence, runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("fer_lib.data.sources.load_dataset", None)
    monkeypatch.chdir(tmp_path)
    assert main(["scores", *words, "--out", "scores.csv", "--profile", "smoke", "--runs", runs]) == 1
    assert sentence in capsys.readouterr().err
    assert not Path("scores.csv").exists()


@pytest.fixture
def trained(monkeypatch):
    """Names and seeds of what would have been trained."""
    asked = []

    def train(gatherer, name, table, seed):
        asked.append((name, seed))
        return SimpleNamespace(history=pd.DataFrame({"validation_accuracy": [0.25, 0.5]}), folder=Path("somewhere"))

    monkeypatch.setattr("fer_lib.training.gather.Gatherer.train", train)
    return asked


def test_a_pattern_trains_everything_that_it_matches(runs, trained, capsys):
    assert main(["train", "six_layer/ba*", "gimefive/10", "--profile", "smoke", "--runs", runs]) == 0
    matched = ["six_layer/base", "six_layer/balanced", "six_layer/balanced_augmented", "gimefive/10"]
    assert sorted(trained) == sorted((name, 0) for name in matched)
    assert capsys.readouterr().out.splitlines()[-1] == "gimefive/10, seed 0: 0.5000 on validation, somewhere"


def test_several_seeds_are_trained_counted_on_from_the_first(runs, trained, capsys):
    assert main(["train", "six_layer/base", "--seeds", "2", "--profile", "smoke", "--runs", runs]) == 0
    assert trained == [("six_layer/base", 0), ("six_layer/base", 1)]
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "six_layer/base, seed 0",
        "six_layer/base, seed 1",
    ]


def test_a_number_of_seeds_that_is_none_is_refused(runs, trained, capsys):
    assert main(["train", "six_layer/base", "--seeds", "two", "--profile", "smoke", "--runs", runs]) == 1
    assert "error: --seeds 'two' is no whole number" in capsys.readouterr().err
    assert trained == []


def test_synthesize_draws_a_folder_and_says_so(tmp_path, capsys):
    words = ["synthesize", "--preset", "face_only", "--n", "8", "--out", str(tmp_path / "set"), "--size", "48"]
    assert main(words) == 0
    assert "set is ready: 8 pictures" in capsys.readouterr().out
    splits = ("train", "validation", "test")
    assert sum(len(list((tmp_path / "set" / split).rglob("*.png"))) for split in splits) == 8


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--preset", "photos"], "--preset 'photos' is unknown; use one of balanced, context, face_only, imbalanced"),
        (["--n", "6"], "n is 6; balanced needs 7 or more"),
        (["--n", "many"], "--n 'many' is no whole number"),
        (["--size", "40"], "size is 40 pixels; use 48 or more"),
        (["--seed", "-1"], "SEED '-1' is no whole number from 0"),
        (["--out", "."], "is the current directory, which cannot be replaced; name a new folder in it"),
    ],
)
def test_a_wrong_wish_for_drawn_pictures_ends_in_one_sentence(words, sentence, tmp_path, capsys):
    assert main(["synthesize", "--n", "8", "--out", str(tmp_path / "set"), *words]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert sentence in error
    assert not (tmp_path / "set").exists()
