"""The lock: complete, hashed, without addresses, and the same for everyone who installs."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution

from packaging.requirements import Requirement

from fer_lib.files import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PINS = dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", LOCK, re.M))


def test_every_version_is_pinned_with_hashes_and_no_address_is_named():
    entries = re.split(r"\n(?=\S)", LOCK.strip())
    assert all(re.match(r"[a-z0-9._-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "--find-links" not in LOCK


def test_everything_that_pyproject_asks_for_is_pinned_within_its_bounds():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(PINS[requirement.name.lower()]), requirement


def test_each_library_has_its_reason():
    lines = (ROOT / "pyproject.toml").read_text().partition("dependencies = [")[2].partition("\n]\n")[0]
    for line in lines.splitlines():
        if line.strip().startswith('"'):
            assert re.search(r'",\s+# \S', line), line


def test_what_is_installed_here_is_the_lock():
    wrong = {
        name: (pinned, distribution(name).version)
        for name, pinned in PINS.items()
        if _is_installed(name) and distribution(name).version != pinned and f"\n{name}==" in LOCK
        and LOCK.count(f"\n{name}==") == 1
    }  # fmt: skip
    assert not wrong


def test_makefile_and_conda_install_the_very_same_lock():
    makefile, conda = (ROOT / "Makefile").read_text(), (ROOT / "environment.yml").read_text()
    assert "uv pip sync -q --compile-bytecode --require-hashes requirements.lock" in makefile
    pip_lines = re.findall(r"^      - (.+)$", conda, re.M)
    assert pip_lines == ["-r requirements.lock"]
    assert "python>=3.11,<3.13" in conda


def test_there_is_one_provider_of_cv2_and_it_needs_no_display():
    assert [name for name in PINS if name.startswith("opencv")] == ["opencv-python-headless"]


def test_everything_imports_without_a_display():
    modules = "cv2, mediapipe, torch, torchvision, kornia, sklearn, pytorch_grad_cam, papermill, ipywidgets"
    without = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-c", f"import {modules}"], env=without, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_torch_and_torchvision_fit_together():
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 9, 9]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.5, 0.9]), 0.5).tolist() == [1]


def test_mediapipe_carries_its_models_in_the_wheel():
    import mediapipe

    package = os.path.dirname(mediapipe.__file__)
    for model in ("face_detection/face_detection_short_range", "face_landmark/face_landmark"):
        assert os.path.getsize(os.path.join(package, "modules", f"{model}.tflite")) > 100_000


def test_without_a_network_the_environment_fails_in_one_sentence_and_leaves_nothing(tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "PIP"))}
    made = subprocess.run(
        ["make", "lint"], cwd=tmp_path, env=environment | nowhere, capture_output=True, text=True, timeout=120
    )
    assert made.returncode != 0
    assert "error: .venv could not be built from requirements.lock; is the network there" in made.stderr
    assert not (tmp_path / ".venv").exists()


def _is_installed(name: str) -> bool:
    try:
        return bool(distribution(name))
    except importlib.metadata.PackageNotFoundError:
        return False
