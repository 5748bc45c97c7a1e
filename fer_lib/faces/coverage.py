"""How many faces are found, and of whom: an accuracy over found faces alone would hide the others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import PermutationMethod, binomtest, chi2_contingency

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

    Returns
    -------
    index column; p, corrected by Holm for the number of columns; 1 where every mesh, or none, was found
    """
    found, p = faces["face_problem"].isna().to_numpy(), {}
    for name in groups:
        known = table[name].notna().to_numpy()
        counts = pd.crosstab(table[name].to_numpy()[known], found[known])
        if counts.shape[0] > 1:
            draws = PermutationMethod(n_resamples=2000, rng=np.random.default_rng(0))
            p[name] = chi2_contingency(counts, correction=False, method=draws).pvalue if counts.shape[1] > 1 else 1.0
    ordered = pd.Series(p, dtype=float).sort_values()
    return (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1)


def _shares(found: pd.DataFrame) -> dict:
    interval = binomtest(int(found["mesh"].sum()), len(found)).proportion_ci(method="wilson")
    shares = {"pictures": len(found), "face": found["face"].mean(), "mesh": found["mesh"].mean()}
    return shares | {"low": interval.low, "high": interval.high}
