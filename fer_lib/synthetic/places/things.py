"""What several places share: rooms, boxes, skies, trees, crowds, balls, lamps, curtains, windows, house fronts."""

from collections.abc import Sequence

import cv2
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
    hsv,
    level,
    line,
    line_each,
    mix,
    oval,
    panel,
    project,
    settle,
    shine,
    soften,
    tone,
    wall,
)

NEAR = 0.3  # depth in front of the picture's edge, where walls and floors begin
LEGS = np.array([(-0.12, -0.5), (0.12, -0.5), (0.08, 0), (-0.08, 0)])  # of a person of height 1
TORSO = np.array([(-0.12, -0.44), (-0.17, -0.7), (-0.1, -0.81), (0.1, -0.81), (0.17, -0.7), (0.12, -0.44)])
HEAD = oval(0, -0.9, 0.075, 0.09, 12)


def room(
    scene: Scene, x0: float, y0: float, x1: float, y1: float, depth: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    """A room that opens to the viewer: x0-x1 and y0-y1 at depth 1; colours of ceiling, walls, floor."""
    ceiling, walls, floor = colours
    blend(scene, level(y0, x0, x1, NEAR, depth), [tone(ceiling, 1.05), tone(ceiling, 0.82)])
    blend(scene, level(y1, x0, x1, NEAR, depth), [tone(floor, 0.82), tone(floor, 1.1)])
    blend(scene, wall(x0, y0, y1, NEAR, depth), [tone(walls, 0.96), tone(walls, 0.76)], across=True)
    blend(scene, wall(x1, y0, y1, NEAR, depth), [tone(walls, 0.72), tone(walls, 0.9)], across=True)
    blend(scene, front(x0, y0, x1, y1, depth), [tone(walls, 1.06), tone(walls, 0.92)])
    for x in (x0, x1):
        for y in (y0, y1):
            _crease(scene, np.array([(x, y, 0.7), (x, y, depth)]))
        _crease(scene, np.array([(x, y0, depth), (x, y1, depth)]))
    settle(scene)


def _crease(scene: Scene, edge: np.ndarray) -> None:
    start, end = project(scene, edge)
    across = (end - start)[::-1] * (-1, 1) / max(np.hypot(*(end - start)), 1e-6) * 0.02
    darken(scene, np.array([start - across, end - across * 0.5, end + across * 0.5, start + across]), 0.22)


def box(scene: Scene, x0: float, y0: float, x1: float, y1: float, near: float, far: float, colour: Colour) -> None:
    """A box with its front at depth `near`; the faces turned to the viewer differ in light."""
    x, y = scene.vanishing
    if x < x0 or x > x1:
        fill(scene, wall(x0 if x < x0 else x1, y0, y1, near, far), tone(colour, 0.68))
    if y < y0 or y > y1:
        fill(scene, level(y0 if y < y0 else y1, x0, x1, near, far), tone(colour, 1.2 if y < y0 else 0.5))
    blend(scene, front(x0, y0, x1, y1, near), [tone(colour, 1.04), tone(colour, 0.84)])


def balls(scene: Scene, centres: np.ndarray, radii: np.ndarray, colours: np.ndarray) -> None:
    """Round things (m, 2) of radii (m, 2), lit from the upper left, in colours (m, 3)."""
    circle = oval(0, 0, 1, 1, 16)
    steps = ((1.0, 0.62, 0.0), (0.84, 0.85, 0.1), (0.6, 1.04, 0.22), (0.26, 1.3, 0.36))
    sizes, gains, shifts = np.transpose(steps)
    places = centres[:, None] - radii[:, None] * shifts[:, None]
    polygons = places[:, :, None] + radii[:, None, None] * sizes[:, None, None] * circle
    shades = np.minimum(np.asarray(colours)[:, None] * gains[:, None], 255)
    fill_each(scene, polygons.reshape(-1, 16, 2), shades.reshape(-1, 3))


def sky(scene: Scene, colours: list[Colour], bottom: float, cloud: Colour | None = None, cover: float = 0.5) -> None:
    """A sky down to `bottom`, with clouds of a colour that cover a share of it."""
    blend(scene, front(0, 0, 1, bottom + 0.01), colours)
    if cloud is None:
        return
    thickness = np.zeros((48, 48), np.float32)
    for cells, weight in (((4, 3), 1.0), ((9, 6), 0.6), ((20, 12), 0.3)):
        noise = scene.rng.standard_normal(cells, np.float32) * np.float32(weight)
        thickness += cv2.resize(noise, (48, 48), interpolation=cv2.INTER_CUBIC)
    thickness = np.clip((thickness + 2.4 * (cover - 0.5)) * 0.7, 0, 0.85) * 256
    rows = scene.image[: max(1, round(bottom * len(scene.image)))]
    alpha = cv2.resize(thickness.astype(np.uint8), rows.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    alpha = cv2.merge((alpha, alpha, alpha))
    tinted = cv2.multiply(alpha, (*cloud, 0), scale=1 / 255)
    cv2.add(cv2.multiply(rows, cv2.bitwise_not(alpha), scale=1 / 255), tinted, rows)


def crowd(
    scene: Scene, x0: float, x1: float, foot: float, height: float, n: int, colours: Sequence[Colour], blur: float
) -> None:
    """A row of `n` standing people from behind, `height` picture units tall, blurred and without faces."""
    rng = scene.rng
    tall = height * rng.uniform(0.85, 1.12, (n, 1, 1))
    x = np.linspace(x0, x1, n) + rng.uniform(-0.3, 0.3, n) * (x1 - x0) / n
    at = np.stack((x, np.full(n, foot)), 1)[:, None]
    clothes = np.array([around(rng, choose(rng, colours), 25) for _ in range(n)])
    fill_each(scene, at + tall * LEGS, clothes * 0.5)
    fill_each(scene, at + tall * TORSO, clothes)
    fill_each(scene, at + tall * HEAD, clothes * 0.3)
    soften(scene, foot - 1.2 * height, foot + 0.02, blur)


def lamp(scene: Scene, x: float, y: float, radius: float, colour: Colour, reach: float = 2.0) -> None:
    """A bright round lamp with a halo `reach` times as wide."""
    fill(scene, oval(x, y, radius, radius), mix(colour, (255, 255, 255), 0.75))
    shine(scene, oval(x, y, reach * radius, reach * radius), tone(colour, 0.55))


def bare_tree(scene: Scene, x: float, foot: float, height: float, colour: Colour, levels: int = 4) -> None:
    """A leafless tree that forks `levels` times."""
    rng = scene.rng
    start, angle = np.array([(x, foot)]), rng.uniform(-0.12, 0.12, 1)
    length, width = np.array([0.36 * height]), 0.055 * height
    for fork in range(levels):
        end = start + length[:, None] * np.stack((np.sin(angle), -np.cos(angle)), 1)
        side = width / 2 * np.stack((np.cos(angle), np.sin(angle)), 1)
        fill_each(scene, np.stack((start - side, end - 0.62 * side, end + 0.62 * side, start + side), 1), colour)
        turns = (-0.5, 0.1, 0.5) if fork == 0 else (-0.4, 0.4)
        n = len(turns)
        start, width = np.repeat(end, n, 0), 0.6 * width
        angle = np.repeat(angle, n) + np.tile(turns, len(angle)) + rng.uniform(-0.25, 0.25, n * len(angle))
        length = np.repeat(length, n) * rng.uniform(0.6, 0.85, n * len(length))


def foliage(scene: Scene, x: float, y: float, rx: float, ry: float, colour: Colour, n: int = 26) -> None:
    """A leafy crown or bush of `n` clumps, lighter above."""
    rng = scene.rng
    angle, distance = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.uniform(0, 1, n))
    places = np.stack((x + rx * distance * np.cos(angle), y + ry * distance * np.sin(angle)), 1)
    places = places[np.argsort(-places[:, 1])]
    gain = 1.05 - 0.4 * (places[:, 1] - y) / ry + rng.uniform(-0.12, 0.12, n)
    clumps = places[:, None] + np.array((rx, ry)) * rng.uniform(0.22, 0.42, (n, 1, 1)) * oval(0, 0, 1, 1, 9)
    fill_each(scene, clumps, np.clip(np.multiply.outer(gain, colour), 0, 255))


def curtain(scene: Scene, outline: np.ndarray, colour: Colour, folds: int) -> None:
    """Cloth of `folds` upright folds inside an outline (n, 2 or 3)."""
    light = scene.rng.uniform(0.5, 1.25, 2 * folds)
    light[::2] *= 0.6
    blend(scene, outline, [tone(colour, gain) for gain in light], across=True)


def window(scene: Scene, corners: np.ndarray, colours: list[Colour], frame: Colour, panes: tuple[int, int]) -> None:
    """A window of (columns, rows) panes on a rectangle, with sky colours and the roofs or trees outside."""
    rng, flat = scene.rng, panel(scene, frame)
    blend(flat, front(0, 0, 1, 1), colours)
    outside = mix(colours[-1], choose(rng, [(60, 90, 60), (90, 95, 110), (110, 90, 80)]), 0.6)
    for x in np.arange(-0.1, 1, 0.22):
        top = rng.uniform(0.45, 0.85)
        fill(flat, front(x, top, x + rng.uniform(0.15, 0.3), 1), around(rng, outside, 12))
    soften(flat, 0, 1, 0.012)
    for x in np.linspace(0, 1, panes[0] + 1):
        line(flat, np.array([(x, 0), (x, 1)]), frame, 0.055)
    for y in np.linspace(0, 1, panes[1] + 1):
        line(flat, np.array([(0, y), (1, y)]), frame, 0.055)
    hang(scene, flat, corners)
    shine(scene, corners, tone(colours[0], 0.16))


def grid(scene: Scene, columns: int, rows: int, colour: Colour, width: float) -> None:
    """Joints between `columns` x `rows` tiles over a whole panel."""
    x, y = np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1)
    line_each(scene, np.stack((np.stack((x, 0 * x), 1), np.stack((x, 0 * x + 1), 1)), 1), colour, width)
    line_each(scene, np.stack((np.stack((0 * y, y), 1), np.stack((0 * y + 1, y), 1)), 1), colour, width)


