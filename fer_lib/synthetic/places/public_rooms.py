"""Rooms that are open to all: public toilet, library."""

import numpy as np

from fer_lib.synthetic.places.paint import (
    Colour,
    Scene,
    around,
    behind,
    blend,
    choose,
    darken,
    fill,
    front,
    hang,
    hsv,
    level,
    line,
    line_each,
    mix,
    oval,
    panel,
    project,
    settle,
    shape,
    shine,
    tone,
    wall,
)
from fer_lib.synthetic.places.things import box, ceiling_lights, grid, lamp, room, shelf

BINDINGS = np.array(
    [(140, 36, 34), (36, 66, 110), (40, 90, 60), (180, 140, 70), (206, 190, 160), (90, 50, 40), (60, 40, 70)]
)
TILES = ((206, 216, 210), (178, 206, 204), (214, 205, 178), (180, 196, 214), (200, 208, 186))


def public_toilet(scene: Scene) -> None:
    """Tiled walls with urinals, basins below mirrors and cubicles, open and shut; dirt."""
    rng = scene.rng
    left, right, depth = 0.5 - rng.uniform(0.7, 0.95), 0.5 + rng.uniform(0.7, 0.95), rng.uniform(1.5, 2.1)
    top, bottom = -rng.uniform(0.15, 0.4), rng.uniform(1.1, 1.3)
    tiles = around(rng, choose(rng, TILES), 14)
    room(scene, left, top, right, bottom, depth, ((190, 192, 186), tiles, tone(tiles, 0.6)))
    flat = panel(scene, tiles)
    grid(flat, 14, 12, tone(tiles, 0.74), 0.012)
    fill(flat, front(0, 0.36, 1, 0.41), hsv(rng.uniform(0.3, 0.65), 0.5, 0.55))
    _stain(flat, 7)
    hang(scene, flat, wall(left, top, bottom, 0.5, depth))
    hang(scene, flat, wall(right, top, bottom, 0.5, depth))
    hang(scene, flat, front(left, top, right, bottom, depth))
    for x in np.linspace(left, right, 9):
        line(scene, np.array([(x, bottom, 0.4), (x, bottom, depth)]), tone(tiles, 0.48), 0.004)
    for near in np.geomspace(0.8, depth, 6):
        line(scene, np.array([(left, bottom, near), (right, bottom, near)]), tone(tiles, 0.48), 0.004)
    for x in (left, right):
        darken(scene, wall(x, top, bottom, 0.4, depth), 0.12)
    settle(scene)
    _back_wall(scene, choose(rng, (0, 0, 1, 2, 2)), top, bottom, depth)
    _cubicles(scene, left, top, bottom, depth)
    _basins(scene, right, depth)
    ceiling_lights(scene, left, right, top, depth, (200, 215, 190))


def _stain(flat: Scene, n: int) -> None:
    rng = flat.rng
    for x, y in rng.uniform(0, 1, (n, 2)):
        darken(flat, oval(x, y, rng.uniform(0.03, 0.1), rng.uniform(0.05, 0.3)), rng.uniform(0.08, 0.25))
    settle(flat)


def _back_wall(scene: Scene, kind: int, top: float, bottom: float, depth: float) -> None:
    """A row of urinals, basins or cubicles that face the viewer."""
    rng = scene.rng
    wide = rng.uniform(*((0.17, 0.21), (0.17, 0.21), (0.24, 0.3))[kind])
    door = hsv(rng.uniform(0, 1), rng.uniform(0.25, 0.6), rng.uniform(0.4, 0.75))
    share, y0, y1 = ((0.66, 0.38, 1.02), (0.84, 0.12, 0.98), (0.94, top + 0.25, bottom - 0.06))[kind]
    row = ((_urinal(scene),), (_washstand(scene),), (_toilet(scene, door), _door(scene, door)))[kind]
    first, start = rng.integers(2), rng.uniform(0.05, 0.12)
    for i in range(5):
        x0, x1 = (behind(scene, start + (i + side * share / 2) * wide, depth) for side in (-1, 1))
        hang(scene, row[(i + first) % len(row)], front(x0, y0, x1, y1, depth))
        if kind == 0:
            edge = behind(scene, start + (i + 0.5) * wide, depth)
            box(scene, edge - 0.012, 0.34, edge + 0.012, 0.98, depth - 0.2, depth, (222, 226, 222))


