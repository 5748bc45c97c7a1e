"""FER+ (Barsoum et al. 2016): ten annotators' votes for every FER2013 picture, MIT licence.

The votes lie in `fer2013new.csv`, row for row in FER2013's order. The label is the emotion with the most votes;
a row without a unique winner, and one that most call unknown or no face, stays with its problem.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.sources import fer2013
from fer_lib.data.table import make_table
from fer_lib.emotions import EMOTIONS, parse_emotion
from fer_lib.errors import StudyError
from fer_lib.files import sha256_file

FILE_NAME = "fer2013new.csv"
HOW_TO_GET = "get fer2013new.csv from Microsoft's FERPlus repository"


def find(root: Path) -> list[Path]:
    """FER2013's file and the votes below `root`.

    Raises
    ------
    StudyError
        When either is missing, or FER2013 is there only in the folder form, which has lost the row order.
    """
    pictures = fer2013.find(root)[0]
    if pictures.is_dir():
        raise StudyError(f"{pictures}: FER+ needs FER2013 as CSV; the folder form has lost the order of rows.")
    for level in ("", "*/", "*/*/"):
        if votes := sorted(root.glob(level + FILE_NAME)):
            return [pictures, votes[0]]
    raise StudyError(f"DATA_ROOT {root}: no {FILE_NAME} found; {HOW_TO_GET}.")


def read(pictures: Path, votes: Path, counts=fer2013.COUNTS) -> pd.DataFrame:
    """Read FER2013 from `pictures` and label it by the `votes` file.

    Raises
    ------
    StudyError
        When the votes are not FER2013's, row for row.
    """
    table = fer2013.read(pictures, counts=counts, dataset="ferplus")
    ballots = read_votes(votes)
    usage = ballots["Usage"].map(fer2013.USAGES)
    if len(ballots) != len(table) or (usage.to_numpy() != table["split"].to_numpy()).any():
        raise StudyError(f"{votes}: {len(ballots)} rows that do not match FER2013's {len(table)}; {HOW_TO_GET} again.")
    shares, labels, problems = plurality(ballots)
    files = {**table.attrs["files"], votes.name: sha256_file(votes)}
    return make_table(table.assign(votes=list(shares), label=labels, problem=problems), "ferplus", files)


def read_votes(path: Path) -> pd.DataFrame:
    """The votes file: Usage, then how many annotators chose each emotion, unknown and NF (no face).

    Raises
    ------
    StudyError
        When a column is missing or a vote is no number.
    """
    try:
        ballots = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not a readable CSV file ({error}); {HOW_TO_GET} again.") from error
    by_emotion = {parse_emotion(name): name for name in ballots.columns if parse_emotion(name)}
    missing = {*EMOTIONS, "unknown", "NF", "Usage"} - {*by_emotion, *ballots.columns}
    if missing:
        raise StudyError(f"{path}: the column {sorted(missing)[0]!r} is missing; {HOW_TO_GET} again.")
    ballots = ballots.rename(columns={name: emotion for emotion, name in by_emotion.items()})
    columns = [*EMOTIONS, "unknown", "NF"]
    numbers = ballots[columns].apply(pd.to_numeric, errors="coerce")
    if numbers.isna().any(axis=None):
        row = int(numbers.isna().any(axis=1).idxmax())
        raise StudyError(f"{path}: row {row + 1} has a vote that is no number; {HOW_TO_GET} again.")
    return ballots[["Usage"]].join(numbers)


def plurality(ballots: pd.DataFrame) -> tuple[np.ndarray, list[str | None], list[str | None]]:
    """Vote shares over `EMOTIONS`, the unique winner of each row, and the problem of rows without one.

    Returns
    -------
    shares : float64 (N, 8), each row sums to 1 where an emotion has any vote, else to 0
    labels : the emotion with strictly most votes, unknown and NF counted as rivals; None without one
    problems : why a row has no label; None where it has one
    """
    counts = ballots[[*EMOTIONS, "unknown", "NF"]].to_numpy(float)
    emotion_votes = counts[:, : len(EMOTIONS)]
    shares = emotion_votes / np.maximum(emotion_votes.sum(1, keepdims=True), 1)
    winner, top = counts.argmax(1), counts.max(1, keepdims=True)
    tied = (counts == top).sum(1) > 1
    names = [*EMOTIONS, "unknown", "no face"]
    problems = [
        "annotators disagree: no unique winner" if tie else f"annotators chose {names[w]}" if w >= 8 else None
        for tie, w in zip(tied, winner, strict=True)
    ]
    labels = [None if problem else names[w] for problem, w in zip(problems, winner, strict=True)]
    return shares, labels, problems
