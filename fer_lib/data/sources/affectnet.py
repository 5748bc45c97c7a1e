"""AffectNet (Mollahosseini et al. 2017): faces from the web, each labelled by one person, eight emotions.

Two published forms are read:

- the manual annotation: `training.csv` and `validation.csv` with `COLUMNS`, which name the pictures in
  `Manually_Annotated_Images/<n>/<hash>.<ending>`; some copies of validation.csv lack the row of names;
- the eight classes, faces alone: `train_set/images/<id>.jpg` with one number in
  `train_set/annotations/<id>_exp.npy`, and the same in `val_set`.

The official validation set is test, since the official test set is not handed out; validation is a tenth of train.
Pictures without an emotion of the eight stay with their problem. The box is the square around the listed face.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.sources import folder
from fer_lib.data.sources.lists import box_or_problem, known_values, read_list
from fer_lib.errors import StudyError
from fer_lib.files import sha256_file
from fer_lib.progress import progress

COLUMNS = (
    *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
)
NEEDED = (*COLUMNS[:5], "expression")
EXPRESSIONS = {
    "0": "neutral",
    "1": "happiness",
    "2": "sadness",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "anger",
    "7": "contempt",
    "8": "labelled as none of the eight emotions",
    "9": "labelled as uncertain",
    "10": "labelled as no face",
}
NO_LABEL = "the label is missing"
PROBLEMS = {NO_LABEL, *(text for number, text in EXPRESSIONS.items() if int(number) > 7)}
LISTS = {"training.csv": "train", "validation.csv": "test"}
SETS = {"train_set": "train", "val_set": "test"}
HOW_TO_GET = "get AffectNet's manual annotation, or its eight classes, from its authors"


def find(root: Path) -> list[Path]:
    """Both lists and the folder of their pictures, or train_set and val_set, below `root`.

    Raises
    ------
    StudyError
        When neither form is there, or one of its parts is missing.
    """
    sets = {name: folder.below(root, f"{name}/images") for name in SETS}
    if sets["train_set"] and sets["val_set"]:
        return [images.parent for images in sets.values()]
    found = {name: folder.below(root, name) for name in (*LISTS, "Manually_Annotated_Images")}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise StudyError(f"DATA_ROOT {root}: no {missing[0]}, and no train_set with val_set, found; {HOW_TO_GET}.")
    return [*found.values()]


def read(first: Path, second: Path, pictures: Path | None = None, seed: int = 0) -> pd.DataFrame:
    """Read AffectNet from what `find` returned into a study table.

    Parameters
    ----------
    first, second : the lists of train and test, or the folders train_set and val_set
    pictures : folder of the pictures that lists name

    Raises
    ------
    StudyError
        For a missing column, and an expression that is none of `EXPRESSIONS`.
    """
    if pictures is None:
        rows = [row for path in (first, second) for row in _rows_of_set(path)]
        return folder.finish(rows, "affectnet", seed)
    rows = [row for path in (first, second) for row in _rows_of_list(path, pictures)]
    return folder.finish(rows, "affectnet", seed, {path.name: sha256_file(path) for path in (first, second)})


def _rows_of_list(path: Path, pictures: Path) -> list[dict]:
    """Ids are numbers of rows: nothing promises that no picture is listed twice."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        named = file.readline().startswith(COLUMNS[0])
    listed = read_list(path, NEEDED, HOW_TO_GET, names=None if named else COLUMNS)
    said = known_values(listed["expression"], EXPRESSIONS, str(path))
    boxes = listed[list(COLUMNS[1:5])].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    return [
        {
            "id": f"{path.stem}-{number:06d}",
            "path": str(pictures / name),
            "split": LISTS[path.name],
            **_label_and_box(expression, box),
        }
        for number, (name, expression, box) in enumerate(zip(listed[COLUMNS[0]], said, boxes, strict=True))
    ]


def _label_and_box(expression: str, box: np.ndarray) -> dict:
    row = _label(expression)
    return row if row["problem"] else row | box_or_problem(*box.tolist())


def _label(expression: str) -> dict:
    if expression in PROBLEMS:
        return {"source": "affectnet", "label": None, "problem": expression}
    return {"source": "affectnet", "label": expression, "problem": None}


def _rows_of_set(path: Path) -> list[dict]:
    """One row a picture or label, whichever is there."""
    labels = {file.name.removesuffix("_exp.npy"): file for file in (path / "annotations").glob("*_exp.npy")}
    names = sorted({*labels, *(file.stem for file in (path / "images").glob("*.jpg"))})
    return [
        {
            "id": f"{path.name}/{name}",
            "path": str(path / "images" / f"{name}.jpg"),
            "split": SETS[path.name],
            **_label(_expression(labels[name]) if name in labels else NO_LABEL),
        }
        for name in progress(names, "reading labels", unit="picture")
    ]


def _expression(path: Path) -> str:
    try:
        number = str(int(np.load(path, allow_pickle=False).item()))
    except (OSError, ValueError, EOFError, OverflowError) as error:
        raise StudyError(f"{path}: not the number of an expression; {HOW_TO_GET} again.") from error
    if number not in EXPRESSIONS:
        raise StudyError(f"{path}: {number} is not one of {', '.join(EXPRESSIONS)}; {HOW_TO_GET} again.")
    return EXPRESSIONS[number]
