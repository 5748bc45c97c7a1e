"""Who is drawn: looks that no expression changes."""

from colorsys import hsv_to_rgb
from dataclasses import dataclass, fields

import numpy as np

from fer_lib.synthetic.canvas import Colour, mix

# The ten tones of the Monk Skin Tone scale, from its published colours; tone 1 is the lightest.
SKIN_TONES: dict[int, Colour] = {
    1: (246, 237, 228),
    2: (243, 231, 219),
    3: (247, 234, 208),
    4: (234, 218, 186),
    5: (215, 189, 150),
    6: (160, 126, 86),
    7: (130, 92, 67),
    8: (96, 65, 52),
    9: (58, 49, 42),
    10: (41, 36, 32),
}
HAIR_COLOURS: dict[str, Colour] = {
    "black": (32, 27, 27),
    "dark brown": (60, 41, 32),
    "brown": (98, 66, 44),
    "blond": (196, 160, 104),
    "red": (142, 68, 38),
    "grey": (158, 156, 156),
    "white": (222, 220, 216),
}
IRIS_COLOURS: tuple[Colour, ...] = ((70, 44, 28), (104, 72, 40), (72, 108, 146), (88, 122, 90), (112, 120, 128))
AGES = ("child", "adult", "old")
GENDERS = ("female", "male")
HAIRSTYLES = {  # by presented gender
    "female": (
        "bob",
        "long straight",
        "long wavy",
        "ponytail",
        "bun",
        "braids",
        "afro",
        "curly crop",
        "short side parting",
    ),
    "male": (
        "bald",
        "buzz cut",
        "short side parting",
        "short spiky",
        "quiff",
        "curly crop",
        "afro",
        "receding",
        "long wavy",
    ),
}
SHAPE_SD = 0.21
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
USUAL_SHAPE = {
    "child": {
        "face_length": -0.6,
        "jaw_width": -0.2,
        "chin_length": -0.5,
        "eye_size": 0.5,
        "nose_length": -0.6,
        "nose_width": -0.3,
        "nose_bridge": -0.5,
        "mouth_width": -0.3,
    },
    "adult": {},
    "old": {"lip_fullness": -0.5, "nose_length": 0.3, "eye_size": -0.25, "brow_tilt": 0.2},
    "female": {
        "mouth_curve": 0.6,
        "jaw_width": -0.4,
        "lip_fullness": 0.3,
        "brow_height": 0.2,
        "nose_width": -0.25,
        "chin_length": -0.15,
    },
    "male": {
        "mouth_curve": 0.5,
        "jaw_width": 0.35,
        "lip_fullness": -0.15,
        "brow_height": -0.25,
        "nose_length": 0.15,
        "chin_length": 0.2,
    },
}


@dataclass(frozen=True)
class Shape:
    """How a face departs from the average one: 0 is average, -1 and 1 are clearly small and large."""

    face_width: float = 0.0
    face_length: float = 0.0
    jaw_width: float = 0.0
    chin_length: float = 0.0
    cheekbones: float = 0.0
    forehead_height: float = 0.0
    eye_size: float = 0.0
    eye_distance: float = 0.0
    eye_tilt: float = 0.0
    brow_height: float = 0.0
    brow_tilt: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_bridge: float = 0.0
    mouth_width: float = 0.0
    mouth_height: float = 0.0
    mouth_curve: float = 0.0
    lip_fullness: float = 0.0
    asymmetry: float = 0.0


@dataclass(frozen=True)
class Person:
    """A drawn identity.

    age, gender, hairstyle, beard : of AGES, GENDERS (as presented), HAIRSTYLES[gender], BEARDS
    skin_tone : 1-10 on the Monk Skin Tone scale
    skin, hair, iris, lips, clothes : RGB 0-255
    brow_thickness : 0-1
    texture_seed : of freckles, hair strands and whatever else is fixed for this person
    """

    age: str
    gender: str
    skin_tone: int
    skin: Colour
    hair: Colour
    hairstyle: str
    iris: Colour
    lips: Colour
    clothes: Colour
    beard: str
    brow_thickness: float
    glasses: bool
    shape: Shape
    texture_seed: int


