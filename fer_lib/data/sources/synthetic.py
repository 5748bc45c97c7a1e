"""The embedded data: drawn people in places, made from a seed, no picture of anybody."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.table import encode_picture, make_table, picture_hash
from fer_lib.errors import StudyError
from fer_lib.files import atomic_write
from fer_lib.progress import progress
from fer_lib.synthetic.places import PLACES
from fer_lib.synthetic.plan import PRESETS, Card, Preset, plan
from fer_lib.synthetic.render import draw_card, in_processes

PRESET = PRESETS["context"]
SIZE = 160
SHARD = 500  # pictures that an interrupted drawing loses at most


def read(pictures: int, seed: int, parts: Path | None = None) -> pd.DataFrame:
    """Draw `pictures` people into a study table; whole subjects go to train (70 %), validation or test (15 % each).

    Parameters
    ----------
    pictures : how many, classes balanced
    seed : the same seed gives the same table, byte for byte
    parts : folder that keeps what is finished, of this drawing alone, so that an interrupted one goes on from there

    Raises
    ------
    StudyError
        When there are too few pictures to show every class.
    """
    rng = np.random.default_rng(seed)
    return make_table(drawn_rows(PRESET, pictures, f"drawn-{seed}", rng, parts), "synthetic")


def drawn_rows(
    preset: Preset, pictures: int, name: str, rng: np.random.Generator, parts: Path | None = None
) -> pd.DataFrame:
    """Rows of the study table: `pictures` people as `preset` has them, their ids beginning with `name`.

    Raises
    ------
    StudyError
        When there are too few pictures to show every class.
    """
    try:
        cards = plan(preset, pictures, rng)
    except ValueError as error:
        raise StudyError(f"the embedded data cannot be drawn: {error}") from error
    rows = pd.DataFrame([_describe(card, name) for card in cards])
    return rows.join(_draw_all(cards, parts))


def _describe(card: Card, name: str) -> dict:
    return {
        "id": f"{name}-{card.number:06d}",
        "source": "synthetic",
        "label": card.label,
        "votes": np.array(card.votes) / sum(card.votes),
        "subject": f"{name}-subject-{card.subject:05d}",
        "split": card.split,
        "problem": card.problem,
        "place": card.shot.place,
        "place_attributes": list(PLACES[card.shot.place].attributes),
        "age": card.person.age,
        "gender": card.person.gender,
        "skin_tone": card.person.skin_tone,
        "action_units": json.dumps({unit: round(value, 4) for unit, value in card.expression.units.items()}),
    }


def _draw_all(cards: list[Card], parts: Path | None) -> pd.DataFrame:
    """Picture, its hash and its box of every card."""
    with progress(total=len(cards), description="drawing people", unit="picture") as bar:
        shards = [_shard(cards[start : start + SHARD], parts, bar) for start in range(0, len(cards), SHARD)]
    return pd.concat(shards, ignore_index=True)


def _shard(cards: list[Card], parts: Path | None, bar) -> pd.DataFrame:
    """What `_draw_row` makes of the cards, found in `parts` or drawn and left there."""
    path = parts / f"{cards[0].number:06d}.parquet" if parts else None
    finished = _finished(path) if path else None
    if finished is not None:
        bar.update(len(cards))
        return finished
    rows = []
    for row in in_processes(partial(_draw_row, size=SIZE), cards):
        rows.append(row)
        bar.update(1)
    shard = pd.DataFrame(rows)
    if path:
        with atomic_write(path) as temporary:
            shard.to_parquet(temporary, index=False)
    return shard


def _finished(path: Path) -> pd.DataFrame | None:
    """The shard that lies there, or None; a damaged one is deleted."""
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError):  # of which pyarrow's errors are kinds
        path.unlink(missing_ok=True)
        return None


def _draw_row(card: Card, size: int) -> dict:
    drawing = draw_card(card, size)
    return {
        "picture": encode_picture(drawing.picture),
        "picture_hash": picture_hash(drawing.picture),
        "box": [round(value, 2) for value in drawing.face_box],
    }
