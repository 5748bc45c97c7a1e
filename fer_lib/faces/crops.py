"""From measured faces to what a network is shown: squares around faces, or faces turned upright."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_lib.data.table import crop, decode_picture, encode_picture, in_threads, picture_hash, resize
from fer_lib.faces.geometry import EYES
from fer_lib.faces.prepare import landmarks_of

MARGIN = 1.1  # side of the square, in extents of the mesh; as the boxes of drawn faces
BOX_MARGIN = 1.3  # the same in sides of BlazeFace's box, which leaves out the forehead
TIGHT = 0.6  # a data set whose faces are, in the middle, this share of the picture's shorter side shows nothing else


def face_table(table: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """The study table with the square around the face that was found as its `box`.

    Where none was found the table's own box stays. A data set of nothing but faces is left as it is: its pictures are
    crops already.

    Parameters
    ----------
    faces : what `faces.prepare` measured of the table
    """
    squares = [
        square if square is not None else box for square, box in zip(squares_of(faces), table["box"], strict=True)
    ]
    if shows_faces_alone(table, faces):
        return table
    cut = table.assign(box=pd.Series(squares, index=table.index, dtype=object))
    cut.attrs = dict(table.attrs)
    return cut


def shows_faces_alone(table: pd.DataFrame, faces: pd.DataFrame) -> bool:
    """Whether the pictures of a data set are crops of faces: no box is named, and faces fill them."""
    if table["box"].notna().any():
        return False
    sides = np.array([np.nan if square is None else square[2] for square in squares_of(faces)])
    shares = sides / faces[["height", "width"]].min(1).to_numpy(float)
    return bool(np.nanmedian(np.append(shares, np.nan)) >= TIGHT) if np.isfinite(shares).any() else False


def squares_of(faces: pd.DataFrame) -> list[list[float] | None]:
    """x, y and side of a square around each face, in pixels: from its mesh, else from its box; None without a face."""
    points = landmarks_of(faces["landmarks"])[..., :2]
    low, high = points.min(1), points.max(1)
    found = []
    for a, b, box in zip(low, high, faces["face_box"], strict=True):
        if np.isfinite(a).all():
            found.append(_square((a + b) / 2, MARGIN * float((b - a).max())))
        else:
            found.append(None if box is None else _square(box[:2] + box[2:] / 2, BOX_MARGIN * float(box[2:].max())))
    return found


def aligned_table(table: pd.DataFrame, faces: pd.DataFrame, size: int) -> pd.DataFrame:
    """The study table with upright faces of `size` pixels as its pictures, and no box.

    Faces without a mesh are cut out as they stand; a row without a readable picture stays as it is.
    """
    squares, meshes = squares_of(faces), landmarks_of(faces["landmarks"])
    pictures: list[np.ndarray | None] = [None] * len(table)

    def cut(start: int) -> int:
        rows = table.iloc[start : start + 256]
        for i, data, path, problem in zip(
            range(start, len(table)), rows["picture"], rows["path"], rows["problem"], strict=False
        ):
            if problem is None:
                picture = decode_picture(data if data is not None else Path(path).read_bytes())
                pictures[i] = aligned(picture, squares[i], meshes[i], size)
        return len(rows)

    in_threads(cut, range(0, len(table), 256), len(table), "aligning faces")
    return with_pictures(table, pictures)


def with_pictures(table: pd.DataFrame, pictures: Sequence[np.ndarray | None]) -> pd.DataFrame:
    """The study table with other pictures, and no box; a row whose picture is None stays as it is."""
    old = table[["picture", "picture_hash"]].to_numpy()
    new = [row if p is None else (encode_picture(p), picture_hash(p)) for p, row in zip(pictures, old, strict=True)]
    shown = table.assign(box=None).astype(object)
    shown[["picture", "picture_hash"]] = pd.DataFrame(new, index=table.index, columns=["picture", "picture_hash"])
    shown.attrs = dict(table.attrs)
    return shown


def aligned(picture: np.ndarray, square: Sequence[float] | None, mesh: np.ndarray, size: int) -> np.ndarray:
    """The face turned until its eyes are level, uint8 (size, size, 3); without a mesh, the square as it stands.

    Parameters
    ----------
    square : x, y and side around the face in pixels; None for the whole picture
    mesh : landmarks (478, 2 or more) in pixels, or NaN
    """
    if square is None:
        return resize(picture, size)
    if not np.isfinite(mesh).all():
        return resize(crop(picture, square), size)
    left, right = (mesh[list(corners), :2].mean(0) for corners in EYES)
    roll = np.degrees(np.arctan2(*(left - right)[::-1]))
    x, y, side = square
    turn = cv2.getRotationMatrix2D((x + side / 2, y + side / 2), roll, size / side)
    turn[:, 2] += size / 2 - np.array([x + side / 2, y + side / 2])
    flags = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return cv2.warpAffine(picture, turn, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _square(centre: np.ndarray, side: float) -> list[float]:
    return [float(centre[0] - side / 2), float(centre[1] - side / 2), side]
