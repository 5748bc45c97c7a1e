"""Several models' predictions about the same pictures made into one.

Predictions are frames with the columns id, split, label and one score per class. Their rows may lie in any order;
what comes back has the order of the first frame. Every function raises ValueError when the frames are not about the
same pictures.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fer_lib.evaluation.calibration import SMALLEST

TIE_BREAK = 1e-3  # far below one vote, so that it decides between equal numbers of votes alone


def average(frames: Sequence[pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Each class's score is the mean of the models' scores."""
    return _with_scores(frames[0], classes, _stacked(frames, classes).mean(0))


def vote(frames: Sequence[pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Each class's score is the share of models that predict it; equal shares are settled by the mean score.

    The shares are moved by at most `TIE_BREAK` and sum to 1.
    """
    scores = _stacked(frames, classes)
    votes = np.eye(len(classes))[scores.argmax(2)].mean(0)
    votes += TIE_BREAK / len(frames) * scores.mean(0)
    return _with_scores(frames[0], classes, votes / votes.sum(1, keepdims=True))


def one_against_rest(frames: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """One model per emotion, trained apart and pooled: what paper 003 proposes as future work.

    Parameters
    ----------
    frames : {emotion: predictions of its model, with the columns `emotion` and "rest"}, one for each class. A label
        other than the model's own emotion counts as "rest".

    Returns
    -------
    predictions in which each class's score is its own model's, divided by the sum over classes

    Raises
    ------
    ValueError
        When the pictures differ, or a picture belongs to no emotion or to several.
    """
    aligned = _aligned([frames[emotion] for emotion in classes])
    own = np.stack([frame["label"] == emotion for emotion, frame in zip(classes, aligned, strict=True)], axis=1)
    if not (own.sum(1) == 1).all():
        raise ValueError("each picture must belong to exactly one emotion")
    scores = np.stack([frame[emotion].astype(float) for emotion, frame in zip(classes, aligned, strict=True)], axis=1)
    scores = np.clip(scores, SMALLEST, None)  # no division by 0 where every model says "rest"
    pictures = aligned[0][["id", "split"]].assign(label=np.array(classes)[own.argmax(1)])
    return _with_scores(pictures, classes, scores / scores.sum(1, keepdims=True))


def forward_selection(validation_frames: Mapping[str, pd.DataFrame], classes: Sequence[str], largest: int) -> list[str]:
    """Names of the models whose average does best on validation, found greedily (Caruana et al. 2004).

    Starts from the best model and adds, one by one, the model that raises the accuracy of the average most; each
    model joins once. Stops at `largest` models or when none raises it. Of equally good ones the first by name wins.

    Returns
    -------
    names in the order of joining
    """
    names = sorted(validation_frames)
    frames = [validation_frames[name] for name in names]
    scores = dict(zip(names, _stacked(frames, classes), strict=True))
    true = frames[0]["label"].map(list(classes).index).to_numpy()
    chosen, best, total = [], -1, 0
    while len(chosen) < min(largest, len(names)):
        right = {name: ((total + scores[name]).argmax(1) == true).sum() for name in names if name not in chosen}
        name = max(right, key=right.get)
        if right[name] <= best:
            break
        chosen, best, total = [*chosen, name], right[name], total + scores[name]
    return chosen


def _stacked(frames: Sequence[pd.DataFrame], classes: Sequence[str]) -> np.ndarray:
    """Scores of all models, float (models, N, K), of the same pictures with the same labels."""
    aligned = _aligned(frames)
    if not all(frame["label"].equals(aligned[0]["label"]) for frame in aligned):
        raise ValueError("the models were judged by different labels")
    return np.stack([frame[list(classes)].to_numpy(float) for frame in aligned])


def _aligned(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The frames with their rows in the order of the first one's pictures."""
    ids = pd.Index(frames[0]["id"])
    for frame in frames:
        if not frame["id"].is_unique or len(frame) != len(ids) or not ids.isin(frame["id"]).all():
            raise ValueError("the models were not asked about the same pictures")
    return [frame.set_index("id").loc[ids].reset_index() for frame in frames]


def _with_scores(pictures: pd.DataFrame, classes: Sequence[str], scores: np.ndarray) -> pd.DataFrame:
    known = pictures[["id", "split", "label"]].reset_index(drop=True)
    return pd.concat([known, pd.DataFrame(scores, columns=list(classes))], axis=1)