def bright_hues(rng: np.random.Generator, n: int) -> np.ndarray:
    """Festive colours (n, 3)."""
    return np.array([hsv(hue, rng.uniform(0.6, 0.95), rng.uniform(0.8, 1)) for hue in rng.uniform(0, 1, n)])


def ceiling_lights(scene: Scene, left: float, right: float, top: float, depth: float, colour: Colour) -> None:
    """Bright panels or tubes in the ceiling."""
    rng = scene.rng
    wide, offset = rng.uniform(0.1, 0.3), rng.uniform(-0.15, 0.15)
    for row in choose(rng, [(0.5,), (0.25, 0.75)]):
        x = left + (row + offset) * (right - left)
        for near in np.arange(0.6, depth - 0.3, rng.uniform(0.6, 0.9)):
            corners = level(top, x - wide, x + wide, near, near + 0.35)
            fill(scene, corners, (250, 252, 246))
            shine(scene, corners, tone(colour, 0.3))


def shelf(scene: Scene, rows: int, wood: Colour, colours: Sequence[Colour], thin: float) -> Scene:
    """A panel of `rows` shelves full of upright spines `thin` panel units wide."""
    rng, flat = scene.rng, panel(scene, tone(wood, 0.35))
    high = 1 / rows
    for row in range(rows):
        x = np.cumsum(rng.uniform(0.6, 1.4, int(1.1 / thin)) * thin)
        x = x[x < 0.98]
        n = len(x) - 1
        tops, low = (row + rng.uniform(0.14, 0.36, n)) * high, (row + 0.93) * high
        heights = np.stack((tops, tops, np.full(n, low), np.full(n, low)), 1)
        spines = np.stack((np.stack((x[:-1], x[1:], x[1:], x[:-1]), 1), heights), 2)
        paints = np.array(colours)[rng.integers(len(colours), size=n)] * rng.uniform(0.65, 1.15, (n, 1))
        kept = rng.random(n) > 0.06
        spines, paints = spines[kept], np.minimum(paints[kept], 255)
        fill_each(flat, spines, paints)
        spines[:, :2, 1] += 0.16 * high
        spines[:, 2:, 1] = spines[:, :2, 1] + 0.05 * high
        fill_each(flat, spines, np.minimum(paints * 0.6 + 80, 255))
        blend(flat, front(0, low, 1, low + 0.1 * high), [tone(wood, 1.2), tone(wood, 0.6)])
        blend(flat, front(0, row * high, 1, (row + 0.12) * high), [tone(wood, 0.2), tone(wood, 0.3)])
    fill_each(flat, np.array([front(-0.03, 0, 0.03, 1), front(0.97, 0, 1.03, 1)]), wood)
    return flat


