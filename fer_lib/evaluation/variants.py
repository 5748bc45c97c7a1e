"""Variants of one thing: beside each other, beside the papers, and each against the same reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_lib.evaluation.compare import Difference
from fer_lib.evaluation.results import compare_predictions, pick
from fer_lib.runs import Run


@dataclass(frozen=True)
class Change:
    """What a variant changes against the reference, on the same test pictures.

    Attributes
    ----------
    accuracy, recall : of all pictures, and of the classes on average
    cut_off : the limit of epochs that ended one of the two trainings while it was still learning; None when both
        stopped by themselves, or had a length of their own
    """

    accuracy: Difference
    recall: Difference
    cut_off: int | None = None

    @property
    def verdict(self) -> str:
        """What may be said of accuracy."""
        words = {"raises": "rises", "lowers": "falls"}
        told = words.get(self.accuracy.verdict, self.accuracy.verdict)
        return told + (f"; training cut off after {self.cut_off} epochs" if self.cut_off else "")


def cut_off(run: Run) -> int | None:
    """After how many epochs the limit ended a training that would have gone on; None when it ended by itself."""
    if run.experiment["schedule"] == "cosine":  # whose length is planned
        return None
    epochs, judged = len(run.history), run.history[f"validation_{run.experiment['chosen_by']}"]
    return None if epochs - 1 - judged.argmax() >= run.experiment["patience"] else epochs


def variant_rows(
    results: pd.DataFrame, experiments: Sequence[str], papers: pd.DataFrame, metric: str = "accuracy"
) -> pd.DataFrame:
    """One row for each experiment on test, for `show.model_plots.variants`.

    Returns
    -------
    name, value, low, high, and the paper's claim about the same metric and condition (NaN without one); fractions
    """
    rows = []
    for name in experiments:
        ours = pick(results, name, metric)
        asked = {"experiment": name, "metric": metric, "split": "test", "test_condition": ours["test_condition"]}
        claim = papers[(papers[list(asked)] == list(asked.values())).all(axis=1)]
        value = claim["value"].iloc[0] if len(claim) else float("nan")
        rows.append({"name": name, **ours[["value", "low", "high"]], "paper": value})
    return pd.DataFrame(rows).astype({"value": float, "low": float, "high": float, "paper": float})


def differences(reference: Run, others: Mapping[str, Run], classes: Sequence[str], resamples: int) -> dict[str, Change]:
    """What changes on test from the reference to each other run, picture by picture.

    Returns
    -------
    the changes by name, without the reference itself
    """
    return {
        name: Change(
            *compare_predictions(reference.predictions, run.predictions, classes, resamples),
            cut_off(run) or cut_off(reference),
        )
        for name, run in others.items()
        if run.folder != reference.folder
    }


def difference_table(changes: Mapping[str, Change]) -> pd.DataFrame:
    """One row for each change, in points: index variant; changes with intervals, McNemar's p, what may be said."""
    rows = {
        name: {
            "accuracy, points [95 % interval]": change.accuracy.points,
            "McNemar's p": f"{change.accuracy.p:.2g}",
            "mean class recall": change.recall.points,
            "so accuracy": change.verdict,
        }
        for name, change in changes.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")


def seeds_table(found: Mapping[str, Difference]) -> pd.DataFrame:
    """One row for each change of mean accuracy over seeds, in points: index what was changed."""
    rows = {
        name: {
            "change of accuracy, points [95 % interval]": change.points,
            "McNemar's p, of most seeds": f"{change.p:.2g}",
            "verdict": f"{change.verdict} accuracy",
        }
        for name, change in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("compared")


def verdicts(changes: Mapping[str, Change], papers: pd.DataFrame, family: str, seeds: Sequence[float]) -> list[str]:
    """A sentence for each change that the paper also claims: does its finding hold here?

    Parameters
    ----------
    changes : {variant: `Change` against the family's base}
    family : such as six_layer, whose claims are named `six_layer/<variant>`
    seeds : accuracy of each seed of the base; a change within twice the spread of a difference of two seeds could be
        one of seeds
    """
    claims = papers.query("metric == 'accuracy' and split == 'test'").set_index("experiment")["value"]
    noise = 2 * 2**0.5 * float(np.std(seeds, ddof=1)) if len(seeds) > 1 else 0.0
    alone = "one seed each" if len(seeds) < 2 else f"seeds alone move a difference by {100 * noise:.1f} points"
    sentences = []
    for variant, change in changes.items():
        name, base = f"{family}/{variant}", f"{family}/base"
        if name not in claims or base not in claims:
            continue
        claimed = claims[name] - claims[base]
        sentences.append(
            f"The paper's change of {100 * claimed:+.1f} points by *{variant}* {_judged(change, claimed, noise)}: "
            f"here it {change.accuracy.verdict} accuracy ({change.accuracy}; {alone}) and {change.recall.verdict} "
            f"mean class recall ({change.recall})."
        )
    return sentences


def _judged(change: Change, claimed: float, noise: float) -> str:
    """What the measured change says about the one that a paper claims; `noise` is what seeds alone can do."""
    ours = change.accuracy
    if change.cut_off:
        return f"cannot be judged by a training that was cut off after {change.cut_off} epochs"
    if ours.verdict == "does not surely change":
        return "is neither confirmed nor refuted" if ours.low <= claimed <= ours.high else "is not confirmed"
    if abs(ours.value) <= noise:
        return "cannot be told from a change of seeds"
    return "is confirmed in sign" if (ours.value > 0) == (claimed > 0) else "is refuted"
