"""Locks: tapered curves around the skull, and the ways they are laid."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fer_lib.synthetic.scalp import Line, direction, on_skull

POINTS = 16  # along every lock
ALONG = np.linspace(0, 1, POINTS)


@dataclass(frozen=True, eq=False)
class Locks:
    """Tapered curves; n locks of `POINTS` points.

    points : (n, POINTS, 3), head units
    widths : (n, POINTS), head units
    tones : (n,), brightness around 1
    layers : (n,), -1 is always behind the head, 1 always before it, 0 wherever the skull puts it
    """

    points: np.ndarray
    widths: np.ndarray
    tones: np.ndarray
    layers: np.ndarray


def locks(
    rng: np.random.Generator, points: np.ndarray, widths: np.ndarray, layer: int = 0, vary: float = 0.13
) -> Locks:
    """Locks of random tones."""
    count = len(points)
    return Locks(points, widths, 1 + vary * rng.uniform(-1, 1, count), np.full(count, layer))


def joined(*parts: Locks) -> Locks:
    """All locks as one."""
    names = ("points", "widths", "tones", "layers")
    return Locks(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def arc(starts: np.ndarray, ends: np.ndarray, push: np.ndarray | float = 0.0, count: int = POINTS) -> np.ndarray:
    """Directions (n, count, 3) from `starts` to `ends` (n, 3), bent by `push` (n, 3) on the way."""
    t = np.linspace(0, 1, count)[:, None]
    middle = starts + ends
    middle = middle / np.linalg.norm(middle, axis=-1, keepdims=True) + push
    bent = (1 - t) ** 2 * starts[:, None] + 2 * t * (1 - t) * middle[:, None] + t**2 * ends[:, None]
    return bent / np.linalg.norm(bent, axis=-1, keepdims=True)


def bezier(controls: np.ndarray) -> np.ndarray:
    """Curves (n, POINTS, 3) of cubic control points (n, 4, 3)."""
    t = ALONG
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], -1)
    return np.einsum("pk,nkc->npc", weights, controls)


def taper(widths: np.ndarray, root: float = 0.35, tip: float = 0.0) -> np.ndarray:
    """Widths (n, POINTS): narrow at the root, full in the middle, pointed at the tip."""
    start = root + (1 - root) * np.minimum(1, 3.5 * ALONG)
    end = tip + (1 - tip) * np.sqrt(np.clip(1 - ALONG**3, 0, 1))
    return np.asarray(widths)[:, None] * start * end


def spread(rng: np.random.Generator, low: float, high: float, count: int, jitter: float = 0.8) -> np.ndarray:
    """Values (count,) from low to high, nearly but not quite evenly spaced."""
    steps = np.linspace(low, high, count)
    return steps + jitter * (high - low) / count * rng.uniform(-0.5, 0.5, count)


def both_sides(rng: np.random.Generator, low: float, high: float, count: int) -> np.ndarray:
    """Azimuths (2 * count,) from low to high on the left, then on the right."""
    return np.concatenate([-spread(rng, low, high, count), spread(rng, low, high, count)])


def scattered(rng: np.random.Generator, line: Line, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and elevations of places all over the scalp, laid out like a sunflower's seeds; some of `count`."""
    index = np.arange(count) + 0.5
    elevations = np.degrees(np.arcsin(1 - 1.75 * index / count))
    azimuths = (index * 137.508 + rng.uniform(-9, 9, count) + 180) % 360 - 180
    kept = elevations > line(azimuths) + 1
    return azimuths[kept], elevations[kept]


def parting(part: float, angles: np.ndarray) -> np.ndarray:
    """Directions (n, 3) along a parting `part` beside the middle; angles rise from the face over the crown."""
    depth = np.sqrt(1 - part**2)
    a = np.radians(angles)
    return np.stack([np.full_like(a, part), -depth * np.sin(a), depth * np.cos(a)], -1)


def parted(rng: np.random.Generator, part: float, side: int, count: int, lift: float) -> Locks:
    """Short hair combed from a parting down to one side."""
    u = spread(rng, 0, 1, count)
    starts = parting(part, 38 + 85 * u)
    ends = direction(side * (60 + 62 * u), rng.uniform(8, 22, count))
    rise = 0.03 + lift * np.sin(np.pi * (0.12 + 0.86 * ALONG)) * rng.uniform(0.8, 1.2, (count, 1))
    points = on_skull(arc(starts, ends, np.array([0, -0.12, 0.1])), rise)
    return locks(rng, points, taper(rng.uniform(0.2, 0.32, count)))


def sides(
    rng: np.random.Generator, line: Line, top: float, lift: float = 0.05, count: int = 16, front: float = 56
) -> Locks:
    """Short hair above both ears, down to the sideburns."""
    azimuths = both_sides(rng, front, 125, count)
    ends = direction(azimuths + 3 * np.sign(azimuths), line(azimuths) + rng.uniform(-2, 5, 2 * count))
    starts = direction(azimuths - 4 * np.sign(azimuths), top + rng.uniform(-6, 6, 2 * count))
    points = on_skull(arc(starts, ends), lift * np.sin(np.pi * ALONG))
    short = locks(rng, points, taper(rng.uniform(0.14, 0.2, 2 * count)))
    return replace(short, tones=short.tones - 0.1)


