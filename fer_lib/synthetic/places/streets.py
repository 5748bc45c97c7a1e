"""Places between houses: street, alley."""

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
    hang,
    hang_beside,
    hsv,
    level,
    line,
    line_each,
    mix,
    mottle,
    oval,
    panel,
    project,
    settle,
    shine,
    tone,
    wall,
)
from fer_lib.synthetic.places.things import balls, box, crowd, facade, lamp, sky

DAY_SKIES = (
    ([(96, 150, 214), (206, 224, 240)], (250, 252, 255)),
    ([(150, 164, 180), (206, 210, 212)], (226, 228, 230)),
    ([(120, 130, 180), (250, 196, 150)], (255, 222, 196)),
    ([(70, 130, 206), (180, 214, 240)], (255, 255, 255)),
)
PLASTERS = ((176, 96, 74), (206, 186, 150), (150, 150, 156), (214, 204, 190), (120, 84, 70), (186, 150, 110))
STREET_CLOTHES = ((60, 70, 110), (140, 50, 50), (70, 70, 70), (190, 170, 130))
CAR_PAINTS = (
    (190, 36, 36),
    (36, 80, 160),
    (226, 228, 230),
    (40, 42, 46),
    (236, 186, 40),
    (120, 126, 132),
    (50, 120, 90),
)


def street_traffic(scene: Scene) -> None:
    """A street between houses, cars in both lanes, traffic lights, people on the pavement."""
    rng = scene.rng
    scene.vanishing[0] = rng.uniform(0.3, 0.7)
    colours, cloud = choose(rng, DAY_SKIES)
    evening = rng.random() < 0.3
    gain = 0.62 if evening else 1.0
    x, eye = scene.vanishing
    ground, half = eye + rng.uniform(0.6, 0.75), rng.uniform(1.2, 1.7)
    sky(scene, [tone(c, gain) for c in colours], 0.6, tone(cloud, gain), rng.uniform(0.2, 0.7))
    asphalt = tone(around(rng, (104, 106, 112), 16), gain)
    blend(scene, front(0, eye, 1, 1), [tone(asphalt, 1.35), asphalt, tone(asphalt, 0.85)])
    mottle(scene, eye + 0.03, 1, 5, (30, 40))
    facades = [facade(scene, tone(around(rng, choose(rng, PLASTERS), 14), gain), evening) for _ in range(4)]
    for side in (-1, 1):
        _houses(scene, x + side * (half + 0.55), ground, facades)
        _pavement(scene, x + side * half, x + side * (half + 0.56), ground, asphalt)
    dashes = [level(ground, x - 0.025, x + 0.025, near, near + 0.6) for near in np.arange(1.2, 14, 1.2)]
    fill_each(scene, np.array(dashes), tone((236, 236, 228), gain))
    for side in (-1, 1):
        for d in np.cumsum(rng.uniform(1.3, 2.8, 3))[::-1] + 1.1:
            _car(scene, x + side * half * rng.uniform(0.45, 0.6), ground, d, side > 0, evening)
        if rng.random() < 0.75:
            arm = -side * rng.uniform(0.3, 0.7)
            _traffic_light(scene, x + side * (half + 0.05), ground, rng.uniform(2.4, 4.0), arm)


def _houses(scene: Scene, x: float, ground: float, facades: list[Scene]) -> None:
    """A closed row of houses with a street front at `x`, from far to near."""
    rng = scene.rng
    edges = [1.2]
    while edges[-1] < 20:
        edges.append(edges[-1] * rng.uniform(1.4, 2.1))
    for near, far in zip(edges[-2::-1], edges[:0:-1], strict=True):
        top = ground - rng.uniform(1.6, 3.6)
        hang_beside(scene, choose(rng, facades), x, top, ground, near, far)


def _car(scene: Scene, x: float, ground: float, near: float, approaching: bool, evening: bool) -> None:
    """A car seen from its front, or from behind where it drives away."""
    rng = scene.rng
    colour = tone(around(rng, choose(rng, CAR_PAINTS), 14), 0.62 if evening else 1.0)
    far, roof, waist = near + 1.3, ground - rng.uniform(0.52, 0.66), ground - 0.33
    fill(scene, level(ground, x - 0.4, x + 0.4, near - 0.05, far), (34, 34, 38))
    for side in (-0.29, 0.29):
        fill(scene, front(x + side - 0.06, ground - 0.16, x + side + 0.06, ground, near + 0.1), (24, 24, 26))
    box(scene, x - 0.36, waist, x + 0.36, ground - 0.07, near, far, colour)
    cabin = (near + 0.35, far - 0.2)
    box(scene, x - 0.29, roof, x + 0.29, waist, *cabin, (58, 70, 84))
    fill(scene, level(roof, x - 0.29, x + 0.29, *cabin), tone(colour, 1.15))
    glass = front(x - 0.27, roof, x + 0.27, waist, cabin[0])
    glass[2:] += [(0.06, 0, -0.1), (-0.06, 0, -0.1)]
    blend(scene, glass, [(96, 116, 134), (52, 62, 74)])
    line(scene, glass, colour, 0.018 / near + 0.003, closed=True)
    fill(scene, front(x - 0.2, ground - 0.2, x + 0.2, ground - 0.12, near), (34, 36, 40))
    fill(scene, front(x - 0.1, ground - 0.18, x + 0.1, ground - 0.13, near), (232, 232, 226))
    fill(scene, front(x - 0.36, ground - 0.1, x + 0.36, ground - 0.06, near), tone(colour, 0.5))
    light = (255, 248, 220) if approaching else (226, 30, 30)
    for side in (-0.27, 0.27):
        eye = np.column_stack((oval(x + side, ground - 0.25, 0.075, 0.05), np.full(20, near)))
        fill(scene, eye, light)
        if evening:
            shine(scene, eye, tone(light, 0.7))


