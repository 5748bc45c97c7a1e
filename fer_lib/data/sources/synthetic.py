"""The embedded data: drawn people, made from a seed, no picture of anybody."""

import numpy as np
import pandas as pd

from fer_lib.data.table import encode_picture, make_table, picture_hash
from fer_lib.progress import progress
from fer_lib.synthetic import synthesize

SIZE = 64


def read(pictures: int, seed: int) -> pd.DataFrame:
    """Draw `pictures` faces into a study table; whole subjects go to train (70 %), validation or test (15 % each).

    Parameters
    ----------
    pictures : how many faces, classes balanced
    seed : the same seed gives the same table, byte for byte
    """
    drawings = progress(synthesize(pictures, seed, size=SIZE), "drawing faces", total=pictures, unit="face")
    rows = [
        {
            "id": f"drawn-{seed}-{number:06d}",
            "picture": encode_picture(drawing.picture),
            "picture_hash": picture_hash(drawing.picture),
            "label": drawing.emotion,
            "subject": f"subject-{drawing.subject:05d}",
        }
        for number, drawing in enumerate(drawings)
    ]
    frame = pd.DataFrame(rows).assign(source="synthetic")
    return make_table(frame.assign(split=_split_subjects(frame["subject"], seed)), "synthetic")


def _split_subjects(subjects: pd.Series, seed: int) -> pd.Series:
    names = np.random.default_rng([seed, 1]).permutation(sorted(set(subjects)))
    bounds = np.searchsorted([0.7, 0.85], (np.arange(len(names)) + 0.5) / len(names))
    return subjects.map(dict(zip(names, np.array(["train", "validation", "test"])[bounds], strict=True)))
