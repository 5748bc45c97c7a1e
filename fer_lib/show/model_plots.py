"""Plots about models: how sure they are, what varies, what they cost, how they were chosen.

As in `plots`, each takes measured values and a title that states the finding, and returns a figure.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from fer_lib.emotions import PALETTE
from fer_lib.evaluation.calibration import bins_error
from fer_lib.evaluation.seeds import spread_text
from fer_lib.show.plots import ALWAYS_LARGEST, INK, OURS, PAPER

OUTSIDE = {"frameon": False, "loc": "upper left", "bbox_to_anchor": (1.01, 1)}


def reliability(bins_before: pd.DataFrame, bins_after: pd.DataFrame, title: str) -> Figure:
    """Accuracy against the highest score, before and after the temperature, and how many pictures lie where.

    Parameters
    ----------
    bins_before, bins_after : from `evaluation.calibration.confidence_bins`
    """
    figure, axes = plt.subplots(2, 2, figsize=(8, 4.8), height_ratios=(3, 1), sharex=True, sharey="row")
    for (name, bins), (above, below) in zip((("before", bins_before), ("after", bins_after)), axes.T, strict=True):
        _accuracy_and_gap(above, bins)
        above.set_title(f"{name}: off by {100 * bins_error(bins):.1f} points on average", weight="normal", size=10)
        below.bar(100 * bins["low"], 100 * bins["n"] / bins["n"].sum(), **_widths(bins), color=PALETTE["neutral"])
        below.set(xlabel="highest score [%]", xlim=(0, 100), xticks=range(20, 100, 20))
    axes[0, 0].set(ylabel="accuracy [%]", ylim=(0, 100))
    axes[1, 0].set_ylabel("pictures [%]")
    axes[0, 1].legend(**OUTSIDE)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def variants(rows: pd.DataFrame, title: str, xlabel: str, largest: float | None = None) -> Figure:
    """Variants of one thing below each other, in the given order, with intervals and what the papers claim.

    Parameters
    ----------
    rows : name, value, low, high and, where papers claim something, paper (fractions; NaN where there is none)
    largest : accuracy of always saying the largest class, where that is worth a line
    """
    y = np.arange(len(rows))
    figure, axis = plt.subplots(figsize=(7.5, 0.36 * len(rows) + 1.2))
    error = _interval(rows)
    axis.errorbar(100 * rows["value"], y, xerr=error, fmt="o", color=OURS, capsize=3, label="ours, 95 % interval")
    if "paper" in rows and rows["paper"].notna().any():
        claim = {"marker": "D", "facecolors": "none", "edgecolors": PAPER, "linewidths": 1.6, "s": 38}
        axis.scatter(100 * rows["paper"], y, label="paper's claim", zorder=3, **claim)
    if largest is not None:
        axis.axvline(100 * largest, **ALWAYS_LARGEST)
    if len(axis.get_legend_handles_labels()[1]) > 1:
        axis.legend(reverse=True, **OUTSIDE)
    axis.set(yticks=y, yticklabels=rows["name"], ylim=(len(rows) - 0.5, -0.5), xlabel=xlabel, title=title)
    return figure


def seeds(values: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Every seed's accuracy as a dot, the mean as a bar, mean ± standard deviation beside them.

    Parameters
    ----------
    values : {experiment: accuracy of each seed, fractions}
    """
    figure, axis = plt.subplots(figsize=(7, 0.44 * len(values) + 1.2))
    for y, numbers in enumerate(values.values()):
        spread = np.linspace(-0.25, 0.25, len(numbers)) if len(numbers) > 1 else [0]
        axis.scatter(100 * np.asarray(numbers), y + np.asarray(spread), color=OURS, s=26, lw=0)
        axis.plot([100 * np.mean(numbers)] * 2, [y - 0.36, y + 0.36], color=INK, lw=1.5, zorder=1)
        axis.text(1.02, y, f"{spread_text(numbers)} %", transform=axis.get_yaxis_transform(), va="center", size=10)
    axis.set(yticks=range(len(values)), yticklabels=values, ylim=(len(values) - 0.5, -0.5))
    axis.set(xlabel="test accuracy [%]", title=title)
    return figure


