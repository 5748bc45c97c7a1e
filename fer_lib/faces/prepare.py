"""Every picture of a study table through the three networks: one row of measurements for each, in shards on disk.

| column | meaning |
| --- | --- |
| id, height, width | of the study table's picture; pixels |
| faces, face_boxes, face_scores | how many BlazeFace found; x, y, width, height of each, flat; how sure it is |
| face_box, face_score | of the subject's; missing where none was found |
| landmarks | float32 bytes of Face Mesh, (478, 3), in pixels of the picture, whole numbers at their centres |
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
import pyarrow as pa
from joblib import Parallel, cpu_count, delayed
from pyarrow import parquet

from fer_lib.data.table import decode_picture, table_hash
from fer_lib.errors import StudyError
from fer_lib.faces.detect import N_LANDMARKS, look
from fer_lib.faces.geometry import au_distances, visible_features
from fer_lib.files import atomic_write, code_version, content_hash, one_at_a_time
from fer_lib.progress import progress

SHARD = 64  # pictures that an interrupted preparation loses at most, in each process
SEEN = ["id", "picture", "path", "box", "subject_box"]
FLOATS = pa.list_(pa.float32())
SCHEMA = pa.schema(
    {
        **{"id": pa.string(), "height": pa.int32(), "width": pa.int32(), "faces": pa.int32()},
        **{"face_boxes": FLOATS, "face_scores": FLOATS, "face_box": FLOATS, "face_score": pa.float32()},
        **{"landmarks": pa.binary(), "au": FLOATS, "visible": FLOATS, "person": pa.binary()},
        "face_problem": pa.string(),
    }
)


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
    folder, seen = cache / f"faces-{_key(table)}", table[SEEN]
    with one_at_a_time(folder):
        parts = [(path, seen.iloc[start : start + SHARD]) for start, path in _shards(folder, len(table))]
        missing = [(path, rows) for path, rows in parts if not _is_whole(path, len(rows))]
        if not missing:
            return folder
        pool = Parallel(processes or min(cpu_count(), len(missing)), return_as="generator_unordered")
        tasks = (delayed(_prepare_shard)(path, rows) for path, rows in missing)
        first = len(table) - sum(len(rows) for _, rows in missing)
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
        When a shard is missing or damaged, or a column is unknown.
    """
    anyone = next(folder.glob("[0-9]*.parquet"), None)
    if anyone is None:
        raise StudyError(f"{folder}: no face has been measured yet; run notebook 01_data_preparation first.")
    unknown = [name for name in columns or () if name not in SCHEMA.names]
    if unknown:
        raise StudyError(f"column {unknown[0]!r} is none of the faces'; use {', '.join(SCHEMA.names)}.")
    names = None if columns is None else ["id", *columns]
    shards = [_load_shard(path, names) for _, path in _shards(folder, int(anyone.stem.split("-of-")[1]))]
    return pd.concat(shards, ignore_index=True)


def _load_shard(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=columns)
    except FileNotFoundError:
        raise StudyError(f"{path} is missing; run notebook 01_data_preparation again.") from None
    except (OSError, ValueError) as error:
        again = "delete it and run notebook 01_data_preparation again"
        raise StudyError(f"{path} is damaged ({error}); {again}.") from error


def measure(table: pd.DataFrame) -> pd.DataFrame:
    """The measurements of a study table's pictures, at once and without a file, as `load_faces` gives them."""
    return _measure(table).to_pandas()


def matrix(column: pd.Series, width: int) -> np.ndarray:
    """A column of lists as float32 (N, width); NaN where there is none."""
    nothing = np.full(width, np.nan, np.float32)
    return np.array([nothing if value is None else value for value in column], np.float32).reshape(-1, width)


def landmarks_of(column: pd.Series) -> np.ndarray:
    """The column `landmarks` as float32 (N, 478, 3); NaN where there is no mesh."""
    meshes = np.full((len(column), N_LANDMARKS, 3), np.nan, np.float32)
    for mesh, data in zip(meshes, column, strict=True):
        if data is not None:
            mesh[:] = mesh_of(data)
    return meshes


