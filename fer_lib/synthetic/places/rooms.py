"""Rooms of every day: hospital room, office."""

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
    fill_each,
    front,
    hang,
    hsv,
    level,
    line,
    line_each,
    panel,
    settle,
    shine,
    tone,
    wall,
)
from fer_lib.synthetic.places.things import box, ceiling_lights, curtain, room, shelf, window

DAYLIGHT = [(150, 190, 230), (215, 230, 242)]
BINDERS = ((30, 60, 120), (40, 44, 50), (220, 220, 216), (150, 40, 44), (50, 110, 80), (210, 170, 60))
NOTES = ((252, 226, 90), (250, 160, 170), (150, 220, 140), (140, 200, 240))
WHITE = (238, 240, 240)


def hospital_room(scene: Scene) -> None:
    """A bed with rails, a drip, a monitor with a pulse, a curtain or a window, pale walls."""
    rng = scene.rng
    walls = around(rng, choose(rng, [(206, 224, 220), (204, 218, 232), (222, 226, 214), (212, 224, 206)]), 10)
    left, right, depth = 0.5 - rng.uniform(0.85, 1.1), 0.5 + rng.uniform(0.85, 1.1), rng.uniform(1.9, 2.5)
    top, bottom = -rng.uniform(0.15, 0.5), rng.uniform(1.3, 1.5)
    room(scene, left, top, right, bottom, depth, ((226, 230, 230), walls, around(rng, (168, 184, 190), 14)))
    fill(scene, front(left, 0.6, right, 0.68, depth), tone(walls, 0.72))
    above_bed = rng.random() < 0.4
    _bay_curtain(scene, right - rng.uniform(0.05, 0.25), top, depth)
    x = behind(scene, rng.uniform(0.66, 0.74), depth)
    if above_bed:
        window(scene, front(x, top + 0.45, right - 0.08, 0.62, depth), DAYLIGHT, WHITE, (2, 1))
    elif rng.random() < 0.6:
        _cross(scene, x, scene.vanishing[1] + (0.14 - scene.vanishing[1]) * depth, depth)
    _bed(scene, behind(scene, rng.uniform(-0.06, 0.04), depth), depth)
    place = rng.uniform(0.08, 0.14) if above_bed else rng.uniform(0.8, 0.88)
    _monitor(scene, behind(scene, place, 0.85 * depth), rng.uniform(-0.1, 0.1), 0.85 * depth)
    _drip(scene, behind(scene, rng.uniform(0.22, 0.28), 0.72 * depth), 0.72 * depth)
    ceiling_lights(scene, left, right, top, depth, (190, 215, 235))


def _bay_curtain(scene: Scene, x: float, top: float, depth: float) -> None:
    rng, far = scene.rng, depth * 0.9
    colour = hsv(rng.uniform(0.3, 0.65), rng.uniform(0.25, 0.55), rng.uniform(0.6, 0.85))
    line(scene, np.array([(x, top + 0.15, 0.5), (x, top + 0.15, far)]), (170, 176, 180), 0.012)
    curtain(scene, wall(x, top + 0.17, 1.25, far, far * 0.66), colour, rng.integers(4, 8))


def _cross(scene: Scene, x: float, y: float, depth: float) -> None:
    colour = choose(scene.rng, [(206, 40, 46), (30, 140, 90), (40, 100, 180)])
    fill(scene, front(x - 0.15, y - 0.15, x + 0.15, y + 0.15, depth), (250, 252, 252))
    for rx, ry in ((0.035, 0.11), (0.11, 0.035)):
        fill(scene, front(x - rx, y - ry, x + rx, y + ry, depth), colour)


def _bed(scene: Scene, x: float, depth: float) -> None:
    rng = scene.rng
    blanket = hsv(rng.uniform(0.35, 0.65), rng.uniform(0.25, 0.6), rng.uniform(0.65, 0.9))
    wide, near, far, metal = 0.66, 1.15, depth * 0.97, (172, 182, 190)
    darken(scene, level(1.28, x - 0.05, x + wide + 0.1, near, far), 0.45)
    settle(scene)
    box(scene, x, 0.5, x + wide, 1.0, far, far + 0.05, (140, 160, 180))
    box(scene, x, 0.86, x + wide, 1.05, near, far, (236, 240, 244))
    box(scene, x, 0.83, x + wide, 0.98, near, near + 0.62 * (far - near), blanket)
    fill(scene, level(0.83, x, x + wide, near + 0.5 * (far - near), near + 0.62 * (far - near)), (250, 252, 254))
    box(scene, x + 0.08, 0.72, x + wide - 0.08, 0.86, far - 0.3, far - 0.05, (252, 253, 255))
    for side in (x, x + wide):
        for y in (0.68, 0.77):
            line(scene, np.array([(side, y, near + 0.2), (side, y, far - 0.2)]), metal, 0.012)
        posts = [[(side, 0.68, d), (side, 0.9, d)] for d in np.linspace(near + 0.2, far - 0.2, 5)]
        line_each(scene, np.array(posts), metal, 0.008)
    for y in (0.7, 0.82, 0.94):
        line(scene, np.array([(x, y, near), (x + wide, y, near)]), metal, 0.014)
    for side in (x, x + wide):
        line(scene, np.array([(side, 0.68, near), (side, 1.25, near)]), metal, 0.02)


