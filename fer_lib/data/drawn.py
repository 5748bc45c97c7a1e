"""Drawn faces beside a data set: for its small classes, and for a network to learn first.

Drawing needs OpenCV, which a bare training machine lacks; a table that was drawn elsewhere is found in the cache.
"""

import shutil
from collections.abc import Mapping
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.sources import drawing_code
from fer_lib.data.splits import split_rows
from fer_lib.data.table import load_table, make_table, save_table
from fer_lib.emotions import in_order
from fer_lib.files import content_hash, one_at_a_time

ENOUGH = 0.5  # share of the largest class's train pictures that every class gets
STREAM = 4  # beside the seed, so that nobody looks like a person of the embedded data, whose test split holds some


def drawn_faces(shares: Mapping[str, float], pictures: int, seed: int, cache: Path, name: str) -> pd.DataFrame:
    """A study table of tight crops of drawn faces, subjects disjoint between splits; drawn once and cached.

    Parameters
    ----------
    shares : how frequent each emotion is, in any unit
    seed : the same seed and name draw the same faces, none of them of a person of the embedded data
    name : what ids and the table are called
    """
    key = content_hash([dict(shares), pictures, seed, name, drawing_code()])
    path = cache / f"{name}-{key}.parquet"
    with one_at_a_time(path):
        if not path.exists():
            parts = path.with_suffix(".parts")
            save_table(_draw(shares, pictures, seed, name, parts), path)
            shutil.rmtree(parts, ignore_errors=True)
    return load_table(path)


def with_drawn_faces(table: pd.DataFrame, seed: int, cache: Path) -> pd.DataFrame:
    """The study table with drawn faces in train, so that no class has less than `ENOUGH` of the largest one's.

    Paper 004 (section 7) names a generative network for this; here faces with known expressions are drawn.
    Validation and test stay as they are.

    Returns
    -------
    study table, the drawn rows last; its `attrs` are those of `table`
    """
    missing = small_classes(table)
    if not missing:
        return table
    drawn = drawn_faces(missing, sum(missing.values()), seed, cache, "extra").assign(split="train")
    if table["votes"].isna().all():
        drawn["votes"] = None
    filled = make_table(pd.concat([table.astype(object), drawn], ignore_index=True), table.attrs.get("dataset", ""))
    filled.attrs = dict(table.attrs)
    return filled


def small_classes(table: pd.DataFrame) -> dict[str, int]:
    """The classes that are too small, and how many train pictures each lacks to `ENOUGH` of the largest one's."""
    counts = split_rows(table, "train")["label"].value_counts()
    enough = ceil(ENOUGH * counts.max())
    return {label: int(enough - counts[label]) for label in in_order(counts.index) if counts[label] < enough}


def _draw(shares: Mapping[str, float], pictures: int, seed: int, name: str, parts: Path) -> pd.DataFrame:
    from fer_lib.data.sources.synthetic import drawn_rows
    from fer_lib.synthetic.presets import Preset

    preset = Preset(name, "Tight crops of faces.", dict(shares), framing="face")
    rng = np.random.default_rng((STREAM, seed, *name.encode()))
    return make_table(drawn_rows(preset, pictures, f"{name}-{seed}", rng, parts), name)
