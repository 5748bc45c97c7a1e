"""What networks of notebooks 07 and 08 learn from: faces with masks, and faces with a part covered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.table import load_pictures, table_hash, usable
from fer_lib.data.tasks import THREE
from fer_lib.emotions import in_order
from fer_lib.evaluation.results import BARE
from fer_lib.faces.covered import PLACES, covered_table, places_hash
from fer_lib.faces.crops import pack, with_pictures
from fer_lib.faces.patches import REGION_PIXELS, REGIONS, bar_mask, meshes_in_view, region_masks, with_noise
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.files import atomic_write, code_version, content_hash, one_at_a_time

NOTHING = "none"
WITH_MASK = "+mask"  # what the id of a picture with a mask ends in, where both are in one table


def cover_task(name: str, table: pd.DataFrame, seed: int, cache: Path) -> tuple[pd.DataFrame, list[str]]:
    """The study table as an experiment of notebook 07 or 08 learns from it, and its classes.

    Parameters
    ----------
    table : for bars, with its three emotions, see `bars_task`
    """
    if name.startswith("masked/"):
        return masked_task(name, table, seed, cache)
    return regions_task(table, seed, cache) if name.startswith("regions/") else bars_task(name, table, seed, cache)


def masked_task(name: str, table: pd.DataFrame, seed: int, cache: Path) -> tuple[pd.DataFrame, list[str]]:
    """The study table as a network of notebook 07 learns from it, and its classes.

    Parameters
    ----------
    name : `masked/<network>/<bare, masked or both>`
    """
    taught, classes = name.rsplit("/", 1)[1], in_order(usable(table)["label"])
    return (table if taught == BARE else mask_conditions(table, seed, cache)[taught]), classes


def mask_conditions(table: pd.DataFrame, seed: int, cache: Path) -> dict[str, pd.DataFrame]:
    """The study table `bare`, `masked`, and `both` below each other, where masked ids end in `WITH_MASK`."""
    faces = load_faces(prepare_faces(table, cache), PLACES)
    masked = covered_table(table, faces, seed, cache)
    both = pd.concat([table, masked.assign(id=masked["id"] + WITH_MASK)], ignore_index=True)
    both.attrs = dict(table.attrs)
    return {"bare": table, "masked": masked, "both": both}


def bars_task(name: str, three: pd.DataFrame, seed: int, cache: Path) -> tuple[pd.DataFrame, list[str]]:
    """Paper 002's task: three emotions, with a bar of white noise over a part of every face.

    Parameters
    ----------
    name : `bars/<network>/<start>/<part>` or `bars_scratch/<part>`, where the part is of `patches.BARS`, or none
    three : study table as `data.tasks.three_emotions` makes it
    """
    part = name.rsplit("/", 1)[1]
    key = content_hash([table_hash(three), part, seed, _program()])
    path, known = cache / f"bars-{key}.parquet", three["problem"].isna()

    def covered(rows: pd.DataFrame) -> np.ndarray:  # all in 48×48, so that no condition is sharper than another
        return load_pictures(rows) if part == NOTHING else with_noise(load_pictures(rows), bar_mask(part), seed)

    barred = _cached(path, three, known, covered)
    return barred, in_order(THREE)


def regions_task(table: pd.DataFrame, seed: int, cache: Path) -> tuple[pd.DataFrame, list[str]]:
    """The study table with one region of each train and validation face, or none, covered with white noise.

    A network that learnt from these stumbles less over a cover as such; see notebook 08.
    """
    learnt = table["problem"].isna() & (table["split"] != "test")
    measured = load_faces(prepare_faces(table, cache), PLACES)

    def covered(rows: pd.DataFrame) -> np.ndarray:
        meshes = meshes_in_view(rows, measured.set_index("id").loc[rows["id"]].reset_index())
        drawn = np.random.default_rng(seed).integers(len(REGIONS) + 1, size=len(rows))
        masks = np.zeros((len(rows), 48, 48), bool)
        for number, region in enumerate(REGIONS):
            masks[drawn == number] = region_masks(meshes[drawn == number], [region], REGION_PIXELS)
        return with_noise(load_pictures(rows), masks, seed)

    key = content_hash([table_hash(table), places_hash(measured), seed, _program()])
    return _cached(cache / f"regions-{key}.parquet", table, learnt, covered), in_order(usable(table)["label"])


def _cached(
    path: Path, table: pd.DataFrame, chosen: pd.Series, covered: Callable[[pd.DataFrame], np.ndarray]
) -> pd.DataFrame:
    """The table with the chosen rows' pictures covered and no box; the pictures are made once and kept at `path`."""
    places = np.flatnonzero(chosen)
    with one_at_a_time(path):
        if not path.exists():
            made = [pack(picture) for picture in covered(table.iloc[places].reset_index(drop=True))]
            with atomic_write(path) as temporary:
                pd.DataFrame(made, columns=["picture", "picture_hash"]).to_parquet(temporary, index=False)
    packed, boxes = [None] * len(table), table["box"].copy()
    for place, pair in zip(places, pd.read_parquet(path).itertuples(index=False, name=None), strict=True):
        packed[place] = pair
    boxes.iloc[places] = None
    return with_pictures(table, packed).assign(box=boxes)


def _program() -> str:
    parts = ("faces.patches", "training.covers", "data.table:load_pictures", "data.table:resize", "data.table:crop")
    parts += ("faces.occlude:average_mesh", "faces.occlude:fixed_mesh", "synthetic.mesh", "faces.crops:pack")
    return code_version(*(f"fer_lib.{part}" for part in parts))
