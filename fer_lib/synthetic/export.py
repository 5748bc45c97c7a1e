"""A drawn data set as a folder for other people's work: pictures, their truth, and a data sheet."""

import os
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_lib.data.table import encode_picture
from fer_lib.errors import StudyError
from fer_lib.files import atomic_folder
from fer_lib.progress import progress
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.datasheet import datasheet
from fer_lib.synthetic.draw import SMALLEST
from fer_lib.synthetic.places import PLACES
from fer_lib.synthetic.plan import Card, Preset, plan
from fer_lib.synthetic.render import draw_card, final_shot, in_processes

PERSON, OTHERS = 1, 2  # in masks; 0 is background


def write_folder(
    preset: Preset, n: int, seed: int, target: Path | str, size: int = 224, processes: int | None = None
) -> None:
    """Draw a data set into the folder `target`, whole or not at all.

    It holds `<split>/<label>/<id>.png`, which the `folder` reader reads; `truth.csv` with a row a picture;
    `landmarks.npz` with `id` (n,) and `landmarks` (n, 468, 2) in pixels, NaN without a face; `masks/<id>.png` with 0
    for background, 1 for the person, 2 for another behind; and `DATASHEET.md`. A link is followed to where it leads.

    Parameters
    ----------
    n, seed : see `plan`; the same seed gives the same files
    size : side of the pictures in pixels, at least `SMALLEST`
    processes : as many as there are usable cores unless given

    Raises
    ------
    StudyError
        For a size or an `n` that is too small, a target that is not empty or cannot be replaced or made, and a disk
        that is full.
    """
    target = Path(target).resolve()
    if size < SMALLEST:
        raise StudyError(f"size is {size} pixels; use {SMALLEST} or more.")
    _check_target(target)
    try:
        cards = plan(preset, n, np.random.default_rng(seed))
    except ValueError as error:
        raise StudyError(f"the data set cannot be drawn: {error}") from error
    _make_parent(target)
    with atomic_folder(target) as folder:
        _fill(folder, preset, cards, seed, size, processes)


def _check_target(target: Path) -> None:
    if target == Path.cwd() or os.path.ismount(target):
        kind = "a mount point" if os.path.ismount(target) else "the current directory"
        raise StudyError(f"{target} is {kind}, which cannot be replaced; name a new folder in it.")
    above = next(folder for folder in target.parents if os.path.exists(folder))
    if not above.is_dir():
        raise StudyError(f"{target} lies below {above}, which is a file; name a folder somewhere else.")
    if os.path.exists(target) and (not target.is_dir() or any(target.iterdir())):
        raise StudyError(f"{target} exists and is not empty; name a new folder, or empty it first.")


def _make_parent(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{target.parent} cannot be made ({error.strerror}); name another folder.") from error


def _fill(folder: Path, preset: Preset, cards: list[Card], seed: int, size: int, processes: int | None) -> None:
    prefix = f"{preset.name}-{seed}"
    truth = pd.DataFrame([_describe(card, prefix) for card in cards])
    for place in {"masks/x", *truth["file"]}:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
    draw = partial(_write_card, folder=folder, prefix=prefix, size=size)
    drawn = progress(in_processes(draw, cards, processes), "drawing people", total=len(cards), unit="picture")
    landmarks, boxes = zip(*drawn, strict=True)
    truth[["face_x", "face_y", "face_side"]] = np.round(boxes, 2)
    truth.to_csv(folder / "truth.csv", index=False)
    np.savez_compressed(folder / "landmarks.npz", id=truth["id"].to_numpy(str), landmarks=np.stack(landmarks))
    (folder / "DATASHEET.md").write_text(datasheet(preset, truth, seed, size), encoding="utf-8")


def _write_card(card: Card, folder: Path, prefix: str, size: int) -> tuple[np.ndarray, tuple]:
    """Write picture and mask; landmarks and face box come back."""
    drawing = draw_card(card, size)
    mask = np.where(drawing.person_mask, PERSON, np.where(drawing.others_mask, OTHERS, 0)).astype(np.uint8)
    (folder / _file(card, prefix)).write_bytes(encode_picture(drawing.picture))
    (folder / "masks" / f"{_name(prefix, card.number)}.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    return drawing.landmarks, drawing.face_box


def _name(prefix: str, number: int) -> str:
    return f"{prefix}-{number:06d}"


def _file(card: Card, prefix: str) -> str:
    return f"{card.split}/{card.label}/{_name(prefix, card.number)}.png"


def _describe(card: Card, prefix: str) -> dict:
    return {
        "id": _name(prefix, card.number),
        "file": _file(card, prefix),
        "split": card.split,
        "subject": f"subject-{card.subject:05d}",
        "emotion": card.emotion,
        "label": card.label,
        "votes": " ".join(map(str, card.votes)),
        "problem": card.problem,
        "twin_of": None if card.twin_of is None else _name(prefix, card.twin_of),
        **_describe_person(card),
        **_describe_shot(card),
        **{f"au{unit:02d}": round(card.expression.units.get(unit, 0.0), 4) for unit in ACTION_UNITS},
        "side": card.expression.side,
    }


def _describe_person(card: Card) -> dict:
    looks = ("age", "gender", "skin_tone", "hairstyle", "beard", "glasses")
    return {name: getattr(card.person, name) for name in looks} | {"face_mask": card.shot.face_mask}


def _describe_shot(card: Card) -> dict:
    shot = asdict(final_shot(card))
    directions = zip("xyz", shot["light"]["direction"], strict=True)
    colours = zip(("red", "green", "blue"), shot["light"]["colour"], strict=True)
    return {
        "place": card.shot.place,
        "place_attributes": ", ".join(PLACES[card.shot.place].attributes),
        **{name: round(shot[name], 4) for name in ("yaw", "pitch", "roll", "scale")},
        **{f"light_{axis}": round(value, 4) for axis, value in directions},
        "light_strength": round(shot["light"]["strength"], 4),
        **{f"light_{colour}": round(value, 4) for colour, value in colours},
    }
