"""Other tasks on the same pictures, each as a study table of its own."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from fer_lib.data.splits import carve_validation
from fer_lib.data.table import usable
from fer_lib.errors import StudyError

SIX = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")  # paper 001's emotions, in its order
THREE = ("anger", "happiness", "neutral")  # paper 002's
VALIDATION = 0.1  # share of train
TENTHS = 10  # of the pictures, three of which are paper 002's test split


def six_emotions(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The task of paper 001: six emotions, tested on what the study calls validation and test together.

    A tenth of train, or one of its subjects where they are fewer than ten, becomes validation, so that no epoch is
    chosen on test. On FER2013 5,945 pictures are in test, as in the paper, and 23,744 in train before that, where the
    paper counts 23,743. Where a source has carved its validation split from train, as from folders, those pictures
    are in test too.

    Parameters
    ----------
    seed : chooses the validation pictures; equal pictures, and those of one subject, stay together

    Returns
    -------
    study table with the same rows and `attrs`; pictures of other emotions have a `problem`

    Raises
    ------
    StudyError
        When train has too few subjects, or pictures of an emotion, to give any to validation.
    """
    if len(set(usable(table)["label"]) & set(SIX)) < 2:
        raise StudyError("the data show fewer than two of paper 001's six emotions.")
    six = _only(table, SIX, "is not one of the six emotions of paper 001")
    six["split"] = table["split"].replace("validation", "test")
    return carve_validation(six, seed, _validation_share(usable(six)))


def labels_at_random(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The task of a sanity check (Adebayo et al. 2018): labels of train and validation dealt anew inside each split.

    How frequent each label is stays the same; votes, which would tell the truth, are left out, and test stays.
    """
    dealt, rng = table.copy(), np.random.default_rng(seed)
    for split in ("train", "validation"):
        there = dealt.index[(dealt["split"] == split) & dealt["problem"].isna()]
        dealt.loc[there, "label"] = rng.permutation(dealt.loc[there, "label"].to_numpy(object))
    dealt["votes"] = None
    dealt.attrs = dict(table.attrs)
    return dealt


def _only(table: pd.DataFrame, emotions: Sequence[str], why: str) -> pd.DataFrame:
    """The table, whose usable rows of other emotions get a problem: their label and `why`."""
    other = table["problem"].isna() & table["label"].notna() & ~table["label"].isin(emotions)
    kept = table.copy()
    kept.loc[other, "problem"] = table["label"][other] + " " + why
    return kept


def _validation_share(rows: pd.DataFrame) -> float:
    train = rows[rows["split"] == "train"]
    groups = train["subject"].fillna(train["picture_hash"]).nunique()
    if groups < 2:
        raise StudyError(f"train shows {groups} subject(s), none of whom validation could have; add some.")
    return max(VALIDATION, 1 / groups)


def three_emotions(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The task of paper 002: anger, happiness and neutral of all splits together, 70 % to learn and 30 % to test.

    The paper divides at random and chooses its epoch on what it tests. Here equal pictures, and those of one subject,
    stay together, and a tenth of the 70 % becomes validation, so that nothing is chosen on test.

    Parameters
    ----------
    seed : draws the test and the validation pictures

    Returns
    -------
    study table with the same rows and `attrs`; pictures of other emotions have a `problem`

    Raises
    ------
    StudyError
        When the data lack one of the three, or have too few subjects or pictures of one to divide.
    """
    lacking = [emotion for emotion in THREE if emotion not in set(usable(table)["label"])]
    if lacking:
        raise StudyError(f"the data show no {lacking[0]}, of which paper 002's task is made.")
    three = _only(table, THREE, "is not one of the three emotions of paper 002")
    there = np.flatnonzero(three["problem"].isna())
    rows = three.iloc[there]
    groups = rows["subject"].fillna(rows["picture_hash"])
    if min(groups.nunique(), rows["label"].value_counts().min()) < TENTHS:
        raise StudyError(f"fewer than {TENTHS} subjects, or pictures of an emotion, are too few to divide 70 to 30.")
    folds = StratifiedGroupKFold(TENTHS, shuffle=True, random_state=seed).split(rows, rows["label"], groups)
    tested = np.concatenate([chosen for _, chosen in islice(folds, 3)])
    three["split"] = "train"
    three.iloc[there[tested], three.columns.get_loc("split")] = "test"
    three.attrs = dict(table.attrs)
    return carve_validation(three, seed, _validation_share(usable(three)))
