"""FABO (Gunes and Piccardi 2006): 23 people who act states of mind, face and upper body on video.

Its videos come with a table of annotations and in no tree of classes. They are read once sorted by it into
`<subject>/<state>/*.avi`, such as `S001/anger/…`. Of FABO's states, those of `OTHERS` are not the study's: such a video
stays as one row with that problem. For all else see `videos`.
"""

from pathlib import Path

import pandas as pd

from fer_lib.data.sources import folder, videos
from fer_lib.emotions import parse_emotion
from fer_lib.errors import StudyError

OTHERS = ("anxiety", "boredom", "puzzlement", "uncertainty")
SURPRISES = ("positive surprise", "negative surprise")


def find(root: Path) -> list[Path]:
    """`root` itself, when it holds videos by subject.

    Raises
    ------
    StudyError
        When it holds none, or splits, which FABO does not have.
    """
    if folder.split_folders(root):
        raise StudyError(f"DATA_ROOT {root}: FABO has no splits; the form is subject/state/video.")
    return videos.find(root)


def read(root: Path, frames: Path, seed: int = 0) -> pd.DataFrame:
    """Read FABO into a study table; refuses what `videos.read` refuses."""
    return videos.read(root, frames, seed, "fabo", _parse)


def _parse(name: str) -> str | None:
    words = name.strip().lower().replace("_", " ").replace("-", " ")
    if words in OTHERS:
        return words
    return "surprise" if words in SURPRISES else parse_emotion(words)