def mesh_of(data: bytes) -> np.ndarray:
    """One value of the column `landmarks` as float32 (478, 3)."""
    return np.frombuffer(data, np.float32).reshape(N_LANDMARKS, 3)


def person_mask(data: bytes, height: int, width: int) -> np.ndarray:
    """The mask of people, bool (height, width), of a picture of that size."""
    mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) > 127


def _key(table: pd.DataFrame) -> str:
    """Hash of what is measured and how; labels and splits do not count."""
    parts = ("faces.detect", "faces.geometry", "faces.networks", "faces.prepare")
    parts += tuple(f"data.table:{name}" for name in ("crop", "decode_picture", "_open_picture"))
    program = code_version(*(f"fer_lib.{part}" for part in parts))
    shown = table_hash(table.assign(label=None, votes=None, split=None))
    return content_hash([shown, program, version("mediapipe"), SHARD])


def _shards(folder: Path, total: int) -> list[tuple[int, Path]]:
    """First row and file of each part of a table with `total` rows."""
    return [(start, folder / f"{start:08d}-of-{total:08d}.parquet") for start in range(0, total, SHARD)]


def _is_whole(path: Path, rows: int) -> bool:
    try:
        return parquet.read_metadata(path).num_rows == rows
    except (OSError, ValueError):  # of which pyarrow's errors are kinds
        return False


def _prepare_shard(path: Path, rows: pd.DataFrame) -> int:
    """Measure the rows into one file; how many there were."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        measured = _measure(rows)
    finally:
        cv2.setNumThreads(threads)
    with atomic_write(path) as temporary:  # not compressed: PNGs and the digits of numbers become no smaller
        parquet.write_table(measured, temporary, compression="none", use_dictionary=False)
    return len(rows)


def _measure(table: pd.DataFrame) -> pa.Table:
    rows = [_look_at(row) for row in table[SEEN].to_dict("records")]
    meshes = landmarks_of(pd.Series([row.get("landmarks") for row in rows], dtype=object))
    for row, au, visible in zip(rows, au_distances(meshes), visible_features(meshes), strict=True):
        if "landmarks" in row:
            row |= {"au": au, "visible": visible}
    return pa.Table.from_pylist(rows, SCHEMA)


def _look_at(row: dict) -> dict:
    """What is seen in the picture of a row; one that cannot be read has a `face_problem`, and nothing is raised."""
    try:
        picture = _read(row["picture"], row["path"])
    except (OSError, ValueError) as error:
        problem = f"unreadable picture ({getattr(error, 'strerror', None) or error})"
        nothing = {"height": 0, "width": 0, "faces": 0, "face_boxes": [], "face_scores": []}
        return {"id": row["id"], **nothing, "face_problem": problem}
    sight = look(picture, _place(row["box"], row["subject_box"]))
    seen = {"id": row["id"], "height": len(picture), "width": picture.shape[1], "face_problem": sight.problem}
    seen |= {"faces": len(sight.boxes), "face_boxes": sight.boxes.ravel(), "face_scores": sight.scores}
    seen["person"] = cv2.imencode(".png", sight.person * np.uint8(255), [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
    if sight.subject is not None:
        seen |= {"face_box": sight.boxes[sight.subject], "face_score": sight.scores[sight.subject]}
    if sight.landmarks is not None:
        seen["landmarks"] = sight.landmarks.tobytes()
    return seen


def _read(data: bytes | None, path: str | None) -> np.ndarray:
    if data is None and path is None:
        raise ValueError("neither bytes nor a path")
    return decode_picture(data if data is not None else Path(path).read_bytes())


def _place(box: Sequence[float] | None, subject_box: Sequence[float] | None) -> Sequence[float] | None:
    """x, y, width and height of where the table says that the subject is."""
    if subject_box is not None:
        return subject_box
    return None if box is None else (box[0], box[1], box[2], box[2])
