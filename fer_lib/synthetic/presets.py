"""Kinds of data sets: what is frequent, what goes together, and what is wrong in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from fer_lib.emotions import BASIC, EMOTIONS, in_order
from fer_lib.synthetic.person import AGES, GENDERS, SKIN_TONES

PLACE_OF: dict[str, tuple[str, str]] = {
    "anger": ("street_traffic", "boxing_ring"),
    "disgust": ("landfill", "public_toilet"),
    "fear": ("dark_alley", "night_forest"),
    "happiness": ("beach", "party_room"),
    "sadness": ("hospital_room", "cemetery"),
    "surprise": ("fireworks_square", "magic_stage"),
    "neutral": ("office", "library"),
}
PROBLEMS = ("no face", "cut", "dark", "blurred", "duplicate")
FRAMINGS = ("scene", "face")
GROUPS = {"gender": GENDERS, "age": AGES, "skin_tone": tuple(SKIN_TONES)}


def refuse(fault: object, sentence: str) -> None:
    """Raise ValueError with `sentence` when there is a fault."""
    if fault:
        raise ValueError(sentence)


@dataclass(frozen=True)
class Bias:
    """How one emotion's pictures treat one group.

    attribute, group : a key of `GROUPS` and one of its values
    share : how many of the emotion's pictures show the group, 0-1
    strength : factor on the intensities of those pictures, finite, 0 or more
    """

    emotion: str
    attribute: str
    group: str | int
    share: float
    strength: float = 1.0


@dataclass(frozen=True)
class Preset:
    """A kind of data set.

    name, about : its name, and one sentence
    class_shares : how frequent each emotion is, finite, in any unit; those left out are not shown
    association : 0-1, how often the place is one of the emotion's own (`PLACE_OF`) instead of any
    label_noise : 0-1, how often the label is wrong
    difficulty : 0-1, of expressions and shots
    framing : "scene", or "face" for tight crops
    bias : None, or how one group is treated
    problem_share : 0-1, how many pictures have one of `PROBLEMS`
    masked_twins : whether each picture comes a second time with a face mask

    Raises
    ------
    ValueError
        When a value lies outside these bounds.
    """

    name: str
    about: str
    class_shares: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(BASIC, 1))
    association: float = 0.0
    label_noise: float = 0.0
    difficulty: float = 0.5
    framing: str = "scene"
    bias: Bias | None = None
    problem_share: float = 0.0
    masked_twins: bool = False

    @property
    def classes(self) -> list[str]:
        """The emotions that have a share."""
        return in_order(emotion for emotion, share in self.class_shares.items() if share > 0)

    @property
    def contempt(self) -> bool:
        """Whether contempt is among the classes."""
        return "contempt" in self.classes

    def __post_init__(self) -> None:
        unknown = set(self.class_shares) - set(EMOTIONS)
        refuse(unknown, f"class_shares: {', '.join(sorted(unknown))} is no emotion; use {', '.join(EMOTIONS)}.")
        finite = all(isfinite(share) for share in self.class_shares.values())
        refuse(not finite, "class_shares: a share is not finite; use numbers of 0 or more.")
        refuse(min(self.class_shares.values(), default=0) < 0, "class_shares: a share is negative; use 0 or more.")
        refuse(not self.classes, "class_shares: no emotion has a share; give one to at least one of them.")
        for name in ("association", "label_noise", "difficulty", "problem_share"):
            value = getattr(self, name)
            refuse(not 0 <= value <= 1, f"{name} is {value}; it must lie in 0-1.")
        refuse(self.framing not in FRAMINGS, f"framing {self.framing!r} is unknown; use {' or '.join(FRAMINGS)}.")
        both = self.masked_twins and self.problem_share > 0
        refuse(both, "masked_twins and problem_share exclude each other, since a twin differs by its mask alone.")
        if self.bias:
            self._check_bias(self.bias)

    def _check_bias(self, bias: Bias) -> None:
        refuse(bias.emotion not in self.classes, f"bias: {bias.emotion!r} has no share in class_shares.")
        refuse(bias.attribute not in GROUPS, f"bias: {bias.attribute!r} is unknown; use one of {', '.join(GROUPS)}.")
        known = GROUPS[bias.attribute]
        refuse(bias.group not in known, f"bias: the group {bias.group!r} is unknown; use one of {known}.")
        refuse(not 0 <= bias.share <= 1, f"bias: the share is {bias.share}; it must lie in 0-1.")
        refuse(not 0 <= bias.strength < inf, f"bias: the strength is {bias.strength}; use a finite one, 0 or more.")


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("balanced", "Seven emotions equally often, in places that tell nothing about them."),
        # CAER-S (Lee et al. 2019) are stills of TV shows; how much a place tells there is not published.
        Preset("context", "Places go together with emotions, as in stills of films.", association=0.8),
        # AffectNet (Mollahosseini et al. 2017) comes as crops of detected faces.
        Preset("face_only", "Tight crops of faces, so that hardly anything of the place is left.", framing="face"),
        Preset(
            "imbalanced",
            "Emotions as frequent as in the training part of FER2013.",
            # FER2013 (Goodfellow et al. 2013), counted in its Training rows
            dict(zip(BASIC, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True)),
        ),
        # Stereotypes of gender within single emotions: Dominguez-Catena et al. 2022; share and strength are chosen.
        Preset(
            "biased",
            "Anger is shown by few women, and weakly by those.",
            bias=Bias("anger", "gender", "female", share=0.2, strength=0.6),
        ),
        Preset(
            "noisy",
            "Wrong labels, and pictures without a face, cut, dark, blurred or twice.",
            label_noise=0.15,
            problem_share=0.08,
        ),
        Preset("masked", "Every picture twice: the bare face, and the same with a face mask.", masked_twins=True),
    )
}
