"""What trains on a GPU machine that has PyTorch, the table libraries and Pillow, and nothing that draws or shows."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fer_lib.files import ROOT

BARE = """
import importlib, pkgutil, sys
from importlib.machinery import PathFinder

ABSENT = set(
    "cv2 mediapipe IPython matplotlib seaborn papermill nbformat nbconvert nbclient ipywidgets psutil jupyterlab optuna"
    " pytorch_grad_cam sklearnex opencv-python-headless ipython grad-cam scikit-learn-intelex".split()
)

class BareFinder:
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in ABSENT else PathFinder.find_spec(name, path, target)

    def find_distributions(self, context):  # libraries ask for versions, too, before they import
        return [] if context.name in ABSENT else PathFinder.find_distributions(context)

sys.meta_path[sys.meta_path.index(PathFinder)] = BareFinder()
"""
# what needs OpenCV to describe edges, draw people, find or cover faces, and Optuna to search
WITH_MORE = (
    "fer_lib.models.svm",
    "fer_lib.models.baseline",
    "fer_lib.models.features",
    "fer_lib.models.region_svm",
    "fer_lib.data.sources.synthetic",
    "fer_lib.training.search",
    "fer_lib.training.streams",
    "fer_lib.training.covers",
    "fer_lib.training.judge",
)


PROGRAM = f"""
import fer_lib.data, fer_lib.models, fer_lib.training
for package in (fer_lib.data, fer_lib.models, fer_lib.training):
    for part in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if part.name not in {WITH_MORE}:
            importlib.import_module(part.name)
print("all imported")

from fer_lib.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run_bare(program: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", BARE + program, *words], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A folder data set of two classes whose splits are large enough for a training."""
    root, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    for split, number in (("train", 12), ("validation", 4), ("test", 4)):
        for label in ("happy", "sad"):
            place = root / split / label
            place.mkdir(parents=True)
            for i in range(number):
                Image.fromarray(rng.integers(0, 256, (48, 48)).astype(np.uint8)).save(place / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def bare(faces, tmp_path_factory):
    """One process that imports, then trains, since PyTorch takes seconds to import; and the folder of its runs."""
    runs = tmp_path_factory.mktemp("runs")
    words = ["train", "six_layer/base", "safer/dee*", "--dataset", "folder", "--profile", "smoke"]
    return run_bare(PROGRAM, *words, "--data-root", str(faces), "--runs", str(runs)), runs


def test_the_stand_in_for_a_bare_machine_has_no_opencv():
    assert "No module named 'cv2'" in run_bare("import cv2").stderr


def test_all_that_reads_data_and_trains_networks_can_be_imported(bare):
    done, _ = bare
    assert "all imported" in done.stdout, done.stderr


def test_an_experiment_is_trained_into_the_store(bare):
    done, runs = bare
    assert done.returncode == 0, done.stderr
    assert len(list((runs / "store").glob("*/weights.safetensors"))) == 1


def test_a_stream_that_needs_faces_to_be_found_is_left_out_of_a_pattern_with_its_reason(bare):
    done, _ = bare
    assert "safer/deep, seed 0: left out: " in done.stdout
    assert "mediapipe, which finds faces, is not installed here" in done.stdout
