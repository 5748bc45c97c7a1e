"""Study tables with a cover on every face.

Where no mesh was found, the cover lies where faces are on average, and the row says so: no picture is dropped, as 30 %
were in paper 003.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.table import decode_picture, in_threads, table_hash
from fer_lib.faces.crops import Packed, pack, with_pictures
from fer_lib.faces.fabric import MASKS
from fer_lib.faces.occlude import average_mesh, cover
from fer_lib.faces.prepare import mesh_of
from fer_lib.files import atomic_write, code_version, content_hash, one_at_a_time

PART = 64  # pictures that a thread covers at once
PROGRAM = ("faces.covered", "faces.occlude", "faces.fabric", "faces.crops:with_pictures", "faces.crops:pack")
PROGRAM += ("synthetic.mesh:neutral", "data.table:decode_picture", "data.table:encode_picture")
PLACES = ("landmarks", "face_box", "height", "width")  # what is asked of measured faces
TOLD = ("cover", "cover_fitted", "cover_outlines")


def covered_table(
    table: pd.DataFrame, faces: pd.DataFrame, seed: int, cache: Path, kinds: Sequence[str] = MASKS
) -> pd.DataFrame:
    """The study table with a cover on every face; made once and cached.

    Parameters
    ----------
    faces : what `faces.prepare` measured of the table
    seed : which decides, with each picture's id, on kind, colour and pattern
    kinds : of `fabric.COVERS`, of which each picture gets one

    Returns
    -------
    study table with the same rows and boxes, and the columns cover (its kind), cover_fitted (whether a mesh told where;
    else it lies where it does on average) and cover_outlines (polygons, each x and y in turn, in pixels); a row with
    a problem stays as it is
    """
    program = code_version(*(f"fer_lib.{part}" for part in PROGRAM))
    key = content_hash([table_hash(table), places_hash(faces), seed, list(kinds), program])
    path = cache / f"covered-{key}.parquet"
    with one_at_a_time(path):
        if not path.exists():
            with atomic_write(path) as temporary:
                _cover_all(table, faces, seed, kinds).to_parquet(temporary, index=False, compression="zstd")
    made = pd.read_parquet(path).astype(object)
    made = made.where(made.notna(), None).set_index(table.index)
    covered = table.assign(**{name: made[name] for name in made})
    covered.attrs = dict(table.attrs)
    return covered


def _cover_all(table: pd.DataFrame, faces: pd.DataFrame, seed: int, kinds: Sequence[str]) -> pd.DataFrame:
    """Pictures with their hashes, and what is told of their covers, in the order of the table."""
    packed: list[Packed | None] = [None] * len(table)
    told: list[tuple] = [(None,) * len(TOLD)] * len(table)
    rows = table[["id", "picture", "path", "box", "problem"]].to_dict("records")
    seen = list(zip(rows, faces["landmarks"], faces["face_box"], strict=True))

    def draw(start: int) -> int:
        part = seen[start : start + PART]
        for i, (row, landmarks, face_box) in enumerate(part, start):
            if row["problem"] is None:
                rng = np.random.default_rng((seed, *row["id"].encode()))
                packed[i], told[i] = _cover_row(row, landmarks, face_box, str(rng.choice(list(kinds))), rng)
        return len(part)

    in_threads(draw, range(0, len(table), PART), len(table), "covering faces")
    covered = with_pictures(table, packed)[["picture", "picture_hash"]].reset_index(drop=True)
    for place, name in enumerate(TOLD):
        covered[name] = pd.Series([values[place] for values in told], dtype=object)
    return covered


def _cover_row(
    row: dict, landmarks: bytes | None, face_box: np.ndarray | None, kind: str, rng: np.random.Generator
) -> tuple[Packed, tuple[str, bool, list[list[float]]]]:
    """The covered picture, and what is told of it."""
    data = row["picture"] if row["picture"] is not None else Path(row["path"]).read_bytes()
    picture = _kept_grey(decode_picture(data))
    fitted = landmarks is not None
    mesh = mesh_of(landmarks) if fitted else average_mesh(row["box"], face_box, picture.shape)
    covered = cover(picture, mesh, kind, rng)
    return pack(covered.picture), (kind, fitted, [outline.ravel().tolist() for outline in covered.outlines])


def places_hash(faces: pd.DataFrame) -> str:
    """Hash of where the faces were found."""
    places = hashlib.sha256()
    for landmarks, box in zip(faces["landmarks"], faces["face_box"], strict=True):
        places.update(b"-" if landmarks is None else landmarks)
        places.update(b"-" if box is None else np.asarray(box, np.float32).tobytes())
    return places.hexdigest()


def _kept_grey(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) without colour as (H, W), as grey pictures are stored."""
    grey = (picture[..., 0] == picture[..., 1]).all() and (picture[..., 0] == picture[..., 2]).all()
    return np.ascontiguousarray(picture[..., 0]) if grey else picture
