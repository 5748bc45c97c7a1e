"""The run store: one folder for every finished training, named by the hash of all that determines it.

A run holds experiment.json, predictions.parquet, environment.json, test_readings.csv and what its training adds
(history.csv, weights.safetensors). A store can be copied between machines: a run is believed only when its files
have the hashes that it says.
"""

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import pandas as pd
from filelock import FileLock

from fer_lib.errors import StudyError
from fer_lib.files import content_hash, disk_errors, sha256_file, write_json
from fer_lib.machine import environment, peak_memory_gb
from fer_lib.progress import ticking

RECORD = "experiment.json"
CHECKPOINT = "checkpoint.pt"  # kept until all else of a run is written, so that no training is lost


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run in `folder`; its parts are read when they are asked for."""

    folder: Path

    @cached_property
    def experiment(self) -> dict:
        """The settings of the training."""
        return _read_json(self.folder / RECORD)["experiment"]

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per validation and test picture: id, split, label, then one score per class."""
        return pd.read_parquet(self.folder / "predictions.parquet")

    @cached_property
    def view_predictions(self) -> pd.DataFrame:
        """The same, averaged over several views of each picture where the experiment has them."""
        path = self.folder / "predictions_views.parquet"
        return pd.read_parquet(path) if path.exists() else self.predictions

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row per epoch, or per setting that was tried."""
        return pd.read_csv(self.folder / "history.csv")

    @cached_property
    def environment(self) -> dict:
        """Machine, versions, seconds and peak memory (GB) of the training."""
        return _read_json(self.folder / "environment.json")

    def of_split(self, split: str) -> pd.DataFrame:
        """The predictions of one split."""
        return self.predictions[self.predictions["split"] == split].reset_index(drop=True)


class RunStore:
    """Finished runs below `root`, interrupted ones beside them as `<hash>.partial`."""

    def __init__(self, root: Path | str):
        self.root = Path(root)

    def get(self, experiment, data: str, code: str, make: Callable[[Path], None]) -> Run:
        """The finished run of `experiment`, or the one that `make` now makes.

        Parameters
        ----------
        experiment : frozen dataclass, everything that the training needs
        data : hash of the study table
        code : hash of the code that trains
        make : writes the run's files into the folder it is given; a folder with an interrupted run is given
            again, so that `make` can go on from there

        Raises
        ------
        StudyError
            When the stored run is damaged, or the disk is full.
        """
        key = {"experiment": dataclasses.asdict(experiment), "data": data, "code": code}
        folder = self.folder(experiment, data, code)
        partial = folder.with_name(folder.name + ".partial")
        with disk_errors(folder):
            self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(folder.name + ".lock")):
                if not folder.exists():
                    partial.mkdir(exist_ok=True)
                    self._fill(partial, key, make)
                    os.replace(partial, folder)
        _check(folder)
        return Run(folder)

    def find(self, experiment, data: str, code: str) -> Run | None:
        """The finished run of `experiment`, or None where it was not trained yet."""
        folder = self.folder(experiment, data, code)
        if not folder.exists():
            return None
        _check(folder)
        return Run(folder)

    def has(self, experiment) -> bool:
        """Whether the experiment was trained on some data, by some version of the program."""
        wanted = json.loads(json.dumps(dataclasses.asdict(experiment)))
        records = [_read_json(record)["experiment"] for record in self.root.glob(f"{_stem(experiment)}-*/{RECORD}")]
        # A setting that is younger than the record was at its default then.
        added = {field.name: field.default for field in dataclasses.fields(experiment)}
        return any(added | record == wanted for record in records)

    def folder(self, experiment, data: str, code: str) -> Path:
        """Where the run of `experiment` lies when it is finished.

        Its name hashes the settings that differ from the experiment's defaults, so that a setting that is added
        later, at a default that changes nothing, leaves earlier runs where they are.
        """
        key = {"experiment": _changed(experiment), "data": data, "code": code}
        return self.root / f"{_stem(experiment)}-{content_hash(key)}"

    def _fill(self, folder: Path, key: dict, make: Callable[[Path], None]) -> None:
        (folder / RECORD).unlink(missing_ok=True)
        earlier = _read_json(folder / "seconds.json") if (folder / "seconds.json").exists() else 0.0
        start = time.perf_counter()
        try:
            with ticking(key["experiment"]["name"]):
                make(folder)
        except BaseException:
            if any(folder.iterdir()):
                write_json(folder / "seconds.json", earlier + time.perf_counter() - start)
            else:
                shutil.rmtree(folder)
            raise
        for leftover in (folder / "seconds.json", folder / CHECKPOINT, *folder.glob(".*")):
            leftover.unlink(missing_ok=True)
        seconds = earlier + time.perf_counter() - start
        measured = {"seconds": seconds, "peak_memory_gb": peak_memory_gb()}
        write_json(folder / "environment.json", {**environment(), **measured})
        files = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
        write_json(folder / RECORD, {**key, "files": files})


def _stem(experiment) -> str:
    return experiment.name.replace("/", "-")


def _changed(settings) -> dict:
    """The fields of a dataclass that differ from their default."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return {
        field.name: _changed(values[field.name]) if dataclasses.is_dataclass(values[field.name]) else values[field.name]
        for field in dataclasses.fields(settings)
        if values[field.name] != field.default
    }


def _check(folder: Path) -> None:
    for name, expected in _read_json(folder / RECORD)["files"].items():
        if not (folder / name).exists() or sha256_file(folder / name) != expected:
            raise StudyError(f"{folder / name} is damaged or missing; delete the folder {folder.name} and run again.")


def _read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise StudyError(f"{path} cannot be read ({error}); delete its folder and run again.") from error