def facade(scene: Scene, paint: Colour, evening: bool) -> Scene:
    """A panel of a house front with rows of windows over a shop, some lit in the evening."""
    rng, flat = scene.rng, panel(scene, paint)
    columns, rows = rng.integers(3, 6), rng.integers(3, 6)
    high = 0.74 / rows
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    column, row = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(rows)))
    places = np.stack(((column + 0.28) / columns, 0.05 + row * high), 1)[:, None]
    panes = places + corners * (0.44 / columns, 0.62 * high)
    fill_each(flat, panes + (corners - 0.5) * (0.1 / columns, 0.12 * high), tone(paint, 1.25))
    glass = np.array([choose(rng, [(70, 84, 104), (120, 146, 172), (50, 58, 72)]) for _ in range(len(panes))])
    if evening:
        glass[rng.random(len(panes)) < 0.45] = (255, 214, 130)
    fill_each(flat, panes, glass)
    line_each(flat, panes[:, :2] + (0, 0.31 * high), tone(paint, 1.2), 0.01)
    shop = hsv(rng.uniform(0, 1), rng.uniform(0.4, 0.8), rng.uniform(0.4, 0.8))
    fill(flat, front(0, 0.78, 1, 1), tone(shop, 0.5))
    fill(flat, front(0.08, 0.86, 0.6, 0.97), (255, 226, 160) if evening else (150, 170, 186))
    fill(flat, front(0.7, 0.85, 0.92, 1), (60, 50, 46))
    fill(flat, front(0, 0.77, 1, 0.84), shop)
    fill(flat, front(0, 0, 1, 0.03), tone(paint, 1.3))
    return flat
