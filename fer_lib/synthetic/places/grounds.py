"""Where things and people end: landfill, cemetery."""

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
    level,
    line,
    line_each,
    mix,
    mottle,
    oval,
    shape,
    tone,
)
from fer_lib.synthetic.places.things import balls, bare_tree, foliage, sky

GULL = np.array([(-1, -0.45), (-0.45, -0.6), (0, 0), (0.45, -0.6), (1, -0.45)])
HAZES = ([(170, 174, 170), (216, 206, 180)], [(150, 164, 184), (214, 214, 206)], [(140, 166, 196), (224, 214, 190)])
WASTE = [
    (226, 226, 220),
    (60, 60, 64),
    (70, 110, 160),
    (160, 60, 50),
    (190, 160, 110),
    (120, 90, 64),
    (90, 130, 90),
    (206, 180, 80),
    (150, 150, 150),
    (122, 104, 80),
    (200, 200, 196),
    (90, 80, 70),
]
OVERCAST = ([(126, 136, 150), (206, 208, 206)], [(110, 116, 140), (222, 196, 176)], [(150, 162, 170), (214, 220, 220)])
_HALF_CROSS = np.array([(0.3, 0), (0.3, -0.62), (1, -0.62), (1, -0.84), (0.3, -0.84), (0.3, -1.25)])
CROSS = np.concatenate((_HALF_CROSS, _HALF_CROSS[::-1] * (-1, 1)))  # 2 wide and about 1 high, foot at 0
GABLE = np.array([(-1, 0), (-1, -0.8), (0, -1.1), (1, -0.8), (1, 0)])
ROUND = np.concatenate(([(1, 0)], oval(0, -0.7, 1, 0.36, 24)[:11:-1], [(-1, 0)]))
STONES = ((150, 150, 148), (176, 174, 166), (112, 114, 118), (140, 134, 124))


def landfill(scene: Scene) -> None:
    """Heaps of rubbish on both sides, gulls, a yellow digger, hazy light."""
    rng = scene.rng
    haze = choose(rng, HAZES)
    sky(scene, haze, 0.75, tone(haze[1], 1.08), rng.uniform(0.3, 0.7))
    earth = around(rng, (122, 104, 80), 12)
    x = np.linspace(-0.02, 1.02, 60)
    digger = choose(rng, (0.16, 0.84)) + rng.uniform(-0.06, 0.06)
    for distance, base in ((3.0, 0.55), (1.6, 0.68)):
        top = _ridge(scene, x, base + rng.uniform(-0.04, 0.04), 0.2)
        pale = mix(earth, haze[1], 0.18 * distance - 0.1)
        fill(scene, np.concatenate((np.stack((x, top), 1), [(1.1, 1.1), (-0.1, 1.1)])), pale)
        _rubbish(scene, x, top, 170, 0.04 / distance**0.7, pale, 0.2 * distance - 0.22)
        if distance == 3.0 and rng.random() < 0.75:
            _digger(scene, digger, np.interp(digger, x, top) + 0.02, rng.uniform(0.18, 0.25))
    top = _ridge(scene, x, 0.9, 0.5)
    fill(scene, np.concatenate((np.stack((x, top), 1), [(1.1, 1.1), (-0.1, 1.1)])), tone(earth, 0.55))
    _rubbish(scene, x, top, 260, 0.046, earth, 0)
    for side in (-1, 1):
        for place in 0.5 + side * rng.uniform(0.26, 0.5, rng.integers(4, 8)):
            low = np.interp(place, x, top)
            _litter(scene, place, low + rng.uniform(0.02, max(0.04, 0.9 - low)), rng.uniform(0.035, 0.065))
    gulls = rng.uniform((0, 0.03), (1, 0.36), (rng.integers(5, 14), 1, 2))
    gulls = gulls + GULL * rng.uniform(0.012, 0.034, (len(gulls), 1, 1))
    line_each(scene, gulls, choose(rng, [(250, 250, 250), (70, 72, 76)]), 0.007)


def _ridge(scene: Scene, x: np.ndarray, base: float, height: float) -> np.ndarray:
    """Heights of heaps that rise to both sides of the picture."""
    rng = scene.rng
    tall, wide = rng.uniform(0.45, 1.1, 2) * height, rng.uniform(0.2, 0.42, 2)
    heap = tall[0] * np.exp(-((x / wide[0]) ** 2)) + tall[1] * np.exp(-(((1 - x) / wide[1]) ** 2))
    wave = sum(0.025 / k * np.sin(2 * np.pi * (k * x + rng.uniform(0, 1))) for k in (1, 2.3, 5, 11))
    return base - heap - wave


