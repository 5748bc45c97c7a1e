"""CK+ (Lucey et al. 2010): 593 sequences of 123 people, each from a neutral face to the peak of an expression.

As published, in folders by subject and sequence:

- `cohn-kanade-images/S005/001/S005_001_00000001.png` and so on, the frames;
- `Emotion/S005/001/S005_001_00000011_emotion.txt`, one of `NUMBERS`, for the 327 sequences that show an emotion;
- `FACS/S005/001/S005_001_00000011_facs.txt`, which may be left out: a line for each action unit at the peak, its number
  and its grade.

As usual, a sequence's last three frames carry its emotion and its first is neutral; those between are not read. The
last three of a sequence without emotion stay with their problem. The peak has its action units: grades 1-5 (A-E)
become 0.2-1, and grade 0, which says that a unit is there but not how strongly, null. Ten folds of subjects make the
splits, see `splits.subject_folds`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from fer_lib.data.sources import folder
from fer_lib.data.splits import split_by_subject
from fer_lib.errors import StudyError

PEAK = 3  # frames at the end that carry the emotion
NUMBERS = {
    0: "neutral",
    1: "anger",
    2: "contempt",
    3: "disgust",
    4: "fear",
    5: "happiness",
    6: "sadness",
    7: "surprise",
}
HOW_TO_GET = "get extended-cohn-kanade-images.zip and Emotion_labels.zip from CK+'s authors"


def find(root: Path) -> list[Path]:
    """The folders cohn-kanade-images and Emotion, and FACS if it is there, below `root`.

    Raises
    ------
    StudyError
        When one of the first two is missing.
    """
    found = [folder.below(root, name) for name in ("cohn-kanade-images", "Emotion", "FACS")]
    for name, path in zip(("cohn-kanade-images", "Emotion"), found, strict=False):
        if path is None:
            raise StudyError(f"DATA_ROOT {root}: no folder {name} found; {HOW_TO_GET}.")
    return [path for path in found if path]


def read(images: Path, emotions: Path, units: Path | None = None, seed: int = 0) -> pd.DataFrame:
    """Read CK+ from what `find` returned into a study table.

    Parameters
    ----------
    seed : chooses who is in which split

    Raises
    ------
    StudyError
        For a label file without a known number, and when there are too few subjects.
    """
    sequences = {path.relative_to(images) for path in images.glob("*/*") if path.is_dir()}
    sequences |= {path.parent.relative_to(emotions) for path in emotions.glob("*/*/*_emotion.txt")}
    rows = [
        row
        for name in sorted(sequences)
        for row in _sequence(images / name, emotions / name, units / name if units else None)
    ]
    return split_by_subject(folder.finish(rows, "ck_plus", seed=None), seed)


def _sequence(images: Path, emotions: Path, units: Path | None) -> Iterator[dict]:
    label_file = next(iter(sorted(emotions.glob("*_emotion.txt"))), None)
    label = _label(label_file) if label_file else None
    frames = sorted(images.glob("*.png"))
    if label_file and not frames:  # the label names the last frame
        frames = [images / label_file.name.replace("_emotion.txt", ".png")]
    if label and len(frames) > 1:
        yield _row(frames[0], "neutral")
    for frame in frames[1:][-PEAK:] or frames:
        problem = None if label else "the sequence is labelled with no emotion"
        yield {**_row(frame, label), "problem": problem, "action_units": _units(units, frame)}


def _row(frame: Path, label: str | None) -> dict:
    subject = frame.parts[-3]
    return {
        "id": frame.stem,
        "source": "ck_plus",
        "path": str(frame),
        "label": label,
        "subject": subject,
        "split": "train",
    }


def _label(path: Path) -> str:
    lines = _numbers(path, 1)
    if len(lines) != 1 or lines[0][0] not in NUMBERS:
        raise StudyError(f"{path}: not one number of {', '.join(map(str, NUMBERS))}; {HOW_TO_GET} again.")
    return NUMBERS[lines[0][0]]


def _units(folder_of_units: Path | None, frame: Path) -> str | None:
    """JSON text of the action units in this frame, None when nobody coded them."""
    if folder_of_units is None or not (path := folder_of_units / f"{frame.stem}_facs.txt").is_file():
        return None
    return json.dumps({f"{unit:g}": min(grade, 5) / 5 if grade else None for unit, grade in _numbers(path, 2)})


def _numbers(path: Path, each: int) -> list[list[float]]:
    """The file's lines, each of so many numbers."""
    try:
        lines = [[float(word) for word in line.split()] for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:  # of which a wrong encoding is a kind
        raise StudyError(f"{path}: not numbers alone ({error}); {HOW_TO_GET} again.") from error
    lines = [line for line in lines if line]
    if any(len(line) != each for line in lines):
        raise StudyError(f"{path}: a line has not {each} number(s); {HOW_TO_GET} again.")
    return lines
