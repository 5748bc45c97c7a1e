"""CAER-S (Lee et al. 2019): 70,000 stills of television series, whole scenes of seven emotions, without boxes.

As published, `CAER-S/train/<class>/*.png` and `CAER-S/test/<class>/*.png` with the classes Anger, Disgust, Fear,
Happy, Neutral, Sad and Surprise. Validation is a tenth of train. Nothing tells which stills are of one clip, so that
neighbours of a test picture may be in train.
"""

from pathlib import Path

import pandas as pd

from fer_lib.data.sources import folder


def find(root: Path) -> list[Path]:
    """The folder CAER-S, or `root`, when it holds a train and a test folder.

    Raises
    ------
    StudyError
        When one of the two is missing.
    """
    return folder.find(folder.below(root, "CAER-S") or root)


def read(root: Path, seed: int = 0) -> pd.DataFrame:
    """Read CAER-S into a study table; refuses what `folder.read` refuses."""
    return folder.read(root, seed, "caer_s")
