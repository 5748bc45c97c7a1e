"""Make reruns what a change touches, and nothing else. Tried on a copy of the tree, without running any notebook."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from fer_lib.files import ALWAYS, ROOT

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def tree(tmp_path):
    """The project's files, older than a finished report; notebook runs are replaced by `touch`."""
    for name in ("fer_lib", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/bash\ncase "$*" in\n'
        f'*fer_lib.dependencies*) exec {sys.executable} "$@" ;;\n'
        f'*" notebook "*) mkdir -p runs/synthetic-quick; n="${{@: -1}}"; echo "ran ${{n##*/}}"; '
        f'sleep 0.01; touch "runs/synthetic-quick/${{n##*/}}" ;;\n'
        f'*" publish "*) n="${{@: -1}}"; mkdir -p "$n"; echo published; touch "$n/report.html" ;;\n'
        f"esac\n"
    )
    python.chmod(0o755)
    for path in tmp_path.rglob("*"):
        os.utime(path, (1e9, 1e9))
    (tmp_path / ".venv" / ".ready").touch()
    os.utime(tmp_path / ".venv" / ".ready", (1.1e9, 1.1e9))
    assert ran(tmp_path) == [*NOTEBOOKS, "published"]
    return tmp_path


def make(tree, *words: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", *words], cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def ran(tree, *words: str) -> list[str]:
    lines = make(tree, "report", *words).splitlines()
    time.sleep(0.05)  # file systems stamp times in steps of some milliseconds
    return [
        line.removeprefix("ran ").removesuffix(".ipynb") for line in lines if line.startswith(("ran ", "published"))
    ]


def test_nothing_changed_runs_nothing_and_says_so(tree):
    assert "Nothing to do: reports/synthetic/report.html is newer" in make(tree, "report")


@pytest.mark.parametrize(
    ("touched", "expected"),
    [
        ("00_start_here", ["00_start_here", "11_report"]),
        ("01_data_preparation", [name for name in NOTEBOOKS if name != "00_start_here"]),
        ("04_cnn_variants", ["04_cnn_variants", "11_report"]),
    ],
)
def test_a_touched_notebook_reruns_with_what_depends_on_it(tree, touched, expected):
    (tree / "notebooks" / f"{touched}.ipynb").touch()
    assert ran(tree) == [*expected, "published"]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "models/svm.py",
            ["03_svm_pca_baseline", "07_masked_faces", "08_occluded_regions", "09_interpretability", "11_report"],
        ),
        ("training/fit.py", NOTEBOOKS[NOTEBOOKS.index("04_cnn_variants") :]),
        ("show/report.py", []),
        ("emotions.py", NOTEBOOKS),
    ],
)
def test_a_changed_module_reruns_the_notebooks_that_import_it(tree, module, expected):
    (tree / "fer_lib" / module).touch()
    assert ran(tree) == [*expected, "published"]


def test_another_seed_reruns_everything_once(tree):
    assert ran(tree, "SEED=1") == [*NOTEBOOKS, "published"]
    assert ran(tree, "SEED=1") == []


def test_data_below_a_folder_with_a_space_run_once_and_again_when_a_file_changes(tree):
    root = tree / "my data"
    root.mkdir()
    words = ("DATASET=synthetic", f"DATA_ROOT={root}")
    assert ran(tree, *words) == [*NOTEBOOKS, "published"]
    assert ran(tree, *words) == []
    (root / "fer2013.csv").write_text("new")
    assert ran(tree, *words) == [*NOTEBOOKS, "published"]


def test_each_data_set_and_profile_has_its_own_report(tree):
    for words, folder in (
        ((), "reports/synthetic"),
        (("PROFILE=smoke",), "reports/synthetic-smoke"),
        (("DATASET=fer2013",), "reports/fer2013"),
        (("DATASET=fer2013", "PROFILE=quick"), "reports/fer2013-quick"),
        (("ONLY=07 08",), "reports/synthetic-07-08"),
        (("DATASET=fer2013", "PROFILE=quick", "ONLY=07"), "reports/fer2013-quick-07"),
    ):
        assert make(tree, "-s", "--eval", "show: ; @echo $(REPORT)", "show", *words).strip() == folder


def test_some_notebooks_alone_run_with_those_that_every_report_has(tree):
    words = ("SEED=1", "ONLY=08 07")
    expected = ["00_start_here", "01_data_preparation", "07_masked_faces", "08_occluded_regions", "11_report"]
    assert ran(tree, *words) == [*expected, "published"]
    assert (tree / "reports" / "synthetic-07-08" / "report.html").exists()
    assert ran(tree, *words) == []


def test_make_and_the_report_agree_on_what_every_report_has(tree):
    assert make(tree, "-s", "--eval", "show: ; @echo $(ALWAYS)", "show").split() == list(ALWAYS)


def test_a_report_of_some_notebooks_after_the_whole_one_gathers_anew_and_runs_nothing_else(tree):
    assert ran(tree, "ONLY=08") == ["11_report", "published"]
    assert ran(tree) == ["11_report", "published"]


@pytest.mark.parametrize("number", ["77", "01", "0*"])
def test_a_number_without_a_notebook_of_its_own_is_refused_in_one_sentence(tree, number):
    done = subprocess.run(["make", "report", f"ONLY=07 {number}"], cwd=tree, capture_output=True, text=True)
    assert done.returncode
    assert f"ONLY: {number} is none of 03 04 05 06 07 08 09; use some of these" in done.stderr


def test_help_lists_every_target_and_the_knobs(tree):
    text = make(tree)
    for word in (
        "report",
        "test",
        "lint",
        "format",
        "lab",
        "clean",
        "DATASET",
        "PROFILE",
        "DATA_ROOT",
        "SEED",
    ):
        assert word in text
