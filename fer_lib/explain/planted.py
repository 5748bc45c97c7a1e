"""Where in a drawn picture its emotion is: what changes when the same person at rest is drawn in the same picture."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd

from fer_lib.data.sources.synthetic import PRESET, SIZE
from fer_lib.data.table import crop, decode_picture, resize
from fer_lib.errors import StudyError
from fer_lib.synthetic.plan import Card, plan
from fer_lib.synthetic.render import draw_card, in_processes

TRIED = 10  # pictures that are drawn once more as they are


def expression_change(rows: pd.DataFrame, total: int, seed: int, side: int = 48) -> np.ndarray:
    """How much the expression changes each pixel of what models see, float (N, side, side) in grey levels.

    Parameters
    ----------
    rows : of the embedded data, with their boxes
    total, seed : how many pictures those have, and the seed that drew them

    Raises
    ------
    StudyError
        When a row's picture is not what that seed draws, which is tried with some of them.
    """
    cards = plan(PRESET, total, np.random.default_rng(seed))
    chosen = [cards[int(name.rsplit("-", 1)[1])] for name in rows["id"]]
    for place in np.linspace(0, len(rows) - 1, min(TRIED, len(rows))).astype(int):
        row = rows.iloc[place]
        if not np.array_equal(draw_card(chosen[place], SIZE).picture, decode_picture(row["picture"])):
            raise StudyError(
                f"picture {row['id']} is not what seed {seed} draws; delete the cached table and run again."
            )
    changes = np.empty((len(rows), side, side))
    drawn = in_processes(_at_rest, chosen)
    for change, at_rest, row in zip(changes, drawn, rows.itertuples(), strict=True):
        change[:] = np.abs(_view(decode_picture(row.picture), row.box, side) - _view(at_rest, row.box, side))
    return changes


def _at_rest(card: Card) -> np.ndarray:
    """The card's picture with its face at rest."""
    return draw_card(replace(card, expression=replace(card.expression, units={})), SIZE).picture


def _view(picture: np.ndarray, box: Sequence[float], side: int) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return resize(crop(grey, box), side).astype(float)