def _traffic_light(scene: Scene, x: float, ground: float, depth: float, arm: float) -> None:
    top, steel = ground - scene.rng.uniform(1.5, 2.2), (62, 66, 70)
    line(scene, np.array([(x, ground, depth), (x, top, depth), (x + arm, top, depth)]), steel, 0.05 / depth)
    lit = scene.rng.integers(3)
    for place, y in ((x + arm, top), (x, ground - 1.0)):
        box(scene, place - 0.09, y - 0.05, place + 0.09, y + 0.42, depth, depth + 0.1, (40, 42, 44))
        for i, colour in enumerate(((255, 60, 50), (255, 190, 40), (60, 230, 110))):
            bulb = np.column_stack((oval(place, y + 0.05 + 0.135 * i, 0.06, 0.06), np.full(20, depth)))
            fill(scene, bulb, colour if i == lit else tone(colour, 0.3))
            if i == lit:
                shine(scene, bulb, tone(colour, 0.5))


def dark_alley(scene: Scene) -> None:
    """Brick walls close on both sides, a strip of night sky, one lamp, bins, pipes, puddles."""
    rng = scene.rng
    half, ground, depth = rng.uniform(0.44, 0.64), rng.uniform(1.1, 1.25), rng.uniform(3.2, 7)
    x, eye = scene.vanishing
    night = choose(rng, [(22, 26, 48), (34, 30, 52), (26, 34, 44)])
    blend(scene, front(0, 0, 1, 1), [night, tone(night, 2.0), tone(night, 1.2)])
    far_end = facade(scene, tone(around(rng, (60, 54, 56), 8), 0.7), True)
    hang(scene, far_end, front(x - 1.2, ground - 2.6, x + 1.2, ground, depth + 0.5))
    stones = around(rng, (58, 56, 60), 8)
    blend(scene, level(ground, x - half, x + half, 0.3, depth + 0.4), [tone(stones, 1.1), tone(stones, 0.55)])
    mottle(scene, eye + 0.08, 1, 6, (34, 34))
    _puddle(scene, x + rng.uniform(-0.2, 0.2), ground, night, stones)
    bricks = _bricks(scene, around(rng, choose(rng, [(122, 66, 52), (104, 78, 66), (96, 84, 80), (116, 58, 58)]), 12))
    for side in (-1, 1):
        _brick_wall(scene, x + side * half, ground, depth, bricks)
    settle(scene)
    for d, side in zip(np.sort(rng.uniform(1.3, depth * 0.8, 4))[::-1], rng.permutation((-1, 1, -1, 1)), strict=True):
        _waste(scene, x + side * (half - rng.uniform(0.13, 0.2)), ground, d)
    side = choose(rng, (-1, 1))
    _pipes(scene, x + side * (half - 0.03), ground, depth)
    if rng.random() < 0.7:
        _fire_escape(scene, x - side * half, -side, ground, rng.uniform(1.2, 1.7), rng.uniform(1.9, 2.6))
    _wall_lamp(scene, x + side * half, side, ground, rng.uniform(1.4, 2.4))


def _puddle(scene: Scene, x: float, ground: float, night: Colour, stones: Colour) -> None:
    """A puddle that mirrors the sky."""
    edge = oval(x, scene.rng.uniform(2.0, 3.0), 0.2, 0.22)
    edge = np.column_stack((edge[:, 0], np.full(20, ground), edge[:, 1]))
    blend(scene, edge, [mix(tone(night, 2.2), stones, 0.4), tone(night, 1.4)])


def _pipes(scene: Scene, x: float, ground: float, depth: float) -> None:
    for d in scene.rng.uniform(1.2, depth, 2):
        line(scene, np.array([(x, ground - 3, d), (x, ground, d)]), (38, 36, 40), 0.05 / d)


