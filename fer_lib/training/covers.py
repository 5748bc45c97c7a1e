"""What networks of notebooks 07 and 08 learn from: faces with masks, and faces with a part covered."""

from pathlib import Path

import pandas as pd

from fer_lib.data.table import usable
from fer_lib.emotions import in_order
from fer_lib.faces.covered import covered_table
from fer_lib.faces.prepare import load_faces, prepare_faces

MASKED = "+mask"  # what the id of a picture with a mask ends in, where both are in one table


def masked_task(name: str, table: pd.DataFrame, seed: int, cache: Path) -> tuple[pd.DataFrame, list[str]]:
    """The study table as a network of notebook 07 learns from it, and its classes.

    Parameters
    ----------
    name : `masked/<network>/<bare, masked or both>`
    """
    return mask_conditions(table, seed, cache)[name.rsplit("/", 1)[1]], in_order(usable(table)["label"])


def mask_conditions(table: pd.DataFrame, seed: int, cache: Path) -> dict[str, pd.DataFrame]:
    """The study table bare, with a mask on every face, and both below each other, the masked ids ending in `MASKED`."""
    faces = load_faces(prepare_faces(table, cache), ["landmarks", "face_box"])
    masked = covered_table(table, faces, seed, cache)
    both = pd.concat([table, masked.assign(id=masked["id"] + MASKED)], ignore_index=True)
    both.attrs = dict(table.attrs)
    return {"bare": table, "masked": masked, "both": both}
