"""One module a data set; `load_dataset` finds, reads and caches whichever is asked for."""

import os
import shutil
from pathlib import Path

import pandas as pd

from fer_lib.data.sources import (
    affectnet,
    caer_s,
    ck_plus,
    emotic,
    fabo,
    fer2013,
    ferplus,
    folder,
    raf_db,
    videos,
)
from fer_lib.data.splits import check_splits
from fer_lib.data.table import load_table, save_table
from fer_lib.errors import StudyError
from fer_lib.files import ROOT, code_version, content_hash, one_at_a_time, sha256_file

READERS = {
    "fer2013": fer2013,
    "ferplus": ferplus,
    "folder": folder,
    "raf_db": raf_db,
    "affectnet": affectnet,
    "caer_s": caer_s,
    "ck_plus": ck_plus,
    "emotic": emotic,
    "fabo": fabo,
    "videos": videos,
}
DATASETS = ("synthetic", *READERS)
SHARED = {"ferplus": ("fer2013",), "fabo": ("videos",)}  # readers that a reader is built from
WITH_FRAMES = ("fabo", "videos")  # readers that write pictures
LARGE = ("affectnet",)  # hundreds of thousands of files, too many to look at each


def load_dataset(
    dataset: str, data_root: str | Path | None, cache: Path, seed: int = 0, synthetic_pictures: int = 2800
) -> pd.DataFrame:
    """The study table of a data set, from the cache when neither its files nor its reader have changed.

    Parameters
    ----------
    dataset : one of `DATASETS`
    data_root : where the user's copy lies, a relative path counted from the top of the repository; `synthetic`
        needs none
    cache : folder for the finished tables

    Raises
    ------
    StudyError
        For an unknown data set, a missing or empty DATA_ROOT, and whatever the reader refuses.
    """
    inputs = find_inputs(dataset, data_root)
    if dataset == "synthetic":
        from fer_lib.data.sources import synthetic  # which needs OpenCV

        key = {"pictures": synthetic_pictures, "seed": seed, "code": _reader_code(dataset)}
        parts = cache / f"{dataset}-{content_hash(key)}.parts"
        return _cached(cache, dataset, key, lambda: synthetic.read(synthetic_pictures, seed, parts))
    reader = READERS[dataset]
    state = _state_of_folders if dataset in LARGE else _state
    key = {"inputs": [state(path) for path in inputs], "seed": seed, "code": _reader_code(dataset)}
    options = {} if dataset == "ferplus" else {"seed": seed}
    if dataset in WITH_FRAMES:
        options["frames"] = cache / "frames"
    return _cached(cache, dataset, key, lambda: reader.read(*inputs, **options))


def find_inputs(dataset: str, data_root: str | Path | None) -> list[Path]:
    """The files or folders that the data set would be read from; none for `synthetic`.

    Raises
    ------
    StudyError
        For an unknown data set, a missing DATA_ROOT, and one that does not hold the data set.
    """
    if dataset not in DATASETS:
        raise StudyError(f"DATASET {dataset!r} is unknown; use one of {', '.join(DATASETS)}.")
    return [] if dataset == "synthetic" else READERS[dataset].find(_check_root(dataset, data_root))


def _cached(cache: Path, dataset: str, key: dict, read) -> pd.DataFrame:
    path = cache / f"{dataset}-{content_hash(key)}.parquet"
    with one_at_a_time(path):
        if not path.exists():
            table = read()
            check_splits(table)
            save_table(table, path)
            shutil.rmtree(path.with_suffix(".parts"), ignore_errors=True)
    return load_table(path)


def _check_root(dataset: str, data_root: str | Path | None) -> Path:
    if not data_root:
        raise StudyError(f"DATASET={dataset} needs DATA_ROOT, the folder that holds your copy; set DATA_ROOT=….")
    root = (ROOT / Path(data_root).expanduser()).resolve()
    if not root.is_dir():
        raise StudyError(f"DATA_ROOT {data_root} is no folder; set it to where your copy of {dataset} lies.")
    return root


def _state(path: Path) -> list:
    """What tells whether a file, or any file below a folder, has changed since it was read."""
    if path.is_file():
        status = path.stat()
        return [str(path), status.st_size, status.st_mtime_ns]
    found = [os.path.join(place, name) for place, _, names in os.walk(path) for name in names]
    states = ((name, os.stat(name)) for name in sorted(found) if os.path.exists(name))  # not of links to nowhere
    return [str(path), *([name, state.st_size, state.st_mtime_ns] for name, state in states)]


def _state_of_folders(path: Path) -> list:
    """What tells whether a file has changed, or whether any was added, removed or replaced below a folder."""
    if path.is_file():
        return _state(path)
    return [str(path), *sorted([place, os.stat(place).st_mtime_ns] for place, _, _ in os.walk(path))]


def _reader_code(dataset: str) -> str:
    modules = ["fer_lib.data.splits", "fer_lib.data.table", "fer_lib.emotions"]
    if dataset == "synthetic":
        return content_hash([code_version(*modules, "fer_lib.data.sources.synthetic"), drawing_code()])
    names = {dataset, *SHARED.get(dataset, ()), "folder", "lists"}
    return code_version(*modules, *(f"fer_lib.data.sources.{name}" for name in names))


def drawing_code() -> str:
    """Hash of the program and the shapes that people are drawn by."""
    folder = ROOT / "fer_lib" / "synthetic"
    paths = sorted(path.relative_to(ROOT).with_suffix("") for path in folder.rglob("*.py"))
    modules = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    shapes = sorted(folder.rglob("*.csv"))
    return content_hash([code_version(*modules), *map(sha256_file, shapes)])