def draw_person(
    rng: np.random.Generator, age: str | None = None, gender: str | None = None, skin_tone: int | None = None
) -> Person:
    """Draw the looks of one identity; what is given is kept, the rest is drawn from `rng`.

    Raises
    ------
    ValueError
        For an unknown age, gender or skin tone.
    """
    _check_looks(age, gender, skin_tone)
    age = str(rng.choice(AGES, p=(0.15, 0.6, 0.25))) if age is None else age
    gender = str(rng.choice(GENDERS)) if gender is None else gender
    skin_tone = int(rng.integers(1, 11)) if skin_tone is None else skin_tone
    skin = _photographed(SKIN_TONES[skin_tone])
    grown_man = gender == "male" and age != "child"
    styles = [style for style in HAIRSTYLES[gender] if age != "child" or style not in ("bald", "receding")]
    return Person(
        age=age,
        gender=gender,
        skin_tone=skin_tone,
        skin=skin,
        hair=_hair_colour(rng, age, skin_tone),
        hairstyle=str(rng.choice(styles)),
        iris=IRIS_COLOURS[rng.integers(len(IRIS_COLOURS) if skin_tone < 6 else 2)],
        lips=mix(mix(skin, (176, 64, 70), 0.42), (168, 36, 52), rng.uniform(0, 0.5) if gender == "female" else 0.0),
        clothes=_cloth_colour(rng),
        beard=str(rng.choice(BEARDS, p=(0.55, 0.2, 0.07, 0.07, 0.11))) if grown_man else "none",
        brow_thickness=float(rng.uniform(0.45, 1) if gender == "male" else rng.uniform(0.1, 0.6)),
        glasses=bool(rng.random() < (0.25 if age == "old" else 0.12)),
        shape=_draw_shape(rng, age, gender),
        texture_seed=int(rng.integers(2**31)),
    )


def _check_looks(age: str | None, gender: str | None, skin_tone: int | None) -> None:
    if age is not None and age not in AGES:
        raise ValueError(f"age {age!r} is unknown; use one of {', '.join(AGES)}.")
    if gender is not None and gender not in GENDERS:
        raise ValueError(f"gender {gender!r} is unknown; use one of {', '.join(GENDERS)}.")
    if skin_tone is not None and skin_tone not in SKIN_TONES:
        raise ValueError(f"skin_tone {skin_tone!r} is unknown; use a whole number from 1 to {len(SKIN_TONES)}.")


def _draw_shape(rng: np.random.Generator, age: str, gender: str) -> Shape:
    """Shape parameters around what is usual for age and gender, within -1.2 to 1.2."""
    usual = USUAL_SHAPE[gender] | USUAL_SHAPE[age]
    drawn = {field.name: rng.normal(usual.get(field.name, 0), SHAPE_SD) for field in fields(Shape)}
    return Shape(**{name: float(np.clip(value, -1.2, 1.2)) for name, value in drawn.items()})


def _hair_colour(rng: np.random.Generator, age: str, skin_tone: int) -> Colour:
    if age == "old" and rng.random() < 0.75:
        name = rng.choice(("grey", "white"))
    elif skin_tone >= 6:
        name = rng.choice(("black", "dark brown"), p=(0.7, 0.3))
    else:
        name = rng.choice(("black", "dark brown", "brown", "blond", "red"), p=(0.2, 0.25, 0.25, 0.2, 0.1))
    return mix(HAIR_COLOURS[str(name)], (120, 100, 90), rng.uniform(0, 0.15))


def _cloth_colour(rng: np.random.Generator) -> Colour:
    strength, value = rng.uniform(0.1, 0.65), rng.uniform(0.3, 0.92)
    return tuple(float(255 * part) for part in hsv_to_rgb(rng.uniform(), strength, value))


def _photographed(tone: Colour) -> Colour:
    """A skin tone as a camera exposes it for a face: warmer, and with the darkest lifted."""
    lifted = tuple(255 * (part / 255) ** 0.68 for part in tone)
    return mix(lifted, (212, 146, 118), 0.15 + 0.2 * tone[0] / 255)
