"""Pictures of covered faces, and plots of what covers cost."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.emotions import PALETTE
from fer_lib.faces.detect import look
from fer_lib.faces.fabric import COVERS
from fer_lib.faces.occlude import cover
from fer_lib.show.people import people_and_emotions, portrait
from fer_lib.show.plots import ALWAYS_LARGEST, INK, OURS, PAPER, gallery

TESTED_COLOURS = {"bare": OURS, "masked": "#009E73"}
TURNS = (-28.0, -12.0, 0.0, 0.0, 14.0, 28.0)  # degrees of yaw of the faces in the gallery of covers


def drawn_faces(size: int = 160, turns: Sequence[float] = TURNS) -> list[tuple[str, np.ndarray]]:
    """Different drawn people, who are turned by so many degrees: the emotion, and the face, uint8 (size, size, 3)."""
    cards = people_and_emotions(2 * len(turns), seed=4)
    plain = {card.subject: card for card in cards if not card.person.glasses and card.emotion != "neutral"}
    chosen = zip(list(plain.values())[: len(turns)], turns, strict=True)
    return [(card.emotion, portrait(card.person, card.expression.units, size, yaw=turn)) for card, turn in chosen]


def cover_gallery(faces: Sequence[tuple[str, np.ndarray]], title: str, seed: int = 0) -> Figure:
    """Faces (emotion, picture) as they are, and below with every kind of cover; those without a mesh are left out."""
    found = [(face, look(face).landmarks) for _, face in faces]
    seen = [(face, mesh) for face, mesh in found if mesh is not None]
    rows = [("bare", [face for face, _ in seen])]
    for kind in COVERS:
        draws = (np.random.default_rng((seed, number)) for number in range(len(seen)))
        worn = [cover(*each, kind, rng).picture for each, rng in zip(seen, draws, strict=True)]
        rows.append((kind, worn))
    return gallery(rows, title, cell=1.2)


def two_by_two(cells: pd.DataFrame, title: str, largest: float) -> Figure:
    """Accuracy on bare and on masked faces, one row for each model and what it was taught on.

    Parameters
    ----------
    cells : model, taught, tested, value, low, high (fractions)
    largest : accuracy of always saying the largest class
    """
    names = list(dict.fromkeys(zip(cells["model"], cells["taught"], strict=True)))
    figure, axis = plt.subplots(figsize=(8, 0.3 * len(names) + 1.3))
    for tested, colour in TESTED_COLOURS.items():
        part = cells[cells["tested"] == tested]
        y = [names.index(name) for name in zip(part["model"], part["taught"], strict=True)]
        error = 100 * np.abs(part[["low", "high"]].to_numpy().T - part["value"].to_numpy())
        label = f"tested on {tested} faces"
        axis.errorbar(100 * part["value"], y, xerr=error, fmt="o", color=colour, capsize=3, label=label)
    axis.axvline(100 * largest, **ALWAYS_LARGEST)
    labels = [f"{model}, taught on {taught}" for model, taught in names]
    axis.set(yticks=range(len(names)), yticklabels=labels, ylim=(len(names) - 0.5, -0.5), xlabel="accuracy [%]")
    for above in (k for k in range(1, len(names)) if names[k][0] != names[k - 1][0]):
        axis.axhline(above - 0.5, color=INK, lw=0.6)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def heat_maps(
    pictures: Mapping[str, np.ndarray],
    heats: Mapping[str, Mapping[str, np.ndarray]],
    outlines: Mapping[str, np.ndarray],
    title: str,
    bar: str,
    by_row: bool = False,
) -> Figure:
    """Heat over pictures on one scale, one row and one column a name.

    Parameters
    ----------
    pictures : {column: grey uint8 (S, S)}
    heats : {row: {column: float (S, S)}}
    outlines : {row: bool (S, S), of which the edge is drawn}; not every row needs one
    bar : what the colours mean
    by_row : each row is drawn as shares of its own hottest place, since methods differ in how they spread their heat
    """
    if by_row:
        tops = {row: max(float(heat.max()) for heat in line.values()) for row, line in heats.items()}
        heats = {row: {k: heat / max(tops[row], 1e-12) for k, heat in line.items()} for row, line in heats.items()}
    rows, columns = list(heats), list(pictures)
    most = max(float(heat.max()) for line in heats.values() for heat in line.values())
    size = (1.55 * len(columns) + 2.2, 1.6 * len(rows) + 0.7)
    figure, axes = plt.subplots(len(rows), len(columns), figsize=size, squeeze=False)
    for row, line in zip(rows, axes, strict=True):
        for column, axis in zip(columns, line, strict=True):
            _plain(axis)
            axis.imshow(pictures[column], cmap="gray", vmin=0, vmax=255)
            shown = axis.imshow(heats[row][column], cmap="inferno", alpha=0.6, vmin=0, vmax=most)
            if row in outlines:
                axis.contour(outlines[row], levels=[0.5], colors="white", linewidths=0.9, linestyles="dashed")
            if row == rows[0]:
                axis.set_title(column, weight="normal", size=9, loc="center")
        line[0].set_ylabel(row, rotation=0, ha="right", va="center")
    figure.colorbar(shown, ax=axes, label=bar, shrink=0.8)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def map_rows(rows: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Rows of equally many pictures or maps, each with its name above it; maps are grey, from least to most."""
    wide = len(next(iter(rows.values())))
    figure, axes = plt.subplots(len(rows), wide, figsize=(1.6 * wide + 1, 1.75 * len(rows) + 0.4), squeeze=False)
    for (name, line), drawn in zip(rows.items(), axes, strict=True):
        for axis, (above, picture) in zip(drawn, line.items(), strict=True):
            _plain(axis)
            axis.imshow(picture, cmap="gray")
            axis.set_title(above, weight="normal", size=9, loc="center")
        drawn[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def curves(frame: pd.DataFrame, title: str, xlabel: str, ylabel: str = "accuracy [%]") -> Figure:
    """One line for each name against a setting, with its interval.

    Parameters
    ----------
    frame : name, x, value, low, high (fractions, but for x); at most five names
    """
    figure, axis = plt.subplots(figsize=(7, 3.4))
    colours = (OURS, PAPER, "#009E73", "#CC79A7", "#56B4E9")
    parts = list(frame.groupby("name", sort=False))
    for (name, part), colour in zip(parts, colours[: len(parts)], strict=True):
        axis.fill_between(part["x"], 100 * part["low"], 100 * part["high"], color=colour, alpha=0.15, lw=0)
        axis.plot(part["x"], 100 * part["value"], marker="o", color=colour, label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def agreement(planted: pd.DataFrame, measured: pd.DataFrame, title: str, xlabel: str, ylabel: str) -> Figure:
    """Measured against planted importance, a dot for each emotion and region, named by its region.

    Parameters
    ----------
    planted, measured : index emotions, columns regions
    """
    figure, axis = plt.subplots(figsize=(7.5, 4.4))
    for emotion in planted.index:
        x, y = planted.loc[emotion], measured.loc[emotion, planted.columns]
        axis.scatter(x, y, color=PALETTE[emotion], s=34, label=emotion, zorder=3)
        for region in planted.columns:
            axis.annotate(region, (x[region], y[region]), (4, 3), textcoords="offset points", size=7)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log")
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def region_heatmaps(
    frames: Mapping[str, pd.DataFrame], title: str, formats: Sequence[str], bar: str | None = None
) -> Figure:
    """Heat tables beside each other, emotions against regions; those with negative values have white at 0.

    Parameters
    ----------
    frames : {what the numbers are, with their unit: index emotions, columns regions}
    formats : of the numbers of each
    bar : what the numbers are where all are on one scale; each table has its own otherwise
    """
    height, width = next(iter(frames.values())).shape
    size = (len(frames) * (0.62 * width + 1.3) + 1, 0.42 * height + 1.4)
    figure, axes = plt.subplots(1, len(frames), figsize=size, sharey=True, squeeze=False)
    for axis, (name, frame), form in zip(axes[0], frames.items(), formats, strict=True):
        values = (frame if bar is None else pd.concat(frames.values())).to_numpy(float)
        bound = max(float(np.nanmax(np.abs(values))), 1e-9)
        signed = {"cmap": "vlag_r", "vmin": -bound, "vmax": bound}
        scale = signed if np.nanmin(values) < 0 else {"cmap": "Blues", "vmin": np.nanmin(values), "vmax": bound}
        sns.heatmap(frame, annot=True, fmt=form, ax=axis, linewidths=0.5, annot_kws={"size": 8}, cbar=False, **scale)
        axis.set_title(name, weight="normal", size=9)
        axis.set(xlabel="", ylabel="")
        axis.tick_params(axis="x", rotation=35)
        axis.tick_params(axis="y", rotation=0)
    if bar is not None:
        figure.colorbar(axis.collections[0], ax=axes, label=bar)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def _plain(axis: Axes) -> None:
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    sns.despine(ax=axis, left=True, bottom=True)
