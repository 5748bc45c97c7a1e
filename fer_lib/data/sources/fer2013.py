"""FER2013 as Kaggle hands it out: 35,887 grey faces of 48×48 pixels (Goodfellow et al. 2013).

Read are `fer2013.csv`, `icml_face_data.csv`, the archive `fer2013.tar.gz` and the folder form
`train/<class>/*.jpg`, `test/<class>/*.jpg`. PublicTest is validation, PrivateTest is test. The folder form no
longer tells the two apart: its test folder is test, and validation is carved from its train folder.
"""

import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import pandas as pd

from fer_lib.data.sources import folder
from fer_lib.data.sources.lists import known_values
from fer_lib.data.splits import carve_validation
from fer_lib.data.table import encode_picture, in_threads, make_table, picture_hash
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.files import sha256_file
from fer_lib.progress import progress

SIZE = 48
EMOTION_NUMBERS = {str(number): emotion for number, emotion in enumerate(BASIC)}
USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
COUNTS = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
FILE_NAMES = ("fer2013.csv", "icml_face_data.csv", "fer2013.tar.gz")
HOW_TO_GET = "download fer2013.tar.gz from Kaggle's challenges-in-representation-learning page"


def find(root: Path) -> list[Path]:
    """The one file or folder below `root` (at most three levels down) that holds FER2013.

    Raises
    ------
    StudyError
        When nothing is found.
    """
    levels = ("", "*/", "*/*/")
    for name in FILE_NAMES:
        for level in levels:
            if files := sorted(path for path in root.glob(level + name) if path.is_file()):
                return files[:1]
    for level in levels:
        for train in sorted(root.glob(level + "train")):
            if (train.parent / "test").is_dir():
                return [train.parent]
    raise StudyError(f"DATA_ROOT {root}: no {', '.join(FILE_NAMES)} or train/<class> folder found; {HOW_TO_GET}.")


def read(
    path: Path, seed: int = 0, counts: Mapping[str, tuple[int, ...]] = COUNTS, dataset: str = "fer2013"
) -> pd.DataFrame:
    """Read FER2013 from the file or folder `path` into a study table.

    Parameters
    ----------
    path : what `find` returned
    seed : chooses the validation pictures of the folder form
    counts : pictures per split and class (0-6) that an intact copy has

    Raises
    ------
    StudyError
        For a damaged or unsafe archive, a wrong row, or class counts other than `counts`.
    """
    if path.is_dir():
        table = folder.read(path, seed=None, dataset=dataset)
        merged = {"train": counts["train"], "test": _sum(counts["validation"], counts["test"])}
        check_counts(table, merged, path)
        return carve_validation(table, seed)
    with _open_csv(path) as (file, name):
        table = _table(_chunks(file, name), name, dataset, {path.name: sha256_file(path)})
    check_counts(table, counts, path)
    return table


