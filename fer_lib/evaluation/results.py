"""Tidy result rows: one number a row, the same columns everywhere."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fer_lib.data.splits import has_training_twin
from fer_lib.evaluation.calibration import expected_calibration_error
from fer_lib.evaluation.compare import Difference, intervals, paired_difference, paired_recall_difference
from fer_lib.evaluation.metrics import CLASS_METRICS, METRICS, confusion, rightly, roc_areas
from fer_lib.runs import Run

BARE = "bare"  # faces as they are, nothing covered
MASKED = "masked"  # a mask on every face
BARE_SIX = "bare, six emotions"  # paper 001's task, `data.tasks.six_emotions`
BARE_THREE = "bare, three emotions"  # paper 002's task, `data.tasks.three_emotions`
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
    predictions: pd.DataFrame, classes: Sequence[str], resamples: int, seed: int | None = None, **columns
) -> pd.DataFrame:
    """All metrics of one set of predictions, overall and per class, with 95 % bootstrap intervals.

    Parameters
    ----------
    predictions : columns label and one score per class
    seed : of the training, which also draws the resamples; None where there is not one, as for ensembles
    columns : what else every row says: notebook, experiment, model, split, selection, …

    Returns
    -------
    rows with `COLUMNS`; the metrics of one class are named `recall[fear]` and so on; `ECE`, the expected calibration
    error, where the scores are probabilities
    """
    counts, draw = confusion(predictions, classes), seed or 0
    rows = [
        {"metric": name, "value": float(value), "low": low, "high": high}
        for name, (value, low, high) in intervals(counts, METRICS, resamples, draw).items()
    ]
    for name, (value, low, high) in intervals(counts, CLASS_METRICS, resamples, draw).items():
        rows += [
            {"metric": f"{name}[{emotion}]", "value": value[k], "low": low[k], "high": high[k]}
            for k, emotion in enumerate(classes)
        ]
    areas = zip(classes, roc_areas(predictions, classes), strict=True)
    rows += [{"metric": f"AUC[{emotion}]", "value": area} for emotion, area in areas if np.isfinite(area)]
    if _are_probabilities(predictions[list(classes)].to_numpy(float)):
        rows.append({"metric": "ECE", "value": expected_calibration_error(predictions, classes)})
    frame = pd.DataFrame(rows).assign(n=len(predictions), seed=np.nan if seed is None else seed, source="ours")
    return frame.assign(**columns).reindex(columns=COLUMNS)


def _are_probabilities(scores: np.ndarray) -> bool:
    return bool((scores >= 0).all() and np.allclose(scores.sum(1), 1, atol=1e-3))


def condition_of(experiment: str) -> str:
    """The test condition of an experiment on bare faces: paper 001's family has six emotions."""
    return BARE_SIX if experiment.startswith("gimefive/") else BARE


def without_twins(condition: str) -> str:
    """The test condition without the pictures that also lie in train."""
    return f"{condition}, no twin in train"


def frame_results(
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    classes: Sequence[str],
    resamples: int,
    condition: str = BARE,
    **columns,
) -> pd.DataFrame:
    """All result rows of one set of predictions: validation, test, and test without pictures that also lie in train.

    Parameters
    ----------
    predictions : columns id, split, label and one score per class; of one model, of an ensemble, …
    table : the study table, which tells the pictures with a twin in train
    condition : the test condition that rows are told apart by
    columns : what every row says: notebook, experiment, model, selection, seed where there is one, …

    Returns
    -------
    rows with `COLUMNS`, none for a split without predictions
    """
    twins = set(table["id"][has_training_twin(table)])
    validation, test = (predictions[predictions["split"] == split] for split in ("validation", "test"))
    parts = {
        ("validation", condition): validation,
        ("test", condition): test,
        ("test", without_twins(condition)): test[~test["id"].isin(twins)],
    }
    columns = {"train_condition": BARE} | columns
    return pd.concat(
        result_rows(part, classes, resamples, split=split, test_condition=told, **columns)
        for (split, told), part in parts.items()
        if len(part)
    )


