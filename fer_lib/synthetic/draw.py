"""Draw one frontal cartoon face from a person's looks and facial action units (FACS)."""

from collections.abc import Mapping

import numpy as np

from fer_lib.synthetic.canvas import (
    SUPERSAMPLING,
    Canvas,
    blank,
    curve,
    darker,
    fill,
    finish,
    line,
    mix,
    oval,
    tint,
    to_points,
)
from fer_lib.synthetic.features import draw_brow, draw_eye, draw_glasses, draw_mouth, draw_nose, draw_skin
from fer_lib.synthetic.person import Person

ACTION_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 15, 17, 20, 23, 25, 26)


def draw_face(
    person: Person,
    action_units: Mapping[int, float],
    rng: np.random.Generator,
    size: int = 96,
    variation: float = 0.5,
) -> np.ndarray:
    """Draw `person` with the given expression, in front of a background and in a light drawn from `rng`.

    The draws from `rng` do not depend on the action units: one seed gives one pose, background and light.

    Parameters
    ----------
    person : whom to draw
    action_units : intensity 0-1 by FACS number, of those in ACTION_UNITS; the ones left out are at rest
    rng : pose, gaze, background, light, blur and noise
    size : side of the picture in pixels, at least 24
    variation : 0-1, scales pose, blur and noise; at 0 the face is frontal and sharp

    Returns
    -------
    (size, size, 3) uint8, RGB

    Raises
    ------
    ValueError : an unknown action unit, an intensity or `variation` outside 0-1, a `size` below 24
    """
    _check(action_units, size, variation)
    units = dict.fromkeys(ACTION_UNITS, 0.0) | dict(action_units)
    canvas = blank(rng, size * SUPERSAMPLING, variation)
    gaze = rng.uniform(-1, 1, 2) * (0.02 + 0.04 * variation)
    _draw_head(canvas, person, units)
    draw_skin(canvas, person, units)
    if person.beard:
        _draw_beard(canvas, person, units)
    draw_nose(canvas, person, units)
    for side in (-1, 1):
        draw_eye(canvas, person, units, side, gaze)
        draw_brow(canvas, person, units, side)
    draw_mouth(canvas, person, units)
    if person.glasses:
        draw_glasses(canvas, person)
    if person.haircut != "bald":
        _draw_fringe(canvas, person)
    return finish(canvas, rng, size, variation)


def _check(action_units: Mapping[int, float], size: int, variation: float) -> None:
    if size < 24:
        raise ValueError(f"size is {size} pixels; a face needs at least 24.")
    if not 0 <= variation <= 1:
        raise ValueError(f"variation is {variation}; it must lie in 0-1.")
    for unit, intensity in action_units.items():
        if unit not in ACTION_UNITS:
            raise ValueError(f"action unit {unit} is not drawn; known are {', '.join(map(str, ACTION_UNITS))}.")
        if not 0 <= intensity <= 1:
            raise ValueError(f"action unit {unit} has intensity {intensity}; it must lie in 0-1.")


def _draw_head(canvas: Canvas, person: Person, units: Mapping[int, float]) -> None:
    head = _outline(person, _jaw(units))
    _draw_hair_behind(canvas, person)
    shadow = darker(person.skin, 0.22)
    neck = 0.52 * person.width
    fill(canvas, np.array([(-neck, 0.5), (neck, 0.5), (neck * 1.1, 1.6), (-neck * 1.1, 1.6)]), shadow, 0)
    fill(canvas, oval(0, 1.75, 1.35, 0.55), person.clothes, 0)
    fill(canvas, oval(0, 1.2, neck * 1.05, 0.16), shadow, 0)
    for side in (-1, 1):
        fill(canvas, oval(side * person.width, 0.08, 0.1, 0.19), darker(person.skin, 0.1), 0)
    fill(canvas, head, person.skin, 0)
    tint(canvas, head, 112, 0)
    tint(canvas, head * 0.8 + (0, 0.02), 133, 0.6)


def _draw_beard(canvas: Canvas, person: Person, units: Mapping[int, float]) -> None:
    jawline = _outline(person, _jaw(units))[:37]
    x = np.linspace(-0.97, 0.97, 25)
    height = np.interp(np.abs(x), (0, 0.3, 0.5, 0.8, 1), (0.42, 0.44, 0.52, 0.34, 0))
    edge = to_points(x * person.width, height)
    fill(canvas, np.concatenate((jawline, edge)), mix(person.skin, person.hair, person.beard), 0.2)


def _draw_hair_behind(canvas: Canvas, person: Person) -> None:
    hair = _outline(person, 0, person.hair_volume)
    if person.haircut == "long":
        low = hair[:, 1] > 0
        hair[low] *= (1.05, 1.2)
    if person.haircut == "curly":
        hair *= 1 + 0.035 * np.sin(np.arange(72) * 2 * np.pi / 6)[:, None]
    if person.haircut != "long":
        hair = hair[hair[:, 1] < 0.12]
    if person.haircut == "bald":
        hair = hair[np.abs(hair[:, 1] + 0.15) < 0.3] * (0.98, 1)
    fill(canvas, hair, person.hair, 0)


def _draw_fringe(canvas: Canvas, person: Person) -> None:
    """The hair in front of the forehead, between the top of the head and a parted hairline."""
    top = _outline(person, 0, person.hair_volume)[36:]
    x = np.linspace(1, -1, 25)
    temple = 0.1 if person.haircut == "long" else -0.12
    edge = person.hairline + (temple - person.hairline) * np.abs(x) ** 4
    edge += 0.5 * person.parting * (x - person.parting) * (1 - x**2)
    hairline = to_points(x * person.width * 1.01, edge)
    fill(canvas, np.concatenate((top, hairline)), person.hair, 0)
    shine = mix(person.hair, (255, 240, 220), 0.16)
    line(canvas, curve((-0.4, -0.84), (-0.1, -1.0), (0.3, -0.93)), shine, 0.05)


def _outline(person: Person, jaw_drop: float = 0.0, grow: float = 1.0) -> np.ndarray:
    """The head (72, 2), clockwise from its right side; the jaw tapers and drops below the nose."""
    points = oval(0, 0, person.width, 1, 72)
    below = np.clip(points[:, 1], 0, 1)
    points[:, 0] *= 1 - person.jaw_taper * below**2
    points[:, 1] += 0.14 * jaw_drop * below
    return points * grow


def _jaw(units: Mapping[int, float]) -> float:
    return units[26] - 0.15 * units[17]
