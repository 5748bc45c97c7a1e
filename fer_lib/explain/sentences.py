"""A picture's emotion explained in words, from what was measured and nothing else (paper 000, section 5.2).

Every clause is a small function of the evidence, None where its evidence lacks. A score that is low, or close to the
next, is told as unsure, with what makes it so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_lib.explain.action_units import AVERAGE_REST

LOW, CLOSE = 0.5, 0.1  # a highest score below the first, or less than the second above the next, is unsure
WORDS: dict[int, str] = {
    1: "inner brows raised",
    2: "outer brows raised",
    4: "brows lowered",
    5: "upper eyelids raised",
    6: "cheeks lifted",
    7: "eyelids tightened",
    9: "nose wrinkled",
    10: "upper lip raised",
    12: "lip corners raised",
    14: "lip corners pressed in",
    15: "lip corners lowered",
    17: "chin pushed up",
    20: "lips stretched sideways",
    23: "lips tightened",
    25: "lips parted",
    26: "jaw dropped",
    45: "eyes closed",
}
ABOVE_MASKS = (1, 2, 4, 5, 7, 45)  # units of brows and eyes: what a mesh says of the rest below a mask is a guess
SHOWN = {"neutral": "a neutral face"}  # the other emotions are told by their names
PEOPLE = {  # by age, then by gender
    "child": {"female": "a girl", "male": "a boy", None: "a child"},
    "teenager": {"female": "a teenage girl", "male": "a teenage boy", None: "a teenager"},
    "adult": {"female": "a woman", "male": "a man", None: "an adult"},
    "old": {"female": "an old woman", "male": "an old man", None: "an old person"},
}
PLACES = {"street_traffic": "a street with traffic"}  # of those that take no article
CONSONANTS = ("uni", "uti", "eu", "one")  # beginnings with a vowel that is spoken as a consonant


@dataclass(frozen=True)
class Evidence:
    """What was measured in a picture; None, or empty, where it is not known.

    scores : calibrated probability of each class, 0-1, by its name
    mesh : whether a mesh of the face was found
    units : action units that are raised, as `UnitReader.read` names them; None where nothing could read them
    against : the face at rest that they were compared with, `OWN_REST` or `AVERAGE_REST`
    place, place_probability, place_attributes : a category such as "dark_alley", 0-1, and what the place is like
    age, gender : as the study table has them; where the data do not say, nobody guesses
    streams : what each stream ("face", "background", "place") adds to the probability of the class with the highest
        score, from -1 to 1; None where there is one stream alone
    mask : whether a mask was noticed on the face
    """

    scores: pd.Series
    mesh: bool | None = None
    units: tuple[int, ...] | None = None
    against: str = AVERAGE_REST
    place: str | None = None
    place_probability: float | None = None
    place_attributes: Sequence[str] | None = None
    age: str | None = None
    gender: str | None = None
    streams: Mapping[str, float] | None = None
    mask: bool | None = None

    @property
    def ranked(self) -> pd.Series:
        """The scores, highest first."""
        return self.scores.sort_values(ascending=False, kind="stable")

    @property
    def emotion(self) -> str:
        """The class with the highest score, in words."""
        return _shown(self.ranked.index[0])

    @property
    def seen(self) -> tuple[int, ...]:
        """The named units that no mask covers."""
        return tuple(unit for unit in self.units or () if not self.mask or unit in ABOVE_MASKS)

    @property
    def points(self) -> dict[str, int]:
        """What `streams` add, in whole points that add up to the rounded sum; empty for less than two streams."""
        if self.streams is None or len(self.streams) < 2:
            return {}
        exact = 100 * np.array(list(self.streams.values()), float)
        whole = np.floor(exact).astype(int)
        whole[np.argsort(whole - exact, kind="stable")[: round(exact.sum()) - whole.sum()]] += 1
        return dict(zip(self.streams, whole.tolist(), strict=True))


def sentence(evidence: Evidence) -> str:
    """What the face shows and why, in one to four English sentences; each part is told where its evidence is known."""
    first = (_doubt, _moved) if is_unsure(evidence) else (_verdict, _covered)
    told = [clause(evidence) for clause in (*first, _place, _shares)]
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in told if clause)


def is_unsure(evidence: Evidence) -> bool:
    """Whether the highest score is below `LOW`, or less than `CLOSE` above the next."""
    return bool(_low(evidence) or _close(evidence))


def _verdict(evidence: Evidence) -> str:
    told = f"{_subject(evidence)} shows {evidence.emotion} ({_percent(evidence.ranked.iloc[0])} sure)"
    nothing = _nothing(evidence) if evidence.emotion == SHOWN["neutral"] else None  # elsewhere no reason to be sure
    moved = _units(evidence) or nothing
    return f"{told}: {moved} against {evidence.against}" if moved else told


def _doubt(evidence: Evidence) -> str:
    likely = [f"{_shown(name)} ({_percent(score)})" for name, score in evidence.ranked.iloc[:2].items()]
    why = [reason for because in REASONS if (reason := because(evidence))]
    return f"what {_subject(evidence)} shows is unsure: perhaps {' or '.join(likely)}, because {_listed(why)}"


def _subject(evidence: Evidence) -> str:
    person = _person(evidence.age, evidence.gender)
    return f"the subject, {person}," if person else "the subject"


def _person(age: str | None, gender: str | None) -> str | None:
    if age in PEOPLE:
        return PEOPLE[age].get(gender, PEOPLE[age][None])
    gendered = f"a {gender} person" if gender else "a person"
    return f"{gendered} of age {age}" if age else gendered if gender else None


def _units(evidence: Evidence) -> str | None:
    return _listed([WORDS[unit] for unit in evidence.seen]) or None


def _moved(evidence: Evidence) -> str | None:
    moved = _units(evidence)
    return f"the face differs from {evidence.against}: {moved}" if moved else None


def _covered(evidence: Evidence) -> str | None:
    return "a mask covers the lower face" if evidence.mask else None


def _place(evidence: Evidence) -> str | None:
    attributes = () if evidence.place_attributes is None else evidence.place_attributes
    like = _listed([_plain(attribute) for attribute in attributes])
    if not evidence.place:
        return f"the place's attributes are {like}" if like else None
    sure = "" if evidence.place_probability is None else f" ({_percent(evidence.place_probability)} sure)"
    return f"the place looks like {_kind_of_place(evidence.place)}{sure}{': ' if like else ''}{like}"


def _shares(evidence: Evidence) -> str | None:
    points = evidence.points
    if not points:
        return None
    total, parts = sum(points.values()), _given(points)
    nothing = "for a picture that shows nothing"
    if total > 0:
        return f"of the {_count(total)} by which {evidence.emotion} is likelier than {nothing}, {parts}"
    less = f"{_count(-total)} less likely than" if total else "as likely as"
    return f"{evidence.emotion} is {less} {nothing}: {parts}"


def _given(points: Mapping[str, int]) -> str:
    """As in `the face gives 48, the background 3 and the place takes away 5`."""
    parts, before = [], None
    for stream, count in points.items():
        verb = "takes away" if count < 0 else "gives"
        parts.append(f"the {stream} {'' if verb == before else verb + ' '}{abs(count) or 'none'}")
        before = verb
    return _listed(parts)


def _low(evidence: Evidence) -> str | None:
    low = round(100 * evidence.ranked.iloc[0]) < 100 * LOW  # rounded as it is told
    return f"no emotion reaches {_percent(LOW)}" if low else None


def _close(evidence: Evidence) -> str | None:
    gaps = -np.diff(evidence.ranked.to_numpy()).round(9)
    return "the runner-up is close" if len(gaps) and gaps[0] < CLOSE else None


def _no_mesh(evidence: Evidence) -> str | None:
    return "no mesh of the face was found" if evidence.mesh is False else None


def _nothing(evidence: Evidence) -> str | None:
    if evidence.units is None or evidence.seen:
        return None
    return f"no action unit stands out{' above the mask' if evidence.mask else ''}"


def _disagree(evidence: Evidence) -> str | None:
    face = evidence.points.get("face", 0)
    others = [f"the {stream}" for stream, count in evidence.points.items() if count * face < 0]
    return f"{_listed(others)} {'disagree' if others[1:] else 'disagrees'} with the face" if others else None


REASONS = (_low, _close, _no_mesh, _covered, _disagree, _nothing)


def _shown(emotion: str) -> str:
    return SHOWN.get(emotion, emotion)


def _kind_of_place(place: str) -> str:
    """A category in words: Places365's `bazaar/outdoor` is an outdoor bazaar."""
    kind, _, detail = place.partition("/")
    words = _plain(f"{detail} {kind}".strip())
    vowel = words[0].lower() in "aeiou" and not words.lower().startswith(CONSONANTS)
    return PLACES.get(place, f"{'an' if vowel else 'a'} {words}")


def _plain(words: str) -> str:
    return words.replace("_", " ")


def _percent(share: float) -> str:
    """Whole per cent; nothing is certain, and nothing that is told is impossible."""
    whole = round(100 * share)
    return "more than 99 %" if whole >= 100 else f"{whole} %" if whole else "less than 1 %"


def _count(points: int) -> str:
    return f"{points} point{'' if points == 1 else 's'}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
