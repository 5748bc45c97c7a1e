"""Places of a feast: party, square with fireworks."""

from itertools import pairwise

import numpy as np

from fer_lib.synthetic.places.paint import (
    Colour,
    Scene,
    around,
    blend,
    choose,
    fill,
    fill_each,
    front,
    hsv,
    line,
    line_each,
    mix,
    oval,
    project,
    settle,
    shape,
    shine,
    tone,
)
from fer_lib.synthetic.places.things import balls, bright_hues, crowd, lamp, room


def party_room(scene: Scene) -> None:
    """Balloons, garlands, bunting, guests, confetti, coloured light."""
    rng = scene.rng
    colour = hsv(rng.uniform(0, 1), rng.uniform(0.2, 0.55), rng.uniform(0.55, 0.85))
    left, right, depth = 0.5 - rng.uniform(0.7, 1.0), 0.5 + rng.uniform(0.7, 1.0), rng.uniform(1.7, 2.6)
    top, bottom = -rng.uniform(0.1, 0.4), rng.uniform(1.15, 1.35)
    room(scene, left, top, right, bottom, depth, (mix(colour, (240, 230, 220), 0.5), colour, (150, 104, 70)))
    for x in rng.uniform(0, 1, 3):
        shine(scene, oval(x, rng.uniform(0.1, 0.6), 0.2, 0.2), tone(tuple(bright_hues(rng, 1)[0]), 0.22))
    settle(scene)
    clothes = [mix(tuple(c), (90, 80, 90), 0.45) for c in bright_hues(rng, 5)]
    foot = project(scene, np.array((0.5, bottom, depth * 0.8)))[1]
    crowd(scene, 0.02, 0.3, foot + 0.02, 0.4, rng.integers(2, 5), clothes, 0.009)
    crowd(scene, 0.72, 0.98, foot + 0.02, 0.4, rng.integers(2, 5), clothes, 0.009)
    for _ in range(rng.integers(1, 3)):
        _bunting(scene, rng.uniform(0, 0.16), rng.uniform(0, 0.16), rng.uniform(0.06, 0.14))
    _fairy_lights(scene, rng.uniform(0.05, 0.2), rng.uniform(0.05, 0.2))
    if rng.random() < 0.4:
        _disco_ball(scene, choose(rng, (0.2, 0.8)) + rng.uniform(-0.08, 0.08), rng.uniform(0.12, 0.18))
    for x in (rng.uniform(0.02, 0.12), rng.uniform(0.88, 0.98)):
        _balloons(scene, x, rng.uniform(0.25, 0.5), rng.integers(5, 9))
    if rng.random() < 0.5:
        _balloons(scene, rng.uniform(0.2, 0.8), rng.uniform(0.0, 0.06), rng.integers(3, 6))
    _confetti(scene, 90)


def _confetti(scene: Scene, n: int) -> None:
    rng = scene.rng
    flakes = rng.uniform(0, 1, (n, 1, 2)) + rng.uniform(-0.011, 0.011, (n, 3, 2))
    fill_each(scene, flakes, bright_hues(rng, n))


def _bunting(scene: Scene, start: float, end: float, sag: float) -> None:
    rng = scene.rng
    share = np.linspace(0, 1, 15)
    rope = np.stack((share * 1.06 - 0.03, start + (end - start) * share + 4 * sag * share * (1 - share)), 1)
    line(scene, rope, (240, 236, 226), 0.005)
    tips = (rope[:-1] + rope[1:]) / 2 + (0, 0.085)
    flags = np.stack((rope[:-1] * 0.93 + rope[1:] * 0.07, rope[1:] * 0.93 + rope[:-1] * 0.07, tips), 1)
    fill_each(scene, flags, bright_hues(rng, 5)[np.arange(14) % 5])


def _fairy_lights(scene: Scene, start: float, end: float) -> None:
    share = np.linspace(0, 1, 13)
    y = start + (end - start) * share + 0.05 * np.abs(np.sin(share * 9))
    line(scene, np.stack((share, y), 1), (60, 60, 60), 0.004)
    for x, height in zip(share, y, strict=True):
        lamp(scene, x, height, 0.009, (255, 220, 140), 1.8)


def _disco_ball(scene: Scene, x: float, y: float) -> None:
    rng = scene.rng
    line(scene, np.array([(x, 0), (x, y)]), (50, 50, 50), 0.005)
    balls(scene, np.array([(x, y)]), np.array([(0.085, 0.085)]), np.array([(150, 156, 176)]))
    angle, distance = rng.uniform(0, 2 * np.pi, 60), 0.08 * np.sqrt(rng.uniform(0, 1, 60))
    tiles = (
        np.stack((x + distance * np.cos(angle), y + distance * np.sin(angle)), 1)[:, None]
        + np.array([(0, 0), (0.014, 0), (0.014, 0.014), (0, 0.014)])
        - 0.007
    )
    fill_each(scene, tiles, np.outer(rng.uniform(60, 255, 60), (1, 1, 1)))
    for spot in rng.uniform(0, 1, (14, 2)):
        shine(scene, oval(*spot, 0.02, 0.014), tone(tuple(bright_hues(rng, 1)[0]), 0.5))