def _monitor(scene: Scene, x: float, y: float, depth: float) -> None:
    rng = scene.rng
    box(scene, x - 0.3, y, x + 0.26, y + 0.44, depth, depth + 0.15, (206, 210, 212))
    box(scene, x - 0.03, y + 0.44, x + 0.03, 1.4, depth, depth + 0.05, (150, 156, 162))
    flat = panel(scene, (10, 20, 30))
    for height, colour in ((0.28, (60, 240, 110)), (0.56, (80, 200, 250)), (0.82, (250, 220, 70))):
        t = np.linspace(0, 1, 80)
        pulse = np.exp(-(((t * 4 + rng.uniform(0, 1)) % 1 - 0.5) ** 2) / 0.004)
        line(flat, np.stack((0.04 + 0.7 * t, height - 0.18 * pulse + 0.03 * np.sin(25 * t)), 1), colour, 0.03)
        fill(flat, front(0.8, height - 0.12, 0.95, height + 0.02), colour)
    screen = front(x - 0.27, y + 0.03, x + 0.23, y + 0.39, depth)
    hang(scene, flat, screen)
    shine(scene, screen, (4, 14, 12))


def _drip(scene: Scene, x: float, depth: float) -> None:
    """A stand with two bags and a tube."""
    rng = scene.rng

    def path(*points: tuple[float, float]) -> np.ndarray:
        return np.array([(x + dx, y, depth) for dx, y in points])

    line(scene, path((0, -0.12), (0, 1.3)), (140, 150, 160), 0.011)
    line(scene, path((-0.13, -0.06), (-0.1, -0.12), (0.1, -0.12), (0.13, -0.06)), (140, 150, 160), 0.009)
    liquids = (226, 240, 246), choose(rng, [(170, 40, 44), (236, 226, 170), (226, 240, 246)])
    for side, colour in zip((-0.13, 0.13), liquids, strict=True):
        bag = front(x + side - 0.08, -0.06, x + side + 0.08, 0.22, depth)
        blend(scene, bag, [tone(colour, 0.95), colour, tone(colour, 0.8)])
        line(scene, bag, tone(colour, 0.65), 0.005, closed=True)
    line(scene, path((-0.13, 0.2), (-0.11, 0.5), (-0.3, 0.8)), (214, 224, 228), 0.006)


def office(scene: Scene) -> None:
    """Desks with screens on both sides, binders or notes, blinds or a skyline, ceiling panels."""
    rng = scene.rng
    walls = around(rng, choose(rng, [(214, 212, 206), (196, 206, 214), (222, 214, 198), (188, 200, 196)]), 12)
    left, right, depth = 0.5 - rng.uniform(0.9, 1.2), 0.5 + rng.uniform(0.9, 1.2), rng.uniform(2.2, 3.2)
    top, bottom = -rng.uniform(0.25, 0.55), rng.uniform(1.25, 1.4)
    floor = choose(rng, [(112, 118, 128), (150, 132, 110), (98, 110, 112)])
    room(scene, left, top, right, bottom, depth, ((222, 222, 218), walls, around(rng, floor)))
    joints = [[(x, top, 0.4), (x, top, depth)] for x in np.linspace(left, right, 7)]
    joints += [[(left, top, d), (right, top, d)] for d in np.geomspace(0.7, depth, 5)]
    line_each(scene, np.array(joints), (180, 182, 180), 0.005)
    glass = [(60, 70, 120), (220, 150, 110)] if rng.random() < 0.25 else DAYLIGHT
    opening = front(left + 0.15, top + 0.2, right - 0.15, 0.66, depth)
    window(scene, opening, glass, (96, 102, 110), (rng.integers(3, 6), 1))
    if rng.random() < 0.5:
        slats = np.linspace(0, rng.uniform(0.15, 0.5), 12)
        blinds = [front(left + 0.15, top + 0.2 + y, right - 0.15, top + 0.215 + y, depth) for y in slats]
        fill_each(scene, np.array(blinds), (236, 236, 230))
    _binders(scene, left, depth) if rng.random() < 0.6 else _notes(scene, left, depth)
    _desks(scene, left, right, depth)
    ceiling_lights(scene, left, right, top, depth, (220, 222, 214))


