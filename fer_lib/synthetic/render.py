"""From cards to pictures, in as many processes as there are cores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import cv2
import numpy as np
from joblib import Parallel, cpu_count, delayed

from fer_lib.synthetic.action_units import displace
from fer_lib.synthetic.anatomy import rest_face
from fer_lib.synthetic.draw import Drawing, draw
from fer_lib.synthetic.plan import Card
from fer_lib.synthetic.shot import Shot

Result = TypeVar("Result")
FACE_SHARE = 0.8  # of the picture's side that a tightly framed face fills
DARK = 0.12  # share of its brightness that a dark picture keeps
HEAVY_BLUR = 1 / 16  # standard deviation, as a share of the side
FAR_AWAY = 9.0  # sides of the picture, where nothing of a person reaches into it
CARDS_A_TASK = 8
TOO_FEW = 100  # cards that are drawn sooner than other processes have started


def draw_card(card: Card, size: int = 224) -> Drawing:
    """Draw a card, with its framing and its problem.

    Parameters
    ----------
    size : side of the picture in pixels

    Returns
    -------
    the drawing; without a face its landmarks are NaN and its masks are empty
    """
    drawing = draw(card.person, card.expression.units, final_shot(card), size, card.expression.side)
    if card.problem == "no face":
        return replace(drawing, landmarks=np.full_like(drawing.landmarks, np.nan))
    if card.problem == "dark":
        return replace(drawing, picture=(drawing.picture * DARK).astype(np.uint8))
    if card.problem == "blurred":
        return replace(drawing, picture=cv2.GaussianBlur(drawing.picture, (0, 0), HEAVY_BLUR * size))
    return drawing


def final_shot(card: Card) -> Shot:
    """The card's shot as framing and problem change it, so that the truth stays right."""
    shot = _close(card) if card.framing == "face" else card.shot
    if card.problem == "no face":
        return replace(shot, x=FAR_AWAY, companion=None)
    if card.problem == "cut":
        edge = card.number % 2  # left or right
        return replace(shot, x=shot.x + edge - _face_in(card, shot)[0][0])
    return shot


def _close(card: Card) -> Shot:
    """The shot with the face in the picture's middle, `FACE_SHARE` of it large, and nobody else."""
    _, extent = _face_in(card, card.shot)
    near = replace(card.shot, scale=card.shot.scale * FACE_SHARE / float(extent.max()), companion=None)
    x, y = _face_in(card, near)[0]
    return replace(near, x=near.x + 0.5 - x, y=near.y + 0.5 - y)


def _face_in(card: Card, shot: Shot) -> tuple[list[float], np.ndarray]:
    """Centre (x, y) and extent (2,) of the card's face in a shot, in shares of the side."""
    face = displace(rest_face(card.person.shape), card.expression.units, card.expression.side)
    points = shot.pose(1).project(face)[:, :2]
    low, high = points.min(0), points.max(0)
    return ((low + high) / 2).tolist(), high - low


def in_processes(
    work: Callable[[Card], Result], cards: Sequence[Card], processes: int | None = None
) -> Iterator[Result]:
    """Yield what `work` makes of each card, in the order of the cards, whatever the number of processes.

    Parameters
    ----------
    work : a function of a module, or a `functools.partial` of one, so that other processes can import it
    processes : as many as there are usable cores unless given
    """
    parts = [cards[start : start + CARDS_A_TASK] for start in range(0, len(cards), CARDS_A_TASK)]
    processes = processes or (cpu_count() if len(cards) > TOO_FEW else 1)
    pool = Parallel(processes, return_as="generator")
    for results in pool(delayed(_work_on)(work, part) for part in parts):
        yield from results


def _work_on(work: Callable[[Card], Result], cards: Sequence[Card]) -> list[Result]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the processes share the cores already
    try:
        return [work(card) for card in cards]
    finally:
        cv2.setNumThreads(threads)