def epoch_lesson(history: pd.DataFrame, title: str) -> Figure:
    """What an epoch picked on the test split seems to give, beside the one that validation picks.

    Parameters
    ----------
    history : epoch, validation_accuracy, test_accuracy (fractions); of equal epochs the first is picked
    """
    figure, axis = plt.subplots(figsize=(7, 3.4))
    for split, colour in (("validation", OURS), ("test", PAPER)):
        axis.plot(history["epoch"], 100 * history[f"{split}_accuracy"], color=colour, lw=1.5, label=split)
    for split, colour, marker, verb in (("validation", OURS, "o", "picks"), ("test", PAPER, "D", "would pick")):
        row = history.loc[history[f"{split}_accuracy"].idxmax()]
        label = f"{split} {verb} epoch {row['epoch']:.0f}:\n{100 * row['test_accuracy']:.1f} % on test"
        mark = {"color": colour, "markeredgecolor": INK, "ls": "none", "zorder": 3}
        axis.plot(row["epoch"], 100 * row["test_accuracy"], marker, label=label, **mark)
        axis.axvline(row["epoch"], color=colour, lw=1, ls=":")
    axis.set(xlabel="epoch", ylabel="accuracy [%]", title=title)
    axis.legend(labelspacing=0.8, **OUTSIDE)
    return figure


def cost_against_accuracy(frame: pd.DataFrame, title: str) -> Figure:
    """What more arithmetic buys. A marker's area grows with the root of the number of parameters.

    Parameters
    ----------
    frame : index names; gmacs (10⁹ of one picture), accuracy, low, high (fractions), parameters
    """
    frame = frame.astype(float).sort_values("parameters", ascending=False)  # small markers lie on large ones
    figure, axis = plt.subplots(figsize=(7.5, 4.2))
    areas = _area(frame["parameters"])
    accuracy = 100 * frame["accuracy"]
    error = _interval(frame.rename(columns={"accuracy": "value"}))
    axis.errorbar(frame["gmacs"], accuracy, yerr=error, fmt="none", ecolor=OURS, elinewidth=1, capsize=2)
    axis.scatter(frame["gmacs"], accuracy, s=areas, color=OURS, edgecolor="white", zorder=3)
    axis.set(xscale="log", xlabel="multiply-accumulates for one picture [10⁹]", ylabel="test accuracy [%]", title=title)
    axis.margins(x=0.18, y=0.1)
    _size_legend(axis, frame["parameters"])
    _name_points(axis, frame, np.sqrt(areas) / 2)
    return figure


def trials(frame: pd.DataFrame, title: str) -> Figure:
    """A search's history: every trial, and the best one so far.

    Parameters
    ----------
    frame : number, value, best_so_far (validation accuracies, fractions; NaN for a trial without a value)
    """
    best = frame.loc[frame["value"].idxmax()]
    figure, axis = plt.subplots(figsize=(7, 3.2))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.scatter(frame["number"], 100 * frame["value"], color=OURS, alpha=0.6, s=24, lw=0, label="a trial")
    axis.step(frame["number"], 100 * frame["best_so_far"], where="post", color=INK, lw=1.5, label="best so far")
    label = f"best: trial {best['number']:.0f}, {100 * best['value']:.1f} %"
    axis.plot(best["number"], 100 * best["value"], "o", ms=9, mfc="none", mec=PAPER, mew=2, ls="none", label=label)
    axis.set(xlabel="trial", ylabel="validation accuracy [%]", title=title)
    axis.legend(**OUTSIDE)
    return figure