def _rubbish(scene: Scene, x: np.ndarray, top: np.ndarray, n: int, grain: float, earth: Colour, haze: float) -> None:
    rng = scene.rng
    place = rng.uniform(0, 1, n)
    low = np.interp(place, x, top)
    y = np.sort(rng.uniform(0, 1, n)) * np.minimum(0.98 - low, 0.55) + low
    size = grain * rng.uniform(0.35, 1.1, n) * (0.6 + 0.9 * (y - low))
    angle = rng.uniform(0, 2 * np.pi, (n, 1)) + np.array((0, 1.1, 3.1, 4.3)) + rng.uniform(-0.3, 0.3, (n, 4))
    pieces = np.stack(
        (place[:, None] + size[:, None] * np.cos(angle), y[:, None] + 0.75 * size[:, None] * np.sin(angle)), 2
    )
    palette = np.array(WASTE)
    colours = palette[rng.integers(len(palette), size=n)] * rng.uniform(0.6, 1.05, (n, 1))
    colours = (1 - haze) * colours + haze * np.array(earth)
    fill_each(scene, pieces + np.array((0, 0.3 * grain)), colours * 0.42)
    fill_each(scene, pieces, colours)


def _digger(scene: Scene, x: float, foot: float, size: float) -> None:
    yellow, dark = around(scene.rng, (232, 176, 40), 12), (50, 50, 52)
    side = 1 if x < 0.5 else -1

    def part(points: list[tuple[float, float]], colour: Colour) -> None:
        fill(scene, np.array(points) * (side * size, size) + (x, foot), colour)

    part([(-0.5, -0.18), (0.4, -0.18), (0.46, -0.05), (0.36, 0.02), (-0.46, 0.02), (-0.56, -0.06)], dark)
    part([(-0.5, -0.45), (0.3, -0.45), (0.36, -0.18), (-0.5, -0.18)], yellow)
    part([(-0.1, -0.8), (0.2, -0.8), (0.3, -0.45), (-0.1, -0.45)], yellow)
    part([(-0.05, -0.75), (0.16, -0.75), (0.23, -0.5), (-0.05, -0.5)], (110, 140, 156))
    part([(0.2, -0.45), (0.55, -1.05), (0.65, -1.0), (0.32, -0.4)], tone(yellow, 0.9))
    part([(0.55, -1.05), (0.95, -0.6), (0.88, -0.54), (0.55, -0.94)], yellow)
    part([(0.84, -0.62), (1.02, -0.6), (0.98, -0.34), (0.78, -0.42)], dark)


def _litter(scene: Scene, x: float, y: float, size: float) -> None:
    """A tyre, a tied bag or a carton."""
    kind = scene.rng.integers(4)
    if kind == 0:
        for share, colour in ((1.0, (34, 34, 36)), (0.9, (64, 64, 66)), (0.55, (20, 20, 22)), (0.45, (96, 82, 64))):
            fill(scene, oval(x, y, share * size, 0.8 * share * size), colour)
    elif kind < 3:
        colour = choose(scene.rng, [(44, 46, 52), (228, 230, 232), (60, 96, 160), (44, 46, 52)])
        balls(scene, np.array([(x, y)]), np.array([(size, 0.85 * size)]), np.array([colour]))
        fill(scene, shape(x, y, size, (-0.3, -1.2), (0.3, -1.2), (0, -0.6)), colour)
    else:
        fill(scene, shape(x, y, size, (-1, -0.5), (0, -0.8), (1, -0.4), (0, -0.1)), (206, 166, 112))
        fill(scene, shape(x, y, size, (-1, -0.5), (0, -0.1), (0, 0.8), (-1, 0.3)), (176, 134, 84))
        fill(scene, shape(x, y, size, (1, -0.4), (0, -0.1), (0, 0.8), (1, 0.4)), (140, 104, 64))


def cemetery(scene: Scene) -> None:
    """Rows of gravestones and crosses in grass, bare trees, perhaps a chapel, an overcast sky."""
    rng = scene.rng
    grey = choose(rng, OVERCAST)
    x, eye = scene.vanishing
    horizon = eye + rng.uniform(-0.04, 0.06)
    sky(scene, grey, horizon + 0.05, tone(grey[1], 1.04), rng.uniform(0.5, 0.9))
    far = mix(grey[1], (70, 90, 70), 0.55)
    for place in np.linspace(0, 1, 9) + rng.uniform(-0.05, 0.05, 9):
        foliage(scene, place, horizon - 0.01, 0.09, rng.uniform(0.03, 0.07), far, 8)
    if rng.random() < 0.45:
        _chapel(scene, choose(rng, (0.18, 0.82)), horizon + 0.02, rng.uniform(0.2, 0.28), far)
    grass = around(rng, choose(rng, [(88, 108, 62), (104, 108, 66), (70, 96, 62), (128, 110, 70)]), 10)
    blend(scene, front(0, horizon, 1, 1), [mix(grass, grey[1], 0.35), grass, tone(grass, 0.72)])
    mottle(scene, horizon + 0.02, 1, 8, (50, 60))
    side = choose(rng, (-1, 1))
    bare_tree(scene, 0.5 + side * rng.uniform(0.36, 0.46), horizon + 0.2, rng.uniform(0.55, 0.75), (58, 52, 50), 5)
    if rng.random() < 0.5:
        bare_tree(scene, 0.5 - side * rng.uniform(0.3, 0.46), horizon + 0.06, rng.uniform(0.3, 0.5), (86, 82, 80))
    ground, path = eye + rng.uniform(0.5, 0.62), x + rng.uniform(-0.4, 0.4)
    blend(scene, level(ground, path - 0.16, path + 0.16, 0.8, 14), [(176, 168, 150), (150, 138, 118)])
    _graves(scene, path, ground, grey[1])


