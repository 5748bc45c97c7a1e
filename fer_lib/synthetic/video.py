"""A face in motion: neutral, up to an expression, and back."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fer_lib.synthetic.draw import Drawing, draw
from fer_lib.synthetic.expressions import Expression
from fer_lib.synthetic.person import Person
from fer_lib.synthetic.shot import Shot

SWAY = {"yaw": (2.5, 1), "pitch": (1.5, 2), "roll": (1.5, 1)}  # degrees, and how often to and fro
ONSET = 0.4  # share of the time; the offset takes as long, the apex is held in between


def expression_video(
    person: Person, expression: Expression, shot: Shot, frames: int = 24, size: int = 224
) -> Iterator[tuple[Drawing, dict[int, float]]]:
    """Yield frames from neutral to the expression's apex and back; the head sways a little.

    Parameters
    ----------
    frames : at least 3
    size : side of a frame in pixels

    Yields
    ------
    each frame's drawing, and its intensities 0-1 of the expression's action units

    Raises
    ------
    ValueError
        For fewer frames, raised by the call itself.
    """
    if frames < 3:
        raise ValueError(f"frames is {frames}; onset, apex and offset need at least 3.")
    return (_frame(person, expression, shot, time, size) for time in np.linspace(0, 1, frames))


def _frame(
    person: Person, expression: Expression, shot: Shot, time: float, size: int
) -> tuple[Drawing, dict[int, float]]:
    share = (1 - np.cos(np.pi * min(1.0, time / ONSET, (1 - time) / ONSET))) / 2
    units = {unit: float(share * intensity) for unit, intensity in expression.units.items()}
    sway = {
        angle: getattr(shot, angle) + degrees * float(np.sin(2 * np.pi * often * time))
        for angle, (degrees, often) in SWAY.items()
    }
    return draw(person, units, replace(shot, **sway), size, expression.side), units
