"""Neck, shoulders and clothes of a drawn person, painted and shaded."""

from dataclasses import replace

import cv2
import numpy as np

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import FRACTION_BITS, Canvas, Colour, scaled, to_fixed
from fer_lib.synthetic.figure import NECK, Figure, line, smooth, whole
from fer_lib.synthetic.garments import PATTERNS, WEAVES, Outfit, Piece, choose_outfit
from fer_lib.synthetic.person import Person
from fer_lib.synthetic.relief import COARSE, Relief, coarse, coarse_mask, soften

SEED = 7
SHADOW_POWER = np.array([0.85, 1.08, 1.16], np.float32)  # skin in shadow is redder
JAW = np.array([(-0.84, 1.15, -0.5), (-0.7, 1.4, -0.3), (-0.35, 1.68, 0), (0.0, 1.76, 0.06)])
JAW = np.concatenate([JAW, JAW[-2::-1] * (-1, 1, 1), [(0.6, 0.9, -1.0), (-0.6, 0.9, -1.0)]])
BEND = np.stack([(1 - (t := np.linspace(0, 1, 10))) ** 2, 2 * t * (1 - t), t**2], 1)  # three points to a curve
TORSO = smooth(
    "0.66,1.0 0.66,1.8 0.7,2.1 0.83,2.28 1.12,2.4 1.6,2.53 2.08,2.69 2.42,2.96 2.62,3.4 2.74,4.3 2.85,6 2.85,10"
)
CLOTH = smooth("0.74,2.18 0.88,2.25 1.14,2.35 1.61,2.49 2.1,2.65 2.45,2.93 2.66,3.4 2.78,4.3 2.9,6 2.9,10")
ARM = smooth("1.98,10 1.98,6 1.94,4.6 1.98,4.0 2.04,3.7")
ARMHOLE = smooth("2.02,2.6 2.1,2.95 2.06,3.4 1.96,3.9 1.95,4.4")
MUSCLES = smooth("0.6,1.55 0.42,2.1 0.13,2.66")
COLLAR_BONES = smooth("0.16,2.74 0.7,2.7 1.5,2.56")
ROLL = smooth("0.76,1.86 0.79,2.1 0.9,2.26 1.06,2.4 0.82,2.56 0.4,2.68 0,2.72")
ROLL_TOP = smooth("0.76,1.86 0.4,2.0 0,2.04")

FOLD_STARTS = line("1.9,3.9 1.9,3.9 1.9,3.7 1.5,2.6 2.4,3.0 0.9,3.0 0.4,3.6 2.5,4.0")
FOLD_REACH = line("-.9,-.5 -1.1,.1 -.5,-.8 -.2,1 -.1,1.2 -.6,.6 -.8,.4 -.3,.9")


def paint_body(canvas: Canvas, person: Person, pose: Pose, light: Light) -> None:
    """Paint neck, shoulders and clothes down to the picture's lower edge."""
    top = max(0, COARSE * int((pose.y - 0.2 * pose.scale) / COARSE))
    canvas = Canvas(canvas.image[top:], canvas.covered[top:])
    if canvas.covered.size == 0:
        return
    pose = replace(pose, y=pose.y - top)
    rng = np.random.default_rng([person.texture_seed, SEED])
    outfit = choose_outfit(person, rng)
    figure = Figure.of(person, pose)
    shadow = _chin_shadow(canvas.covered.shape, pose, light)
    behind = outfit.garment.behind
    if behind is not None:
        canvas.fill(figure.place(whole(behind)), scaled(outfit.palette["behind"], 0.6))
    _paint_skin(canvas, figure, outfit, light, shadow)
    _paint_clothes(canvas, figure, outfit, light, shadow, rng)


def _chin_shadow(shape: tuple[int, int], pose: Pose, light: Light) -> np.ndarray:
    """How much (h, w), 0-1, of the light the head keeps from neck and collar."""
    jaw = pose.project(JAW)[:, :2]
    x, y = -light.direction[0], -light.direction[1]
    near = coarse_mask([jaw + pose.scale * np.array([0.08 * x, 0.12])], coarse(shape))
    far = coarse_mask([jaw + pose.scale * np.array([0.35 * x, 0.16 + 0.5 * max(y, 0)])], coarse(shape))
    near, far = soften(near, 0.08 * pose.scale / COARSE), soften(far, 0.14 * pose.scale / COARSE)
    return 0.22 * near + (0.2 + 0.25 * light.strength) * far


def _paint_skin(canvas: Canvas, figure: Figure, outfit: Outfit, light: Light, shadow: np.ndarray) -> None:
    layer = _layer(canvas)
    layer.fill(figure.place(whole(TORSO)), outfit.palette["skin"])
    relief = Relief(np.zeros_like(shadow), figure.pose.scale / COARSE)
    if outfit.garment.roll:
        roll = figure.place(np.concatenate([whole(ROLL), whole(ROLL_TOP)[::-1]]))
        layer.fill(roll, outfit.palette["main"])
        relief.lift([roll], 0.15, 0.06)
    else:
        relief.lift(figure.both(MUSCLES), 0.08, 0.07, 0.08)
        relief.lift(figure.both(COLLAR_BONES), 0.1, 0.06, 0.08)
        relief.lift([figure.place(whole(outfit.garment.neckline))], -0.2, 0.1, 0.1)
    brightness = relief.brightness(light, _neck_slope(figure, shadow.shape))
    tones = np.maximum(brightness, 0.2) * (1 - shadow)
    _put(canvas, layer, tones[..., None] ** SHADOW_POWER)


