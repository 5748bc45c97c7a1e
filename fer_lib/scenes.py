"""The scene without its person, which SAFER's background and place streams see (paper 000, sections 4.4 and 4.5)."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_lib.data.table import decode_picture, in_threads, resize
from fer_lib.errors import StudyError
from fer_lib.faces.crops import Packed, pack, with_pictures
from fer_lib.faces.prepare import load_faces, person_mask
from fer_lib.files import atomic_write, code_version, content_hash, one_at_a_time

FILLS = ("inpaint", "mean")
MARGIN = 0.02  # share of the longer side by which a person may reach beyond its mask: soft edges, loose hair
FACE_MARGIN = 0.25  # of a face's box on each side: forehead and chin lie outside it
REDUCED = 64  # longer side, in pixels, of the copy in which a hole is filled; at 224 it takes five times as long
RADIUS = 2  # pixels of that copy from which a colour flows into the hole
GREY = 127  # of a scene that is nothing but person


def scene_table(table: pd.DataFrame, faces: Path, size: int, fill: str = "inpaint") -> pd.DataFrame:
    """The study table with scenes of `size` pixels as its pictures, everybody removed; made once and kept.

    Parameters
    ----------
    faces : folder of what `faces.prepare` measured of the table

    Raises
    ------
    StudyError
        When the fill is unknown, the faces in the folder are another table's, or a usable picture could not be read
        when faces were measured: with its person left in, it would be no scene.
    """
    program = code_version(__name__, "fer_lib.data.table:resize", "fer_lib.data.table:encode_picture")
    path = faces.with_name(f"scenes-{content_hash([faces.name, size, fill, program])}.parquet")
    seen = load_faces(faces, ["person", "face_boxes", "face_problem"])
    if seen["id"].tolist() != table["id"].tolist():
        raise StudyError(f"{faces} has the faces of another table; measure this one's first.")
    unseen = seen[seen["person"].isna() & table["problem"].isna().to_numpy()]
    if len(unseen):
        first = unseen.iloc[0]
        again = f"mend it, delete {faces}, and run notebook 01_data_preparation again"
        raise StudyError(f"{first['id']}: no faces could be looked for, {first['face_problem']}; {again}.")
    with one_at_a_time(path):
        scenes = _finished(path)
        if scenes is None:
            scenes = _scenes(table, seen, size, fill)
            with atomic_write(path) as temporary:
                scenes.to_parquet(temporary, index=False, compression=None)
    pairs = zip(scenes["picture"], scenes["picture_hash"], strict=True)
    return with_pictures(table, [None if picture is None else (picture, known) for picture, known in pairs])


def _finished(path: Path) -> pd.DataFrame | None:
    """The scenes that lie there, or None where they are missing or damaged."""
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError):  # of which pyarrow's errors are kinds
        return None


def _scenes(table: pd.DataFrame, seen: pd.DataFrame, size: int, fill: str) -> pd.DataFrame:
    """Picture and its hash of every row; None without a readable picture."""
    masks, boxes = seen["person"].tolist(), seen["face_boxes"].tolist()
    packed: list[Packed | tuple[None, None]] = [(None, None)] * len(table)

    def clear(start: int) -> int:
        rows = table.iloc[start : start + 256]
        for i, data, path in zip(range(start, len(table)), rows["picture"], rows["path"], strict=False):
            if masks[i] is not None:
                picture = decode_picture(data if data is not None else Path(path).read_bytes())
                person = with_faces(person_mask(masks[i], *picture.shape[:2]), boxes[i])
                packed[i] = pack(resize(remove_person(picture, person, fill), size))
        return len(rows)

    in_threads(clear, range(0, len(table), 256), len(table), "removing people")
    return pd.DataFrame(packed, columns=["picture", "picture_hash"])


def with_faces(person: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The mask of people, bool (H, W), with every face that was found, since small people are missed in it.

    Parameters
    ----------
    boxes : x, y, width and height of each face in pixels, flat, as `faces.prepare` has them
    """
    covered = person.copy()
    for x, y, width, height in np.asarray(boxes, float).reshape(-1, 4):
        left, top = max(0, round(x - FACE_MARGIN * width)), max(0, round(y - FACE_MARGIN * height))
        right, bottom = round(x + (1 + FACE_MARGIN) * width), round(y + (1 + FACE_MARGIN) * height)
        covered[top : max(bottom, 0), left : max(right, 0)] = True
    return covered


def remove_person(picture: np.ndarray, person: np.ndarray, fill: str) -> np.ndarray:
    """Take the person out of a picture; the paper does not say what it puts there.

    Parameters
    ----------
    picture : (H, W, 3) uint8, RGB
    person : (H, W) bool, where the person is; `MARGIN` is added all around
    fill : "inpaint" lets what surrounds the hole flow into it (Navier-Stokes, Bertalmio et al. 2001); "mean" paints it
        in the mean colour of what is left, so that the person's outline stays to be seen

    Returns
    -------
    a new picture; what lies outside the hole is as it was

    Raises
    ------
    StudyError
        When the fill is unknown.
    """
    if fill not in FILLS:
        raise StudyError(f"fill {fill!r} is unknown; use one of {', '.join(FILLS)}.")
    hole = _grown(person)
    scene = picture.copy()
    if hole.any():
        filled = _inpainted(picture, hole) if fill == "inpaint" else None
        scene[hole] = _mean_colour(picture[~hole]) if filled is None else filled[hole]
    return scene


def _grown(person: np.ndarray) -> np.ndarray:
    margin = round(MARGIN * max(person.shape))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    return cv2.dilate(person.astype(np.uint8), disc).astype(bool)


def _mean_colour(pixels: np.ndarray) -> np.ndarray | int:
    return pixels.mean(0).round().astype(np.uint8) if len(pixels) else GREY


def _inpainted(picture: np.ndarray, hole: np.ndarray) -> np.ndarray | None:
    """The picture with its hole filled, blurred elsewhere too; None where the reduced copy is all hole."""
    height, width = hole.shape
    scale = min(1, REDUCED / max(height, width))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    # A reduced pixel with anything of the hole in it is hole, or the person's colours would flow back into the scene.
    unknown = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    if unknown.all():
        return None
    reduced = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(reduced, unknown.astype(np.uint8), RADIUS, cv2.INPAINT_NS)
    return cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
