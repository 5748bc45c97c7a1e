"""From measured faces to what a network is shown: squares around faces, or faces turned upright."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_lib.data.table import crop, decode_picture, encode_picture, in_threads, picture_hash, resize
from fer_lib.faces.geometry import EYES
from fer_lib.faces.prepare import mesh_of

MARGIN = 1.1  # side of the square, in extents of the mesh; as the boxes of drawn faces
BOX_MARGIN = 1.3  # the same in sides of BlazeFace's box, which leaves out the forehead
TIGHT = 0.6  # a data set whose faces are, in the middle, this share of the picture's shorter side shows nothing else

Packed = tuple[bytes, str]  # a picture's bytes and its hash, as the study table has them


def face_table(table: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """The study table with the square around the face that was found as its `box`.

    Where none was found the table's own box stays. A data set of nothing but faces is left as it is: its pictures are
    crops already.

    Parameters
    ----------
    faces : what `faces.prepare` measured of the table
    """
    if shows_faces_alone(table, faces):
        return table
    boxes = [own if square is None else square for square, own in zip(squares_of(faces), table["box"], strict=True)]
    cut = table.assign(box=pd.Series(boxes, index=table.index, dtype=object))
    cut.attrs = dict(table.attrs)
    return cut


def shows_faces_alone(table: pd.DataFrame, faces: pd.DataFrame) -> bool:
    """Whether the pictures of a data set are crops of faces: no box is named, and faces fill them, or none is found."""
    sides = [np.nan if square is None else square[2] for square in squares_of(faces)]
    shares = (pd.Series(sides, dtype=float) / faces[["height", "width"]].min(axis=1).to_numpy()).dropna()
    return bool(table["box"].isna().all() and (shares.empty or shares.median() >= TIGHT))


def squares_of(faces: pd.DataFrame) -> list[list[float] | None]:
    """x, y and side of a square around each face, in pixels: from its mesh, else from its box; None without a face."""
    return [_square_around(*row) for row in zip(faces["landmarks"], faces["face_box"], strict=True)]


def _square_around(landmarks: bytes | None, box: np.ndarray | None) -> list[float] | None:
    if landmarks is not None:
        points = mesh_of(landmarks)[:, :2]
        low, high = points.min(0), points.max(0)
        return _square((low + high) / 2, MARGIN * float((high - low).max()))
    return None if box is None else _square(box[:2] + box[2:] / 2, BOX_MARGIN * float(box[2:].max()))


def _square(centre: np.ndarray, side: float) -> list[float]:
    return [float(centre[0] - side / 2), float(centre[1] - side / 2), side]


def aligned_table(table: pd.DataFrame, faces: pd.DataFrame, size: int) -> pd.DataFrame:
    """The study table with upright faces of `size` pixels as its pictures, and no box.

    Faces without a mesh are cut out as they stand, pictures without a face are shown whole; a row without a readable
    picture stays as it is.
    """
    squares, landmarks, readable = squares_of(faces), faces["landmarks"].tolist(), faces["height"].to_numpy() > 0
    packed: list[Packed | None] = [None] * len(table)

    def turn(start: int) -> int:
        rows = table.iloc[start : start + 256]
        for i, data, path in zip(range(start, len(table)), rows["picture"], rows["path"], strict=False):
            if readable[i]:
                picture = decode_picture(data if data is not None else Path(path).read_bytes())
                mesh = None if landmarks[i] is None else mesh_of(landmarks[i])
                packed[i] = pack(aligned(picture, squares[i], mesh, size))
        return len(rows)

    in_threads(turn, range(0, len(table), 256), len(table), "aligning faces")
    return with_pictures(table, packed)


def pack(picture: np.ndarray) -> Packed:
    """The picture as the study table has it."""
    return encode_picture(picture), picture_hash(picture)


def with_pictures(table: pd.DataFrame, packed: Sequence[Packed | None]) -> pd.DataFrame:
    """The study table with other pictures, and no box; a row whose picture is None keeps its own."""
    new = table.assign(box=None)
    for place, column in enumerate(("picture", "picture_hash")):
        values = [own if other is None else other[place] for own, other in zip(table[column], packed, strict=True)]
        new[column] = pd.Series(values, index=table.index, dtype=object)
    new.attrs = dict(table.attrs)
    return new


def aligned(picture: np.ndarray, square: Sequence[float] | None, mesh: np.ndarray | None, size: int) -> np.ndarray:
    """The face turned until its eyes are level, uint8 (size, size, 3); without a mesh, the square as it stands.

    Parameters
    ----------
    square : x, y and side around the face in pixels; None for the whole picture
    mesh : landmarks (478, 2 or more) in pixels, or None
    """
    if square is None:
        return resize(picture, size)
    if mesh is None:
        return resize(crop(picture, square), size)
    left, right = (mesh[list(corners), :2].mean(0) for corners in EYES)
    roll = np.degrees(np.arctan2(*(left - right)[::-1]))
    # First smoothed and reduced, in a square that holds the other however it is turned, then turned.
    centre = np.array(square[:2]) + square[2] / 2
    x, y, side = np.round(_square(centre, np.sqrt(2) * square[2]))
    wide = resize(crop(picture, (x, y, side)), round(np.sqrt(2) * size))
    factor = len(wide) / max(side, 1)
    middle = (centre - (x, y) + 0.5) * factor - 0.5
    turn = cv2.getRotationMatrix2D(middle, roll, size / square[2] / factor)
    turn[:, 2] += (size - 1) / 2 - middle
    return cv2.warpAffine(wide, turn, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
