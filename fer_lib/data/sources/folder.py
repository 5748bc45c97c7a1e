"""Any tree `split/class/picture`: class names are matched to the emotion vocabulary, unknown ones refused."""

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


def find(root: Path) -> list[Path]:
    """`root` itself, when it holds a train and a test folder.

    Raises
    ------
    StudyError
        When one of the two is missing.
    """
    have = {SPLIT_NAMES.get(path.name.lower()) for path in root.iterdir() if path.is_dir()}
    for split in ("train", "test"):
        if split not in have:
            raise StudyError(f"DATA_ROOT {root}: no folder {split!r}; the form is split/class/picture.")
    return [root]


def read(root: Path, seed: int | None = 0, dataset: str = "folder") -> pd.DataFrame:
    """Read the tree below `root` into a study table; a picture that cannot be read keeps its row.

    Parameters
    ----------
    root : folder with train and test, and validation if there is one
    seed : chooses a tenth of train as validation where the tree has none; None leaves train whole

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
        for split_folder, split in _splits(root)
        for class_folder, label in _classes(split_folder)
        for path in _pictures(class_folder)
    ]

    def hash_pictures(start: int) -> int:
        part = rows[start : start + 256]
        for row in part:
            row.update(_hash_or_problem(Path(row["path"])))
        return len(part)

    in_threads(hash_pictures, range(0, len(rows), 256), len(rows), "checking pictures")
    listing = content_hash([[row["id"], row["picture_hash"]] for row in rows])
    table = make_table(rows, dataset, {"every picture below DATA_ROOT": listing})
    if seed is None or "validation" in set(table["split"]):
        return table
    return carve_validation(table, seed)


def _splits(root: Path) -> list[tuple[Path, str]]:
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    return [(path, SPLIT_NAMES[path.name.lower()]) for path in folders if path.name.lower() in SPLIT_NAMES]


def _classes(split_folder: Path) -> list[tuple[Path, str]]:
    classes = []
    for path in sorted(path for path in split_folder.iterdir() if path.is_dir()):
        label = parse_emotion(path.name)
        if label is None:
            raise StudyError(f"{path}: {path.name!r} is no known emotion; rename it to one of {', '.join(SYNONYMS)}.")
        classes.append((path, label))
    if not classes:
        raise StudyError(f"{split_folder}: no class folders; the form is split/class/picture.")
    return classes


def _pictures(class_folder: Path) -> list[Path]:
    pictures = sorted(path for path in class_folder.rglob("*") if path.suffix.lower() in PICTURES)
    if not pictures:
        raise StudyError(f"{class_folder}: the class is empty; add pictures or remove the folder.")
    return pictures


def _hash_or_problem(path: Path) -> dict[str, str | None]:
    try:
        return {"picture_hash": picture_hash(decode_picture(path.read_bytes())), "problem": None}
    except (OSError, ValueError) as error:
        return {"picture_hash": None, "problem": f"unreadable picture ({error})"}