def heat_grid(frame: pd.DataFrame, title: str, xlabel: str, ylabel: str) -> Figure:
    """Validation accuracy over a grid of two settings, the best cell framed.

    Parameters
    ----------
    frame : index the setting on the y axis, columns that on the x axis; fractions, NaN where nothing was tried
    """
    height, width = frame.shape
    figure, axis = plt.subplots(figsize=(0.75 * width + 2.6, 0.5 * height + 1.4))
    bar = {"label": "validation accuracy [%]"}
    sns.heatmap(100 * frame, annot=True, fmt=".1f", cmap="Blues", ax=axis, cbar_kws=bar, linewidths=0.5)
    y, x = np.unravel_index(np.nanargmax(frame.to_numpy(float)), frame.shape)
    axis.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=PAPER, lw=3, clip_on=False))
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axis.tick_params(axis="both", rotation=0)
    axis.grid(False)
    return figure


def _accuracy_and_gap(axis: Axes, bins: pd.DataFrame) -> None:
    x, accuracy, confidence = (100 * bins[name] for name in ("low", "accuracy", "confidence"))
    axis.bar(x, accuracy, **_widths(bins), color=OURS, alpha=0.7, edgecolor="white", label="accuracy")
    gap = {"facecolor": "none", "edgecolor": PAPER, "hatch": "////", "lw": 0.8, "label": "gap to the score"}
    axis.bar(x, confidence - accuracy, bottom=accuracy, **_widths(bins), **gap)
    axis.plot([0, 100], [0, 100], color=INK, lw=1, ls=":", label="score = accuracy")


def _widths(bins: pd.DataFrame) -> dict:
    return {"width": 100 * (bins["high"] - bins["low"]), "align": "edge"}


def _interval(rows: pd.DataFrame) -> np.ndarray:
    """Distances to low and high in percent, (2, N), 0 where there is no interval."""
    sides = [rows[side].fillna(rows["value"]) for side in ("low", "high")]
    return 100 * np.abs(np.vstack([side - rows["value"] for side in sides]))


def _area(parameters: Sequence[int]) -> np.ndarray:
    """Marker area in points²: 30 for a million parameters, 300 for a hundred million."""
    return 30 * np.sqrt(np.asarray(parameters, float) / 1e6)


def _size_legend(axis: Axes, parameters: pd.Series) -> None:
    first, last = np.log10([parameters.min(), parameters.max()]).round().astype(int)
    for number in 10.0 ** np.arange(first, last + 1):
        axis.scatter([], [], s=_area(number), color=OURS, edgecolor="white", label=f"{number / 1e6:g} million")
    axis.legend(title="parameters", labelspacing=1.2, alignment="left", **OUTSIDE)


def _name_points(axis: Axes, frame: pd.DataFrame, radii: np.ndarray) -> None:
    """Write each name beside its marker, where it covers no marker, no interval and no other name."""
    axis.figure.draw_without_rendering()  # the layout decides what lies where
    taken = _marker_boxes(axis, frame, radii)
    for name, x, y, radius in zip(frame.index, frame["gmacs"], 100 * frame["accuracy"], radii, strict=True):
        text = axis.annotate(name, (x, y), (0, 0), textcoords="offset points", size=9)
        for right, up in ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (1, 2), (1, -2)):
            text.set(ha="left" if right > 0 else "right", va="center")
            text.xyann = (right * (radius + 3), up * 10)
            box = text.get_window_extent()
            inside = axis.bbox.x0 < box.x0 and box.x1 < axis.bbox.x1
            if inside and not any(box.overlaps(other) for other in taken):
                break
        taken.append(box)


def _marker_boxes(axis: Axes, frame: pd.DataFrame, radii: np.ndarray) -> list[Bbox]:
    """What markers and intervals cover, in pixels."""
    middle, low, high = (
        axis.transData.transform(np.column_stack([frame["gmacs"], 100 * frame[side].fillna(frame["accuracy"])]))
        for side in ("accuracy", "low", "high")
    )
    reach = np.asarray(radii)[:, None] * axis.figure.dpi / 72
    corners = [*zip(middle - reach, middle + reach, strict=True), *zip(low - 1, high + 1, strict=True)]
    return [Bbox(pair) for pair in corners]
