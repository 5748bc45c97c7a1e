"""The features of a face, moved by its action units: skin, nose, eyes, brows and mouth; and glasses."""

from collections.abc import Mapping

import numpy as np

from fer_lib.synthetic.canvas import Canvas, curve, darker, fill, line, mix, oval, tint, to_points
from fer_lib.synthetic.person import Person


def draw_skin(canvas: Canvas, person: Person, units: Mapping[int, float]) -> None:
    """Wrinkles and cheeks."""
    for crease, depth in _wrinkles(person, units):
        if depth > 0:
            line(canvas, crease, darker(person.skin, 0.3 * min(depth, 1)), 0.027)
    for side in (-1, 1):
        cheek = oval(side * 0.42, 0.26 - 0.04 * units[6], 0.16, 0.11)
        tint(canvas, cheek, 136 + int(8 * units[6]))


def _wrinkles(person: Person, units: Mapping[int, float]) -> list[tuple[np.ndarray, float]]:
    """Curves in face units, each with a depth that is 0 where the skin is smooth."""
    raised, out = 0.05 * units[2], person.mouth_width + 0.1 + 0.09 * units[12]
    fold = 0.1 + max(units[12], 0.8 * units[10], 0.8 * units[9], 0.5 * units[20])
    wrinkles = [(curve((-0.13, 0.84), (0, 0.78), (0.13, 0.84)), units[17])]
    for y in (-0.5, -0.6):
        brow = curve((-0.34, y - raised), (0, y - 0.04 * units[1]), (0.34, y - raised))
        wrinkles.append((brow, 0.6 * units[1] + 0.4 * units[2]))
    for crease, depth in (
        (curve((0.05, -0.42), (0.045, -0.34), (0.06, -0.24)), 1.2 * units[4]),
        (curve((0.05, -0.12), (0.1, -0.04), (0.1, 0.06)), 1.3 * units[9]),
        (curve((0.19, 0.24), (out * 0.88, 0.34), (out, 0.52)), fold),
        (curve((0.24, 0.13), (0.38, 0.16), (0.52, 0.09)), 0.7 * units[6]),
    ):
        wrinkles += [(crease, depth), (crease * (-1, 1), depth)]
    return wrinkles


def draw_nose(canvas: Canvas, person: Person, units: Mapping[int, float]) -> None:
    """Bridge, tip, wings and nostrils."""
    tip = person.nose_length + 0.02 - 0.05 * units[9] - 0.015 * units[10]
    width = person.nose_width * (1 + 0.2 * units[9] + 0.1 * units[12])
    shadow = darker(person.skin, 0.12)
    bridge = [(0.04, -0.12), (0.06, tip - 0.14), (width, tip), (0, tip + 0.05), (0.02, tip - 0.1)]
    fill(canvas, np.array(bridge), shadow)
    fill(canvas, oval(0, tip - 0.03, 0.06, 0.05), mix(person.skin, (255, 255, 255), 0.12))
    for side in (-1, 1):
        wing = curve((width, tip - 0.08), (1.15 * width, tip), (0.75 * width, tip + 0.05)) * (side, 1)
        line(canvas, wing, darker(person.skin, 0.35), 0.025)
        fill(canvas, oval(side * width * 0.5, tip + 0.035, width * 0.26, 0.022), darker(person.skin, 0.6))


def draw_eye(canvas: Canvas, person: Person, units: Mapping[int, float], side: int, gaze: np.ndarray) -> None:
    """Two lids, parabolas `above` and `below` the line between the eye's corners, and what shows between."""
    half, centre = person.eye_width, np.array((side * person.eye_distance, -0.08))
    above = 0.6 * half * person.eye_opening * (1 + 0.6 * units[5] - 0.4 * units[7] - 0.2 * units[6])
    below = 0.42 * half * person.eye_opening * (1 - 0.75 * units[6] - 0.45 * units[7] + 0.1 * units[5])
    below = max(below, -0.3 * above)
    x = np.linspace(-1, 1, 15)
    upper = to_points(x * half, -above * (1 - x**2)) + centre
    lower = to_points(x * half, below * (1 - x**2)) + centre
    tint(canvas, oval(*centre, half * 1.5, 0.2), 122)
    line(canvas, upper - (0, 0.05), darker(person.skin, 0.28), 0.03)
    fill(canvas, np.concatenate((upper, lower[::-1])), (244, 242, 238))
    for radius, colour in ((0.085, person.iris), (0.045, (18, 14, 14))):
        disc = oval(*gaze, radius, radius)
        lid = 1 - (disc[:, 0] / half) ** 2
        disc[:, 1] = np.clip(disc[:, 1], -above * lid, below * lid)
        fill(canvas, disc + centre, colour)
    fill(canvas, oval(*(centre + gaze + (-0.03, -0.4 * above)), 0.018, 0.018, 8), (255, 255, 255))
    line(canvas, lower, darker(person.skin, 0.3), 0.02)
    line(canvas, upper, (38, 24, 22), 0.04)