def curls(rng: np.random.Generator, line: Line, count: int, radius: float, width: float, lift: Callable) -> Locks:
    """Hooks of hair all over the scalp, as high as `lift` says for degrees above the hairline."""
    azimuths, elevations = scattered(rng, line, count)
    count = len(azimuths)
    out = direction(azimuths, elevations)
    east = direction(azimuths + 90, np.zeros(count))
    north = np.cross(out, east)
    turn = rng.uniform(0, 2 * np.pi, (count, 1)) + rng.choice([-1, 1], (count, 1)) * 4.6 * ALONG
    size = (radius * rng.uniform(0.75, 1.25, (count, 1)) * (1 - 0.45 * ALONG))[..., None]
    centre = on_skull(out, lift(elevations - line(azimuths)) + rng.uniform(-0.04, 0.05, count))
    ring = np.cos(turn)[..., None] * east[:, None] + np.sin(turn)[..., None] * north[:, None]
    points = centre[:, None] + size * (ring + 0.5 * out[:, None])
    return locks(rng, points, taper(width * rng.uniform(0.8, 1.2, count), 0.6, 0.2), vary=0.15)


def hanging(
    rng: np.random.Generator, part: float, azimuths: np.ndarray, bottom: float, flare: float, wave: float = 0.0
) -> Locks:
    """Hair that runs from a parting over the temples and then falls to y = `bottom`."""
    count, side, turned = len(azimuths), np.sign(azimuths), np.abs(azimuths)
    starts = parting(part, np.interp(turned, (60, 180), (38, 130)))
    ends = direction(azimuths, np.full(count, 2.0))
    scalp = on_skull(arc(starts, ends, np.array([0, -0.14, 0]), 7), 0.11 * np.sin([0.4, 0.9, 1.3, 1.5, 1.6, 1.6, 1.6]))
    t = np.linspace(0, 1, POINTS - 6)[1:]
    last = scalp[:, -1:]
    fall = np.repeat(last, POINTS - 7, 1)
    fall[..., 1] += t * (bottom + rng.uniform(-0.25, 0.1, (count, 1)) - last[..., 1])
    forward = np.interp(turned, (60, 85, 100, 180), (0.35, 0.3, -0.1, 0.3))
    fall[..., 2] += t**1.5 * forward[:, None]
    fall[..., 0] += (side * np.interp(turned, (60, 110, 180), (1, 1, 0.4)))[:, None] * flare * np.sin(2.2 * t)
    if wave:
        phase = 0.08 * turned[:, None] + rng.uniform(-0.4, 0.4, (count, 1)) + 10.5 * t
        fall[..., 0] += wave * np.minimum(1, 4 * t) * np.sin(phase)
    points = np.concatenate([scalp, fall], 1)
    return locks(rng, points, taper(rng.uniform(0.24, 0.36, count), 0.3, 0.12))


def combed_back(rng: np.random.Generator, line: Line, knot: np.ndarray, count: int = 54, lift: float = 0.07) -> Locks:
    """Hair drawn from the hairline all around to one knot, a direction (3,)."""
    azimuths = spread(rng, -150, 150, count)
    starts = direction(azimuths, line(azimuths) + rng.uniform(-1, 6, count))
    ends = np.repeat(knot[None], count, 0) + rng.normal(0, 0.05, (count, 3))
    rise = lift * np.minimum(1, 4 * ALONG) * rng.uniform(0.7, 1.2, (count, 1))
    return locks(rng, on_skull(arc(starts, ends), rise), taper(rng.uniform(0.14, 0.22, count), 0.4, 0.4))


def braid(rng: np.random.Generator, side: int) -> Locks:
    """Tresses laid alternately from left and right."""
    path = np.array([[1.2, 0.35, -1.3], [1.45, 1.4, -1.1], [1.25, 2.0, -0.1], [1.1, 3.4, -0.2]]) * [side, 1, 1]
    spots = bezier(path[None])[0][np.linspace(0, POINTS - 1, 11).astype(int)]
    start, end = np.repeat(spots[:-1], 2, 0), np.repeat(spots[1:], 2, 0)
    out = np.tile([-1.0, 1.0], len(spots) - 1)[:, None] * np.array([0.2, 0, 0])
    down = 0.45 * (end - start)
    controls = np.stack([start + 0.2 * out, start + 1.3 * out, end + 1.1 * out, end + down - 0.2 * out], 1)
    tress = locks(rng, bezier(controls), taper(np.full(len(start), 0.34), 0.6, 0.25), vary=0.12)
    return replace(tress, layers=np.where(start[:, 1] > 2.0, 1, 0))