def check_counts(table: pd.DataFrame, counts: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Hold the table to the known number of pictures per split and class."""
    found = pd.crosstab(table["split"], table["label"]).reindex(columns=BASIC, fill_value=0)
    for split, expected in counts.items():
        have = tuple(found.loc[split]) if split in found.index else (0,) * len(BASIC)
        if have != tuple(expected):
            raise StudyError(
                f"{path}: {split} has {_counts(have)} pictures of {', '.join(BASIC)} where FER2013 has "
                f"{_counts(expected)}; the file is not the whole data set, so {HOW_TO_GET} again."
            )


def _sum(*counts: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(np.sum(counts, axis=0).tolist())


def _counts(values: tuple[int, ...]) -> str:
    return "/".join(map(str, values))


@contextmanager
def _open_csv(path: Path) -> Iterator[tuple[IO[bytes], str]]:
    """The CSV as a stream; an archive is read through and nothing of it is written to disk."""
    if path.suffix == ".csv":
        with path.open("rb") as file:
            yield file, str(path)
        return
    try:
        with tarfile.open(path) as archive:
            member = _csv_member(archive, path)
            yield archive.extractfile(member), f"{path}:{member.name}"
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise StudyError(f"{path}: the archive is damaged or cut short ({error}); {HOW_TO_GET} again.") from error


def _csv_member(archive: tarfile.TarFile, path: Path) -> tarfile.TarInfo:
    members = archive.getmembers()
    for member in members:
        parts = PurePosixPath(member.name)
        if parts.is_absolute() or ".." in parts.parts or member.islnk() or member.issym() or member.isdev():
            raise StudyError(
                f"{path}: the member {member.name!r} points outside the archive; it is not Kaggle's file, "
                f"so {HOW_TO_GET} again."
            )
    for member in members:
        if PurePosixPath(member.name).name in FILE_NAMES[:2]:
            return member
    raise StudyError(f"{path}: no fer2013.csv inside; {HOW_TO_GET} again.")


def _chunks(file: IO[bytes], name: str) -> Iterator[pd.DataFrame]:
    """The CSV in pieces of 4,096 rows, so that memory stays small; column names without spaces."""
    try:
        for chunk in pd.read_csv(file, chunksize=4096, skipinitialspace=True, dtype=str, keep_default_na=False):
            chunk.columns = chunk.columns.str.strip()
            missing = {"emotion", "Usage", "pixels"} - set(chunk.columns)
            if missing:
                raise StudyError(f"{name}: the column {sorted(missing)[0]!r} is missing; {HOW_TO_GET} again.")
            yield chunk
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise StudyError(f"{name}: not a readable CSV file ({error}); {HOW_TO_GET} again.") from error


def _table(chunks: Iterator[pd.DataFrame], name: str, dataset: str, files: dict[str, str]) -> pd.DataFrame:
    labels, splits, pixels = [], [], []
    with progress(description="reading rows", total=sum(map(sum, COUNTS.values())), unit="row") as bar:
        for chunk in chunks:
            labels.append(known_values(chunk["emotion"], EMOTION_NUMBERS, name))
            splits.append(known_values(chunk["Usage"], USAGES, name))
            pixels.append(_pixels(chunk["pixels"], name))
            bar.update(len(chunk))
    if not labels:
        raise StudyError(f"{name}: the file has no rows; {HOW_TO_GET} again.")
    pictures = np.concatenate(pixels)
    encoded: list[bytes] = [b""] * len(pictures)

    def encode(start: int) -> int:
        part = pictures[start : start + 2048]
        encoded[start : start + 2048] = map(encode_picture, part)
        return len(part)

    in_threads(encode, range(0, len(pictures), 2048), len(pictures), "packing pictures")
    rows = {"split": np.concatenate(splits), "label": np.concatenate(labels), "picture": encoded}
    frame = pd.DataFrame(rows).assign(source=dataset, picture_hash=list(map(picture_hash, pictures)))
    frame["id"] = [f"fer2013-{row:05d}" for row in range(len(frame))]
    return make_table(frame, dataset, files)


def _pixels(column: pd.Series, name: str) -> np.ndarray:
    """uint8 (rows, 48, 48) from strings of 2,304 numbers."""
    if all(text.count(" ") == SIZE**2 - 1 for text in column):
        flat = np.fromstring(" ".join(column), dtype=np.int32, sep=" ")
        if flat.size == len(column) * SIZE**2 and flat.min() >= 0 and flat.max() <= 255:
            return flat.astype(np.uint8).reshape(-1, SIZE, SIZE)
    return np.stack([_row_pixels(text, f"{name}: row {row + 1}") for row, text in column.items()])


def _row_pixels(text: str, place: str) -> np.ndarray:
    values = text.split()
    if len(values) != SIZE**2 or not all(value.isdecimal() and int(value) <= 255 for value in values):
        raise StudyError(
            f"{place}: {len(values)} pixel values where {SIZE**2} numbers from 0 to 255 are needed; {HOW_TO_GET} again."
        )
    return np.array(values, np.uint8).reshape(SIZE, SIZE)
