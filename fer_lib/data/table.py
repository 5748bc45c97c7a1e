"""The study table: one row per picture, on disk as Parquet.

| column | meaning |
| --- | --- |
| id | unique name of the picture inside its source |
| source | which reader made the row |
| picture / path | the picture's own bytes (PNG, lossless), or where its file lies |
| label | an emotion of `fer_lib.emotions`; missing where annotators found none |
| votes | share of annotators' votes per emotion, in the order of `EMOTIONS`; missing without annotators |
| subject | who is shown; missing where unknown |
| split | train, validation or test |
| picture_hash | hash of size and pixels: equal for equal pictures, whatever their file format |
| problem | why the row cannot be used; such rows are counted, never dropped |
| place / place_attributes | the place shown, and a list of what it is like; all below only where the source knows |
| age / gender / skin_tone | of the person shown; the tone is 1-10 on the Monk Skin Tone scale |
| action_units | JSON text: intensity 0-1 of each active facial action unit, null where it is not known |
| box | x, y and side of a square around the face, in pixels of the picture; missing: the whole picture shows the face |
| subject_box | x, y, width and height of the subject's body, in pixels of the picture; missing where not annotated |
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from fer_lib.errors import StudyError
from fer_lib.files import atomic_write
from fer_lib.progress import progress

SPLITS = ("train", "validation", "test")
COLUMNS = (
    *("id", "source", "picture", "path", "label", "votes", "subject", "split", "picture_hash", "problem"),
    *("place", "place_attributes", "age", "gender", "skin_tone", "action_units", "box", "subject_box"),
)
LATER = {"subject_box"}  # columns that a table which was saved before they were known lacks
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")


def make_table(rows: pd.DataFrame | list[dict], dataset: str, files: dict[str, str] | None = None) -> pd.DataFrame:
    """Put rows into the form of the study table.

    Parameters
    ----------
    rows : columns of the study table; what is missing is filled with None
    dataset : name kept in `table.attrs`
    files : {name: sha256} of the files that were read, kept in `table.attrs` for the manifest

    Raises
    ------
    StudyError
        When an id stands twice or a split has an unknown name.
    """
    table = pd.DataFrame(rows).reindex(columns=COLUMNS).astype(object)
    table = table.where(table.notna(), None)
    repeated = table["id"][table["id"].duplicated()]
    if len(repeated):
        raise StudyError(f"{dataset}: the picture id {repeated.iloc[0]!r} stands twice; ids must be unique.")
    unknown = set(table["split"]) - set(SPLITS)
    if unknown:
        raise StudyError(f"{dataset}: {sorted(unknown)[0]!r} is no split; use one of {', '.join(SPLITS)}.")
    table.attrs = {"dataset": dataset, "files": files or {}}
    return table


def save_table(table: pd.DataFrame, path: Path | str) -> None:
    """Write the table as Parquet, whole or not at all."""
    with atomic_write(path) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd")


def load_table(path: Path | str) -> pd.DataFrame:
    """Read a table that `save_table` wrote.

    Raises
    ------
    StudyError
        When the file is missing or is no study table.
    """
    try:
        table = pd.read_parquet(path)
    except FileNotFoundError:
        raise StudyError(f"{path} is missing; run notebook 01_data_preparation first.") from None
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} is no readable Parquet file ({error}); delete it and run again.") from error
    missing = [column for column in COLUMNS if column not in table]
    if not LATER.issuperset(missing):
        raise StudyError(f"{path} is no study table; delete it and run notebook 01_data_preparation again.")
    for column in missing:
        table[column] = None
    return table


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows without a problem, numbered anew; `attrs` are kept."""
    return table[table["problem"].isna()].reset_index(drop=True)


def table_hash(table: pd.DataFrame) -> str:
    """Hash of what a training can see: ids, labels, votes, splits, pictures and boxes; 16 hexadecimal digits."""
    seen = table[["id", "label", "split", "picture_hash", "problem"]].astype(str)
    seen = seen.assign(votes=table["votes"].map(lambda v: "" if v is None else np.round(v, 6).tobytes().hex()))
    for column in ("box", "subject_box"):
        if table[column].notna().any():  # a table without any keeps the hash that its runs are stored under
            numbers = table[column].map(lambda b: "" if b is None else np.asarray(b, float).tobytes().hex())
            seen = seen.assign(**{column: numbers})
    return hashlib.sha256(pd.util.hash_pandas_object(seen, index=False).to_numpy().tobytes()).hexdigest()[:16]


def picture_hash(picture: np.ndarray) -> str:
    """Hash of a picture's shape and pixels; 16 hexadecimal digits."""
    return hashlib.blake2b(picture.tobytes() + str(picture.shape).encode(), digest_size=8).hexdigest()


def encode_picture(picture: np.ndarray) -> bytes:
    """PNG bytes of a uint8 picture, (height, width) grey or (height, width, 3) RGB. Lossless."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def decode_picture(data: bytes, grey: bool = False) -> np.ndarray:
    """The uint8 picture in `data`, upright: (height, width, 3) RGB, or (height, width) when `grey`.

    Of 16-bit pictures the upper 8 bits are taken; transparency is left out.

    Raises
    ------
    ValueError
        When the bytes are no whole picture of `FORMATS`, or one of 32 bits a value.
    """
    try:
        image = _open_picture(data)
    except Exception as error:  # damaged bytes make Pillow raise whatever its readers of formats stumble over
        raise ValueError("not a readable picture") from error  # which some name by its address in memory
    return np.array(image.convert("L" if grey else "RGB"))


def _open_picture(data: bytes) -> Image.Image:
    """Pillow's view of an encoded picture, upright, 8 bits a channel."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("values of 32 bits have no known range")
    return image if image.mode == "L" else image.convert("RGB")


def load_pictures(table: pd.DataFrame, size: int = 48, grey: bool = True) -> np.ndarray:
    """All pictures of the table in one array: each one's box, or the whole picture, resized to a square.

    Returns
    -------
    uint8 array, (N, size, size) when `grey`, else (N, size, size, 3) RGB
    """
    shape = (len(table), size, size) if grey else (len(table), size, size, 3)
    pictures = np.empty(shape, np.uint8)

    def load(start: int) -> int:
        rows = table.iloc[start : start + 512]
        for i, data, path, box in zip(
            range(start, len(table)), rows["picture"], rows["path"], rows["box"], strict=False
        ):
            picture = decode_picture(data if data is not None else Path(path).read_bytes(), grey)
            pictures[i] = resize(picture if box is None else crop(picture, box), size)
        return len(rows)

    in_threads(load, range(0, len(table), 512), len(table), "reading pictures")
    return pictures


def crop(picture: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """The square `box` (x, y, side in pixels) of a picture, whose edge is repeated where the box leaves it."""
    x, y, side = (round(float(value)) for value in box)
    side = max(side, 1)
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(y, y + side), 0, height - 1)
    columns = np.clip(np.arange(x, x + side), 0, width - 1)
    return picture[rows[:, None], columns]


def resize(picture: np.ndarray, size: int) -> np.ndarray:
    """The picture as a square of `size` pixels: bicubic, and smoothed as much as it is reduced."""
    if picture.shape[:2] == (size, size):
        return picture
    return np.array(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC))


def in_threads(work: Callable[[int], int], parts: range, total: int, description: str) -> None:
    """Call `work` on every part, on two threads; it returns how many pictures it did, for the bar."""
    with ThreadPoolExecutor(2) as pool, progress(total=total, description=description, unit="picture") as bar:
        for done in pool.map(work, parts):
            bar.update(done)