def _binders(scene: Scene, x: float, depth: float) -> None:
    hang(scene, shelf(scene, 4, (170, 172, 172), BINDERS, 0.08), wall(x + 0.02, -0.2, 1.1, 0.9, depth * 0.95))


def _notes(scene: Scene, x: float, depth: float) -> None:
    """A whiteboard full of sticky notes."""
    rng, flat = scene.rng, panel(scene, (246, 248, 248))
    line(flat, front(0, 0, 1, 1)[:, :2], (150, 154, 158), 0.05, closed=True)
    for x0, y0 in rng.uniform(0.05, 0.82, (14, 2)):
        fill(flat, front(x0, y0, x0 + 0.13, y0 + 0.13), choose(rng, NOTES))
    hang(scene, flat, wall(x + 0.01, -0.1, 0.62, 0.85, depth * 0.85))


def _desk(scene: Scene, x0: float, x1: float, near: float, wood: Colour) -> None:
    """A desk with a screen, a keyboard, paper and perhaps a mug."""
    rng, d = scene.rng, near + 0.25
    for leg in (x0 + 0.03, x1 - 0.06):
        fill(scene, front(leg, 0.86, leg + 0.03, 1.3, near), (70, 74, 80))
    box(scene, x0, 0.82, x1, 0.87, near, near + 0.45, wood)
    middle = (x0 + x1) / 2 + rng.uniform(-0.06, 0.06)
    fill(scene, front(middle - 0.02, 0.7, middle + 0.02, 0.82, d), (60, 62, 66))
    box(scene, middle - 0.25, 0.38, middle + 0.25, 0.73, d, d + 0.03, (34, 36, 40))
    screen = front(middle - 0.23, 0.4, middle + 0.23, 0.7, d)
    hang(scene, _screen(scene), screen)
    shine(scene, screen, (10, 14, 20))
    fill(scene, level(0.82, middle - 0.2, middle + 0.12, near + 0.04, near + 0.14), (52, 54, 58))
    fill(scene, level(0.82, x0 + 0.04, x0 + 0.2, near + 0.05, near + 0.3), (246, 246, 242))
    if rng.random() < 0.5:
        box(scene, x1 - 0.14, 0.74, x1 - 0.06, 0.82, d, d + 0.03, hsv(rng.uniform(0, 1), 0.6, 0.8))


def _desks(scene: Scene, left: float, right: float, depth: float) -> None:
    rng = scene.rng
    wood = around(rng, choose(rng, [(196, 160, 116), (232, 230, 226), (130, 96, 70)]), 12)
    rows = (depth * 0.72, rng.uniform(1.05, 1.25))
    for near in rows:
        darken(scene, level(1.3, left, left + 0.7, near, near + 0.45), 0.4)
        darken(scene, level(1.3, right - 0.7, right, near, near + 0.45), 0.4)
    settle(scene)
    for near in rows:
        _desk(scene, left, left + rng.uniform(0.62, 0.75), near, wood)
        _desk(scene, right - rng.uniform(0.62, 0.75), right, near, wood)


def _screen(scene: Scene) -> Scene:
    """A panel with lines of text and a bar chart."""
    rng = scene.rng
    flat = panel(scene, around(rng, choose(rng, [(236, 240, 244), (40, 60, 90), (222, 232, 238)]), 10))
    fill(flat, front(0, 0, 1, 0.12), hsv(rng.uniform(0.5, 0.7), 0.5, 0.8))
    lines = [front(0.08, y, 0.08 + rng.uniform(0.2, 0.55), y + 0.04) for y in np.arange(0.22, 0.95, 0.1)]
    fill_each(flat, np.array(lines), (120, 132, 146))
    for x, height in zip((0.68, 0.76, 0.84), rng.uniform(0.15, 0.5, 3), strict=True):
        fill(flat, front(x, 0.85 - height, x + 0.06, 0.85), hsv(rng.uniform(0, 1), 0.6, 0.85))
    return flat
