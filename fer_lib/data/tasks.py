"""Other tasks on the same pictures, each as a study table of its own."""

import pandas as pd

from fer_lib.data.splits import carve_validation
from fer_lib.data.table import usable
from fer_lib.errors import StudyError

SIX = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")  # paper 001's emotions, in its order
VALIDATION = 0.1  # share of train


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
    other = table["problem"].isna() & table["label"].notna() & ~table["label"].isin(SIX)
    six = table.copy()
    six.loc[other, "problem"] = table["label"][other] + " is not one of the six emotions of paper 001"
    six["split"] = table["split"].replace("validation", "test")
    return carve_validation(six, seed, _validation_share(usable(six)))


def _validation_share(rows: pd.DataFrame) -> float:
    train = rows[rows["split"] == "train"]
    groups = train["subject"].fillna(train["picture_hash"]).nunique()
    if groups < 2:
        raise StudyError(f"train shows {groups} subject(s), none of whom validation could have; add some.")
    return max(VALIDATION, 1 / groups)
