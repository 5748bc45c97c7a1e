"""The study's plots. Each takes measured values and a title that states the finding, and returns a figure."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.text import Text

from fer_lib.emotions import PALETTE

INK = "#333333"
OURS, PAPER = "#0072B2", "#E69F00"
ALWAYS_LARGEST = {"color": INK, "lw": 1, "ls": ":", "label": "always the largest class"}


def use_style() -> None:
    """One look for all figures: light grid, small type, left-hand titles."""
    sns.set_theme(context="notebook", style="whitegrid", font_scale=0.9)
    plt.rcParams.update(
        {
            "figure.constrained_layout.use": True,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "axes.labelcolor": INK,
        }
    )


def wrap_titles(figure: Figure) -> None:
    """Break titles, which are all that is bold, into lines that the figure can hold."""
    for text in figure.findobj(Text):
        if text.get_weight() == "bold":
            text.set_wrap(True)


def gallery(rows: Sequence[tuple[str, Sequence[np.ndarray]]], title: str, cell: float = 0.95) -> Figure:
    """Pictures in named rows.

    Parameters
    ----------
    rows : (name, uint8 pictures, grey or RGB) for each row, equally many pictures in each
    """
    width = max(len(pictures) for _, pictures in rows)
    figure, axes = plt.subplots(len(rows), width, figsize=(cell * width + 1.2, cell * len(rows) + 0.4), squeeze=False)
    for (name, pictures), line in zip(rows, axes, strict=True):
        for axis, picture in zip(line, pictures, strict=False):
            axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            sns.despine(ax=axis, left=True, bottom=True)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def class_balance(counts: pd.DataFrame, title: str) -> Figure:
    """Pictures per class and split, side by side. `counts`: index classes, columns splits."""
    shares = counts / counts.sum()
    figure, axis = plt.subplots(figsize=(7.5, 3.2))
    bottom = np.arange(len(counts.columns))
    left = np.zeros(len(bottom))
    for emotion in counts.index:
        width = shares.loc[emotion].to_numpy()
        axis.barh(bottom, width * 100, left=left * 100, color=PALETTE[emotion], label=emotion, edgecolor="white")
        left += width
    labels = [f"{split}\n{counts[split].sum():,}" for split in counts.columns]
    axis.set(yticks=bottom, yticklabels=labels, xlabel="share of the split's pictures [%]", title=title)
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    axis.legend(ncols=1, bbox_to_anchor=(1.01, 1), loc="upper left", frameon=False)
    return figure


def eigenfaces(components: np.ndarray, shares: np.ndarray, title: str) -> Figure:
    """The leading principal components as pictures, each with its share of variance.

    Parameters
    ----------
    components : float (k, size, size)
    shares : explained variance ratio of each, in 0-1
    """
    figure, axes = plt.subplots(2, -(-len(components) // 2), figsize=(9, 3.9))
    for axis in axes.flat:
        axis.set_axis_off()
    for number, (axis, face, share) in enumerate(zip(axes.flat, components, shares, strict=False), 1):
        bound = np.abs(face).max()
        axis.imshow(face, cmap="gray", vmin=-bound, vmax=bound)
        axis.set_title(f"{number}: {100 * share:.1f} %", weight="normal", size=9)
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def explained_variance(shares: np.ndarray, marked: int, title: str) -> Figure:
    """Cumulated share of variance against the number of components, with one number marked."""
    total = 100 * np.cumsum(shares)
    figure, axis = plt.subplots(figsize=(6, 3.2))
    axis.plot(np.arange(1, len(total) + 1), total, color=OURS)
    axis.plot([marked, marked, 0], [0, total[marked - 1], total[marked - 1]], ls=":", color=INK)
    label = f"{marked} components: {total[marked - 1]:.1f} %"
    axis.annotate(label, (marked, 50), xytext=(-6, 0), textcoords="offset points", ha="right", size=9)
    axis.set(
        xlabel="principal components",
        ylabel="explained variance [%]",
        ylim=(0, 102),
        xlim=(0, None),
        title=title,
    )
    return figure


def accuracy_curve(curve: pd.DataFrame, title: str, xlabel: str) -> Figure:
    """Accuracy with its interval against a setting. `curve`: index the setting; value, low, high (fractions)."""
    figure, axis = plt.subplots(figsize=(6, 3.2))
    axis.fill_between(curve.index, 100 * curve["low"], 100 * curve["high"], color=OURS, alpha=0.15, lw=0)
    axis.plot(curve.index, 100 * curve["value"], marker="o", color=OURS)
    axis.set(xlabel=xlabel, ylabel="validation accuracy [%]", title=title)
    return figure


def search_heatmap(scores: pd.DataFrame, title: str) -> Figure:
    """Cross-validated accuracy over the grid. `scores`: index gamma, columns C, fractions."""
    figure, axis = plt.subplots(figsize=(5.5, 3.2))
    sns.heatmap(100 * scores, annot=True, fmt=".1f", cmap="Blues", ax=axis, cbar_kws={"label": "accuracy [%]"})
    axis.set(title=title, xlabel="C", ylabel="gamma")
    axis.tick_params(axis="y", rotation=0)
    return figure


def confusion_heatmap(counts: np.ndarray, classes: Sequence[str], title: str) -> Figure:
    """Confusion matrix: colour is the share of the true class, the text share and pictures."""
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    text = np.array(
        [[f"{s:.0f} %\n{c:,}" for s, c in zip(*row, strict=True)] for row in zip(shares, counts, strict=True)]
    )
    figure, axis = plt.subplots(figsize=(6.4, 4.9))
    sns.heatmap(
        shares,
        annot=text,
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=100,
        square=True,
        ax=axis,
        annot_kws={"size": 8},
        xticklabels=classes,
        yticklabels=classes,
        cbar_kws={"label": "share of the true class [%]"},
    )
    axis.set(xlabel="predicted", ylabel="true", title=title)
    axis.tick_params(axis="x", rotation=35)
    axis.tick_params(axis="y", rotation=0)
    return figure


def roc(curves: Mapping[str, tuple[np.ndarray, np.ndarray, float]], title: str) -> Figure:
    """One-against-rest ROC curves with their areas, from `evaluation.metrics.roc_curves`."""
    figure, axis = plt.subplots(figsize=(5.6, 4.2))
    for emotion, (false, true, area) in curves.items():
        axis.plot(100 * false, 100 * true, color=PALETTE[emotion], label=f"{emotion}  {area:.3f}", lw=1.5)
    axis.plot([0, 100], [0, 100], color=INK, lw=0.8, ls=":")
    axis.set(xlabel="false positive rate [%]", ylabel="true positive rate [%]", title=title, aspect="equal")
    axis.legend(title="area under curve", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def class_recalls(frames: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Recall of each class with its interval, one colour a model. Frames: index classes; value, low, high."""
    figure, axis = plt.subplots(figsize=(7, 3.4))
    shades = sns.color_palette("crest", len(frames))
    for k, ((model, frame), shade) in enumerate(zip(frames.items(), shades, strict=True)):
        x = np.arange(len(frame)) + 0.16 * (k - (len(frames) - 1) / 2)
        error = 100 * np.abs(frame[["low", "high"]].to_numpy().T - frame["value"].to_numpy())
        axis.errorbar(x, 100 * frame["value"], error, fmt="o", color=shade, label=model, capsize=2)
    axis.set(xticks=range(len(frame)), xticklabels=frame.index, ylabel="recall [%]", ylim=(0, 100), title=title)
    axis.tick_params(axis="x", rotation=20)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def learning_curves(histories: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Loss and accuracy per epoch, training dashed and validation solid; a dot marks the chosen epoch."""
    figure, (loss, accuracy) = plt.subplots(1, 2, figsize=(9, 3.4))
    for (name, history), colour in zip(histories.items(), sns.color_palette("colorblind"), strict=False):
        best = history.loc[history["validation_accuracy"].idxmax()]
        for axis, measure, scale in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
            axis.plot(history["epoch"], scale * history[f"train_{measure}"], color=colour, ls="--", lw=1)
            axis.plot(history["epoch"], scale * history[f"validation_{measure}"], color=colour, label=name)
            axis.plot(best["epoch"], scale * best[f"validation_{measure}"], "o", color=colour)
    loss.set(xlabel="epoch", ylabel="cross entropy [nats]")
    accuracy.set(xlabel="epoch", ylabel="accuracy [%]")
    accuracy.legend(frameon=False, title="-- training\n— validation", loc="upper left", bbox_to_anchor=(1, 1))
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def against_papers(rows: pd.DataFrame, title: str, xlabel: str = "accuracy [%]") -> Figure:
    """Our values with intervals beside the papers' claims. `rows`: name, source, value, low, high (fractions)."""
    names = list(dict.fromkeys(rows["name"]))
    figure, axis = plt.subplots(figsize=(8, 0.3 * len(names) + 1.2))
    for source, colour, marker, told in (
        ("ours", OURS, "o", "ours, 95 % interval"),
        ("paper", PAPER, "D", "published"),
    ):
        part = rows[rows["source"] == source]
        if part.empty:
            continue
        y = [names.index(name) + (0.12 if source == "paper" else -0.12) for name in part["name"]]
        low, high = (part[side].fillna(part["value"]) for side in ("low", "high"))
        error = 100 * np.abs(np.vstack([part["value"] - low, high - part["value"]]))
        axis.errorbar(100 * part["value"], y, xerr=error, fmt=marker, color=colour, capsize=3, label=told)
    axis.set(yticks=range(len(names)), yticklabels=names, xlabel=xlabel)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.legend(loc="lower right")
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure
