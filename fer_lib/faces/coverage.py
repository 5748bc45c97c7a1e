"""How many faces are found, and of whom: an accuracy over found faces alone would hide the others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest, permutation_test

RESAMPLES = 2000
GROUPS = ("label", "gender", "age", "skin_tone")


def coverage(table: pd.DataFrame, faces: pd.DataFrame, groups: Sequence[str] = GROUPS) -> pd.DataFrame:
    """Shares of pictures in which a face, and its mesh, was found.

    Parameters
    ----------
    table : usable rows of the study table
    faces : what `faces.prepare` measured of them, in the same order
    groups : columns of the table that are looked into; those without values are left out

    Returns
    -------
    index group and value, "all" first; columns pictures; face and mesh (fractions); low and high, the 95 % Wilson
    interval of mesh
    """
    found = pd.DataFrame({"face": faces["faces"].to_numpy() > 0, "mesh": faces["face_problem"].isna().to_numpy()})
    rows = {("all", ""): _shares(found)}
    for name in groups:
        values = table[name].reset_index(drop=True)
        for value in sorted(values.dropna().unique()):
            rows[name.replace("_", " "), str(value)] = _shares(found[values == value])
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["group", "value"])


def coverage_texts(shares: pd.DataFrame) -> pd.DataFrame:
    """The same in percent, for a page."""
    percent = (100 * shares[["face", "mesh", "low", "high"]]).round(1)
    return pd.DataFrame(
        {
            "pictures": shares["pictures"].map("{:,}".format),
            "face found, %": percent["face"],
            "mesh found, % [95 % interval]": [
                f"{row.mesh:.1f} [{row.low:.1f}, {row.high:.1f}]" for row in percent.itertuples()
            ],
        }
    )


def coverage_differs(table: pd.DataFrame, faces: pd.DataFrame, groups: Sequence[str] = GROUPS) -> pd.Series:
    """For each column whether its groups' meshes are found equally often: p of a chi-squared test by permutation.

    What a person is, such as a gender, is permuted over people, whose pictures are not independent.

    Returns
    -------
    index column; p, corrected by Holm for the number of columns; 1 where every mesh, or none, was found
    """
    found, p = faces["face_problem"].isna().to_numpy(), {}
    for name in groups:
        known = table[name].notna().to_numpy()
        values, subjects = table[name].to_numpy()[known], table["subject"].to_numpy()[known]
        if len(set(values)) > 1:
            p[name] = _permuted(found[known], values, subjects)
    ordered = pd.Series(p, dtype=float).sort_values()
    return (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1)


def _permuted(found: np.ndarray, values: np.ndarray, subjects: np.ndarray) -> float:
    """How often chance divides the found meshes as unevenly between the values; p."""
    rows = pd.DataFrame({"found": found, "value": pd.factorize(values)[0], "unit": subjects, "pictures": 1})
    of_person = rows["unit"].notna().all() and (rows.groupby("unit")["value"].nunique() == 1).all()
    units = rows.groupby("unit" if of_person else rows.index).agg({"found": "sum", "value": "first", "pictures": "sum"})
    share = found.mean()
    if share in (0, 1):
        return 1.0

    def unevenness(value: np.ndarray) -> float:
        pictures, meshes = (np.bincount(value, units[name]) for name in ("pictures", "found"))
        return float(((meshes - share * pictures) ** 2 / pictures).sum())

    drawn = {"n_resamples": RESAMPLES, "permutation_type": "pairings", "rng": np.random.default_rng(0)}
    return float(permutation_test((units["value"].to_numpy(),), unevenness, alternative="greater", **drawn).pvalue)


def _shares(found: pd.DataFrame) -> dict:
    interval = binomtest(int(found["mesh"].sum()), len(found)).proportion_ci(method="wilson")
    shares = {"pictures": len(found), "face": found["face"].mean(), "mesh": found["mesh"].mean()}
    return shares | {"low": interval.low, "high": interval.high}
