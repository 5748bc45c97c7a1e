"""Any tree `split/class/picture`: class names are matched to the emotion vocabulary, unknown ones refused.

What readers of other forms need too is here: finding files, listing folders, checking pictures.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from fer_lib.data.splits import carve_validation
from fer_lib.data.table import decode_picture, in_threads, make_table, picture_hash
from fer_lib.emotions import SYNONYMS, parse_emotion
from fer_lib.errors import StudyError
from fer_lib.files import content_hash

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
LEVELS = ("", "*/", "*/*/")
NO_PICTURE = "the picture is missing"


def find(root: Path) -> list[Path]:
    """`root` itself, when it holds a train and a test folder.

    Raises
    ------
    StudyError
        When one of the two is missing.
    """
    have = {split for _, split in split_folders(root)}
    for split in ("train", "test"):
        if split not in have:
            raise StudyError(f"DATA_ROOT {root}: no folder {split!r}; the form is split/class/picture.")
    return [root]


def read(
    root: Path,
    seed: int | None = 0,
    dataset: str = "folder",
    parse: Callable[[str], str | None] = parse_emotion,
    further: Iterable[dict] = (),
    files: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Read the tree below `root` into a study table; a picture that cannot be read keeps its row.

    Parameters
    ----------
    root : folder with train and test, and validation if there is one
    seed : chooses a tenth of train as validation where the tree has none; None leaves train whole
    parse : the emotion that a folder's name stands for, None for an unknown name
    further : rows that the tree does not show
    files : {name: sha256} of the lists that were read beside the tree

    Raises
    ------
    StudyError
        For a class name that is no emotion, and for a class folder without pictures.
    """
    find(root)
    rows = [
        {
            "id": path.relative_to(root).as_posix(),
            "source": dataset,
            "path": str(path),
            "label": label,
            "split": split,
        }
        for split_folder, split in split_folders(root)
        for class_folder, label in class_folders(split_folder, parse)
        for path in files_below(class_folder)
    ]
    return finish([*rows, *further], dataset, seed, files)


def finish(rows: list[dict], dataset: str, seed: int | None, files: dict[str, str] | None = None) -> pd.DataFrame:
    """The study table of rows whose `path` is a picture: each is read once, for its hash or its problem.

    Parameters
    ----------
    rows : with id, source, path, label and split; one that comes with a `problem` is not read
    seed : chooses a tenth of train as validation where no row is in it; None leaves train whole
    files : {name: sha256} of the lists that were read, for the manifest

    Raises
    ------
    StudyError
        When no picture of train can be used, and whatever `carve_validation` refuses.
    """

    def check(start: int) -> int:
        part = rows[start : start + 256]
        for row in part:
            if row.get("problem") is None:
                row.update(_hash_or_problem(Path(row["path"])))
        return len(part)

    in_threads(check, range(0, len(rows), 256), len(rows), "checking pictures")
    listing = content_hash([[row["id"], row.get("picture_hash")] for row in rows])
    table = make_table(rows, dataset, {"every picture below DATA_ROOT": listing, **(files or {})})
    problems = table["problem"][table["split"] == "train"]
    if problems.notna().all():
        why = problems.iloc[0] if len(problems) else "there is none"
        raise StudyError(f"{dataset}: no picture of train can be used ({why}); check DATA_ROOT.")
    if seed is None or "validation" in set(table["split"]):
        return table
    return carve_validation(table, seed)


def below(root: Path, name: str) -> Path | None:
    """The first file or folder `name` at most three levels below `root`; None when there is none."""
    return next((path for level in LEVELS for path in sorted(root.glob(level + name))), None)


def split_folders(root: Path) -> list[tuple[Path, str]]:
    """The folders in `root` that are named like a split, and that split."""
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    return [(path, SPLIT_NAMES[path.name.lower()]) for path in folders if path.name.lower() in SPLIT_NAMES]


def class_folders(parent: Path, parse: Callable[[str], str | None] = parse_emotion) -> list[tuple[Path, str]]:
    """The folders in `parent`, and the emotion that `parse` makes of each one's name.

    Raises
    ------
    StudyError
        For a name that is no emotion, and when there is no folder.
    """
    classes = []
    for path in sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith(".")):
        label = parse(path.name)
        if label is None:
            raise StudyError(f"{path}: {path.name!r} is no known emotion; rename it to one of {', '.join(SYNONYMS)}.")
        classes.append((path, label))
    if not classes:
        raise StudyError(f"{parent}: no folders of classes in it; add some or remove it.")
    return classes


def files_below(class_folder: Path, endings: Iterable[str] = PICTURES, what: str = "pictures") -> list[Path]:
    """Every file in or below `class_folder` whose name ends in one of `endings`.

    Raises
    ------
    StudyError
        When there is none.
    """
    files = sorted(path for path in class_folder.rglob("*") if path.suffix.lower() in endings)
    if not files:
        raise StudyError(f"{class_folder}: the class is empty; add {what} or remove the folder.")
    return files


def _hash_or_problem(path: Path) -> dict[str, str | None]:
    """Equal on every machine, since a problem is part of the table's hash: no path may be in it."""
    try:
        return {"picture_hash": picture_hash(decode_picture(path.read_bytes())), "problem": None}
    except FileNotFoundError:
        problem = NO_PICTURE
    except OSError as error:
        problem = f"unreadable picture ({error.strerror})"
    except ValueError as error:
        problem = f"unreadable picture ({error})"
    return {"picture_hash": None, "problem": problem}