def _washstand(scene: Scene) -> Scene:
    flat = panel(scene, (196, 206, 202))
    blend(flat, front(0.04, 0, 0.96, 0.56), [(206, 226, 234), (130, 152, 162), (184, 206, 214)])
    fill(flat, np.array([(0.2, 0.03), (0.4, 0.03), (0.2, 0.54), (0.06, 0.54)]), (224, 238, 242))
    line(flat, front(0.04, 0, 0.96, 0.56)[:, :2], (80, 84, 88), 0.04, closed=True)
    line(flat, np.array([(0.5, 0.76), (0.5, 0.64), (0.5, 0.66)]), (90, 96, 100), 0.09)
    fill(flat, front(0.44, 0.85, 0.56, 1), (150, 156, 156))
    blend(flat, oval(0.5, 0.79, 0.46, 0.15), [(255, 255, 252), (190, 196, 196)])
    fill(flat, oval(0.5, 0.745, 0.36, 0.055), (132, 142, 144))
    return flat


def _urinal(scene: Scene) -> Scene:
    flat = panel(scene, (186, 198, 194))
    line(flat, np.array([(0.5, 0), (0.5, 0.25)]), (120, 126, 130), 0.07)
    fill(flat, oval(0.5, 0.57, 0.42, 0.42), (130, 138, 136))
    blend(flat, oval(0.5, 0.53, 0.4, 0.42), [(255, 255, 252), (222, 226, 224)])
    blend(flat, oval(0.5, 0.55, 0.25, 0.3), [(120, 126, 122), (206, 208, 186)])
    fill(flat, oval(0.5, 0.76, 0.06, 0.03), (60, 60, 58))
    blend(flat, oval(0.5, 0.88, 0.38, 0.09), [(255, 255, 252), (206, 212, 210)])
    return flat


def _cubicles(scene: Scene, x: float, top: float, bottom: float, depth: float) -> None:
    rng = scene.rng
    colour = hsv(rng.uniform(0, 1), rng.uniform(0.25, 0.6), rng.uniform(0.4, 0.75))
    edges = np.geomspace(0.85, depth * 0.96, rng.integers(3, 5))
    high, low = top + 0.28, bottom - 0.14
    flats = _toilet(scene, colour), _door(scene, colour)
    first = rng.integers(2)
    fill(scene, wall(x + 0.01, low - 0.02, bottom, 0.6, depth), tone(colour, 0.25))
    for i in range(len(edges) - 2, -1, -1):
        hang(scene, flats[(i + first) % 2], wall(x + 0.03, high, low, edges[i], edges[i + 1]))
    fill(scene, wall(x + 0.03, high - 0.03, high, 0.5, depth * 0.96), tone(colour, 0.6))


def _basins(scene: Scene, x: float, depth: float) -> None:
    """A long mirror above three basins with taps."""
    flat = panel(scene, (168, 190, 196))
    blend(flat, front(0, 0, 1, 1), [(206, 222, 226), (140, 160, 166), (190, 206, 210)], across=True)
    for start in scene.rng.uniform(0, 0.8, 3):
        fill(flat, shape(start, 0, 1, (0, 0), (0.12, 0), (-0.1, 1), (-0.22, 1)), (214, 230, 234))
    line(flat, front(0, 0, 1, 1)[:, :2], (96, 100, 104), 0.05, closed=True)
    hang(scene, flat, wall(x - 0.01, 0.02, 0.52, depth * 0.9, 0.7))
    for near in np.geomspace(0.8, depth * 0.8, 3)[::-1]:
        middle = near * 1.1
        box(scene, x - 0.3, 0.72, x, 0.84, near, near * 1.25, (236, 238, 234))
        fill(scene, level(0.72, x - 0.26, x - 0.06, near * 1.03, near * 1.2), (150, 158, 158))
        tap = np.array([(x - 0.05, 0.72, middle), (x - 0.05, 0.62, middle), (x - 0.16, 0.64, middle)])
        line(scene, tap, (110, 116, 120), 0.014)
        box(scene, x - 0.1, 0.84, x - 0.02, 1.1, middle, middle + 0.04, (120, 124, 126))


def library(scene: Scene) -> None:
    """High shelves of books along both sides, a ladder, an arched window or more books at the end."""
    rng = scene.rng
    wood = around(rng, choose(rng, [(120, 72, 40), (84, 50, 32), (160, 112, 66), (104, 84, 66)]), 10)
    left, right, depth = 0.5 - rng.uniform(0.62, 0.95), 0.5 + rng.uniform(0.62, 0.95), rng.uniform(2.2, 4.5)
    top, bottom = -rng.uniform(0.3, 0.8), rng.uniform(1.15, 1.35)
    warm = around(rng, (206, 184, 146), 16)
    room(scene, left, top, right, bottom, depth, (warm, warm, mix(wood, (150, 60, 50), rng.uniform(0, 0.5))))
    flat = shelf(scene, rng.integers(5, 8), wood, BINDINGS, rng.uniform(0.026, 0.04))
    hang(scene, flat, front(left, top + 0.1, right, bottom, depth))
    if rng.random() < 0.6:
        _arch(scene, 0.5 + rng.uniform(-0.2, 0.2), top + 0.55, depth * 0.99)
    middle = depth ** rng.uniform(0.35, 0.5)
    for near, far in ((middle, depth * 0.99), (0.6, middle * 0.97)):
        for x in (left, right):
            hang(scene, flat, wall(x, top + 0.1, bottom, near, far))
            darken(scene, wall(x, 0.7, bottom, near, far), 0.25)
    settle(scene)
    _ladder(scene, left + 0.02, top + 0.2, bottom, rng.uniform(0.9, 1.3), wood)
    if rng.random() < 0.5:
        _reading_lamp(scene, right, tone(wood, 1.2))
    x = (left + right) / 2
    for d in np.arange(1.0, depth, 1.0):
        line(scene, np.array([(x, top, d), (x, top + 0.16, d)]), (70, 56, 40), 0.006)
        lamp(scene, *project(scene, np.array((x, top + 0.2, d))), 0.05 / d, (255, 214, 140), 2.2)


