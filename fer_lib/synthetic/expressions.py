"""From an emotion to the action units (FACS) of a face that shows it."""

from dataclasses import dataclass

import numpy as np

from fer_lib.emotions import BASIC
from fer_lib.synthetic.action_units import ACTION_UNITS

PROTOTYPES: dict[str, tuple[int, ...]] = {
    "anger": (4, 5, 7, 17, 23),
    "disgust": (4, 7, 9, 10, 15, 17),
    "fear": (1, 2, 4, 5, 7, 20, 25, 26),
    "happiness": (6, 12, 25),
    "sadness": (1, 4, 15, 17),
    "surprise": (1, 2, 5, 25, 26),
    "neutral": (),
    "contempt": (12, 14),  # on one side of the mouth
}
BLINK, RAISED_LID, PARTED_LIPS, DROPPED_JAW = 45, 5, 25, 26


@dataclass(frozen=True)
class Expression:
    """What a face does.

    units : intensity 0-1 of each action unit that is active
    side : "both", or the half of the mouth ("left", "right") that AU 12 and 14 act on
    """

    units: dict[int, float]
    side: str = "both"


def express(emotion: str, difficulty: float, rng: np.random.Generator) -> Expression:
    """A random expression of `emotion`.

    Difficulty weakens the prototype, down to a quarter at most, blends it with a second emotion, and adds stray
    action units, blinks and a speaking mouth; without any difficulty it is the pure prototype at full strength.

    Parameters
    ----------
    emotion : a key of `PROTOTYPES`
    difficulty : 0-1

    Raises
    ------
    ValueError
        For an unknown emotion, and a difficulty outside 0-1.
    """
    if emotion not in PROTOTYPES:
        raise ValueError(f"emotion {emotion!r} is unknown; use one of {', '.join(PROTOTYPES)}.")
    if not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty is {difficulty}; it must lie in 0-1.")
    side = str(rng.choice(("left", "right"))) if emotion == "contempt" else "both"
    units = _blend(emotion, difficulty, rng)
    for unit, intensity in (*_stray(difficulty, rng), *_blink(difficulty, rng), *_speech(difficulty, rng)):
        units[unit] = max(units.get(unit, 0.0), intensity)
    if DROPPED_JAW in units:  # a jaw cannot drop behind closed lips
        units[PARTED_LIPS] = max(units.get(PARTED_LIPS, 0.0), units[DROPPED_JAW])
    if BLINK in units:
        units.pop(RAISED_LID, None)
    return Expression({unit: float(units[unit]) for unit in sorted(units) if units[unit] > 0}, side)


def _blend(emotion: str, difficulty: float, rng: np.random.Generator) -> dict[int, float]:
    spread = np.sqrt(difficulty)  # grows early, so that the label stays the stronger emotion at difficulty 1
    second = BASIC[rng.integers(len(BASIC))]
    strength = rng.uniform(1 - 0.6 * difficulty, 1)
    units = dict.fromkeys(PROTOTYPES[second], strength * rng.uniform(0, 0.5 * spread))
    for unit in PROTOTYPES[emotion]:
        units[unit] = strength * rng.uniform(1 - 0.375 * spread, 1)
    return units


def _stray(difficulty: float, rng: np.random.Generator) -> list[tuple[int, float]]:
    candidates = [unit for unit in ACTION_UNITS if unit != BLINK]
    chosen = rng.choice(candidates, rng.binomial(4, 0.5 * difficulty), replace=False)
    strength = rng.uniform(1 - 0.6 * difficulty, 1)
    return [(int(unit), strength * rng.uniform(0, 0.6 * np.sqrt(difficulty))) for unit in chosen]


def _blink(difficulty: float, rng: np.random.Generator) -> list[tuple[int, float]]:
    return [(BLINK, rng.uniform(0.6, 1))] if rng.random() < 0.06 * difficulty else []


def _speech(difficulty: float, rng: np.random.Generator) -> list[tuple[int, float]]:
    if rng.random() >= 0.3 * difficulty:
        return []
    opening = rng.uniform(0.2, 0.6)
    return [(PARTED_LIPS, opening), (DROPPED_JAW, opening * rng.uniform(0.2, 0.8))]