def _neck_slope(figure: Figure, shape: tuple[int, int]) -> np.ndarray:
    """Slopes (h, w, 2) of the neck's cylinder, which flattens and leans back towards the chest."""
    top, end = figure.place(np.array([(-NECK, 1.8), (NECK, 1.8), (-NECK, 2.6), (NECK, 2.6)])).reshape(2, 2, 2).mean(1)
    rows = np.arange(shape[0], dtype=np.float32)[:, None] * COARSE
    columns = np.arange(shape[1], dtype=np.float32) * COARSE
    along = np.clip((rows - top[1]) / (end[1] - top[1]), 0, 1)
    across = (columns - top[0] - along * (end[0] - top[0])) / (figure.neck * figure.pose.scale)
    across = np.clip(across * (1 - 0.75 * along**3), -0.9, 0.9)
    return np.dstack(np.broadcast_arrays(across / np.sqrt(1 - across**2), 0.6 * along**2 - 0.2))


def _paint_clothes(
    canvas: Canvas, figure: Figure, outfit: Outfit, light: Light, shadow: np.ndarray, rng: np.random.Generator
) -> None:
    layer = _layer(canvas)
    outline = figure.place(whole(CLOTH))
    layer.fill(outline, outfit.palette["main"])
    _paint_pattern(layer, figure, outfit)
    neckline = outfit.garment.neckline
    opening = figure.place(whole(np.concatenate([neckline[:1] - (0, 1.2), neckline])))
    cv2.fillPoly(layer.covered, [to_fixed(opening)], 0, cv2.LINE_8, FRACTION_BITS)
    relief = _drape(figure, shadow.shape, outline, rng)
    for piece in outfit.garment.pieces:
        _sew(layer, relief, figure, piece, outfit.palette)
    _put(canvas, layer, relief.brightness(light) * (1 - 0.8 * shadow), outfit.pattern)


def _sew(layer: Canvas, relief: Relief, figure: Figure, piece: Piece, palette: dict[str, Colour]) -> None:
    outlines = figure.both(piece.outline)[: 1 + piece.mirrored]
    for outline in outlines:
        if piece.width:
            layer.line(outline, palette[piece.colour], piece.width * figure.pose.scale)
        else:
            layer.fill(outline, palette[piece.colour])
            layer.line(outline, scaled(palette[piece.colour], 0.75), 0.02 * figure.pose.scale)
    if piece.lift:
        relief.lift(outlines, piece.lift, 0.06, piece.width)


def _drape(figure: Figure, shape: tuple[int, int], outline: np.ndarray, rng: np.random.Generator) -> Relief:
    """The relief of chest, arms and folds."""
    relief = Relief(np.zeros(shape, np.float32), figure.pose.scale / COARSE)
    relief.lift([outline], 1.1, 0.45)
    relief.lift([outline], 0.2, 0.15)
    relief.lift(figure.both(ARM), -0.35, 0.12, 0.1)
    relief.lift(figure.both(ARMHOLE), -0.04, 0.05, 0.04)
    start, reach = (
        np.tile(part, (2, 1)) + rng.normal(0, 0.1, (2 * len(part), 2)) for part in (FOLD_STARTS, FOLD_REACH)
    )
    bend = start + 0.5 * reach + rng.normal(0, 0.1, start.shape)
    folds = BEND @ np.stack([start, bend, start + reach], 1)
    folds[: len(folds) // 2, :, 0] *= -1
    placed = figure.place(folds.reshape(-1, 2)).reshape(folds.shape)
    relief.lift(list(placed[::2]), 0.14, 0.06, 0.06)
    relief.lift(list(placed[1::2]), 0.25, 0.13, 0.1)
    return relief


def _paint_pattern(layer: Canvas, figure: Figure, outfit: Outfit) -> None:
    unit, colour = figure.pose.scale, outfit.palette["second"]
    for lines, width in PATTERNS[outfit.pattern]:
        placed = figure.place(lines.reshape(-1, 2)).reshape(lines.shape)
        cv2.polylines(layer.image, list(to_fixed(placed)), False, colour, max(1, round(width * unit)), 8, FRACTION_BITS)


def _layer(canvas: Canvas) -> Canvas:
    return Canvas(np.empty_like(canvas.image), np.zeros_like(canvas.covered))


def _put(canvas: Canvas, layer: Canvas, tones: np.ndarray, weave: str | None = None) -> None:
    """Put a layer on the canvas, multiplied by coarse `tones` (h, w) or (h, w, 3) and the threads of a weave."""
    height, width = canvas.covered.shape
    factors = cv2.resize(np.clip(128 * tones, 0, 255).astype(np.uint8), (width, height))
    if weave:
        tile = WEAVES[weave == "knit"]
        threads = np.tile(tile, (height // len(tile) + 1, width // len(tile) + 1))[:height, :width]
        factors = cv2.merge([cv2.add(factors, threads)] * 3)
    cv2.copyTo(cv2.multiply(layer.image, factors, scale=1 / 128), layer.covered, canvas.image)
    cv2.bitwise_or(canvas.covered, layer.covered, canvas.covered)