def _arch(scene: Scene, x: float, spring: float, depth: float) -> None:
    """A window whose round arch starts at height `spring`."""
    points = np.concatenate((oval(x, spring, 0.32, 0.32, 40)[20:], [(x + 0.32, 0.66), (x - 0.32, 0.66)]))
    points = np.column_stack((points, np.full(len(points), depth)))
    blend(scene, points, [(214, 228, 240), (240, 232, 206)])
    bars = [[(x + dx, spring - 0.2, depth), (x + dx, 0.66, depth)] for dx in (-0.11, 0.11)]
    line_each(scene, np.array(bars), (90, 66, 46), 0.01)
    line(scene, points, (90, 66, 46), 0.014, closed=True)
    shine(scene, points, (50, 46, 36))


def _ladder(scene: Scene, x: float, top: float, bottom: float, depth: float, wood: Colour) -> None:
    colour = mix(tone(wood, 1.5), (240, 200, 140), 0.3)
    far = depth * 1.22
    foot = x + 0.22
    for d in (far, depth):
        line(scene, np.array([(x, top, d), (foot, bottom, d)]), colour, 0.016)
    share = np.linspace(0.04, 0.95, 9)[:, None]
    start, end = np.array((x, top)), np.array((foot, bottom))
    steps = start + (end - start) * share
    rungs = np.stack((np.column_stack((steps, np.full(9, depth))), np.column_stack((steps, np.full(9, far)))), 1)
    line_each(scene, rungs, colour, 0.012)


def _door(scene: Scene, colour: Colour) -> Scene:
    """A panel with the scrawled door of a cubicle."""
    rng, flat = scene.rng, panel(scene, colour)
    line(flat, front(0.03, 0.01, 0.97, 0.99)[:, :2], tone(colour, 0.45), 0.06, closed=True)
    fill(flat, oval(0.84, 0.5, 0.06, 0.035), (60, 60, 62))
    for _ in range(rng.integers(0, 3)):
        scrawl = np.cumsum(rng.uniform(-0.13, 0.13, (9, 2)), 0) + rng.uniform(0.3, 0.7, (1, 2))
        line(flat, scrawl, choose(rng, [(30, 30, 36), (160, 30, 40), (30, 60, 140)]), 0.02)
    return flat


def _toilet(scene: Scene, door: Colour) -> Scene:
    """A panel with an open cubicle."""
    flat = panel(scene, tone(door, 0.55))
    blend(flat, front(0.08, 0, 0.92, 1), [(150, 156, 148), (84, 88, 86)])
    grid(flat, 6, 10, (100, 106, 100), 0.012)
    blend(flat, front(0.25, 0.4, 0.75, 0.62), [(240, 242, 236), (196, 198, 190)])
    blend(flat, oval(0.5, 0.58, 0.28, 0.17), [(250, 250, 246), (214, 216, 208)])
    fill(flat, oval(0.5, 0.74, 0.34, 0.15), (250, 250, 246))
    fill(flat, oval(0.5, 0.73, 0.23, 0.09), (104, 96, 70))
    blend(flat, np.array([(0.24, 0.8), (0.76, 0.8), (0.64, 1), (0.36, 1)]), [(226, 228, 220), (150, 152, 146)])
    return flat


def _reading_lamp(scene: Scene, x: float, wood: Colour) -> None:
    box(scene, x - 0.5, 0.86, x - 0.05, 0.92, 1.1, 1.8, wood)
    lamp(scene, x - 0.3, 0.62, 0.045, (255, 220, 140), 2.5)
    line(scene, np.array([(x - 0.3, 0.6), (x - 0.3, 0.8)]), (150, 120, 60), 0.01)
    shade = shape(x - 0.3, 0.62, 0.1, (-1, 0), (-0.6, -0.7), (0.6, -0.7), (1, 0))
    blend(scene, shade, [(60, 150, 90), (24, 90, 54)])
