"""The emotion vocabulary: one order, one palette, every data set's class names mapped onto it."""

from collections.abc import Iterable

# FER2013's own numbers 0-6; FER+ and others add contempt.
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")
BASIC = EMOTIONS[:7]

# Okabe and Ito's colours, told apart under every common colour blindness; neutral is grey.
PALETTE = {
    "anger": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happiness": "#E69F00",
    "sadness": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#7F7F7F",
    "contempt": "#8C564B",
}

SYNONYMS = {
    "anger": ("angry", "an", "mad"),
    "disgust": ("disgusted", "di"),
    "fear": ("fearful", "afraid", "scared", "fe"),
    "happiness": ("happy", "joy", "ha", "smile"),
    "sadness": ("sad", "sa", "unhappy"),
    "surprise": ("surprised", "su", "amazed"),
    "neutral": ("neutrality", "ne", "calm"),
    "contempt": ("contemptuous", "co"),
}
_BY_NAME = {name: emotion for emotion, names in SYNONYMS.items() for name in (emotion, *names)}


def parse_emotion(name: str) -> str | None:
    """The emotion that a class name stands for, or None when no emotion is known by it."""
    return _BY_NAME.get(name.strip().lower())


def in_order(names: Iterable[str]) -> list[str]:
    """The distinct emotions among `names`, in the study's order."""
    present = set(names)
    return [emotion for emotion in EMOTIONS if emotion in present]
