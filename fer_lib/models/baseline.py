"""The baseline of paper 003: its settings, chosen by cross-validation as notebook 03 shows it."""

from collections.abc import Sequence

import pandas as pd

from fer_lib.models.svm import Classical, GridSearch, best_of, search
from fer_lib.profiles import Profile
from fer_lib.runs import Run, RunStore

C, GAMMA = (1, 10, 100), (0.25, 0.5, 1, 2)


def baseline_search(
    classes: Sequence[str], profile: Profile, table: pd.DataFrame, store: RunStore
) -> tuple[Classical, Run]:
    """Principal components and an RBF support vector machine, C and gamma chosen on a part of train; and that search.

    Parameters
    ----------
    profile : whose components fit the number of training pictures
    """
    base = Classical("pca_svm", components=min(150, max(profile.components)), classes=tuple(classes))
    grid = GridSearch("pca_svm/search", base, C, GAMMA, profile.search_pictures, profile.search_folds)
    found = search(grid, table, store)
    return best_of(found, base, "pca_svm"), found
