"""Variants of one thing: beside each other, beside the papers, and each against the same reference."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fer_lib.evaluation.compare import Difference
from fer_lib.evaluation.results import compare_runs, pick
from fer_lib.runs import Run


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


def differences(
    reference: Run, others: Mapping[str, Run], classes: Sequence[str], resamples: int
) -> dict[str, Difference]:
    """How test accuracy changes from the reference to each other run, picture by picture.

    Returns
    -------
    the changes by name, without the reference itself
    """
    return {
        name: compare_runs(reference, run, classes, resamples)
        for name, run in others.items()
        if run.folder != reference.folder
    }


def difference_table(changes: Mapping[str, Difference]) -> pd.DataFrame:
    """One row for each change, in points: index variant; change with interval, McNemar's p, what that allows to say."""
    rows = {
        name: {
            "change of accuracy, points [95 % interval]": str(change).partition(", McNemar")[0],
            "McNemar's p": f"{change.p:.2g}",
            "so it": change.verdict,
        }
        for name, change in changes.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")


def verdicts(changes: Mapping[str, Difference], papers: pd.DataFrame, family: str, seeds: Sequence[float]) -> list[str]:
    """A sentence for each change that the paper also claims: does its finding hold here?

    Parameters
    ----------
    changes : {variant: `Difference` against the family's base}
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
        if change.verdict == "does not surely change":
            word = "is neither confirmed nor refuted" if change.low <= claimed <= change.high else "is not confirmed"
        elif abs(change.value) <= noise:
            word = "cannot be told from a change of seeds"
        else:
            word = "is confirmed in sign" if (change.value > 0) == (claimed > 0) else "is refuted"
        sentences.append(
            f"The paper's change of {100 * claimed:+.1f} points by *{variant}* {word}: here it {change.verdict} "
            f"accuracy ({change}; {alone})."
        )
    return sentences
