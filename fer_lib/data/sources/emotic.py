"""EMOTIC (Kosti et al. 2017, 2019): people in scenes, the emotions that others see in them, one row a person.

As published, `Annotations/Annotations.mat` with the structures train, val and test, and the pictures
`emotic/<folder>/<filename>`. Each entry of a structure has filename, folder and person; each person has body_bbox
(x1 y1 x2 y2, which becomes `subject_box`), gender, age and many of 26 categories: those of one annotator in train, the
combined ones of several in val and test. The face's place is not annotated, and valence, arousal and dominance are
not read.

A category counts as one of our emotions when its published definition names that emotion (see `COUNTERPARTS`). A
person with no such category, or with several that mean different emotions, stays with that problem.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import loadmat

from fer_lib.data.sources import folder
from fer_lib.errors import StudyError
from fer_lib.files import sha256_file

SPLITS = {"train": "train", "val": "validation", "test": "test"}
COUNTERPARTS = {
    "Anger": "anger",
    "Aversion": "disgust",
    "Disapproval": "contempt",
    "Fear": "fear",
    "Happiness": "happiness",
    "Sadness": "sadness",
    "Surprise": "surprise",
}
OTHERS = {
    *("Affection", "Annoyance", "Anticipation", "Confidence", "Disconnection", "Disquietment", "Doubt/Confusion"),
    *("Embarrassment", "Engagement", "Esteem", "Excitement", "Fatigue", "Pain", "Peace", "Pleasure", "Sensitivity"),
    *("Suffering", "Sympathy", "Yearning"),
}
AGES = {"kid": "child"}  # other names stay as they are
PARTS = ("mscoco", "framesdb", "emodb_small", "ade20k")
HOW_TO_GET = "get EMOTIC's pictures and Annotations.mat from its authors"


def find(root: Path) -> list[Path]:
    """Annotations.mat and the folder emotic below `root`.

    Raises
    ------
    StudyError
        When one of the two is missing.
    """
    annotations = folder.below(root, "Annotations.mat")
    if annotations is None:
        raise StudyError(f"DATA_ROOT {root}: no Annotations.mat found; {HOW_TO_GET}.")
    for part in PARTS:
        if pictures := folder.below(root, f"emotic/{part}"):
            return [annotations, pictures.parent]
    raise StudyError(f"DATA_ROOT {root}: no folder emotic with {', '.join(PARTS)} found; {HOW_TO_GET}.")


def read(annotations: Path, pictures: Path, seed: int = 0) -> pd.DataFrame:
    """Read EMOTIC from what `find` returned into a study table.

    Parameters
    ----------
    seed : not used, the splits are the published ones

    Raises
    ------
    StudyError
        When the annotations cannot be read, lack a field, or name an unknown category.
    """
    persons: Counter[str] = Counter()  # of each picture, which may stand in several entries
    rows = []
    for name, entries in _load(annotations).items():
        for number, entry in enumerate(entries, 1):
            place = f"{annotations}: {name}, entry {number}"
            picture = f"{_field(entry, 'folder', place)}/{_field(entry, 'filename', place)}"
            for person in _listed(_field(entry, "person", place)):
                persons[picture] += 1
                row = {"id": f"{picture}#{persons[picture]}", "path": str(pictures / picture), "split": SPLITS[name]}
                rows.append({**row, "source": "emotic", **_person(person, place)})
    return folder.finish(rows, "emotic", seed, {annotations.name: sha256_file(annotations)})


def _load(path: Path) -> dict[str, list[dict]]:
    try:
        structures = loadmat(path, simplify_cells=True)
    except Exception as error:  # damaged bytes make SciPy raise whatever its reader stumbles over
        raise StudyError(f"{path}: not a readable file of MATLAB's ({error}); {HOW_TO_GET} again.") from error
    for name in SPLITS:
        if name not in structures:
            raise StudyError(f"{path}: no {name} in it; {HOW_TO_GET} again.")
    return {name: _listed(structures[name]) for name in SPLITS}


def _listed(value: object) -> list:
    """The elements of an array, which SciPy hands over bare when it is but one."""
    return [value] if isinstance(value, (str, dict)) else list(np.atleast_1d(np.asarray(value, object)))


def _field(structure: object, name: str, place: str) -> object:
    if not isinstance(structure, Mapping) or name not in structure:
        raise StudyError(f"{place}: the field {name!r} is missing; {HOW_TO_GET} again.")
    return structure[name]


def _person(person: dict, place: str) -> dict:
    corners = np.ravel(_field(person, "body_bbox", place))
    label, problem = _emotion(_categories(person, place), place)
    row = {"label": label, "problem": problem, "gender": _word(person, "gender"), "age": _word(person, "age")}
    if len(corners) != 4 or not (corners[2:] > corners[:2]).all():
        return {**row, "problem": "the body's box is empty"}
    return {**row, "subject_box": [*map(float, corners[:2]), *map(float, corners[2:] - corners[:2])]}


def _categories(person: dict, place: str) -> list[str]:
    """What several annotators said together, or what the one said."""
    if "combined_categories" in person:
        return _listed(person["combined_categories"])
    annotators = _listed(_field(person, "annotations_categories", place))
    return [category for one in annotators for category in _listed(_field(one, "categories", place))]


def _emotion(categories: list[str], place: str) -> tuple[str | None, str | None]:
    """The emotion that the categories mean, or None and the problem."""
    unknown = [category for category in categories if category not in OTHERS and category not in COUNTERPARTS]
    if unknown:
        raise StudyError(f"{place}: the category {unknown[0]!r} is unknown; {HOW_TO_GET} again.")
    emotions = sorted({COUNTERPARTS[category] for category in categories if category in COUNTERPARTS})
    if len(emotions) == 1:
        return emotions[0], None
    return None, f"several emotions: {', '.join(emotions)}" if emotions else "none of the study's emotions"


def _word(person: dict, name: str) -> str | None:
    word = str(person.get(name) or "").lower()
    return AGES.get(word, word) or None