def _graves(scene: Scene, path: float, ground: float, haze: Colour) -> None:
    """Rows of gravestones on both sides of a path, from far to near; those outside the picture are left out."""
    rng, x = scene.rng, scene.vanishing[0]
    places = path + rng.uniform(0.36, 0.5) * np.array((-4, -3, -2, -1, 1, 2, 3, 4))
    for d in np.geomspace(5.5, 1.15, rng.integers(4, 7)):
        for place in places + rng.uniform(-0.1, 0.1, 8):
            if abs(x + (place - x) / d - 0.5) < 0.6:
                _gravestone(scene, place, ground, d * rng.uniform(0.96, 1.04), haze)


def _chapel(scene: Scene, x: float, foot: float, size: float, haze: Colour) -> None:
    plaster, roof, iron = mix((206, 200, 188), haze, 0.3), mix((110, 70, 62), haze, 0.3), (60, 58, 60)
    fill(scene, shape(x, foot, size, (-0.3, -0.5), (0.45, -0.5), (0.45, 0), (-0.3, 0)), plaster)
    fill(scene, shape(x, foot, size, (-0.3, -0.5), (-0.2, -0.85), (0.4, -0.85), (0.5, -0.5)), roof)
    fill(scene, shape(x, foot, size, (-0.5, -0.95), (-0.2, -0.95), (-0.2, 0), (-0.5, 0)), tone(plaster, 1.08))
    fill(scene, shape(x, foot, size, (-0.54, -0.95), (-0.35, -1.45), (-0.16, -0.95)), roof)
    for dx, dy in ((-0.35, 0.75), (0.02, 0.3), (0.25, 0.3)):
        fill(scene, oval(x + dx * size, foot - dy * size, 0.04 * size, 0.09 * size), iron)
    line(scene, shape(x, foot, size, (-0.35, -1.65), (-0.35, -1.4)), iron, 0.006)
    line(scene, shape(x, foot, size, (-0.42, -1.58), (-0.28, -1.58)), iron, 0.006)


def _gravestone(scene: Scene, x: float, ground: float, depth: float, haze: Colour) -> None:
    """A cross, a gabled or a rounded stone, at times with flowers at its foot."""
    rng = scene.rng
    veil = min(0.5, 0.07 * depth)
    stone = mix(around(rng, choose(rng, STONES), 10), haze, veil)
    wide, high = rng.uniform(0.1, 0.13), rng.uniform(0.26, 0.4)
    kind = rng.integers(4)
    outline = (CROSS, GABLE, ROUND, ROUND)[kind] * (wide, high) + (x, ground)
    outline[:, 0] += rng.uniform(-0.07, 0.07) * (ground - outline[:, 1])
    shadow = level(ground, x - 1.3 * wide, x + 2.2 * wide, depth - 0.05, depth + 0.1)
    fill(scene, shadow, mix((50, 62, 40), haze, veil))
    fill(scene, np.column_stack((outline, np.full(len(outline), depth + 0.12))), tone(stone, 0.6))
    blend(scene, np.column_stack((outline, np.full(len(outline), depth))), [tone(stone, 1.15), tone(stone, 0.8)])
    if kind and depth < 3:
        rows = ground - high * np.array((0.7, 0.55, 0.44))
        letters = [[(x - 0.6 * wide, y, depth), (x + 0.6 * wide, y, depth)] for y in rows]
        line_each(scene, np.array(letters), tone(stone, 0.6), 0.008)
    if rng.random() < 0.3:
        petals = rng.uniform(-1, 1, (6, 1, 2)) * (0.07, 0.03) + oval(x, ground, 0.025, 0.025, 8)
        petals = np.concatenate((petals, np.full((6, 8, 1), depth)), 2)
        fill_each(scene, petals, hsv(rng.uniform(0.8, 1.15), 0.6, 0.85))
