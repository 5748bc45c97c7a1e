"""RAF-DB's basic emotions (Li et al. 2017): 15,339 faces from the web, labelled by some forty people each.

Two forms are read:

- the published one: `basic/EmoLabel/list_patition_label.txt`, a line such as `train_00001.jpg 5` for each picture in
  `basic/Image/aligned/train_00001_aligned.jpg`; without those, in `basic/Image/original/train_00001.jpg` with the
  face's corners x1 y1 x2 y2 in `basic/Annotation/boundingbox/train_00001_boundingbox.txt`;
- Kaggle's: `DATASET/train/<1-7>/*.jpg` and `DATASET/test/<1-7>/*.jpg`; `train_labels.csv` and `test_labels.csv`
  beside it, with the columns image and label, may not contradict the folders.

Validation is a tenth of train.
"""

from pathlib import Path

import pandas as pd

from fer_lib.data.sources import folder
from fer_lib.data.sources.lists import box_or_problem, known_values, read_list
from fer_lib.emotions import parse_emotion
from fer_lib.errors import StudyError
from fer_lib.files import sha256_file

LIST = "EmoLabel/list_patition_label.txt"
CSV_FILES = {"train_labels.csv": "train", "test_labels.csv": "test"}
NUMBERS = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
HOW_TO_GET = "get RAF-DB's basic folder from its authors, or the folder DATASET from Kaggle"


def find(root: Path) -> list[Path]:
    """The published list, its pictures and boxes, or the folder DATASET and its lists, below `root`.

    Raises
    ------
    StudyError
        When neither form is there.
    """
    if labels := folder.below(root, LIST):
        basic = labels.parents[1]
        if (aligned := basic / "Image" / "aligned").is_dir():
            return [labels, aligned]
        if (original := basic / "Image" / "original").is_dir():
            return [labels, original, basic / "Annotation" / "boundingbox"]
        raise StudyError(f"{basic}: no Image/aligned or Image/original beside the labels; {HOW_TO_GET}.")
    if dataset := folder.below(root, "DATASET"):
        folder.find(dataset)
        return [dataset, *(path for name in CSV_FILES if (path := dataset.parent / name).is_file())]
    raise StudyError(f"DATA_ROOT {root}: no {LIST} and no folder DATASET found; {HOW_TO_GET}.")


def read(path: Path, *others: Path, seed: int = 0) -> pd.DataFrame:
    """Read RAF-DB from what `find` returned into a study table.

    Raises
    ------
    StudyError
        For a wrong row or box, an unknown or empty class, and lists that contradict the folders.
    """
    if path.is_dir():
        further = [row for name in others for row in _listed_only(path, name)]
        files = {name.name: sha256_file(name) for name in others}
        return folder.read(path, seed, "raf_db", _parse, further, files)
    listed = read_list(path, ("name", "label"), HOW_TO_GET, names=("name", "label"), sep=r"\s+")
    labels = known_values(listed["label"], NUMBERS, str(path))
    rows = [_row(name, label, path, *others) for name, label in zip(listed["name"], labels, strict=True)]
    return folder.finish(rows, "raf_db", seed, {path.name: sha256_file(path)})


def _parse(name: str) -> str | None:
    return NUMBERS.get(name) or parse_emotion(name)


def _row(name: str, label: str, labels: Path, pictures: Path, boxes: Path | None = None) -> dict:
    stem, split = Path(name).stem, name.partition("_")[0]
    if split not in ("train", "test"):
        raise StudyError(f"{labels}: {name!r} begins neither with train_ nor with test_; {HOW_TO_GET} again.")
    path = pictures / (name if boxes else f"{stem}_aligned.jpg")
    row = {"id": name, "source": "raf_db", "path": str(path), "label": label, "split": split}
    return row if boxes is None else {**row, **_box(boxes / f"{stem}_boundingbox.txt")}


def _box(path: Path) -> dict:
    try:
        left, top, right, bottom = map(float, path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return {"problem": "the face's box is missing"}
    except ValueError as error:
        raise StudyError(f"{path}: not the four numbers x1 y1 x2 y2; {HOW_TO_GET} again.") from error
    return box_or_problem(left, top, right - left, bottom - top)


def _listed_only(dataset: Path, labels: Path) -> list[dict]:
    """Rows of the pictures that the list names and the folders lack."""
    split = CSV_FILES[labels.name]
    listed = read_list(labels, ("image", "label"), HOW_TO_GET)
    expected = known_values(listed["label"], NUMBERS, str(labels))
    found = {
        path.name: label
        for split_folder, name in folder.split_folders(dataset)
        for class_folder, label in folder.class_folders(split_folder, _parse)
        for path in (class_folder.iterdir() if name == split else ())
    }
    rows = []
    for name, number, label in zip(listed["image"], listed["label"], expected, strict=True):
        if found.get(name, label) != label:
            raise StudyError(f"{labels}: {name!r} is {label} here, but lies with {found[name]}; {HOW_TO_GET} again.")
        if name not in found:
            place = f"{split}/{number}/{name}"
            row = {"id": place, "path": str(dataset / place), "label": label, "split": split}
            rows.append({**row, "source": "raf_db", "problem": folder.NO_PICTURE})
    return rows
