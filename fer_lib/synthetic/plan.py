"""What is to be drawn: a preset becomes cards, each with everything that its picture and its labels depend on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, cycle, islice

import numpy as np

from fer_lib.emotions import in_order
from fer_lib.synthetic.expressions import Expression, express
from fer_lib.synthetic.face_masks import FACE_MASKS
from fer_lib.synthetic.labels import ambiguity, annotate, noisy_label
from fer_lib.synthetic.person import GENDERS, SKIN_TONES, Person, draw_person
from fer_lib.synthetic.presets import PLACE_OF, PRESETS, PROBLEMS, Bias, Preset, refuse
from fer_lib.synthetic.shot import Shot, draw_shot

__all__ = ["PLACE_OF", "PRESETS", "PROBLEMS", "Bias", "Card", "Preset", "class_counts", "plan"]

PLACES = tuple(chain(*PLACE_OF.values()))
# The split of subjects 0-19, and so on: 70, 15 and 15 %, spread so that 8 subjects in a row have every split.
_LETTERS = {"t": "train", "v": "validation", "e": "test"}
SPLIT_PATTERN = tuple(_LETTERS[letter] for letter in "ttvttetttvtttettvtte")


@dataclass(frozen=True)
class Card:
    """Everything that one picture and its labels depend on.

    number : its place in the plan
    emotion, label : what is shown, and what the data set says is shown
    votes : of the annotators, in the order of `EMOTIONS`
    framing : of `FRAMINGS`
    problem : of `PROBLEMS`, or None
    twin_of : number of the card that this one shows again, masked or as a duplicate, or None
    """

    number: int
    subject: int
    person: Person
    emotion: str
    label: str
    votes: tuple[int, ...]
    expression: Expression
    shot: Shot
    framing: str
    problem: str | None = None
    twin_of: int | None = None

    @property
    def split(self) -> str:
        """The subject's split."""
        return split_of(self.subject)


def plan(preset: Preset, n: int, rng: np.random.Generator, n_subjects: int | None = None) -> list[Card]:
    """Decide on `n` pictures.

    Each emotion goes round the subjects in turn, so that every subject, and every split, has about the same classes.
    A masked twin follows its bare card and has the same label and votes; a duplicate has its own.

    Parameters
    ----------
    n : at least the number of classes; even with masked twins
    n_subjects : max(10, n // 20) unless given

    Raises
    ------
    ValueError
        For an `n` or `n_subjects` outside these bounds.
    """
    twice = 1 + preset.masked_twins
    n_subjects = max(10, n // 20) if n_subjects is None else n_subjects
    refuse(n < twice * len(preset.classes), f"n is {n}; {preset.name} needs {twice * len(preset.classes)} or more.")
    refuse(n % twice, f"n is {n}; with masked twins it must be even.")
    refuse(n_subjects < 1, f"n_subjects is {n_subjects}; at least 1 is needed.")
    people = _people(preset.bias, n_subjects, rng)
    poses = _deal(preset, n // twice, people)
    order, children = rng.permutation(len(poses)), rng.spawn(len(poses))
    cards = [
        _card(number, *poses[chosen], people[poses[chosen][1]], preset, child)
        for number, (chosen, child) in enumerate(zip(order, children, strict=True))
    ]
    if preset.masked_twins:
        return _with_twins(cards, rng)
    return _with_problems(cards, round(preset.problem_share * n), rng)


def class_counts(shares: Mapping[str, float], n: int) -> dict[str, int]:
    """Split `n` by largest remainder; every emotion with a share gets at least one."""
    names = in_order(emotion for emotion, share in shares.items() if share > 0)
    exact = np.array([shares[name] for name in names], float)
    exact *= n / exact.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: n - counts.sum()]] += 1
    while counts.min() == 0:
        counts[counts.argmax()] -= 1
        counts[counts.argmin()] += 1
    return dict(zip(names, counts.tolist(), strict=True))


def _people(bias: Bias | None, n: int, rng: np.random.Generator) -> list[Person]:
    """Subjects with every gender and skin tone equally often, genders in each split too."""
    given = [{"skin_tone": tone} for tone in _evenly(tuple(SKIN_TONES), n, rng)]
    for subject, gender in zip(chain(*_by_split(range(n))), _evenly(GENDERS, n, rng), strict=True):
        given[subject]["gender"] = gender
    for members in _by_split(range(n)) if bias else ():
        if members and not any(given[subject].get(bias.attribute) == bias.group for subject in members):
            given[members[0]][bias.attribute] = bias.group  # a rare group must have somebody who shows it
    return [draw_person(child, **looks) for child, looks in zip(rng.spawn(n), given, strict=True)]