def _balloons(scene: Scene, x: float, y: float, n: int) -> None:
    rng = scene.rng
    places = np.array((x, y)) + rng.normal(0, 1, (n, 2)) * (0.055, 0.085)
    radii = rng.uniform(0.048, 0.068, (n, 1)) * (1, 1.22)
    knots = places + radii * (0, 1.02)
    strings = np.stack((knots, knots * (0.7, 1) + (0.3 * x, 0.13), np.full((n, 2), (x, y + 0.5))), 1)
    line_each(scene, strings, (226, 226, 226), 0.003)
    balls(scene, places, radii, bright_hues(rng, n))


def fireworks_square(scene: Scene) -> None:
    """Fireworks in a night sky above old houses, lit windows and a crowd."""
    rng = scene.rng
    night = choose(rng, [(14, 16, 44), (24, 14, 46), (10, 24, 46)])
    blend(scene, front(0, 0, 1, 1), [night, tone(night, 1.6), tone(night, 2.6)])
    lows, highs = [(0.03, 0.08), (0.75, 0.08), (0.3, 0.02)], [(0.25, 0.36), (0.97, 0.36), (0.7, 0.12)]
    extra = rng.uniform((0, 0.02), (1, 0.3), (rng.integers(0, 3), 2))
    for x, y in (*rng.uniform(lows, highs), *extra):
        _burst(scene, x, y, rng.uniform(0.11, 0.22))
    settle(scene)
    _skyline(scene, rng.uniform(0.48, 0.6), night)
    ground = tone(night, 1.5)
    blend(scene, front(0, 0.72, 1, 1), [mix(ground, (200, 150, 90), 0.3), ground])
    for i, foot in enumerate((0.79, 0.86, 0.94, 1.03)):
        coats = [tone(night, 1.8 - 0.3 * i), (44 - 8 * i, 44 - 8 * i, 44 - 8 * i), (60 - 10 * i, 36, 40)]
        crowd(scene, -0.02, 1.02, foot, 0.13 + 0.025 * i, 24 - 2 * i, coats, 0.004)
    for x in rng.uniform(0, 1, 4):
        lamp(scene, x, rng.uniform(0.62, 0.7), 0.008, (255, 200, 120), 2.5)


def _burst(scene: Scene, x: float, y: float, radius: float) -> None:
    """A shell that burst into falling rays of two colours."""
    rng = scene.rng
    inner, outer = (tuple(colour) for colour in bright_hues(rng, 2))
    n = rng.integers(22, 36)
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False) + rng.uniform(-0.08, 0.08, n)
    reach = radius * rng.uniform(0.75, 1.05, n)
    ray = np.stack((reach * np.cos(angle), reach * np.sin(angle)), 1)
    share = np.linspace(0.12, 1, 7)[:, None]
    rays = ray[:, None] * share + (0, 0.25 * radius) * share**2 + (x, y)
    for start in (0, 2, 4):
        colour = tone(mix(inner, outer, start / 4), 0.55 + 0.11 * start)
        line_each(scene, rays[:, start : start + 3], colour, 0.006)
    fill_each(scene, rays[:, -1:] + oval(0, 0, 0.007, 0.007, 6), np.minimum(np.add(outer, 70), 255))
    shine(scene, oval(x, y + 0.1 * radius, 0.7 * radius, 0.7 * radius), tone(inner, 0.22))
    shine(scene, oval(x, y, 0.12 * radius, 0.12 * radius), (250, 240, 220))


def _skyline(scene: Scene, roofs: float, night: Colour) -> None:
    """Gabled houses and a clock tower."""
    rng = scene.rng
    edges = np.cumsum(rng.uniform(0.08, 0.17, 13)) - 0.1
    tower = choose(rng, (rng.uniform(0.08, 0.2), rng.uniform(0.8, 0.92)))
    stone, lit = mix(night, (150, 104, 70), 0.4), []
    fill(scene, front(tower - 0.04, roofs - 0.2, tower + 0.04, 0.75), tone(stone, 0.8))
    fill(scene, shape(tower, roofs, 1, (-0.05, -0.2), (0, -0.36), (0.05, -0.2)), tone(night, 0.9))
    fill(scene, oval(tower, roofs - 0.14, 0.022, 0.022), (255, 232, 170))
    for x0, x1 in pairwise(edges):
        top = roofs + rng.uniform(-0.08, 0.06)
        paint = tone(around(rng, stone, 14), rng.uniform(0.6, 1))
        blend(scene, front(x0, top, x1, 0.76), [tone(paint, 0.7), tone(paint, 1.3)])
        fill(scene, np.array([(x0, top), ((x0 + x1) / 2, top - rng.uniform(0.03, 0.09)), (x1, top)]), tone(paint, 0.5))
        panes = [(x, y) for y in np.arange(top + 0.03, 0.72, 0.05) for x in np.linspace(x0, x1, 5)[1:-1]]
        lit += [pane for pane in panes if rng.random() < 0.6]
    fill_each(scene, np.array(lit)[:, None] + front(-0.008, 0, 0.008, 0.022)[:, :2], (255, 206, 120))
