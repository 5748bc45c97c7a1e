"""Pictures of what is measured in a face and of the way of a picture through SAFER; plots of what streams change."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fer_lib.emotions import PALETTE
from fer_lib.evaluation.compare import Difference
from fer_lib.faces.geometry import AU_CENTRES, EYES, MOUTH, NOSE, WIDTHS_AND_HEIGHTS
from fer_lib.show.plots import INK, OURS, PAPER

POINT, LINE = "#56B4E9", "#E69F00"


def au_points(picture: np.ndarray, landmarks: np.ndarray, title: str) -> Figure:
    """A face with its mesh, and beside it the 12 action-unit centres with their numbers and the visible features.

    Parameters
    ----------
    picture : uint8 RGB
    landmarks : (478, 2 or more) in its pixels
    """
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.9))
    for axis, name in zip(axes, ("478 points of Face Mesh", "12 action-unit centres", "visible features"), strict=True):
        _show(axis, picture, name)
        _zoom(axis, landmarks)
    axes[0].scatter(*landmarks[:, :2].T, s=2, color=POINT)
    _mark_units(axes[1], landmarks)
    _mark_visible(axes[2], landmarks)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def way_of_a_picture(
    picture: np.ndarray,
    box: Sequence[float],
    landmarks: np.ndarray,
    views: Mapping[str, np.ndarray],
    places: pd.Series,
    scores: pd.Series,
    title: str,
) -> Figure:
    """One picture through all streams, as figures 3 to 7 of paper 000.

    Parameters
    ----------
    box : x, y, width and height of the face in pixels
    landmarks : (478, 2 or more) in pixels
    views : what else the streams see or make, by name: pictures, or maps, which are drawn in grey
    places, scores : probabilities by name, of places and of emotions
    """
    figure, axes = plt.subplots(2, 4, figsize=(11, 5.6))
    _show(axes[0, 0], picture, "the picture and its face")
    axes[0, 0].add_patch(Rectangle(box[:2], *box[2:], fill=False, edgecolor=LINE, lw=2))
    for axis, mark, name in (
        (axes[0, 1], _mark_units, "action units"),
        (axes[0, 2], _mark_visible, "visible features"),
    ):
        _show(axis, picture, name)
        _zoom(axis, landmarks)
        mark(axis, landmarks)
    for axis, (name, view) in zip((axes[0, 3], axes[1, 0], axes[1, 1]), views.items(), strict=True):
        _show(axis, view, name)
    _bars(axes[1, 2], places, "place", [OURS] * len(places))
    _bars(axes[1, 3], scores, "emotion", [PALETTE[name] for name in scores.index])
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def changes(groups: Mapping[str, Mapping[str, Difference]], title: str, xlabel: str) -> Figure:
    """Changes against a reference with intervals, one colour a group; the line is no change.

    Parameters
    ----------
    groups : {group: {what was changed: its difference}}, at most three; what a group lacks is left empty
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    figure, axis = plt.subplots(figsize=(7.5, 0.5 * len(names) + 1.2))
    axis.axvline(0, color=INK, lw=1)
    offsets = np.linspace(-0.15, 0.15, len(groups)) if len(groups) > 1 else [0]
    for (group, found), offset, colour in zip(groups.items(), offsets, (OURS, PAPER, "#009E73"), strict=False):
        y = [names.index(name) + offset for name in found]
        value = np.array([change.value for change in found.values()])
        ends = np.array([(change.low, change.high) for change in found.values()]).T
        error = 100 * np.abs(ends - value)
        axis.errorbar(100 * value, y, xerr=error, fmt="o", color=colour, capsize=3, label=group)
    axis.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlabel=xlabel)
    if len(groups) > 1:
        axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def _show(axis: Axes, picture: np.ndarray, name: str) -> None:
    axis.imshow(picture, cmap="gray")
    axis.set(xticks=[], yticks=[])
    axis.set_title(name, weight="normal", size=10)
    axis.grid(False)
    sns.despine(ax=axis, left=True, bottom=True)


def _zoom(axis: Axes, landmarks: np.ndarray) -> None:
    """Show the face alone."""
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    margin = 0.08 * (high - low).max()
    axis.set(xlim=(low[0] - margin, high[0] + margin), ylim=(high[1] + margin, low[1] - margin))


def _mark_units(axis: Axes, landmarks: np.ndarray) -> None:
    box = {"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.75}
    for unit, (_, _, index) in AU_CENTRES.items():
        axis.plot(*landmarks[index, :2], "o", color=POINT, markeredgecolor=INK, ms=5)
        axis.annotate(str(unit), landmarks[index, :2], (5, 3), textcoords="offset points", size=8, bbox=box)


def _mark_visible(axis: Axes, landmarks: np.ndarray) -> None:
    for a, b in WIDTHS_AND_HEIGHTS.values():
        axis.plot(*landmarks[[a, b], :2].T, color=LINE, lw=2)
    left, right = (landmarks[list(corners), :2].mean(0) for corners in EYES)
    mouth, nose = landmarks[list(MOUTH), :2].mean(0), landmarks[NOSE, :2]
    for pair in ((left, right), (left, mouth), (right, mouth), ((left + right) / 2, nose), (nose, mouth)):
        axis.plot(*np.array(pair).T, color=POINT, lw=1.2)
    for eye, brow in ((362, 336), (133, 107)):
        axis.plot(*landmarks[[eye, brow], :2].T, color=POINT, lw=1.2)


def _bars(axis: Axes, shares: pd.Series, name: str, colours: Sequence[str]) -> None:
    axis.barh(range(len(shares)), 100 * shares, color=colours)
    labels = [str(label).replace("_", " ") for label in shares.index]
    axis.set(yticks=range(len(shares)), yticklabels=labels, xlim=(0, 100), xlabel="probability [%]")
    axis.set_title(name, weight="normal", size=10)
    axis.invert_yaxis()
