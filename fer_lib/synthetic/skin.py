"""The skin's colours, painted flat: on the average face seen from the front, from where the surface takes them."""

from collections.abc import Mapping
from functools import cache

import cv2
import numpy as np

from fer_lib.synthetic.canvas import Colour, mix, scaled
from fer_lib.synthetic.mesh import (
    INNER_LIPS,
    LEFT_BROW,
    OUTER_LIPS,
    RIGHT_BROW,
    finer,
    neutral,
    with_skull,
)
from fer_lib.synthetic.person import Person

PER_UNIT = 80  # texture pixels in a head unit
LOW, HIGH = np.array([-1.3, -1.95]), np.array([1.3, 1.9])
WIDTH, HEIGHT = ((HIGH - LOW) * PER_UNIT).astype(int)
BITS = 4


@cache
def flat() -> np.ndarray:
    """Texture coordinates (n, 2), in texture pixels, of the fine mesh's vertices."""
    return (finer()[0] @ with_skull(neutral()))[:, :2] * PER_UNIT - LOW * PER_UNIT


def paint_skin(person: Person, units: Mapping[int, float]) -> np.ndarray:
    """The texture of a face: (HEIGHT, WIDTH, 3) float32, RGB 0-255."""
    rng = np.random.default_rng(person.texture_seed)
    skin = _base(person, rng)
    if person.beard != "none":
        _beard(skin, person, rng)
    _shadows(skin, person, units)
    _lips(skin, person)
    _nostrils(skin, person)
    _brows(skin, person, rng)
    return skin


