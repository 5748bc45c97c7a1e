"""Every picture of a study table through the three networks: one row of measurements for each, in shards on disk.

| column | meaning |
| --- | --- |
| id, height, width | of the study table's picture; pixels |
| faces, face_boxes, face_scores | how many BlazeFace found; x, y, width, height of each, flat; how sure it is |
| face_box, face_score | of the subject's; missing where none was found |
| landmarks | float32 bytes of Face Mesh, (478, 3), in pixels of the picture |
| au, visible | distances of action-unit centres (66) and visible features (16), see `faces.geometry` |
| person | PNG bytes of the mask of people |
| face_problem | why there is no mesh |
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed

from fer_lib.data.table import decode_picture, table_hash
from fer_lib.errors import StudyError
from fer_lib.faces.detect import N_LANDMARKS, Sight, look
from fer_lib.faces.geometry import au_distances, visible_features
from fer_lib.files import atomic_write, code_version, content_hash, one_at_a_time
from fer_lib.progress import progress

SHARD = 128  # pictures that an interrupted preparation loses at most, in each process
SEEN = ("id", "picture", "path", "problem", "box", "subject_box")


def prepare_faces(table: pd.DataFrame, cache: Path, processes: int | None = None) -> Path:
    """Measure the faces of all pictures of the table; go on where an earlier call was interrupted.

    The work is spread by joblib: over processes here, over a cluster inside `joblib.parallel_config("dask")`.
    Memory does not grow with the number of pictures.

    Parameters
    ----------
    cache : folder below which the measurements are kept
    processes : as many as there are usable cores unless given

    Returns
    -------
    folder of shards, for `load_faces`
    """
    folder = cache / f"faces-{_key(table)}"
    with one_at_a_time(folder):
        starts = [start for start in range(0, len(table), SHARD) if not _shard(folder, start).exists()]
        seen = table[[name for name in SEEN if name in table]]
        if not starts:
            return folder
        tasks = (delayed(_prepare_shard)(seen.iloc[start : start + SHARD], _shard(folder, start)) for start in starts)
        pool = Parallel(processes or min(cpu_count(), len(starts)), return_as="generator_unordered")
        first = len(table) - sum(min(SHARD, len(table) - start) for start in starts)
        with progress(total=len(table), initial=first, description="finding faces", unit="picture") as bar:
            for done in pool(tasks):
                bar.update(done)
    return folder


def load_faces(folder: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The measurements, one row a picture in the order of the table.

    Parameters
    ----------
    columns : those that are read, beside `id`; all unless given

    Raises
    ------
    StudyError
        When a shard is missing or damaged.
    """
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise StudyError(f"{folder}: no face has been measured yet; run notebook 01_data_preparation first.")
    names = None if columns is None else ["id", *columns]
    try:
        return pd.concat([pd.read_parquet(path, columns=names) for path in paths], ignore_index=True)
    except (OSError, ValueError) as error:
        raise StudyError(f"{folder} has a damaged shard ({error}); delete the folder and run again.") from error


def matrix(column: pd.Series, width: int) -> np.ndarray:
    """A column of lists as float32 (N, width); NaN where there is none."""
    nothing = np.full(width, np.nan, np.float32)
    return np.stack([nothing if value is None else np.asarray(value, np.float32) for value in column])


def landmarks_of(column: pd.Series) -> np.ndarray:
    """The column `landmarks` as float32 (N, 478, 3); NaN where there is no mesh."""
    values = column.map(lambda data: None if data is None else np.frombuffer(data, np.float32))
    return matrix(values, 3 * N_LANDMARKS).reshape(-1, N_LANDMARKS, 3)


def person_mask(data: bytes, height: int, width: int) -> np.ndarray:
    """The mask of people, bool (height, width), of a picture of that size."""
    mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 127


def _key(table: pd.DataFrame) -> str:
    parts = ("faces.detect", "faces.geometry", "faces.prepare", "data.table:crop", "data.table:resize")
    program = code_version(*(f"fer_lib.{part}" for part in parts), "fer_lib.data.table:decode_picture")
    places = table["subject_box"].astype(str).tolist() if "subject_box" in table else []
    return content_hash([table_hash(table), places, program, version("mediapipe"), SHARD])


def _shard(folder: Path, start: int) -> Path:
    return folder / f"{start:08d}.parquet"


def _prepare_shard(rows: pd.DataFrame, path: Path) -> int:
    """Measure the rows into one file; how many there were."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        measured = pd.DataFrame([measure(row) for row in rows.to_dict("records")])
    finally:
        cv2.setNumThreads(threads)
    with atomic_write(path) as temporary:
        measured.to_parquet(temporary, index=False)
    return len(rows)


def measure(row: dict) -> dict:
    """One row of a study table, measured. A picture that cannot be read has a `face_problem`; nothing is raised."""
    try:
        data = row["picture"] if row["picture"] is not None else Path(row["path"]).read_bytes()
        picture = decode_picture(data)
    except (OSError, ValueError, TypeError) as error:
        return {"id": row["id"], "height": 0, "width": 0} | _described(None, f"unreadable picture ({error})")
    sight = look(picture, _place(row))
    return {"id": row["id"], "height": len(picture), "width": picture.shape[1]} | _described(sight, sight.problem)


def _place(row: dict) -> Sequence[float] | None:
    """x, y, width and height of where the table says that the subject is."""
    if row.get("subject_box") is not None:
        return row["subject_box"]
    return None if row["box"] is None else (row["box"][0], row["box"][1], row["box"][2], row["box"][2])


def _described(sight: Sight | None, problem: str | None) -> dict:
    row = dict.fromkeys(("face_box", "face_score", "landmarks", "au", "visible", "person"))
    row = {"faces": 0, "face_boxes": [], "face_scores": [], **row, "face_problem": problem}
    if sight is None:
        return row
    row |= {"faces": len(sight.boxes), "face_boxes": sight.boxes.ravel(), "face_scores": sight.scores}
    row["person"] = cv2.imencode(".png", sight.person * np.uint8(255), [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
    if sight.subject is not None:
        row |= {"face_box": sight.boxes[sight.subject], "face_score": float(sight.scores[sight.subject])}
    if sight.landmarks is not None:
        row |= {"landmarks": sight.landmarks.tobytes(), "au": au_distances(sight.landmarks).astype(np.float32)}
        row["visible"] = visible_features(sight.landmarks).astype(np.float32)
    return row
