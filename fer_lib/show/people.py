"""Pictures of drawn people and of what is known about them; `python -m fer_lib.show.people FILE` makes the README's."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fer_lib.emotions import in_order
from fer_lib.files import atomic_write
from fer_lib.show.plots import gallery, use_style
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.draw import Drawing, draw
from fer_lib.synthetic.person import Person
from fer_lib.synthetic.plan import PRESETS, Card, plan
from fer_lib.synthetic.render import draw_card
from fer_lib.synthetic.shot import draw_shot

# Facial Action Coding System (Ekman & Friesen 1978)
FACS_NAMES = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    25: "lips part",
    26: "jaw drop",
    45: "blink",
}
REGION_COLOURS = sns.color_palette("colorblind", 6)
PERSON_COLOUR, OTHERS_COLOUR, LANDMARK_COLOUR = "#E69F00", "#CC79A7", "#56B4E9"
CLOSE_UP = {"x": 0.5, "y": 0.64, "scale": 0.3, "companion": None}  # a face seen from the front fills the picture


def people_and_emotions(people: int, seed: int) -> list[Card]:
    """Cards of the preset `balanced` on which each of some people shows each emotion once."""
    preset = PRESETS["balanced"]
    return plan(preset, people * len(preset.classes), np.random.default_rng(seed), n_subjects=people)


def contact_sheet(cards: Sequence[Card], title: str, size: int = 224, cell: float = 1.25) -> Figure:
    """Every card drawn: one row an emotion, in each of them the people in the same order.

    Parameters
    ----------
    size : side in pixels that people are drawn at
    cell : side in inches that they are shown at
    """
    ordered = sorted(cards, key=lambda card: card.subject)
    rows = {
        emotion: [draw_card(card, size).picture for card in ordered if card.emotion == emotion]
        for emotion in in_order(card.emotion for card in cards)
    }
    return gallery(list(rows.items()), title, cell)


def portrait(
    person: Person, action_units: Mapping[int, float], size: int = 224, seed: int = 0, yaw: float = 0.0
) -> np.ndarray:
    """A person's face, turned by `yaw` degrees, uint8 (size, size, 3); `seed` decides on the light."""
    still = draw_shot(np.random.default_rng(seed), "office", difficulty=0)
    shot = replace(still, yaw=still.yaw + yaw, gaze=(0.0, 0.0), **CLOSE_UP)
    return draw(person, action_units, shot, size).picture


def unit_sheet(person: Person, title: str, size: int = 224, columns: int = 6, seed: int = 0) -> Figure:
    """A person at rest and with every action unit alone, at full intensity, under the same light."""
    pictures = {"at rest": portrait(person, {}, size, seed)}
    for unit in ACTION_UNITS:
        pictures[f"AU {unit}\n{FACS_NAMES[unit]}"] = portrait(person, {unit: 1.0}, size, seed)
    rows = -(-len(pictures) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.5 * columns, 1.9 * rows + 0.3))
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (name, picture) in zip(axes.flat, pictures.items(), strict=False):
        axis.imshow(picture)
        axis.text(0.5, -0.04, name, transform=axis.transAxes, ha="center", va="top", size=8.5)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def truth_sheet(drawing: Drawing, title: str) -> Figure:
    """A picture, and over it what is known: the face's box, landmarks, who is where, and the parts of the face."""
    figure, axes = plt.subplots(1, 4, figsize=(11, 3.3))
    names = ("box of the face", f"{len(drawing.landmarks)} landmarks", "person and others", "parts of the face")
    layers = (drawing.picture, drawing.picture, _tinted_people(drawing), _tinted_regions(drawing))
    for axis, name, layer in zip(axes, names, layers, strict=True):
        axis.set_axis_off()
        axis.imshow(layer)
        axis.set_title(name, weight="normal", size=9)
    axes[1].scatter(*drawing.landmarks.T, s=1.2, color=LANDMARK_COLOUR, lw=0)
    x, y, side = drawing.face_box
    axes[0].add_patch(Rectangle((x, y), side, side, fill=False, color="white", lw=1.2))
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def _tinted_people(drawing: Drawing) -> np.ndarray:
    picture = _tint(drawing.picture, drawing.person_mask, PERSON_COLOUR)
    return _tint(picture, drawing.others_mask, OTHERS_COLOUR)


def _tinted_regions(drawing: Drawing) -> np.ndarray:
    picture = drawing.picture
    for mask, colour in zip(drawing.regions.values(), REGION_COLOURS, strict=True):
        picture = _tint(picture, mask, colour)
    return picture


def _tint(picture: np.ndarray, mask: np.ndarray, colour: object, share: float = 0.55) -> np.ndarray:
    """The picture with a share of `colour`, whatever matplotlib knows as one, where the mask is true."""
    tinted = picture.astype(float)
    tinted[mask] = (1 - share) * tinted[mask] + share * 255 * np.array(plt.matplotlib.colors.to_rgb(colour))
    return tinted.astype(np.uint8)


def main(path: Path) -> None:
    """Write the README's contact sheet."""
    use_style()
    sheet = contact_sheet(people_and_emotions(8, seed=0), "Drawn people, one row an emotion: nobody here exists")
    with atomic_write(path) as temporary:
        sheet.savefig(temporary, format="jpeg", dpi=110, pil_kwargs={"quality": 82})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
