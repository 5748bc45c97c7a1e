"""Pictures with faces in them: drawn people, each alone in a place, and a photograph; made once."""

from dataclasses import replace
from functools import cache

import numpy as np
from skimage import data

from fer_lib.data.table import encode_picture, make_table, picture_hash
from fer_lib.faces.prepare import measure
from fer_lib.synthetic.plan import PRESETS, plan
from fer_lib.synthetic.render import draw_card

CARDS = plan(PRESETS["balanced"], 30, np.random.default_rng(3), n_subjects=15)


def rows_of(pictures):
    """A study table of the pictures; None has neither bytes nor a path."""
    rows = [{"id": f"picture-{number}", "split": "train"} for number in range(len(pictures))]
    for row, picture in zip(rows, pictures, strict=True):
        if picture is not None:
            row |= {"picture": encode_picture(picture), "picture_hash": picture_hash(picture)}
    return make_table(rows, "pictures")


@cache
def drawings():
    """Thirty people."""
    return [draw_card(replace(card, shot=replace(card.shot, companion=None))) for card in CARDS]


@cache
def people():
    """Their study table, and what was measured of it."""
    table = rows_of([drawing.picture for drawing in drawings()])
    return table, measure(table)


def photograph():
    """A photograph that nobody here drew: Eileen Collins, taken by NASA, in the public domain."""
    return data.astronaut()
