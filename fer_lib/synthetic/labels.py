"""What people would call a picture: simulated annotators, and labels that are wrong."""

import numpy as np

from fer_lib.emotions import EMOTIONS
from fer_lib.synthetic.expressions import PROTOTYPES

ANNOTATORS = 10  # as many as labelled each picture of FER+ (Barsoum et al. 2016)

# What is seen instead: the row is the shown emotion, and each row sums to 1. Set by hand to what studies of human
# raters agree on: fear and surprise, anger and disgust, sadness and neutral, anger and sadness are mixed up most.
CONFUSIONS = np.array(
    [
        # anger, disgust, fear, happiness, sadness, surprise, neutral, contempt
        [0.00, 0.36, 0.08, 0.02, 0.24, 0.05, 0.17, 0.08],
        [0.42, 0.00, 0.08, 0.03, 0.20, 0.04, 0.13, 0.10],
        [0.07, 0.08, 0.00, 0.03, 0.16, 0.50, 0.12, 0.04],
        [0.04, 0.05, 0.05, 0.00, 0.08, 0.24, 0.38, 0.16],
        [0.24, 0.12, 0.14, 0.03, 0.00, 0.04, 0.38, 0.05],
        [0.06, 0.05, 0.44, 0.20, 0.05, 0.00, 0.17, 0.03],
        [0.17, 0.05, 0.05, 0.13, 0.38, 0.08, 0.00, 0.14],
        [0.14, 0.14, 0.03, 0.22, 0.08, 0.03, 0.36, 0.00],
    ]
)
RELIABILITY = (0.75, 0.99)  # of the least and of the most careful annotator, where the expression is clear
MOST_LOST = 0.6  # share of an annotator's reliability that the weakest expression takes


def ambiguity(emotion: str, units: dict[int, float]) -> float:
    """How hard an expression is to name, 0-1: how weak the emotion's action units are; for neutral, how strong any."""
    if PROTOTYPES[emotion]:
        return 1 - float(np.mean([units.get(unit, 0.0) for unit in PROTOTYPES[emotion]]))
    return min(1.0, sum(units.values()) / 3)


def annotate(
    emotion: str,
    ambiguity: float,
    rng: np.random.Generator,
    annotators: int = ANNOTATORS,
    contempt: bool = False,
) -> np.ndarray:
    """Votes of the same annotators for every picture, each with a reliability of their own.

    Parameters
    ----------
    emotion : what is shown
    ambiguity : 0-1, takes up to `MOST_LOST` of the reliability
    contempt : whether contempt may be chosen

    Returns
    -------
    int array (8,), votes in the order of `EMOTIONS`, which sum to `annotators`

    Raises
    ------
    ValueError
        For an unknown emotion, and an ambiguity outside 0-1.
    """
    if not 0 <= ambiguity <= 1:
        raise ValueError(f"ambiguity is {ambiguity}; it must lie in 0-1.")
    elsewhere = confusions(emotion, contempt)
    reliability = np.linspace(*RELIABILITY, annotators) * (1 - MOST_LOST * ambiguity)
    right = rng.random(annotators) < reliability
    votes = rng.multinomial(annotators - right.sum(), elsewhere)
    votes[EMOTIONS.index(emotion)] += right.sum()
    return votes


def noisy_label(emotion: str, share: float, rng: np.random.Generator, contempt: bool = False) -> str:
    """The emotion itself, or with probability `share` (0-1) another one that it is taken for.

    Raises
    ------
    ValueError
        For an unknown emotion, and a share outside 0-1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; it must lie in 0-1.")
    elsewhere = confusions(emotion, contempt)
    return EMOTIONS[rng.choice(len(EMOTIONS), p=elsewhere)] if rng.random() < share else emotion


def confusions(emotion: str, contempt: bool = False) -> np.ndarray:
    """What `emotion` is taken for when it is taken for another: probabilities (8,) in the order of `EMOTIONS`.

    Raises
    ------
    ValueError
        For an unknown emotion.
    """
    if emotion not in EMOTIONS:
        raise ValueError(f"emotion {emotion!r} is unknown; use one of {', '.join(EMOTIONS)}.")
    row = CONFUSIONS[EMOTIONS.index(emotion)].copy()
    if not contempt:
        row[EMOTIONS.index("contempt")] = 0
    return row / row.sum()