def _evenly(values: Sequence, n: int, rng: np.random.Generator) -> list:
    """All values in random order, again and again, until there are `n`."""
    rounds = -(-n // len(values))
    return [values[i] for _ in range(rounds) for i in rng.permutation(len(values))][:n]


def _deal(preset: Preset, n: int, people: list[Person]) -> list[tuple[str, int]]:
    """Emotion and subject of each picture, in the order of emotions."""
    dealt: list[tuple[str, int]] = []
    for emotion, count in class_counts(preset.class_shares, n).items():
        subjects = [(len(dealt) + turn) % len(people) for turn in range(count)]
        if preset.bias and preset.bias.emotion == emotion:
            subjects = [s for chosen in _by_split(subjects) for s in _deal_biased(preset.bias, chosen, people)]
        dealt += [(emotion, subject) for subject in subjects]
    return dealt


def _deal_biased(bias: Bias, chosen: list[int], people: list[Person]) -> list[int]:
    """As many subjects of the same split as were `chosen`, with the group's share."""
    splits = {split_of(subject) for subject in chosen}
    available = [subject for subject in range(len(people)) if split_of(subject) in splits]
    members = [subject for subject in available if _in_group(bias, people[subject])]
    others = [subject for subject in available if not _in_group(bias, people[subject])] or members
    shown = round(bias.share * len(chosen))
    return [*islice(cycle(members), shown), *islice(cycle(others), len(chosen) - shown)]


def split_of(subject: int) -> str:
    """The split that a subject belongs to."""
    return SPLIT_PATTERN[subject % len(SPLIT_PATTERN)]


def _by_split(subjects: Iterable[int]) -> list[list[int]]:
    """The subjects of train, of validation and of test."""
    subjects = list(subjects)
    return [[subject for subject in subjects if split_of(subject) == split] for split in _LETTERS.values()]


def _in_group(bias: Bias, person: Person) -> bool:
    return getattr(person, bias.attribute) == bias.group


def _card(number: int, emotion: str, subject: int, person: Person, preset: Preset, rng: np.random.Generator) -> Card:
    expression = express(emotion, preset.difficulty, rng)
    if preset.bias and preset.bias.emotion == emotion and _in_group(preset.bias, person):
        units = {unit: min(1.0, preset.bias.strength * value) for unit, value in expression.units.items()}
        expression = replace(expression, units=units)
    shot = draw_shot(rng, _place(emotion, preset.association, rng), preset.difficulty)
    votes = annotate(emotion, ambiguity(emotion, expression.units), rng, contempt=preset.contempt)
    label = noisy_label(emotion, preset.label_noise, rng, preset.contempt)
    return Card(number, subject, person, emotion, label, tuple(votes.tolist()), expression, shot, preset.framing)


def _place(emotion: str, association: float, rng: np.random.Generator) -> str:
    own = rng.random() < association and emotion in PLACE_OF
    return str(rng.choice(PLACE_OF[emotion] if own else PLACES))


def _with_twins(cards: list[Card], rng: np.random.Generator) -> list[Card]:
    twins = []
    for card in cards:
        bare = replace(card, number=len(twins))
        masked = replace(card.shot, face_mask=str(rng.choice(tuple(FACE_MASKS))))
        twins += [bare, replace(bare, number=bare.number + 1, shot=masked, twin_of=bare.number)]
    return twins


def _with_problems(cards: list[Card], count: int, rng: np.random.Generator) -> list[Card]:
    """Give `count` of the cards a problem; one without a possible original is no duplicate and stays as it is."""
    chosen = set(rng.permutation(len(cards))[:count].tolist())
    intact: dict[str, list[Card]] = {}
    for card in cards:
        if card.number not in chosen:
            intact.setdefault(card.emotion, []).append(card)
    return [_spoilt(card, intact.get(card.emotion), rng) if card.number in chosen else card for card in cards]


def _spoilt(card: Card, originals: list[Card] | None, rng: np.random.Generator) -> Card:
    problem = str(rng.choice(PROBLEMS))
    if problem != "duplicate":
        return replace(card, problem=problem)
    if not originals:
        return card
    original = originals[rng.integers(len(originals))]
    again = replace(original, number=card.number, label=card.label, votes=card.votes)
    return replace(again, problem=problem, twin_of=original.number)