def _bricks(scene: Scene, brick: Colour) -> Scene:
    rng, flat = scene.rng, panel(scene, tone(brick, 0.34))
    row, column = (a.ravel() for a in np.mgrid[0:24, 0:10])
    corners = np.array([(0.005, 0.006), (0.106, 0.006), (0.106, 0.035), (0.005, 0.035)])
    places = np.stack((column / 9 - row % 2 / 18, row / 24), 1)
    fill_each(
        flat, places[:, None] + corners, np.clip(np.multiply.outer(rng.uniform(0.68, 1.05, len(row)), brick), 0, 255)
    )
    for _ in range(rng.integers(1, 3)):
        x0, y0 = rng.uniform(0.05, 0.7), rng.uniform(0.2, 0.5)
        fill(flat, front(x0, y0, x0 + 0.2, y0 + 0.16), choose(rng, [(26, 30, 38), (26, 30, 38), (214, 170, 90)]))
        line(flat, front(x0, y0, x0 + 0.2, y0 + 0.16)[:, :2], tone(brick, 0.8), 0.02, closed=True)
    tag = np.cumsum(rng.uniform(-0.1, 0.1, (12, 2)), 0) + np.array((rng.uniform(0.2, 0.8), 0.75))
    line(flat, tag, tone(hsv(rng.uniform(0, 1), 0.6, 0.8), 0.6), 0.02)
    return flat


def _brick_wall(scene: Scene, x: float, ground: float, depth: float, bricks: Scene) -> None:
    top = ground - scene.rng.uniform(1.7, 3.2)
    edges = np.geomspace(0.6, depth, 3)
    for near, far in ((edges[1], edges[2]), (edges[0], edges[1])):
        hang_beside(scene, bricks, x, top, ground, near, far)
    darken(scene, wall(x, top, ground, 0.6, 1.5), 0.4)
    darken(scene, wall(x, ground - 0.3, ground, 0.6, depth), 0.45)


def _waste(scene: Scene, x: float, ground: float, depth: float) -> None:
    """A dustbin, or a few tied bags."""
    rng = scene.rng
    if rng.random() < 0.5:
        colour = choose(rng, [(44, 78, 58), (60, 64, 70), (50, 64, 92)])
        box(scene, x - 0.13, ground - 0.36, x + 0.13, ground, depth, depth + 0.35, colour)
        box(scene, x - 0.15, ground - 0.42, x + 0.15, ground - 0.36, depth - 0.02, depth + 0.37, tone(colour, 0.7))
        return
    n = rng.integers(3, 6)
    places = np.stack((x + rng.uniform(-0.13, 0.1, n), ground - rng.uniform(0.05, 0.14, n), np.full(n, depth)), 1)
    balls(scene, project(scene, places), np.full((n, 2), (0.12, 0.1)) / depth, np.full((n, 3), (48, 50, 58)))


def _fire_escape(scene: Scene, x: float, side: int, ground: float, near: float, far: float) -> None:
    iron, inner = (28, 26, 30), x - side * 0.17
    for y in (ground - 1.0, ground - 1.7):
        fill(scene, level(y, *sorted((x, inner)), near, far), iron)
        for top in (y - 0.2, y - 0.1):
            line(scene, np.array([(inner, top, near), (inner, top, far)]), iron, 0.006)
        posts = [[(inner, y - 0.2, d), (inner, y, d)] for d in np.linspace(near, far, 6)]
        line_each(scene, np.array(posts), iron, 0.006)
        line(scene, np.array([(inner, y, far), (inner, y - 0.7, near)]), iron, 0.012)


def _wall_lamp(scene: Scene, x: float, side: int, ground: float, depth: float) -> None:
    y, place = ground - scene.rng.uniform(1.05, 1.3), x - side * 0.1
    colour = choose(scene.rng, [(255, 190, 96), (255, 214, 150), (190, 220, 255)])
    line(scene, np.array([(x, y - 0.05, depth), (place, y - 0.05, depth)]), (30, 30, 32), 0.012)
    centre = project(scene, np.array((place, y, depth)))
    cone = np.array(
        [
            (place - 0.05, y, depth),
            (place + 0.05, y, depth),
            (place + 0.35, ground, depth),
            (place - 0.35, ground, depth),
        ]
    )
    shine(scene, cone, tone(colour, 0.2))
    shine(scene, oval(*centre, 0.16, 0.18), tone(colour, 0.28))
    lamp(scene, *centre, 0.07 / depth, colour, 1.6)


def _pavement(scene: Scene, kerb: float, houses: float, ground: float, asphalt: Colour) -> None:
    blend(scene, level(ground - 0.03, kerb, houses, 1, 40), [tone(asphalt, 1.5), tone(asphalt, 1.3)])
    fill(scene, wall(kerb, ground - 0.03, ground, 1, 40), tone(asphalt, 0.7))
    depth = scene.rng.uniform(4, 7)
    x, foot = project(scene, np.array(((kerb + houses) / 2, ground, depth)))
    crowd(scene, x - 0.04, x + 0.04, foot, 0.68 / depth, 3, STREET_CLOTHES, 0.005)
