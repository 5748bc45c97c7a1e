"""Videos of people who show an emotion, as frames at `FPS` a second, each a row.

Two forms are read:

- `<subject>/<emotion>/<video>`: ten folds of subjects make the splits, see `splits.subject_folds`;
- `<split>/<emotion>/<video>` with the splits train, test and, if you have it, validation, which is a tenth of train
  otherwise. Who is shown is unknown here, so each video counts as a subject.

Videos end in `ENDINGS`. Every frame carries its video's emotion, also where the face is still at rest. Frames are
written once, lossless, into a folder for each video. A video without a readable frame stays as one row with its
problem.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.sources import folder
from fer_lib.data.splits import carve_validation, split_by_subject
from fer_lib.data.table import encode_picture, in_threads
from fer_lib.emotions import EMOTIONS, parse_emotion
from fer_lib.errors import StudyError
from fer_lib.files import atomic_folder, content_hash

FPS = 10
ENDINGS = (".avi", ".mp4", ".mov", ".webm")


def find(root: Path) -> list[Path]:
    """`root` itself, when it holds videos in one of the two forms.

    Raises
    ------
    StudyError
        When it holds none, or has one of train and test alone.
    """
    if not any(path.suffix.lower() in ENDINGS for path in root.glob("*/*/**/*")):
        raise StudyError(
            f"DATA_ROOT {root}: no video ({', '.join(ENDINGS)}) found; the form is subject/emotion/video or "
            "split/emotion/video."
        )
    return folder.find(root) if folder.split_folders(root) else [root]


def read(
    root: Path,
    frames: Path,
    seed: int = 0,
    dataset: str = "videos",
    parse: Callable[[str], str | None] = parse_emotion,
) -> pd.DataFrame:
    """Read the videos below `root` into a study table.

    Parameters
    ----------
    frames : folder that keeps the frames; those of a video that has not changed are not written again
    seed : chooses who is in which split, or the videos that become validation
    parse : what a folder's name stands for: an emotion, another word for what the study leaves out, None if unknown

    Raises
    ------
    StudyError
        For an unknown or empty emotion folder, and when there are too few subjects or videos.
    """
    splits = folder.split_folders(root)
    people = [] if splits else [(path, "train") for path in sorted(root.iterdir()) if path.is_dir()]
    videos = [
        {"video": video, "label": label, "split": split, "subject": _subject(root, video, bool(splits))}
        for parent, split in splits or people
        for class_folder, label in folder.class_folders(parent, parse)
        for video in folder.files_below(class_folder, ENDINGS, "videos")
    ]
    rows = [row for video in _with_frames(videos, frames) for row in _rows(root, dataset, **video)]
    table = folder.finish(rows, dataset, seed=None)
    if not splits:
        return split_by_subject(table, seed)
    return table if "validation" in set(table["split"]) else carve_validation(table, seed, _validation_share(table))


def _validation_share(table: pd.DataFrame) -> float:
    """A tenth, or a video of each emotion where train has fewer than ten of one."""
    train = table[(table["split"] == "train") & table["problem"].isna()]
    videos = train.groupby("label")["subject"].nunique()
    if videos.min() < 2:
        raise StudyError(
            f"train has a single readable video of {videos.idxmin()!r}, so that none can become validation; add some, "
            "or add a validation folder."
        )
    return max(0.1, 1 / videos.min())


def _subject(root: Path, video: Path, by_split: bool) -> str:
    place = video.relative_to(root)
    return place.as_posix() if by_split else place.parts[0]


def _with_frames(videos: list[dict], frames: Path) -> list[dict]:
    """The videos, each with the paths of its frames."""

    def extract(number: int) -> int:
        video = videos[number]
        video["frames"] = _extracted(video["video"], frames) if video["label"] in EMOTIONS else []
        return 1

    in_threads(extract, range(len(videos)), len(videos), "reading videos")
    return videos


def _rows(
    root: Path, dataset: str, video: Path, label: str, split: str, subject: str, frames: list[Path]
) -> Iterator[dict]:
    name = video.relative_to(root).as_posix()
    row = {"source": dataset, "label": label, "split": split, "subject": subject}
    for frame in frames:
        yield {**row, "id": f"{name}@{frame.stem}", "path": str(frame)}
    if label not in EMOTIONS:
        yield {**row, "id": name, "path": str(video), "label": None, "problem": f"{label} is not one of the emotions"}
    elif not frames:
        yield {**row, "id": name, "path": str(video), "problem": "the video has no readable frame"}


def _extracted(video: Path, frames: Path) -> list[Path]:
    """The frames of a video as PNG files in a folder of its own, named by their time in milliseconds."""
    status = video.stat()
    key = content_hash([str(video), status.st_size, status.st_mtime_ns, FPS])
    place = frames / f"{video.stem}-{key}"
    if not place.is_dir():
        with atomic_folder(place) as new:
            for time, picture in read_frames(video):
                (new / f"{time:08d}ms.png").write_bytes(encode_picture(picture))
    return sorted(place.glob("*.png"))


def read_frames(video: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Time in milliseconds and RGB picture of the first frame in each tenth of a second."""
    import cv2  # which a bare training machine lacks

    capture = cv2.VideoCapture(str(video))
    try:
        number = due = 0
        while capture.grab():
            # not all containers know the time of a frame, nor how many a second they hold
            time = capture.get(cv2.CAP_PROP_POS_MSEC) or 1000 * number / (capture.get(cv2.CAP_PROP_FPS) or FPS)
            number += 1
            if round(time) >= due:
                readable, picture = capture.retrieve()
                if readable:
                    yield round(time), cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
                    due = (round(time) * FPS // 1000 + 1) * 1000 // FPS
    finally:
        capture.release()