def run_results(
    run: Run,
    table: pd.DataFrame,
    classes: Sequence[str],
    resamples: int,
    predictions: pd.DataFrame | None = None,
    **columns,
) -> pd.DataFrame:
    """All result rows of one run, named after its experiment and seed; see `frame_results`.

    Parameters
    ----------
    predictions : the run's own where None; or others made from it, such as several views' or rescaled ones
    """
    predictions = run.predictions if predictions is None else predictions
    columns = {"experiment": run.experiment["name"], "seed": run.experiment["seed"]} | columns
    return frame_results(predictions, table, classes, resamples, **columns)


def overall(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of metrics of all classes together."""
    return rows[~rows["metric"].str.endswith("]")]


def headlines(results: pd.DataFrame) -> list[str]:
    """The experiments that have an accuracy on validation and on test, but those that only compare masks."""
    asked = results[(results["metric"] == "accuracy") & ~results["experiment"].str.startswith("masked/")]
    splits = asked.groupby("experiment", sort=False)["split"].agg(set)
    return [name for name, has in splits.items() if {"validation", "test"} <= has]


def class_table(results: pd.DataFrame, experiment: str, classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and accuracy of each class on test, in percent with intervals, one row a class."""
    cells = {
        name: [interval_text(pick(results, experiment, f"{name}[{emotion}]")) for emotion in classes]
        for name in CLASS_METRICS
    }
    cells["AUC"] = [f"{pick(results, experiment, f'AUC[{emotion}]')['value']:.3f}" for emotion in classes]
    return pd.DataFrame(cells, index=pd.Index(classes, name="class"))


def class_recalls(
    results: pd.DataFrame, experiment: str, classes: Sequence[str], condition: str | None = None
) -> pd.DataFrame:
    """Recall of every class on test: index classes; columns value, low, high (fractions); `condition` as in `pick`."""
    rows = [pick(results, experiment, f"recall[{emotion}]", condition=condition) for emotion in classes]
    return pd.DataFrame([row[["value", "low", "high"]] for row in rows]).set_axis(list(classes)).astype(float)


def own_condition(results: pd.DataFrame, experiment: str) -> str:
    """The test condition that an experiment is judged by: bare faces, or the first that it was tested under."""
    conditions = results["test_condition"][results["experiment"] == experiment]
    return BARE if conditions.empty or (conditions == BARE).any() else conditions.iloc[0]


def pick(
    results: pd.DataFrame,
    experiment: str,
    metric: str = "accuracy",
    split: str = "test",
    condition: str | None = None,
    taught: str | None = None,
) -> pd.Series:
    """The row of our results for an experiment, metric, split and test condition; of several seeds, their mean.

    condition : `own_condition` of the experiment where None
    taught : the train condition, where an experiment has several; the first that was recorded where None

    Raises
    ------
    KeyError
        When there is no such row.
    """
    condition = own_condition(results, experiment) if condition is None else condition
    found = results.query(
        "experiment == @experiment and metric == @metric and split == @split and test_condition == @condition"
    )
    found = found if taught is None else found[found["train_condition"] == taught]
    if found.empty:
        raise KeyError(f"no result for {experiment}, {metric}, {split}, {condition}, {taught or 'any training'}")
    return found.sort_values("seed", na_position="first", kind="stable").iloc[0]


def interval_text(row: pd.Series) -> str:
    """A fraction and its interval in percent, as in `61.2 [59.6, 62.8]`."""
    value = f"{100 * row['value']:.1f}"
    return value if pd.isna(row["low"]) else f"{value} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def compare_runs(before: Run, after: Run, classes: Sequence[str], resamples: int) -> Difference:
    """How accuracy on test changes from one run to another, picture by picture."""
    return compare_predictions(before.predictions, after.predictions, classes, resamples)[0]


def compare_predictions(
    before: pd.DataFrame, after: pd.DataFrame, classes: Sequence[str], resamples: int
) -> tuple[Difference, Difference]:
    """How accuracy and mean class recall on test change from one model to another, picture by picture.

    Parameters
    ----------
    before, after : columns id, split, label and one score per class

    Raises
    ------
    ValueError
        When they are not about the same test pictures.
    """
    pair = [frame[frame["split"] == "test"].sort_values("id", ignore_index=True) for frame in (before, after)]
    if not pair[0]["id"].equals(pair[1]["id"]):
        raise ValueError("the two runs were not tested on the same pictures")
    right = [rightly(part, classes) for part in pair]
    labels = pair[0]["label"].to_numpy()
    return paired_difference(*right, resamples), paired_recall_difference(labels, *right, resamples)
