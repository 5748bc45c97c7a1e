"""Places of a show: boxing ring, magic stage."""

import numpy as np

from fer_lib.synthetic.places.paint import (
    Colour,
    Scene,
    around,
    behind,
    blend,
    choose,
    fill,
    front,
    hsv,
    level,
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
from fer_lib.synthetic.places.things import balls, box, crowd, curtain, lamp

AUDIENCE = ((90, 90, 130), (130, 80, 80), (90, 110, 100), (150, 140, 120))
RED, BLUE, WHITE = (200, 34, 40), (36, 70, 180), (236, 236, 236)
ROPES = ((RED, WHITE, BLUE, WHITE), (RED, RED, RED, RED), (BLUE, WHITE, RED, RED), (WHITE, WHITE, WHITE, WHITE))
CORNERS = ((RED, BLUE), (BLUE, RED), (RED, WHITE), (BLUE, WHITE))


def boxing_ring(scene: Scene) -> None:
    """Ropes between padded posts, a dark audience, spotlights above."""
    rng = scene.rng
    hall = choose(rng, [(30, 34, 60), (50, 30, 40), (28, 44, 52), (44, 36, 60)])
    blend(scene, front(0, 0, 1, 1), [tone(hall, 0.5), tone(hall, 1.5), hall])
    eye, depth = scene.vanishing[1], rng.uniform(1.4, 2.1)
    floor = eye + rng.uniform(0.48, 0.62)
    for i, foot in enumerate(np.linspace(eye + 0.02, eye + 0.34, 6)):
        colours = [tone(c, 0.5 + 0.07 * i) for c in AUDIENCE]
        crowd(scene, -0.02, 1.02, foot, 0.16 + 0.03 * i, 19 - i, colours, 0.005)
    left = behind(scene, rng.uniform(0.04, 0.25), depth)
    right = behind(scene, rng.uniform(0.75, 0.96), depth)
    mat = around(rng, choose(rng, [(96, 124, 166), (150, 150, 152), (156, 136, 108)]), 10)
    box(scene, left - 0.1, floor, right + 0.1, floor + 0.3, depth + 0.1, depth + 0.2, (40, 40, 60))
    blend(scene, level(floor, left - 1.2, right + 1.2, 0.4, depth + 0.1), [tone(mat, 1.1), tone(mat, 0.8)])
    heights = floor - np.linspace(0.2, rng.uniform(0.76, 0.86), rng.integers(3, 5))
    _ropes(scene, left, right, heights, depth)
    colours = choose(rng, CORNERS)
    _post(scene, left, left + 0.06, heights, floor, depth, colours[0])
    _post(scene, right, right - 0.06, heights, floor, depth, colours[1])
    _spotlights(scene, rng.integers(3, 6), choose(rng, [(255, 250, 230), (220, 230, 255)]), rng.uniform(0.4, 0.55))


def _ropes(scene: Scene, left: float, right: float, heights: np.ndarray, depth: float) -> None:
    """Ropes along the ring's left, far and right edge."""
    for y, colour in zip(heights, choose(scene.rng, ROPES), strict=False):
        path = project(scene, [(left, y, 0.35), (left, y, depth), (right, y, depth), (right, y, 0.35)])
        line(scene, path, tone(colour, 0.5), 0.024)
        line(scene, path - (0, 0.004), tone(colour, 1.05), 0.014)


def _post(
    scene: Scene, x: float, inner: float, heights: np.ndarray, floor: float, depth: float, colour: Colour
) -> None:
    """A post of the ring, with its pad at `inner`, strapped to the ropes."""
    box(scene, x - 0.035, heights[-1] - 0.12, x + 0.035, floor + 0.1, depth, depth + 0.07, (60, 62, 70))
    box(scene, inner - 0.075, heights[-1] - 0.05, inner + 0.075, floor - 0.08, depth - 0.06, depth, colour)
    for y in heights:
        strap = front(inner - 0.075, y - 0.012, inner + 0.075, y + 0.012, depth - 0.06)
        fill(scene, strap, tone(colour, 0.6))


def _spotlights(scene: Scene, n: int, colour: Colour, reach: float) -> None:
    """A truss of lamps along the top, each with a beam."""
    rng = scene.rng
    y = rng.uniform(0.03, 0.06)
    for top in (y - 0.025, y + 0.015):
        line(scene, np.array([(0, top), (1, top)]), (70, 72, 78), 0.008)
    zigzag = np.stack((np.linspace(0, 1, 29), y - 0.005 + 0.02 * (-1) ** np.arange(29)), 1)
    line(scene, zigzag, (70, 72, 78), 0.005)
    places = np.linspace(0.06, 0.94, n) + rng.uniform(-0.05, 0.05, n)
    for x in places:
        end = x + rng.uniform(-0.2, 0.2)
        beam = [(x - 0.015, y), (x + 0.015, y), (end + 0.1, reach), (end - 0.1, reach)]
        shine(scene, np.array(beam), tone(colour, rng.uniform(0.1, 0.17)))
    settle(scene)
    for x in places:
        lamp(scene, x, y + 0.03, 0.022, colour, 1.8)


def magic_stage(scene: Scene) -> None:
    """Drawn curtains, a wooden stage in spotlights, flying cards, a rabbit in a top hat, sparks."""
    rng = scene.rng
    hue = choose(rng, (0.98, 0.0, 0.78, 0.64)) + rng.uniform(-0.02, 0.02)
    cloth = hsv(hue, rng.uniform(0.75, 0.9), rng.uniform(0.6, 0.8))
    back = hsv(rng.uniform(0.6, 0.95), rng.uniform(0.4, 0.8), rng.uniform(0.2, 0.4))
    blend(scene, front(0, 0, 1, 1), [tone(back, 0.6), tone(back, 1.3), tone(back, 0.7)])
    if rng.random() < 0.6:
        curtain(scene, front(0, 0, 1, 0.8), tone(mix(cloth, back, 0.5), 0.7), rng.integers(8, 13))
    stage = rng.uniform(0.74, 0.82)
    _boards(scene, stage, around(rng, (150, 98, 56), 14))
    blend(scene, front(0, stage - 0.12, 1, stage), [tone(back, 0.6), tone(back, 0.35)])
    for x in rng.uniform(0.1, 0.9, 3):
        start = x + rng.uniform(-0.2, 0.2)
        beam = [(start - 0.02, -0.05), (start + 0.02, -0.05), (x + 0.18, stage + 0.1), (x - 0.18, stage + 0.1)]
        shine(scene, np.array(beam), tone(choose(rng, [(255, 240, 200), (200, 210, 255), (255, 190, 230)]), 0.2))
        settle(scene)
    for x, y in rng.uniform((0.05, 0.1), (0.95, 0.7), (26, 2)):
        _star(scene, x, y, rng.uniform(0.007, 0.018), (255, 236, 160))
    _drapes(scene, cloth)
    side = choose(rng, (-1, 1))
    _top_hat(scene, 0.5 + side * rng.uniform(0.28, 0.34), rng.uniform(0.5, 0.62), rng.uniform(0.09, 0.12))
    for _ in range(rng.integers(6, 11)):
        x = choose(rng, (rng.uniform(0.06, 0.3), rng.uniform(0.7, 0.94)))
        _card(scene, x, rng.uniform(0.14, 0.7), rng.uniform(0.045, 0.062), rng.uniform(-0.9, 0.9))


def _star(scene: Scene, x: float, y: float, radius: float, colour: Colour) -> None:
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    reach = radius * np.where(np.arange(8) % 2, 0.3, 1.0)
    fill(scene, np.stack((x + reach * np.cos(angle), y + reach * np.sin(angle)), 1), colour)
    shine(scene, oval(x, y, 0.8 * radius, 0.8 * radius), tone(colour, 0.4))


def _drapes(scene: Scene, cloth: Colour) -> None:
    rng = scene.rng
    y = np.linspace(0, 1.02, 20)
    for side in (0, 1):
        edge = rng.uniform(0.15, 0.21) - rng.uniform(0.05, 0.1) * np.sin(np.pi * np.clip(y * 1.3 - 0.2, 0, 1)) ** 2
        outline = np.concatenate((np.stack((edge, y), 1), [(-0.02, 1.02), (-0.02, 0)]))
        outline[:, 0] = outline[:, 0] if side == 0 else 1 - outline[:, 0]
        curtain(scene, outline, cloth, rng.integers(4, 6))
        place = abs(side - 0.1)
        line(scene, np.array([(side, 0.68), (place, 0.66)]), (226, 180, 70), 0.02)
    n, drop = rng.integers(4, 7), rng.uniform(0.09, 0.14)
    for i in range(n):
        x0, x1 = i / n - 0.01, (i + 1) / n + 0.01
        swag = oval((x0 + x1) / 2, 0, (x1 - x0) / 2, drop, 30)
        for share, gain in ((1.0, 0.6), (0.82, 1.1), (0.6, 0.75), (0.4, 1.15)):
            fill(scene, swag * (1, share), tone(cloth, gain))
        line(scene, swag[:16], (226, 180, 70), 0.012)


def _top_hat(scene: Scene, x: float, y: float, size: float) -> None:
    """A top hat, brim up, on a draped round table; a rabbit's ears stick out."""
    for side in (-0.3, 0.3):
        fill(scene, oval(x + side * size, y - 0.75 * size, 0.17 * size, 0.8 * size), (244, 240, 238))
        fill(scene, oval(x + side * size, y - 0.75 * size, 0.08 * size, 0.6 * size), (236, 176, 180))
    fill(scene, oval(x, y, 1.25 * size, 0.3 * size), (60, 60, 70))
    fill(scene, oval(x, y, 0.95 * size, 0.2 * size), (14, 14, 18))
    balls(scene, np.array([(x, y - 0.12 * size)]), np.array([(0.5 * size, 0.4 * size)]), np.array([(240, 236, 234)]))
    hat = shape(x, y, size, (-0.95, 0.06), (0.95, 0.06), (0.8, 1.3), (-0.8, 1.3))
    blend(scene, hat, [(20, 20, 24), (70, 70, 82), (16, 16, 20)], across=True)
    ribbon = shape(x, y, size, (-0.94, 0.15), (0.94, 0.15), (0.9, 0.42), (-0.9, 0.42))
    blend(scene, ribbon, [(120, 16, 26), (210, 40, 50), (110, 14, 24)], across=True)
    fill(scene, oval(x, y + 1.35 * size, 1.9 * size, 0.3 * size), (150, 110, 40))
    skirt = shape(x, y, size, (-1.9, 1.4), (1.9, 1.4), (1.6, 7), (-1.6, 7))
    blend(scene, skirt, [(90, 24, 90), (60, 16, 60), (100, 30, 100)], across=True)


def _card(scene: Scene, x: float, y: float, size: float, angle: float) -> None:
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    corners = np.array([(-0.7, -1), (0.7, -1), (0.7, 1), (-0.7, 1)])
    ink = choose(scene.rng, [(206, 20, 30), (20, 20, 24)])
    fill(scene, corners * 1.06 @ turn * size + (x, y), (70, 70, 76))
    fill(scene, corners @ turn * size + (x, y), (250, 250, 246))
    for place, scale in (((0, 0), 0.42), ((-0.45, -0.7), 0.18), ((0.45, 0.7), 0.18)):
        diamond = np.array([(0, -1), (0.75, 0), (0, 1), (-0.75, 0)]) * scale + place
        fill(scene, diamond @ turn * size + (x, y), ink)


def _boards(scene: Scene, top: float, wood: Colour) -> None:
    blend(scene, front(0, top, 1, 1), [tone(wood, 0.8), tone(wood, 1.1)])
    gaps = [[(x, 1.05, 1), (x, 1.05, 2.2)] for x in np.linspace(-3, 4, 26)]
    line_each(scene, np.array(gaps), tone(wood, 0.6), 0.005)