def sample(texture: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The texture's colours at texture coordinates (h, w, 2): (h, w, 3) float32."""
    return cv2.remap(texture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _base(person: Person, rng: np.random.Generator) -> np.ndarray:
    tone = np.array(person.skin, np.float32)
    blotches = cv2.resize(rng.normal(0, 1, (12, 9)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    skin = tone * (1 + 0.02 * blotches + 0.012 * grain)[..., None]
    blush = mix(person.skin, (205, 72, 64), 0.32)
    cheeks = _spots([((-0.62, 0.5), (0.3, 0.2)), ((0.62, 0.5), (0.3, 0.2)), ((0, 0.62), (0.16, 0.12))], 9)
    _tint(skin, cheeks, blush, 0.55 if person.skin_tone < 6 else 0.3)
    if rng.random() < 0.15 and person.skin_tone < 5:
        spots = rng.normal((0, 0.35), (0.5, 0.16), (70, 2))
        _tint(skin, _spots([(spot, (0.013, 0.013)) for spot in spots], 0.6), mix(person.skin, (130, 70, 40), 0.6), 0.7)
    return skin


def _beard(skin: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    outlines = {
        "stubble": [(58, 132, 147, 207, 216, 165, 164, "jaw")],
        "full": [(58, 132, 147, 213, 207, 216, 165, 164, "jaw")],
        "moustache": [(98, 165, 92, 186, 40, 37, 0, "mirror")],
        "goatee": [(98, 165, 92, 186, 43, 106, 194, 32, 140, 171, 175, "mirror")],
    }
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for *path, ending in outlines[person.beard]:
        path += [172, 136, 150, 149, 176, 148, 152][::-1] if ending == "jaw" else []
        half = neutral()[path, :2]
        if ending == "jaw":
            half[len(path) - 7 :, 1] += 0.15
        for points in (half, half * (-1, 1)):
            cv2.fillPoly(mask, [_fixed(points)], 255, cv2.LINE_AA, BITS)
        if ending == "mirror":
            cv2.fillPoly(mask, [_fixed(np.vstack((half, (half * (-1, 1))[::-1])))], 255, cv2.LINE_AA, BITS)
    soft = cv2.GaussianBlur(mask, (0, 0), 4 if person.beard != "moustache" else 2).astype(np.float32) / 255
    streaks = cv2.blur(rng.uniform(0.55, 1.25, (HEIGHT, WIDTH)).astype(np.float32), (1, 4))
    weight = {"stubble": 0.38, "full": 0.8, "moustache": 0.8, "goatee": 0.8}[person.beard]
    colour = np.array(scaled(person.hair, 1.05), np.float32) * streaks[..., None]
    skin += (weight * soft * np.clip(0.4 + 0.7 * streaks, 0, 1))[..., None] * (colour - skin)


def _shadows(skin: np.ndarray, person: Person, units: Mapping[int, float]) -> None:
    """Sockets, folds and wrinkles: what the coarse surface cannot shade."""
    dark = scaled(mix(person.skin, (120, 50, 40), 0.25), 0.6)
    sockets = [((side * 0.5, -0.12), (0.3, 0.1)) for side in (-1, 1)] + [
        ((s * 0.27, 0.02), (0.07, 0.1)) for s in (-1, 1)
    ]
    _tint(skin, _spots(sockets, 5), dark, 0.32)
    _tint(skin, _spots([((0, 1.33), (0.2, 0.05))], 4), dark, 0.3)
    lines = np.zeros((HEIGHT, WIDTH), np.float32)
    for path, depth, width in wrinkles(person, units):
        layer = np.zeros((HEIGHT, WIDTH), np.uint8)
        for points in (path, path * (-1, 1)):
            cv2.polylines(layer, [_fixed(points)], False, int(255 * min(depth, 1)), width, cv2.LINE_AA, BITS)
        np.maximum(lines, layer, out=lines)
    _tint(skin, cv2.GaussianBlur(lines, (0, 0), 2.0) / 255, scaled(dark, 0.9), 0.9)


def wrinkles(person: Person, units: Mapping[int, float]) -> list[tuple[np.ndarray, float, int]]:
    """Paths on the right half of the average face (n, 2), each with its depth 0-1 and width in texture pixels."""
    age = {"child": 0.0, "adult": 0.12, "old": 0.55}[person.age]
    on = {unit: units.get(unit, 0.0) for unit in (1, 2, 4, 6, 9, 10, 12, 15, 17, 20)}
    fold = 0.14 + 0.4 * age + 0.4 * max(on[12], on[9], 0.9 * on[10]) + 0.3 * on[15]
    brow = 0.6 * on[1] + 0.35 * on[2] + 0.55 * age
    paths = [
        ((129, 203, 206, 216, 212), fold, 4),
        ((133, 112, 232, 231), 0.2 + 0.6 * age, 2),
        ((247, 30, 29, 27, 28, 56, 190), 0.6, 2),
        ((108, 69, 104), brow, 2),
        ((151, 108, 69), 0.8 * brow, 2),
        ((107, 55, 193), 0.9 * on[4] + 0.3 * age, 2),
        ((193, 245, 128), 0.9 * on[9], 2),
        ((113, 124), 0.8 * on[6] + 0.6 * age, 1),
        ((226, 35), 0.8 * on[6] + 0.5 * age, 1),
        ((31, 228, 229, 230), 0.5 * on[6] + 0.5 * age, 2),
        ((202, 204, 194), 0.5 * on[15] + 0.4 * age, 2),
        ((182, 18), 0.75 * on[17], 2),
    ]
    return [(neutral()[list(path), :2], depth, width) for path, depth, width in paths if depth > 0.05]


def _lips(skin: np.ndarray, person: Person) -> None:
    outer, inner = neutral()[list(OUTER_LIPS), :2], neutral()[list(INNER_LIPS), :2]
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [_fixed(outer)], 255, cv2.LINE_AA, BITS)
    _tint(skin, cv2.GaussianBlur(mask, (0, 0), 1).astype(np.float32) / 255, person.lips, 0.85)
    upper = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(upper, [_fixed(np.vstack((outer[:11], inner[10::-1])))], 255, cv2.LINE_AA, BITS)
    _tint(skin, cv2.GaussianBlur(upper, (0, 0), 1.2).astype(np.float32) / 255, scaled(person.lips, 0.7), 0.5)
    shine = _spots([((-0.08, 1.14), (0.08, 0.018)), ((0.1, 1.14), (0.06, 0.014))], 1.5)
    _tint(skin, shine, mix(person.lips, (255, 240, 235), 0.5), 0.5)


def _nostrils(skin: np.ndarray, person: Person) -> None:
    dark = scaled(mix(person.skin, (80, 20, 15), 0.4), 0.35)
    holes = [((side * 0.145, 0.695), (0.062, 0.026)) for side in (-1, 1)]
    _tint(skin, _spots(holes, 1.3), dark, 0.95)
    wings = np.zeros((HEIGHT, WIDTH), np.uint8)
    path = neutral()[[129, 64, 98], :2]
    for points in (path, path * (-1, 1)):
        cv2.polylines(wings, [_fixed(points)], False, 255, 2, cv2.LINE_AA, BITS)
    _tint(skin, cv2.GaussianBlur(wings, (0, 0), 1.5).astype(np.float32) / 255, scaled(person.skin, 0.5), 0.6)


def _brows(skin: np.ndarray, person: Person, rng: np.random.Generator) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    thickness = 0.45 + 0.55 * person.brow_thickness
    for ring in (RIGHT_BROW, LEFT_BROW):
        upper, lower = neutral()[list(ring[:5]), :2], neutral()[list(ring[:4:-1]), :2]
        middle = (upper + lower) / 2
        upper, lower = (middle + thickness * (edge - middle) * _taper() for edge in (upper, lower))
        cv2.fillPoly(mask, [_fixed(np.vstack((upper, lower[::-1])))], 150, cv2.LINE_AA, BITS)
        for _ in range(26):
            t, v = rng.uniform(0, 3.99), rng.uniform(-0.1, 1)
            i, part = int(t), t % 1
            root = (1 - part) * (v * upper + (1 - v) * lower)[i] + part * (v * upper + (1 - v) * lower)[i + 1]
            outward = np.array((np.sign(root[0]) * 0.05, -0.03 + 0.04 * (4 - t) / 4))
            cv2.polylines(mask, [_fixed(np.stack((root, root + outward)))], False, 255, 1, cv2.LINE_AA, BITS)
    colour = mix(scaled(person.hair, 0.75), (34, 25, 22), 0.45)
    colour = scaled(colour, min(1.0, 0.5 * sum(person.skin) / sum(colour)))  # always clearly darker than the skin
    _tint(skin, cv2.GaussianBlur(mask, (0, 0), 0.7).astype(np.float32) / 255, colour, 0.92)


@cache
def _taper() -> np.ndarray:
    """A brow is thin at its outer end."""
    return np.array((0.35, 0.75, 1, 1.05, 0.95))[:, None]


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.rint((points - LOW) * PER_UNIT * (1 << BITS)).astype(np.int32)


def _spots(ellipses: list, blur: float) -> np.ndarray:
    """Soft ellipses, each a centre and two radii in head units: (HEIGHT, WIDTH) float32, 0-1."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for centre, radii in ellipses:
        middle = _fixed(np.asarray(centre, float))
        axes = [int(r * PER_UNIT * (1 << BITS)) for r in radii]
        cv2.ellipse(mask, [int(m) for m in middle], axes, 0, 0, 360, 255, -1, cv2.LINE_AA, BITS)
    return cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) / 255


def _tint(skin: np.ndarray, weight: np.ndarray, colour: Colour, strength: float) -> None:
    skin += (strength * weight)[..., None] * (np.array(colour, np.float32) - skin)
