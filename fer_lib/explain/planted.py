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


def expression_change(rows: pd.DataFrame, total: int, seed: int, side: int = 48) -> np.ndarray:
    """How much the expression changes each pixel of what models see, float (N, side, side) in grey levels.

    Parameters
    ----------
    rows : of the embedded data, with their boxes
    total, seed : how many pictures those have, and the seed that drew them

    Raises
    ------
    StudyError
        When a row's picture is not what that seed draws.
    """
    cards = plan(PRESET, total, np.random.default_rng(seed))
    chosen = [cards[int(name.rsplit("-", 1)[1])] for name in rows["id"]]
    changes = np.empty((len(rows), side, side))
    drawn = in_processes(_both, chosen)
    for change, (shown, at_rest), row in zip(changes, drawn, rows.itertuples(), strict=True):
        if not np.array_equal(shown, decode_picture(row.picture)):
            raise StudyError(f"picture {row.id} is not what seed {seed} draws; delete the cached table and run again.")
        change[:] = np.abs(_view(shown, row.box, side) - _view(at_rest, row.box, side))
    return changes


def _both(card: Card) -> tuple[np.ndarray, np.ndarray]:
    """The card's picture, and the same with its face at rest."""
    at_rest = replace(card, expression=replace(card.expression, units={}))
    return draw_card(card, SIZE).picture, draw_card(at_rest, SIZE).picture


def _view(picture: np.ndarray, box: Sequence[float], side: int) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return resize(crop(grey, box), side).astype(float)
