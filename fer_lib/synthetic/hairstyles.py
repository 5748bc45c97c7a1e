"""Hairstyles: which locks grow on whose head."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fer_lib.synthetic.locks import (
    ALONG,
    POINTS,
    Locks,
    arc,
    bezier,
    both_sides,
    braid,
    combed_back,
    curls,
    hanging,
    joined,
    locks,
    parted,
    parting,
    scattered,
    sides,
    spread,
    taper,
)
from fer_lib.synthetic.person import Person
from fer_lib.synthetic.scalp import (
    AFRO_HAIRLINE,
    HAIRLINE,
    RECEDING_HAIRLINE,
    SKULL_AXES,
    Ground,
    Line,
    direction,
    hairline,
    on_skull,
)


@dataclass(frozen=True, eq=False)
class Hair:
    """A head of hair.

    locks : all locks
    cap : (azimuths, rises, 3), head units, the ground below the locks
    cover : 0-1, how much skin the ground hides
    shine : 0-1, how strongly single locks mirror the lamp
    fuzz : (n, 2, 3), head units, hairs too short to be locks
    volume : (3,), semi-axes of what light falls on, head units
    size : (3,), the head's, as a multiple of the average one's
    """

    locks: Locks
    cap: np.ndarray
    cover: float
    shine: float
    fuzz: np.ndarray
    volume: np.ndarray
    size: np.ndarray


@dataclass(frozen=True)
class Style:
    """How a style's hair is made.

    grow : from random numbers and a hairline to locks
    hairline : elevations in degrees, at `HAIRLINE_AZIMUTHS`
    lift : height of the ground on the crown, as a share of the skull's size
    ramp : degrees above the hairline where the ground is at full height
    cover, shine : see `Hair`
    volume : how many times as large as the skull the hair is
    fuzz : number of short hairs
    """

    grow: Callable[[np.random.Generator, Line], Locks]
    hairline: tuple[float, ...] = HAIRLINE
    lift: float = 0.08
    ramp: float = 15
    cover: float = 1.0
    shine: float = 1.0
    volume: float = 1.12
    fuzz: int = 90


def side_parting(rng: np.random.Generator, line: Line) -> Locks:
    """Combed over from a parting on one side, short around the ears."""
    side = int(rng.choice([-1, 1]))
    return joined(
        sides(rng, line, 20),
        parted(rng, -0.38 * side, -side, 18, 0.07),
        parted(rng, -0.38 * side, side, 34, 0.16),
    )


def spiky(rng: np.random.Generator, line: Line) -> Locks:
    """Short tufts that stand up."""
    azimuths, elevations = scattered(rng, line, 210)
    starts = direction(azimuths, elevations)[elevations > -5]
    ends = starts + np.array([0, -0.25, 0.08]) + rng.normal(0, 0.16, starts.shape)
    ends /= np.linalg.norm(ends, axis=-1, keepdims=True)
    height = rng.uniform(0.2, 0.34, (len(starts), 1)) * ALONG + 0.03
    width = rng.uniform(0.24, 0.34, (len(starts), 1)) * (1 - ALONG**1.4)
    return joined(sides(rng, line, 25), locks(rng, on_skull(arc(starts, ends), height), width, vary=0.2))


def quiff(rng: np.random.Generator, line: Line) -> Locks:
    """Swept up and back from the forehead, short around the ears."""
    count = 36
    azimuths = spread(rng, -56, 56, count)
    lean = rng.choice([-1, 1])
    starts = direction(azimuths, line(azimuths) + rng.uniform(-1, 3, count))
    ends = parting(0.66 * np.sin(np.radians(azimuths)) + 0.16 * lean, np.full(count, 112.0))
    tall = np.clip(np.cos(np.radians(1.5 * (azimuths - 14 * lean))), 0.1, 1)[:, None]
    height = 0.04 + 0.36 * tall * np.sin(np.pi * (0.05 + 0.92 * ALONG**0.75)) * rng.uniform(0.85, 1.15, (count, 1))
    points = on_skull(arc(starts, ends, np.array([0.2 * lean, 0, 0.1])), height)
    top = locks(rng, points, taper(rng.uniform(0.2, 0.3, count), 0.3))
    return joined(sides(rng, line, 34, 0.03, 18), top)


def curly_crop(rng: np.random.Generator, line: Line) -> Locks:
    """Short curls all over."""
    return curls(rng, line, 230, 0.16, 0.15, lambda above: 0.02 + 0.11 * np.clip(above / 18, 0, 1))


def afro(rng: np.random.Generator, line: Line) -> Locks:
    """A ball of tight curls."""

    def lift(above):
        return 0.6 * np.sqrt(np.clip(above / 45, 0, 1)) - 0.05

    return curls(rng, line, 230, 0.12, 0.07, lift)


def bob(rng: np.random.Generator, line: Line) -> Locks:
    """Down to the jaw, with a fringe."""
    azimuths = both_sides(rng, 62, 180, 26)
    count = 24
    across = spread(rng, -66, 66, count)
    starts = direction(across, np.full(count, 68.0))
    ends = direction(across, 15 + rng.uniform(-1, 3, count) - np.clip(1.5 * np.abs(across) - 78, 0, 20))
    fringe = locks(rng, on_skull(arc(starts, ends), 0.1 - 0.05 * ALONG**3), taper(rng.uniform(0.2, 0.28, count), 0.4))
    return joined(hanging(rng, 0.02, azimuths, 1.35, 0.12), fringe)


def long_straight(rng: np.random.Generator, line: Line) -> Locks:
    """Parted in the middle, straight over the shoulders."""
    azimuths = both_sides(rng, 62, 180, 34)
    return hanging(rng, 0.02, azimuths, 3.5, 0.1)


def long_wavy(rng: np.random.Generator, line: Line) -> Locks:
    """Parted on one side, in waves over the shoulders."""
    azimuths = both_sides(rng, 64, 180, 32)
    return hanging(rng, 0.3 * rng.choice([-1, 1]), azimuths, 3.1, 0.35, 0.17)


def ponytail(rng: np.random.Generator, line: Line) -> Locks:
    """Combed back into a tail that hangs down on one side."""
    side = rng.choice([-1, 1])
    count = 22
    controls = np.array([[0, -1.5, -2.5], [0.5, -2.6, -2.9], [2.1, -0.9, -2.6], [1.35, 1.9, -2.0]]) * [side, 1, 1]
    points = bezier(controls + rng.normal(0, 0.14, (count, 4, 3)) * np.array([0.3, 1, 1.2, 1])[:, None])
    tail = locks(rng, points, taper(rng.uniform(0.2, 0.3, count)), -1)
    return joined(combed_back(rng, line, direction(180, 50)), tail)


def bun(rng: np.random.Generator, line: Line) -> Locks:
    """Combed up into a knot on the crown."""
    count = 26
    tilt, turn = rng.uniform(-0.5, 0.5, count), rng.uniform(0, 2 * np.pi, count)
    a = turn[:, None] + 2.4 * ALONG
    circle = np.stack([np.cos(a), np.sin(a) * np.cos(tilt)[:, None], np.sin(a) * np.sin(tilt)[:, None] + 0.4], -1)
    size = np.array([0.64, 0.5, 0.5]) * np.linspace(0.1, 0.95, count)[:, None, None]
    ball = np.array([0, -2.22, -1.5]) + size * circle
    top = locks(rng, ball, taper(rng.uniform(0.22, 0.32, count), 0.5, 0.3), -1)
    return joined(combed_back(rng, line, direction(180, 72)), top)


def braids(rng: np.random.Generator, line: Line) -> Locks:
    """Parted in the middle, in two braids over the shoulders."""
    azimuths = both_sides(rng, 58, 150, 24)
    starts = parting(0.0, np.interp(np.abs(azimuths), (58, 150), (37, 140)))
    ends = direction(np.sign(azimuths) * 95, np.interp(np.abs(azimuths), (58, 150), (-20, -30)))
    cap = locks(rng, on_skull(arc(starts, ends), 0.07), taper(rng.uniform(0.18, 0.28, 48)))
    return joined(cap, *(braid(rng, side) for side in (-1, 1)))


def receding(rng: np.random.Generator, line: Line) -> Locks:
    """Thin on top, bare at the temples."""
    count = 30
    azimuths = spread(rng, -56, 56, count)
    starts = direction(azimuths, line(azimuths) + rng.uniform(-2, 5, count))
    ends = parting(0.8 * np.sin(np.radians(azimuths)), np.full(count, 115.0))
    top = locks(rng, on_skull(arc(starts, ends), 0.04), taper(rng.uniform(0.08, 0.16, count), 0.2))
    return joined(sides(rng, line, 42, 0.06, 18, 66), top)


def buzz_cut(rng: np.random.Generator, line: Line) -> Locks:
    """Too short for locks: ground and fuzz only."""
    none = np.zeros((0, POINTS))
    return Locks(np.zeros((0, POINTS, 3)), none, none[:, 0], none[:, 0])


STYLES = {
    "buzz cut": Style(buzz_cut, lift=0.025, cover=0.85, fuzz=420),
    "short side parting": Style(side_parting),
    "short spiky": Style(spiky),
    "quiff": Style(quiff, lift=0.05),
    "curly crop": Style(curly_crop, lift=0.14, shine=0.7),
    "afro": Style(afro, AFRO_HAIRLINE, lift=0.6, ramp=45, volume=1.55, fuzz=1100, shine=0.1),
    "bob": Style(bob),
    "long straight": Style(long_straight),
    "long wavy": Style(long_wavy, lift=0.12),
    "ponytail": Style(ponytail, lift=0.04),
    "bun": Style(bun, lift=0.04),
    "braids": Style(braids, lift=0.04),
    "receding": Style(receding, RECEDING_HAIRLINE, lift=0.03, cover=0.75),
}


@lru_cache(maxsize=64)
def make_hair(person: Person) -> Hair | None:
    """The hair of a person, the same whenever asked; None of a bald one."""
    style = STYLES.get(person.hairstyle)
    if style is None:
        return None
    rng = np.random.default_rng(person.texture_seed)
    heights = np.array(style.hairline, float)
    heights[:4] += 4.5 * person.shape.forehead_height
    ground = Ground(hairline(heights), style.lift, style.ramp, style.volume > 1.3)
    size = np.array([1 + 0.05 * person.shape.face_width, 1 + 0.05 * person.shape.face_length, 1.0])
    grown = style.grow(rng, ground.line)
    fullness = 0.88 if person.age == "old" else 1.0
    grown = replace(grown, points=grown.points * size, widths=grown.widths * fullness)
    cap, fuzz = ground.cap(rng) * size, ground.fuzz(rng, style.fuzz) * size
    return Hair(grown, cap, style.cover, style.shine, fuzz, SKULL_AXES * style.volume * size, size)
