"""Places without houses: forest, beach."""

import numpy as np

from fer_lib.synthetic.places.paint import (
    Colour,
    Scene,
    around,
    blend,
    choose,
    darken,
    fill,
    fill_each,
    front,
    hsv,
    line,
    line_each,
    mix,
    mottle,
    oval,
    settle,
    shape,
    shine,
    tone,
)
from fer_lib.synthetic.places.things import bare_tree, crowd, lamp, sky

BEACH_SKIES = (
    ([(96, 150, 214), (206, 224, 240)], (250, 252, 255)),
    ([(120, 130, 180), (250, 196, 150)], (255, 222, 196)),
    ([(70, 130, 206), (180, 214, 240)], (255, 255, 255)),
)
BATHERS = ((214, 150, 110), (60, 90, 160), (200, 60, 70))


def night_forest(scene: Scene) -> None:
    """Black trunks and branches before moonlit mist."""
    rng = scene.rng
    mist = choose(rng, [(70, 96, 140), (62, 104, 116), (86, 86, 134), (78, 108, 108)])
    blend(scene, front(0, 0, 1, 1), [tone(mist, 0.3), tone(mist, 0.7), tone(mist, 1.15), tone(mist, 0.3)])
    stars = rng.uniform((0, 0), (1, 0.35), (40, 1, 2)) + oval(0, 0, 0.003, 0.003, 4)
    fill_each(scene, stars, np.multiply.outer(rng.uniform(0.4, 1, 40), (190, 200, 230)))
    ground = rng.uniform(0.64, 0.76)
    for closeness in (0.2, 0.5, 1.0):
        colour = mix(tone(mist, 0.85), (8, 10, 14), closeness**0.5)
        foot, n = ground + 0.3 * closeness, round(15 * (1.2 - closeness))
        x = np.linspace(0, 1, n) + rng.uniform(-0.4, 0.4, n) / n
        if closeness == 1:
            x = 0.5 + np.array((-1, -1, 1, 1)[: rng.integers(3, 5)]) * rng.uniform(0.36, 0.42)
            x += rng.uniform(-0.08, 0.08, len(x))
        for place in x:
            _trunk(scene, place, foot, rng.uniform(0.7, 1.3) * (0.036 * closeness + 0.003), colour)
        _undergrowth(scene, foot, colour)
        if closeness == 0.2:
            _moon(scene, choose(rng, (rng.uniform(0.18, 0.32), rng.uniform(0.68, 0.82))), rng.uniform(0.09, 0.2))
        if closeness < 1:
            shine(scene, front(0, foot - 0.16, 1, foot + 0.06), tone(mist, 0.2))
            settle(scene)
    side = choose(rng, (-1, 1))
    bare_tree(scene, 0.5 + side * rng.uniform(0.36, 0.46), ground + 0.32, rng.uniform(0.9, 1.2), (8, 10, 14), 5)


def _trunk(scene: Scene, x: float, foot: float, width: float, colour: Colour) -> None:
    rng = scene.rng
    lean = rng.uniform(-0.06, 0.06)
    trunk = np.array(
        [(x + lean - 0.6 * width, -0.05), (x + lean + 0.6 * width, -0.05), (x + width, foot), (x - width, foot)]
    )
    fill(scene, trunk, colour)
    n = 7
    y, side = rng.uniform(0, 0.5, n), choose(rng, (-1, 1)) * (-1) ** np.arange(n)
    start = np.stack((x + lean * (1 - y / foot), y), 1)
    end = start + np.stack((side * rng.uniform(0.05, 0.16, n), -rng.uniform(0.01, 0.1, n)), 1)
    middle = (start + end) / 2 + (0, 0.012)
    line_each(scene, np.stack((start, middle, end), 1), colour, 0.35 * width)


def _undergrowth(scene: Scene, foot: float, colour: Colour) -> None:
    n = 70
    x = np.linspace(-0.02, 1.02, n)
    top = foot - scene.rng.uniform(0, 0.09, n) - 0.03 * np.sin(x * scene.rng.uniform(5, 9))
    fill(scene, np.concatenate((np.stack((x, top), 1), [(1.1, 1.1), (-0.1, 1.1)])), colour)


def _moon(scene: Scene, x: float, y: float) -> None:
    radius = scene.rng.uniform(0.04, 0.065)
    fill(scene, oval(x, y, radius, radius, 30), (236, 238, 226))
    fill(scene, oval(x + 0.3 * radius, y - 0.2 * radius, 0.3 * radius, 0.25 * radius), (206, 210, 204))
    shine(scene, oval(x, y, 2 * radius, 2 * radius), (70, 80, 96))


def beach(scene: Scene) -> None:
    """Sea with surf, sand, parasols, a palm or a boat, bathers far off."""
    rng = scene.rng
    colours, cloud = choose(rng, BEACH_SKIES)
    horizon = scene.vanishing[1] + rng.uniform(-0.06, 0.06)
    shore = horizon + rng.uniform(0.14, 0.24)
    sky(scene, colours, horizon, cloud, rng.uniform(0.1, 0.5))
    if rng.random() < 0.5:
        sun = choose(rng, (rng.uniform(0.05, 0.28), rng.uniform(0.72, 0.95)))
        lamp(scene, sun, rng.uniform(0.06, horizon - 0.1), 0.04, (255, 236, 170))
    _sea(scene, horizon, shore, colours[1])
    _sand(scene, shore)
    if rng.random() < 0.5:
        _boat(scene, choose(rng, (0.14, 0.86)) + rng.uniform(-0.06, 0.06), horizon + 0.015, rng.uniform(0.07, 0.12))
    first, second = rng.permutation((-1, 1))
    _parasol(scene, 0.5 + first * rng.uniform(0.33, 0.42), shore + rng.uniform(0.12, 0.22), rng.uniform(0.17, 0.25))
    if rng.random() < 0.65:
        _palm(scene, 0.5 + second * rng.uniform(0.4, 0.52), 0.95, -second)
    else:
        place = 0.5 + second * rng.uniform(0.32, 0.45)
        _parasol(scene, place, shore + rng.uniform(0.08, 0.2), rng.uniform(0.12, 0.2))
    crowd(scene, rng.uniform(0, 0.1), rng.uniform(0.9, 1), shore + 0.02, 0.07, rng.integers(2, 7), BATHERS, 0.004)


