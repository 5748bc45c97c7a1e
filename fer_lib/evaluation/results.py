"""Tidy result rows: one number a row, the same columns everywhere."""

from collections.abc import Sequence

import pandas as pd

from fer_lib.data.splits import has_training_twin
from fer_lib.evaluation.compare import Difference, intervals, paired_difference
from fer_lib.evaluation.metrics import CLASS_METRICS, METRICS, confusion, rightly, roc_curves
from fer_lib.runs import Run

BARE = "bare"  # faces as they are, nothing covered
NO_TWIN = "bare, no twin in train"
COLUMNS = (
    "notebook",
    "experiment",
    "model",
    "train_condition",
    "test_condition",
    "seed",
    "split",
    "n",
    "metric",
    "value",
    "low",
    "high",
    "selection",
    "source",
    "note",
)


def result_rows(
    predictions: pd.DataFrame, classes: Sequence[str], resamples: int, seed: int = 0, **columns
) -> pd.DataFrame:
    """All metrics of one set of predictions, overall and per class, with 95 % bootstrap intervals.

    Parameters
    ----------
    predictions : columns label and one score per class
    columns : what else every row says: notebook, experiment, model, split, selection, …

    Returns
    -------
    rows with `COLUMNS`; the metrics of one class are named `recall[fear]` and so on
    """
    counts = confusion(predictions, classes)
    rows = [
        {"metric": name, "value": value, "low": low, "high": high}
        for name, (value, low, high) in intervals(counts, METRICS, resamples, seed).items()
    ]
    for name, (value, low, high) in intervals(counts, CLASS_METRICS, resamples, seed).items():
        rows += [
            {"metric": f"{name}[{emotion}]", "value": value[k], "low": low[k], "high": high[k]}
            for k, emotion in enumerate(classes)
        ]
    present = [emotion for emotion in classes if 0 < (predictions["label"] == emotion).sum() < len(predictions)]
    for emotion, (_, _, area) in roc_curves(predictions, present).items():
        rows.append({"metric": f"AUC[{emotion}]", "value": area})
    frame = pd.DataFrame(rows).assign(n=len(predictions), seed=seed, source="ours")
    return frame.assign(**columns).reindex(columns=COLUMNS)


def run_results(run: Run, table: pd.DataFrame, classes: Sequence[str], resamples: int, **columns) -> pd.DataFrame:
    """All result rows of one run: validation, test, and test without the pictures that also lie in train.

    Parameters
    ----------
    table : the study table, which tells the pictures with a twin in train
    columns : what every row says: notebook, model, selection, …
    """
    twins = set(table["id"][has_training_twin(table)])
    test = run.of_split("test")
    parts = {
        ("validation", BARE): run.of_split("validation"),
        ("test", BARE): test,
        ("test", NO_TWIN): test[~test["id"].isin(twins)],
    }
    parts = {key: part for key, part in parts.items() if len(part)}
    columns = {
        "experiment": run.experiment["name"],
        "seed": run.experiment["seed"],
        "train_condition": BARE,
    } | columns
    return pd.concat(
        result_rows(part, classes, resamples, split=split, test_condition=condition, **columns)
        for (split, condition), part in parts.items()
    )


def class_table(results: pd.DataFrame, experiment: str, classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and accuracy of each class on test, in percent with intervals, one row a class."""
    cells = {
        name: [interval_text(pick(results, experiment, f"{name}[{emotion}]")) for emotion in classes]
        for name in CLASS_METRICS
    }
    cells["AUC"] = [f"{pick(results, experiment, f'AUC[{emotion}]')['value']:.3f}" for emotion in classes]
    return pd.DataFrame(cells, index=pd.Index(classes, name="class"))


def class_recalls(results: pd.DataFrame, experiment: str, classes: Sequence[str]) -> pd.DataFrame:
    """Recall of every class on test: index classes; columns value, low, high (fractions)."""
    rows = [pick(results, experiment, f"recall[{emotion}]")[["value", "low", "high"]] for emotion in classes]
    return pd.DataFrame(rows).set_axis(list(classes)).astype(float)


def pick(
    results: pd.DataFrame,
    experiment: str,
    metric: str = "accuracy",
    split: str = "test",
    condition: str = BARE,
) -> pd.Series:
    """The one row of our results for an experiment, metric, split and test condition.

    Raises
    ------
    KeyError
        When there is no such row.
    """
    found = results.query(
        "experiment == @experiment and metric == @metric and split == @split and test_condition == @condition"
    )
    if found.empty:
        raise KeyError(f"no result for {experiment}, {metric}, {split}, {condition}")
    return found.iloc[0]


def interval_text(row: pd.Series) -> str:
    """A fraction and its interval in percent, as in `61.2 [59.6, 62.8]`."""
    value = f"{100 * row['value']:.1f}"
    return value if pd.isna(row["low"]) else f"{value} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def beside_papers(
    results: pd.DataFrame, papers: pd.DataFrame, experiments: Sequence[str], metrics: Sequence[str] = tuple(METRICS)
) -> pd.DataFrame:
    """The headline table: one row for each experiment and metric, ours with N and interval, the paper's beside it."""
    rows = []
    for name in experiments:
        for metric in metrics:
            ours = pick(results, name, metric)
            fewer = results.query("experiment == @name and metric == @metric and test_condition == @NO_TWIN")
            rows.append(
                {
                    "experiment": name,
                    "metric": metric,
                    "N": f"{ours['n']:,}",
                    "ours, % [95 % interval]": interval_text(ours),
                    "paper, %": _claim_text(papers.query("experiment == @name and metric == @metric")),
                    "without twins in train": interval_text(fewer.iloc[0]) if len(fewer) else "–",
                    "ours chosen by": ours["selection"],
                }
            )
    return pd.DataFrame(rows).set_index("experiment")


def _claim_text(claim: pd.DataFrame) -> str:
    """A published value in percent, with its condition and N where they are not ours."""
    if claim.empty:
        return "–"
    row = claim.iloc[0]
    other = "" if row["test_condition"] == BARE else f" ({row['test_condition']} faces, N {row['n']:,.0f})"
    return f"{100 * row['value']:.1f}{other}"


def compare_runs(before: Run, after: Run, classes: Sequence[str], resamples: int) -> Difference:
    """How accuracy on test changes from one run to another, picture by picture."""
    pair = [run.of_split("test").sort_values("id", ignore_index=True) for run in (before, after)]
    if not pair[0]["id"].equals(pair[1]["id"]):
        raise ValueError("the two runs were not tested on the same pictures")
    return paired_difference(*(rightly(part, classes) for part in pair), resamples)
