"""The scores that a network gives every picture of a folder, as a CSV file (paper 001, section 5.2)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from lightning.fabric import Fabric
from torch import nn

from fer_lib.data.sources.folder import PICTURES
from fer_lib.data.table import make_table
from fer_lib.errors import StudyError
from fer_lib.faces.crops import TIGHT, squares_of
from fer_lib.faces.prepare import measure
from fer_lib.files import atomic_write
from fer_lib.progress import progress
from fer_lib.training.catalogue import CATALOGUE, SCENES
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import launch
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.loop import predict

BATCH = 64  # pictures in memory at once
# families that see noise over faces, know one emotion alone, or learnt from labels that tell nothing
REFUSED = ("bars", "regions/", "one_against_rest/", "six_layer/random_labels")
NO_FACE = "no face was found; the whole picture was judged"


def check_experiment(name: str) -> None:
    """Raise a StudyError unless the experiment called `name` is a network that tells emotions by pictures of faces.

    Those that see scenes or faces below noise are none, nor are those that tell one emotion from the rest.
    """
    known = [other for other in CATALOGUE if other not in SCENES and not other.startswith(REFUSED)]
    if name not in known:
        raise StudyError(f"experiment {name!r} is no network from faces to emotions; use one of {', '.join(known)}.")


def pictures_below(folder: Path) -> list[Path]:
    """Every file in or below `folder` that is named like a picture, in sorted order; whether it is one, nobody looked.

    Raises
    ------
    StudyError
        When there is no such folder, or no such file.
    """
    if not folder.is_dir():
        raise StudyError(f"{folder} is no folder; name one with pictures in it.")
    named = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES and not path.is_dir())
    if not named:
        raise StudyError(f"{folder}: no pictures in it or below; name a folder with files in {' '.join(PICTURES)}.")
    return named


def write_scores(folder: Path, out: Path, experiment: Experiment, network: nn.Module) -> pd.Series:
    """Judge every picture in or below `folder`, and write one row for each to the CSV file `out`, whole or not at all.

    Columns are `filepath` (from `folder` on, with `/`), one probability (0-1, four decimals) per class of the
    experiment, and `problem`, which is empty where there is none. Memory does not grow with the number of pictures.

    Parameters
    ----------
    experiment, network : as `training.judge.whole_network` gives them

    Returns
    -------
    how many rows have which problem: "" where they have none

    Raises
    ------
    StudyError
        When the folder holds no pictures, or `out` cannot be written. A picture that cannot be read is a row without
        scores.
    """
    paths, problems = pictures_below(folder), []
    if out.is_dir():
        raise StudyError(f"{out} is a folder; name a file in it, such as {out / 'scores.csv'}.")
    fabric = launch(experiment.precision)
    network.to(fabric.device)
    with (
        atomic_write(out) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
        progress(total=len(paths), description="judging pictures", unit="picture") as bar,
    ):
        for start in range(0, len(paths), BATCH):
            part = paths[start : start + BATCH]
            scores = scores_of(part, experiment, network, fabric)
            names = pd.Series([path.relative_to(folder).as_posix() for path in part], dtype=object)
            scores.insert(0, "filepath", names)
            scores.to_csv(file, header=start == 0, index=False, float_format="%.4f", lineterminator="\n")
            problems.append(scores["problem"].fillna("").value_counts())
            bar.update(len(part))
    return pd.concat(problems).groupby(level=0).sum()


def scores_of(paths: Sequence[Path], experiment: Experiment, network: nn.Module, fabric: Fabric) -> pd.DataFrame:
    """What the network makes of the face in each file: one probability (0-1) per class, and `problem` or None.

    The square around the largest face is judged. Where the face fills the picture already, as those of FER2013 do, or
    where none is found, the whole picture is. A file that cannot be read has no scores (NaN).

    Parameters
    ----------
    network : on the device of `fabric`
    """
    table = make_table([_row(number, path) for number, path in enumerate(paths)], "pictures")
    faces = measure(table)
    readable, sides = faces["height"] > 0, faces[["height", "width"]].max(axis=1)
    squares = pd.Series(squares_of(faces), dtype=object)
    boxes = [_unless_filled(square, side) for square, side in zip(squares, sides, strict=True)]
    rows = table.assign(box=pd.Series(boxes, dtype=object))[readable].reset_index(drop=True)
    scores = pd.DataFrame(np.nan, table.index, list(experiment.classes))
    if len(rows):
        logits = predict(network, picture_tensor(rows, experiment).to(fabric.device), fabric)
        scores.loc[readable] = logits.softmax(1).cpu().numpy()
    doubt = squares.map(lambda square: NO_FACE if square is None else None)
    return scores.assign(problem=doubt.where(readable, faces["face_problem"]))


def _row(number: int, path: Path) -> dict:
    """A row of the study table with the file's bytes, read once, since files may change; one without has a `path`."""
    try:
        data = path.read_bytes()
    except OSError:
        data = None
    return {"id": str(number), "picture": data, "path": str(path), "split": "test"}


def _unless_filled(square: list[float] | None, side: float) -> list[float] | None:
    """The square, or None where the face fills the picture, whose longer side is given.

    By the shorter one, as data sets are judged, many an oblong portrait would be shown whole, and squeezed.
    """
    return None if square is None or square[2] >= TIGHT * side else square
