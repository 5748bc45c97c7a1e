"""One experiment run with several seeds: its mean and how far chance alone spreads it.

Every function takes tidy result rows. Rows without a seed, such as the papers' and aggregates, are left out.
"""

import numpy as np
import pandas as pd

from fer_lib.evaluation.results import BARE, COLUMNS

SAME = ["experiment", "model", "split", "test_condition", "train_condition", "metric"]


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """One tidy row for each experiment, model, split, condition and metric: the mean over its seeds.

    Returns
    -------
    rows with `COLUMNS`; seed is empty, low and high are the means of the seeds' bounds, the note tells the number of
    seeds and the standard deviation of a single run (N - 1), a fraction

    Raises
    ------
    ValueError
        When the seeds of a row were tested on different numbers of pictures, or a seed comes twice.
    """
    seeded = rows.dropna(subset="seed")
    means = [_mean_row(group) for _, group in seeded.groupby(SAME, sort=False, dropna=False)]
    return pd.DataFrame(means, columns=list(COLUMNS))


def seed_values(
    rows: pd.DataFrame, experiment: str, metric: str = "accuracy", split: str = "test", condition: str = BARE
) -> np.ndarray:
    """The value of each seed, in the order of the seeds.

    Raises
    ------
    KeyError
        When there is no such row.
    ValueError
        When a seed comes twice, or the seeds were tested on different numbers of pictures.
    """
    found = rows.dropna(subset="seed").query(
        "experiment == @experiment and metric == @metric and split == @split and test_condition == @condition"
    )
    if found.empty:
        raise KeyError(f"no seeds of {experiment}, {metric}, {split}, {condition}")
    _check(found)
    return found.sort_values("seed")["value"].to_numpy(float)


def spread_text(values: np.ndarray) -> str:
    """Fractions as mean and standard deviation in percent, as in `74.3 ± 0.2`; the mean alone for one value."""
    mean = f"{100 * np.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * np.std(values, ddof=1):.1f}"


def _mean_row(group: pd.DataFrame) -> dict:
    _check(group)
    note = f"mean of {_number(len(group))}"
    if len(group) > 1:
        note += f", sd {group['value'].std(ddof=1):.4f}"
    first = group.iloc[0].to_dict()
    means = group[["value", "low", "high"]].astype(float).mean()
    return {**first, "seed": np.nan, **means, "note": note}


def _check(group: pd.DataFrame) -> None:
    name = ", ".join(str(group.iloc[0][column]) for column in ("experiment", "split", "test_condition", "metric"))
    if group["n"].nunique() != 1:
        raise ValueError(f"{name}: the seeds were tested on different numbers of pictures")
    if group["seed"].duplicated().any():
        raise ValueError(f"{name}: a seed comes twice")


def _number(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"
