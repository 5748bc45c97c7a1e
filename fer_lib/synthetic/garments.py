"""Garments: their cuts and patterns, and who wears which in which colours."""

from dataclasses import dataclass

import numpy as np

from fer_lib.synthetic.canvas import Colour, mix, scaled
from fer_lib.synthetic.figure import line, smooth, whole
from fer_lib.synthetic.person import GENDERS, Person


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a garment: an outline to fill, or a line where `width` is given.

    colour : a name in the palette
    lift : how far it stands out from what lies below, in head units
    """

    outline: np.ndarray
    colour: str
    width: float = 0.0
    lift: float = 0.0
    mirrored: bool = True


@dataclass(frozen=True, eq=False)
class Garment:
    """What is worn.

    neckline : the opening's edge, from the side of the neck to the middle
    behind : outline of what shows behind the neck
    worn_by : how often by women, men and children
    """

    neckline: np.ndarray
    pieces: tuple[Piece, ...] = ()
    behind: np.ndarray | None = None
    roll: bool = False
    patterns: tuple[str, ...] = ("plain",)
    worn_by: tuple[float, float, float] = (1.0, 1.0, 1.0)


def _band(neckline: np.ndarray) -> tuple[Piece, ...]:
    band, seam = np.array((0.03, 0.03)), np.array((0.06, 0.1))
    return Piece(neckline + band, "band", 0.13, 0.05), Piece(neckline + seam, "seam", 0.02)


ACROSS = np.linspace(-3, 3, 25)


def _rows(first: float, step: float) -> np.ndarray:
    """Lines (n, 25, 2) around the body, one below the other."""
    return np.stack(np.broadcast_arrays(ACROSS, np.arange(first, 7, step)[:, None] + 0.05 * ACROSS**2), 2)


DOTS = np.stack(np.meshgrid(np.arange(-2.8, 3, 0.4), np.arange(2.5, 7, 0.4)), 2).reshape(-1, 1, 2)
PATTERNS: dict[str, tuple[tuple[np.ndarray, float], ...]] = {  # lines (n, points, 2) and their width
    "plain": (),
    "knit": (),
    "stripes": ((_rows(2.5, 0.36), 0.16),),
    "bands": ((_rows(2.9, 0.9), 0.4),),
    "check": ((_rows(2.5, 0.5), 0.12), (np.stack([line(f"{x},2.2 {x},3 {x},9") for x in ACROSS[1::2]]), 0.06)),
    "dots": ((DOTS + line("0,0 .01,0"), 0.12),),
}
_NOISE = np.random.default_rng(0).normal(0, 2, (64, 64))
_RIBS = 5 * np.sin(np.arange(64) * np.pi / 4) + _NOISE
WEAVES = tuple(np.clip(8 + threads, 0, 16).astype(np.uint8) for threads in (_NOISE, _RIBS))

CREW = smooth("0.86,2.26 0.78,2.46 0.5,2.64 0,2.72")
DEEP_V = smooth("0.92,2.28 0.72,2.66 0.36,3.16 0,3.6")
WIDE = smooth("1.42,2.42 1.3,2.72 0.85,3.06 0,3.22")
SHIRT_V = smooth("0.84,2.26 0.6,2.52 0.3,2.74 0,2.95")
LAPEL_V = line("0.95,2.28 0.86,2.7 0.56,3.5 0,4.8")
COLLAR = line("0.7,2.08 0.52,2.42 0.04,2.8 0.12,2.9 0.5,3.24 0.78,2.84 0.98,2.4 0.84,2.2")
COLLAR_BEHIND = smooth("0.72,2.3 0.72,2.08 0.4,1.98 0,1.96")
BUTTONS = tuple(Piece(line(f"-.01,{v} .01,{v}"), "button", 0.09, mirrored=False) for v in (3.12, 3.72, 4.32, 4.92))
PLACKET = tuple(Piece(line(f"{u},{v} {u},10"), "seam", 0.02, mirrored=False) for u, v in ((-0.13, 3.0), (0.13, 3.0)))
LAPEL = line("0.95,2.26 0.86,2.7 0.56,3.5 0.05,4.7 0.5,4.35 1.25,3.42 1.02,3.2 1.4,3.06 1.18,2.5")
TIE = line("0,5.5 0.3,5.2 0.13,3.12 0.21,2.8 0,2.76")
HOOD = smooth("1.02,2.2 1.02,2.5 .74,2.86 .3,3.16 .1,3.42 .34,3.36 .9,3.06 1.34,2.66 1.4,2.36 1.02,2.2")
HOOD_BEHIND = smooth("1.4,2.44 1.34,2.12 1.0,1.92 0.4,1.86 0,1.86")
STRING = smooth("0.3,3.3 0.36,3.8 0.33,4.3")
SUIT = (
    Piece(np.concatenate([SHIRT_V, LAPEL_V[::-1]]), "shirt"),
    Piece(whole(TIE), "tie", lift=0.1, mirrored=False),
    Piece(line("0.14,3.12 0,3.16"), "seam", 0.03),
    Piece(COLLAR, "shirt", lift=0.12),
    Piece(LAPEL, "main", lift=0.12),
)

GARMENTS: dict[str, Garment] = {
    "t-shirt": Garment(CREW, _band(CREW), patterns=("plain", "plain", "stripes"), worn_by=(1, 1.2, 2)),
    "v-neck": Garment(DEEP_V, _band(DEEP_V), patterns=("plain", "knit"), worn_by=(1, 0.8, 0.3)),
    "shirt": Garment(
        SHIRT_V,
        (*PLACKET, *BUTTONS, Piece(COLLAR, "main", lift=0.12)),
        COLLAR_BEHIND,
        patterns=("plain", "check", "check"),
        worn_by=(0.6, 1.2, 0.6),
    ),
    "jacket": Garment(SHIRT_V, SUIT, COLLAR_BEHIND, worn_by=(0.3, 1, 0)),
    "hoodie": Garment(
        CREW + np.array((0, 0.1)),
        (Piece(HOOD, "main", lift=0.2), Piece(STRING, "string", 0.06), Piece(STRING[-2:], "seam", 0.08)),
        HOOD_BEHIND,
        worn_by=(0.6, 1, 1.6),
    ),
    "turtleneck": Garment(CREW - (0, 0.2), roll=True, patterns=("knit",), worn_by=(0.8, 0.5, 0.3)),
    "blouse": Garment(
        WIDE, (Piece(WIDE + np.array((0, 0.07)), "seam", 0.02),), patterns=("plain", "dots"), worn_by=(1.5, 0, 0.4)
    ),
    "jumper": Garment(CREW, _band(CREW), patterns=("stripes", "bands", "knit"), worn_by=(0.8, 0.8, 1.2)),
}


@dataclass(frozen=True)
class Outfit:
    """A garment as one person has it; `palette` names its colours."""

    name: str
    garment: Garment
    pattern: str
    palette: dict[str, Colour]


def choose_outfit(person: Person, rng: np.random.Generator) -> Outfit:
    """What this person wears, fitting age and gender."""
    wearer = len(GENDERS) if person.age == "child" else GENDERS.index(person.gender)
    weights = np.array([garment.worn_by[wearer] for garment in GARMENTS.values()])
    name = str(rng.choice(list(GARMENTS), p=weights / weights.sum()))
    garment = GARMENTS[name]
    return Outfit(name, garment, garment.patterns[rng.integers(len(garment.patterns))], _palette(person, name, rng))


def _palette(person: Person, name: str, rng: np.random.Generator) -> dict[str, Colour]:
    main, white, dark = person.clothes, (238, 237, 233), (40, 42, 54)
    second = (white, dark, mix(main, white, 0.55), scaled(main, 0.55), tuple(rng.uniform(30, 220, 3)))[rng.integers(5)]
    shirt = mix(white, tuple(rng.uniform(120, 255, 3)), 0.25)
    if name == "jacket":
        main = mix(main, dark, 0.75)
    return {
        "skin": person.skin,
        "main": main,
        "second": second,
        "band": second if rng.random() < 0.25 else scaled(main, 0.94),
        "seam": scaled(main, 0.72),
        "button": mix(main, white, 0.6) if sum(main) < 400 else scaled(main, 0.5),
        "string": mix(main, white, 0.75),
        "shirt": shirt,
        "behind": shirt if name == "jacket" else main,
        "tie": tuple(rng.uniform(20, 150, 3)),
    }
