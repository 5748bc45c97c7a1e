"""Who may see which picture: splits are checked once, and each reading of the test split is written down."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from fer_lib.data.table import SPLITS
from fer_lib.errors import StudyError

FEWEST_IN_TRAIN = 10  # of each class, so that every fold of a cross-validation sees it
FOLDS = 10  # of subjects: the last is test, the one before it validation


def carve_validation(table: pd.DataFrame, seed: int, share: float = 0.1) -> pd.DataFrame:
    """Turn a `share` of the train rows into validation: stratified by label, equal pictures kept together.

    Raises
    ------
    StudyError
        When a class is too small to give any picture away.
    """
    train = np.flatnonzero((table["split"] == "train") & table["problem"].isna())
    counts = table["label"].iloc[train].value_counts()
    if counts.min() < 2 / share:
        raise StudyError(
            f"train has {counts.min()} pictures of {counts.idxmin()!r}, too few to take validation pictures from; "
            f"add some until there are {2 / share:.0f}, or add a validation folder."
        )
    groups = table["subject"].fillna(table["picture_hash"]).iloc[train]
    folds = StratifiedGroupKFold(round(1 / share), shuffle=True, random_state=seed)
    _, chosen = next(folds.split(train, table["label"].iloc[train], groups))
    carved = table.copy()
    carved.iloc[train[chosen], carved.columns.get_loc("split")] = "validation"
    carved.attrs = table.attrs
    return carved


def subject_folds(rows: pd.DataFrame, seed: int, folds: int = FOLDS) -> np.ndarray:
    """The fold, counted from 0, of each row: whole subjects, emotions spread as evenly as subjects allow.

    Parameters
    ----------
    rows : with subject, label and problem; a row with a problem goes where its subject goes
    folds : how many; one a subject where there are fewer subjects

    Raises
    ------
    StudyError
        When there are fewer than three subjects, or pictures of the most frequent emotion.
    """
    known = rows[rows["problem"].isna()]
    subjects, counts = known["subject"].nunique(), known["label"].value_counts()
    folds = min(folds, subjects, *counts.head(1))
    if folds < 3:
        raise StudyError(
            f"{len(known)} usable picture(s) of {subjects} subject(s) are too few for train, validation and test; "
            "add some until each has a subject of its own."
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold_of = {
        subject: fold
        for fold, (_, chosen) in enumerate(splitter.split(known, known["label"], known["subject"]))
        for subject in known["subject"].iloc[chosen]
    }
    return rows["subject"].map(fold_of).fillna(0).to_numpy(int)


def split_by_subject(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table with one fold of its subjects as test, one as validation, all others as train.

    The last two folds that show every class, or simply the last two where fewer do.
    """
    folds = subject_folds(table, seed)
    known = table["problem"].isna().to_numpy()
    shown = table["label"][known].groupby(folds[known]).nunique()
    order = shown.reindex(range(folds.max() + 1), fill_value=0).sort_values(kind="stable").index
    split = np.where(folds == order[-1], "test", np.where(folds == order[-2], "validation", "train"))
    divided = table.assign(split=split.astype(object))
    divided.attrs = table.attrs
    return divided


def check_splits(table: pd.DataFrame) -> None:
    """Refuse a table whose splits overlap in id or subject, lack a class, or are empty.

    Raises
    ------
    StudyError
        With the split and the class, id or subject at fault.
    """
    rows = table[table["problem"].isna()]
    classes = set(rows["label"])
    if len(classes) < 2:
        raise StudyError(f"{table.attrs.get('dataset', 'table')}: fewer than two classes; nothing can be learnt.")
    for split in SPLITS:
        counts = rows["label"][rows["split"] == split].value_counts().reindex(sorted(classes), fill_value=0)
        needed = FEWEST_IN_TRAIN if split == "train" else 1
        if counts.min() < needed:
            have = counts.min() or "no"
            raise StudyError(
                f"the {split} split has {have} usable picture(s) of {counts.idxmin()!r} and needs {needed}; add some."
            )
    for column in ("id", "subject"):
        shared = rows.dropna(subset=column).groupby(column)["split"].nunique()
        if (shared > 1).any():
            raise StudyError(f"{column} {shared.idxmax()!r} is in more than one split; splits must not overlap.")


def duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Pictures of one split whose exact pixels also lie in another.

    Returns
    -------
    one row per ordered pair of splits: split, also in, pictures, share (of the split), other label (how many of
    them carry no label that the twin has)
    """
    rows = table[table["problem"].isna()]
    labels = {split: rows[rows["split"] == split].groupby("picture_hash")["label"].agg(set) for split in SPLITS}
    counts = []
    for split in SPLITS:
        mine = rows[rows["split"] == split]
        for other in SPLITS:
            twins = mine[mine["picture_hash"].isin(labels[other].index)] if other != split else mine[:0]
            disagree = sum(row.label not in labels[other][row.picture_hash] for row in twins.itertuples())
            counts.append((split, other, len(twins), len(twins) / max(len(mine), 1), disagree))
    frame = pd.DataFrame(counts, columns=["split", "also in", "pictures", "share", "other label"])
    return frame[frame["split"] != frame["also in"]].reset_index(drop=True)


def has_training_twin(table: pd.DataFrame) -> pd.Series:
    """For each row of validation and test: do its exact pixels also lie in train?"""
    train = set(table["picture_hash"][(table["split"] == "train") & table["problem"].isna()])
    return table["picture_hash"].isin(train) & (table["split"] != "train")


def read_test(table: pd.DataFrame, reader: str, log: Path) -> pd.DataFrame:
    """The usable rows of the test split. The only way to them: each reading is added to `log`.

    Parameters
    ----------
    reader : who reads, and what for
    log : CSV file with the columns time, reader, pictures
    """
    rows = table[(table["split"] == "test") & table["problem"].isna()].reset_index(drop=True)
    new = not log.exists()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["time", "reader", "pictures"])
        writer.writerow([datetime.now(UTC).isoformat(timespec="seconds"), reader, len(rows)])
    return rows


def split_rows(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """The usable rows of train or validation; the test split is had from `read_test` alone.

    Raises
    ------
    StudyError
        When asked for the test split.
    """
    if split not in ("train", "validation"):
        raise StudyError(f"split_rows gives train and validation, not {split!r}; use read_test for the test split.")
    return table[(table["split"] == split) & table["problem"].isna()].reset_index(drop=True)
