"""Synthetic pictures of seven emotions, drawn from their FACS prototypes, with nothing to download."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fer_lib.emotions import BASIC
from fer_lib.synthetic.draw import ACTION_UNITS, draw_face
from fer_lib.synthetic.person import draw_person

PROTOTYPES: dict[str, tuple[int, ...]] = {
    "anger": (4, 5, 7, 17, 23),
    "disgust": (4, 7, 9, 10, 15, 17),
    "fear": (1, 2, 4, 5, 7, 20, 25, 26),
    "happiness": (6, 12, 25),
    "sadness": (1, 4, 15, 17),
    "surprise": (1, 2, 5, 25, 26),
    "neutral": (),
}
ORDER, LOOKS, PICTURE = range(3)  # separate random streams below one seed


@dataclass(frozen=True, eq=False)
class Drawing:
    """One labelled picture: (size, size, 3) uint8 RGB, its emotion, its subject, the intensities 0-1."""

    picture: np.ndarray
    emotion: str
    subject: int
    action_units: dict[int, float]


def synthesize(
    n: int, seed: int, difficulty: float = 0.5, size: int = 96, n_subjects: int | None = None
) -> Iterator[Drawing]:
    """Yield `n` drawings whose seven classes differ by at most one in count.

    Picture `i` depends on the seed, `i`, `difficulty`, `size` and `n_subjects`, not on `n`. Subject
    `i % n_subjects` poses for it; a subject's looks depend on the seed and the subject alone.

    Parameters
    ----------
    n : how many pictures, at least 7
    seed : 0 or larger; the same seed gives the same bytes
    difficulty : 0-1, weakens expressions, mixes in stray action units and a second emotion, and widens pose,
        blur and noise
    size : side of a picture in pixels, at least 24
    n_subjects : how many identities; max(10, n // 20) unless given

    Raises
    ------
    ValueError : an argument outside these bounds, raised by the call itself, before the first picture
    """
    n_subjects = max(10, n // 20) if n_subjects is None else n_subjects
    _check(n, seed, difficulty, size, n_subjects)
    return (_drawing(i, seed, difficulty, size, n_subjects) for i in range(n))


def _check(n: int, seed: int, difficulty: float, size: int, n_subjects: int) -> None:
    if n < len(BASIC):
        raise ValueError(f"n is {n}; at least 7 pictures are needed, one for each emotion.")
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must be 0 or larger.")
    if not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty is {difficulty}; it must lie in 0-1.")
    if size < 24:
        raise ValueError(f"size is {size} pixels; a face needs at least 24.")
    if n_subjects < 1:
        raise ValueError(f"n_subjects is {n_subjects}; at least 1 is needed.")


def _drawing(i: int, seed: int, difficulty: float, size: int, n_subjects: int) -> Drawing:
    block, place = divmod(i, len(BASIC))
    emotion = BASIC[np.random.default_rng([seed, block, ORDER]).permutation(len(BASIC))[place]]
    subject = i % n_subjects
    person = draw_person(np.random.default_rng([seed, subject, LOOKS]))
    rng = np.random.default_rng([seed, i, PICTURE])
    action_units = _express(emotion, difficulty, rng)
    picture = draw_face(person, action_units, rng, size, variation=difficulty)
    return Drawing(picture, emotion, subject, action_units)


def _express(emotion: str, difficulty: float, rng: np.random.Generator) -> dict[int, float]:
    """Intensities of the prototype, weakened, blended with a second emotion, plus stray action units."""
    spread = np.sqrt(difficulty)  # grows early, so that the label stays the stronger emotion at difficulty 1
    second = BASIC[rng.integers(len(BASIC))]
    strength = rng.uniform(1 - 0.75 * difficulty, 1)
    units = dict.fromkeys(PROTOTYPES[second], strength * rng.uniform(0, 0.5 * spread))
    for unit in PROTOTYPES[emotion]:
        units[unit] = strength * rng.uniform(1 - 0.45 * spread, 1)
    for unit in rng.choice(ACTION_UNITS, rng.binomial(4, 0.5 * difficulty), replace=False):
        units[int(unit)] = max(units.get(int(unit), 0.0), strength * rng.uniform(0, 0.6 * spread))
    return {unit: float(units[unit]) for unit in sorted(units) if units[unit] > 0}
