"""Lists that come with pictures: read as text, each value held to those that are known, and put into our form."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.errors import StudyError

LARGEST = 20_000  # pixels; a square of it, cut out of a picture, would take more than a gigabyte


def read_list(
    path: Path, columns: Collection[str], how_to_get: str, names: Collection[str] | None = None, sep: str = ","
) -> pd.DataFrame:
    """The named columns of a CSV file, as text.

    Parameters
    ----------
    names : of all columns, when no row of the file has them

    Raises
    ------
    StudyError
        When the file is no CSV file, lacks a column, or has no rows.
    """
    # A value too many must not shift the others, which pandas prevents by another option in each case.
    form = {"usecols": lambda name: name in columns, "index_col": False}
    if names:
        form = {"usecols": list(columns), "names": list(names), "header": None}
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, sep=sep, **form)
    except ValueError as error:  # of which all that pandas says of a bad file are kinds
        raise StudyError(f"{path}: not a readable CSV file ({error}); {how_to_get} again.") from error
    missing = set(columns) - set(rows.columns)
    if missing:
        raise StudyError(f"{path}: the column {sorted(missing)[0]!r} is missing; {how_to_get} again.")
    if rows.empty:
        raise StudyError(f"{path}: the file has no rows; {how_to_get} again.")
    return rows.fillna("")


def known_values(column: pd.Series, known: Mapping[str, str], name: str) -> np.ndarray:
    """What each value of a column stands for.

    Parameters
    ----------
    column : text; rows are numbered from 0
    known : {value: what it stands for}
    name : of the file, for the message

    Raises
    ------
    StudyError
        With the row of the first unknown value.
    """
    values = column.str.strip().map(known)
    if values.isna().any():
        row = values.isna().idxmax()
        raise StudyError(
            f"{name}: row {row + 1}: {column.name} is {column[row]!r}, not one of {', '.join(known)}; "
            "mend or remove this row."
        )
    return values.to_numpy()


def box_or_problem(x: float, y: float, width: float, height: float) -> dict:
    """The table's `box` around a rectangle in pixels, or its `problem` where no picture can have such a face."""
    sides = np.array([x, y, width, height])
    if not np.isfinite(sides).all() or min(width, height) <= 0:
        return {"problem": "the face's box is missing"}
    if np.abs(sides).max() > LARGEST:
        return {"problem": "the face's box is larger than any picture"}
    return {"box": square(x, y, width, height)}


def square(x: float, y: float, width: float, height: float) -> list[float]:
    """The table's `box` (x, y, side) around the middle of a rectangle, as long as its longer side."""
    side = max(width, height)
    return [x + (width - side) / 2, y + (height - side) / 2, side]