def draw_glasses(canvas: Canvas, person: Person) -> None:
    """Two round rims and a bridge."""
    for side in (-1, 1):
        rim = oval(side * person.eye_distance, -0.08, 1.35 * person.eye_width, 1.2 * person.eye_width, 24)
        line(canvas, rim, (52, 44, 48), 0.03, closed=True)
    bridge = person.eye_distance - 1.35 * person.eye_width
    line(canvas, curve((-bridge, -0.1), (0, -0.13), (bridge, -0.1)), (52, 44, 48), 0.03)


def draw_brow(canvas: Canvas, person: Person, units: Mapping[int, float], side: int) -> None:
    """One eyebrow; `side` is -1 on the left of the picture, 1 on the right."""
    frown = units[4] * (1 - 0.6 * units[1])  # 1 + 4 pull the inner ends up and together, as in grief
    y = person.brow_height
    inner = (0.14 - 0.05 * units[4], y + person.brow_tilt - 0.13 * units[1] + 0.15 * frown + 0.04 * units[9])
    middle = (0.33, y - 0.05 - 0.06 * units[1] - 0.1 * units[2] + 0.11 * units[4])
    outer = (0.54, y + 0.05 - person.brow_tilt - 0.1 * units[2] + 0.03 * units[4])
    spine = curve(inner, middle, outer) * (side, 1)
    half = np.zeros_like(spine)
    half[:, 1] = person.brow_thickness * (1 - 0.7 * np.linspace(0, 1, len(spine)) ** 2) / 2
    brow = mix(person.hair, (40, 28, 24), 0.45)
    fill(canvas, np.concatenate((spine - half, (spine + half)[::-1])), brow)


def draw_mouth(canvas: Canvas, person: Person, units: Mapping[int, float]) -> None:
    """Lips, teeth, tongue and the shadow below."""
    x = np.linspace(-1, 1, 21)
    half = person.mouth_width * (1 + 0.4 * units[12] + 0.3 * units[20] - 0.18 * units[23] - 0.2 * units[26])
    top, upper, lower, bottom = _lips(person, units, x)
    teeth = (0.045 + 0.035 * units[12] + 0.025 * units[20] - 0.01 * units[26]) * np.sqrt(1 - x**2)
    for above, below, colour in (
        (top, bottom, person.lips),
        (lower, 0.3 * lower + 0.7 * bottom, mix(person.lips, (255, 200, 190), 0.18)),
        (upper, lower, (66, 18, 24)),
        (0.4 * upper + 0.6 * lower, lower, (176, 76, 84)),
        (upper, np.minimum(upper + teeth, lower), (246, 240, 230)),
    ):
        fill(canvas, to_points(np.r_[x, x[::-1]] * half, np.r_[above, below[::-1]]), colour)
    line(canvas, to_points(x * half, upper), darker(person.lips, 0.5), 0.02)
    tint(canvas, oval(0, float(lower[10]) + 0.14, half * 0.6, 0.04), 116)


def _lips(person: Person, units: Mapping[int, float], x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Four heights at `x` from -1 (corner) to 1: the upper lip's two edges, then the lower lip's two."""
    arch = 1 - x**2
    corner = person.mouth_curve - 0.17 * units[12] + 0.14 * units[15] + 0.07 * units[20]
    middle = person.mouth_height + 0.03 * units[12] - 0.05 * units[17] + 0.1 * units[26] - 0.03 * units[10]
    spine = middle + corner * (1 - arch)
    gap = 0.07 * units[25] + 0.03 * units[10] * (1 - units[17])
    upper = spine - (0.4 * gap + 0.05 * units[10] + 0.09 * units[26]) * arch**0.8
    drop = 0.6 * gap + 0.17 * units[26] - 0.04 * units[17] - 0.04 * units[10] * units[17]
    lower = np.maximum(spine + drop * arch**0.7, upper)
    lip = 0.06 * person.lip_thickness * (1 - 0.6 * units[23] - 0.25 * units[12] - 0.25 * units[20])
    cupids_bow = arch**0.7 * (1 - 0.3 * np.exp(-((x / 0.18) ** 2)))
    return upper - lip * cupids_bow, upper, lower, lower + 1.25 * lip * arch