def _sand(scene: Scene, shore: float) -> None:
    rng = scene.rng
    sand = around(rng, choose(rng, [(232, 208, 158), (220, 190, 140), (238, 220, 184)]), 8)
    x = np.linspace(-0.05, 1.05, 40)
    waves = 0.02 * np.sin(x * rng.uniform(4, 9) + rng.uniform(0, 6)) + 0.008 * np.sin(x * 23)
    edge = shore + waves + rng.uniform(-0.08, 0.08) * (x - 0.5)
    for drop, colour in ((-0.014, (250, 252, 252)), (0.01, tone(sand, 0.72)), (0.04, sand)):
        outline = np.concatenate((np.stack((x, edge + drop), 1), [(1.1, 1.1), (-0.1, 1.1)]))
        blend(scene, outline, [colour, tone(colour, 0.97), tone(colour, 0.9)])
    mottle(scene, shore + 0.08, 1, 5, (26, 34))


def _boat(scene: Scene, x: float, water: float, tall: float) -> None:
    fill(scene, shape(x, water, tall, (-0.4, -0.1), (0.45, -0.1), (0.3, 0.06), (-0.28, 0.06)), (120, 50, 44))
    fill(scene, shape(x, water, tall, (-0.02, -1.2), (-0.34, -0.16), (-0.02, -0.16)), (250, 250, 246))
    fill(scene, shape(x, water, tall, (0.02, -1.2), (0.24, -0.16), (0.02, -0.16)), (226, 228, 230))


def _parasol(scene: Scene, x: float, foot: float, radius: float) -> None:
    """A parasol of seven coloured gores, and a towel below."""
    rng = scene.rng
    top = foot - 1.6 * radius
    darken(scene, oval(x + 0.03, foot + 0.03, radius, 0.03), 0.4)
    settle(scene)
    line(scene, np.array([(x, top), (x + 0.02, foot)]), (240, 236, 226), 0.012)
    colours = hsv(rng.uniform(0, 1), 0.8, 0.9), choose(rng, [(250, 250, 246), hsv(rng.uniform(0, 1), 0.7, 0.95)])
    share = np.linspace(-1, 1, 8)
    rim = np.stack((share, 0.42 + 0.1 * share**2), 1)
    bulge = np.stack((0.62 * share, 0.1 + 0.08 * share**2), 1)
    for i in range(7):
        gore = shape(x, top, radius, rim[i], bulge[i], (0, 0), bulge[i + 1], rim[i + 1])
        fill(scene, gore, tone(colours[i % 2], 1.05 - 0.06 * i))
    towel = front(x - 1.1 * radius, foot - 0.015, x - 0.3 * radius, foot + 0.02)
    fill(scene, towel, hsv(rng.uniform(0, 1), 0.6, 0.85))


def _palm(scene: Scene, x: float, foot: float, lean: float) -> None:
    rng = scene.rng
    top, height = x + lean * rng.uniform(0.02, 0.1), rng.uniform(0.08, 0.2)
    share = np.linspace(0, 1, 12)
    middle = np.stack((x + (top - x) * share**2, foot + (height - foot) * share), 1)
    wide = np.stack((0.026 - 0.012 * share, 0 * share), 1)
    blend(scene, np.concatenate((middle - wide, (middle + wide)[::-1])), [(146, 112, 76), (112, 84, 56)], across=True)
    thick = np.stack((0 * share, 0.03 * np.sin(np.pi * share**0.7)), 1)
    for angle in np.linspace(-2.9, -0.2, 9) + rng.uniform(-0.12, 0.12, 9):
        reach = rng.uniform(0.2, 0.3) * share
        droop = 0.7 * reach * np.sin(angle) + 0.22 * share**2
        along = np.stack((top + reach * np.cos(angle), height + droop), 1)
        fill(scene, np.concatenate((along, (along + thick)[::-1])), around(rng, (52, 116, 54), 18))


def _sea(scene: Scene, horizon: float, shore: float, haze: Colour) -> None:
    """Glittering water, at times with a headland behind."""
    rng = scene.rng
    if rng.random() < 0.6:
        x = np.linspace(0, 0.5, 24) + choose(rng, (-0.1, 0.6))
        hill = horizon - 0.11 * np.sin(np.linspace(0, np.pi, 24)) * rng.uniform(0.6, 1.1, 24)
        fill(scene, np.stack((x, hill), 1), mix(haze, (70, 110, 90), 0.5))
    sea = choose(rng, [(20, 110, 160), (30, 140, 160), (40, 100, 150)])
    blend(scene, front(0, horizon, 1, 1), [mix(sea, haze, 0.3), sea, (110, 206, 204), (150, 220, 210)])
    y = horizon + (shore - horizon) * rng.uniform(0.05, 1, 60) ** 1.5
    start = np.stack((rng.uniform(-0.05, 1, 60), y), 1)
    end = start + np.stack((0.02 + 0.3 * (y - horizon), 0 * y), 1)
    line_each(scene, np.stack((start, end), 1), mix(sea, (255, 255, 255), 0.5), 0.004)
