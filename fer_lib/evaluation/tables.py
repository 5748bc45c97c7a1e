"""Result tables for people who read many models side by side."""

from collections.abc import Sequence

import pandas as pd

from fer_lib.evaluation.metrics import METRICS
from fer_lib.evaluation.results import interval_text, pick, without_twins
from fer_lib.evaluation.seeds import seed_values, spread_text

INTERVAL = "[95 % interval]"
EMPTY = "–"
PARTS = ("frozen", "head", "full")


def comparison_table(results: pd.DataFrame, experiments: Sequence[str], papers: pd.DataFrame) -> pd.DataFrame:
    """One row for each experiment on test, in percent: for families of variants.

    An experiment with several seeds shows mean ± standard deviation over them; its interval is the mean of theirs,
    for a single one of these networks. Columns that would be empty are left out.

    Parameters
    ----------
    results : tidy rows, ours
    papers : tidy rows of claims about the same data, `evaluation.papers.claims`

    Returns
    -------
    index experiment; columns N, accuracy, mean class recall, macro F1, the paper's accuracy, accuracy without the
    pictures that also lie in train, and what chose epoch and settings; texts

    Raises
    ------
    KeyError
        When an experiment has no such results.
    ValueError
        When the seeds of an experiment were tested on different pictures.
    """
    rows = [_row(results, name, papers) for name in experiments]
    frame = pd.DataFrame(rows, index=pd.Index(experiments, name="experiment"))
    return frame.loc[:, (frame != EMPTY).any()]


def starts_table(results: pd.DataFrame) -> pd.DataFrame:
    """The best network of each start and each way to go on, by validation: its accuracy on test in percent, its name.

    Parameters
    ----------
    results : tidy rows; those of `transfer/<network>/<start>/<part>` count

    Returns
    -------
    index what was trained (frozen, head, full), columns the starts; texts
    """
    best = pd.DataFrame(index=pd.Index([], name="trained"))
    names = [name for name in results["experiment"].unique() if name.startswith("transfer/") and name[-4:] != "_tta"]
    for name in sorted(names, key=lambda name: pick(results, name, split="validation")["value"]):  # the last one stays
        _, network, start, part = name.split("/")
        best.loc[part, start] = f"{interval_text(pick(results, name))} {network}"
    return best.reindex([part for part in PARTS if part in best.index]).fillna(EMPTY)


def beside_papers(
    results: pd.DataFrame, papers: pd.DataFrame, experiments: Sequence[str], metrics: Sequence[str] = tuple(METRICS)
) -> pd.DataFrame:
    """The headline table: one row for each experiment and metric, ours with N and interval, the paper's beside it."""
    rows = []
    for name in experiments:
        for metric in metrics:
            ours = pick(results, name, metric)
            alone = without_twins(ours["test_condition"])
            fewer = results.query(f"experiment == @name and metric == @metric and test_condition == {alone!r}")
            rows.append(
                {
                    "experiment": name,
                    "metric": metric,
                    "N": f"{ours['n']:,.0f}",
                    "ours, % [95 % interval]": interval_text(ours),
                    "paper, %": claim_text(papers, ours),
                    "without twins in train": interval_text(fewer.iloc[0]) if len(fewer) else "–",
                    "ours chosen by": ours["selection"],
                }
            )
    return pd.DataFrame(rows).set_index("experiment")


def claim_text(papers: pd.DataFrame, ours: pd.Series) -> str:
    """What the papers claim for one of our rows, in percent, with its condition and N where they are not ours; or –."""
    same = [papers[column] == ours[column] for column in ("experiment", "metric", "split", "train_condition")]
    found = papers[pd.concat(same, axis=1).all(axis=1)]
    alike = found["test_condition"] == ours["test_condition"]
    if found.empty:
        return "–"
    claim = (found[alike] if alike.any() else found).iloc[0]
    condition = claim["test_condition"]
    differs = []
    if not alike.any():
        differs.append(condition if "," in condition else f"{condition} faces")
    if pd.notna(claim["n"]) and claim["n"] != ours["n"]:
        differs.append(f"N {claim['n']:,.0f}")
    return f"{100 * claim['value']:.1f}" + (f" ({', '.join(differs)})" if differs else "")


def _row(results: pd.DataFrame, name: str, papers: pd.DataFrame) -> dict[str, str]:
    ours = pick(results, name)
    condition = ours["test_condition"]
    return {
        "N": f"{ours['n']:,.0f}",
        f"accuracy, % {INTERVAL}": _cell(results, name, "accuracy", condition, count=True),
        "mean class recall": _cell(results, name, "mean class recall", condition),
        "macro F1": _cell(results, name, "macro F1", condition),
        "paper's accuracy": _claim(results, name, condition, papers),
        "without twins": _cell(results, name, "accuracy", without_twins(condition)),
        "chosen by": ours["selection"] if pd.notna(ours["selection"]) else EMPTY,
    }


def _cell(results: pd.DataFrame, name: str, metric: str, condition: str, count: bool = False) -> str:
    """A value with its interval, for several seeds also their spread and, with `count`, their number."""
    found = results.query(
        "experiment == @name and metric == @metric and split == 'test' and test_condition == @condition"
    )
    if found.empty:
        return EMPTY
    if found["seed"].nunique() < 2:
        return interval_text(found.iloc[0])
    values = seed_values(results, name, metric, "test", condition)
    bounds = found.dropna(subset="seed")[["low", "high"]].mean()
    interval = interval_text(pd.Series({"value": values.mean(), **bounds})).partition(" ")[2]
    seeds = f" ({len(values)} seeds)" if count else ""
    return f"{spread_text(values)} {interval}".rstrip() + seeds


def _claim(results: pd.DataFrame, name: str, condition: str, papers: pd.DataFrame) -> str:
    """The paper's accuracy; where it tells the mean of class recalls alone, that one by its name."""
    text = claim_text(papers, pick(results, name, "accuracy", condition=condition))
    if text != EMPTY:
        return text
    recall = claim_text(papers, pick(results, name, "mean class recall", condition=condition))
    return recall if recall == EMPTY else f"{recall}, mean class recall"
