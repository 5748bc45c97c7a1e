"""Hair painted on a canvas: behind the head first, then over skull and forehead."""

from dataclasses import dataclass

import cv2
import numpy as np

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import FRACTION_BITS, Canvas, Colour, to_fixed
from fer_lib.synthetic.hairstyles import Hair, make_hair
from fer_lib.synthetic.locks import POINTS
from fer_lib.synthetic.person import Person
from fer_lib.synthetic.scalp import SKULL_AXES, SKULL_CENTRE

OPAQUE = 255
SHADE_UNIT = 128  # the stored value of brightness 1
BEHIND_SHADE = 0.74  # what lies behind the head gets less light
SHADOW_LENGTH = 0.14  # head units, for a lamp beside the head
SHADOW_DEPTH = 0.45
# From brow to brow and down to the mouth: hair is painted after the face, but what lies beside it on the far
# side of a turned head must not cover it.
FACE_PLATE = np.array(
    [(0.6, -0.64, 0.08), (0.9, -0.62, -0.12), (0.94, -0.31, -0.1), (0.95, 0, -0.25), (0.9, 0.6, -0.2), (0.6, 1.2, 0)]
)
FACE_PLATE = np.concatenate([FACE_PLATE, FACE_PLATE[::-1] * (-1, 1, 1)])
STREAK = np.linspace(-1, 1, 7)


def paint_hair_behind(canvas: Canvas, person: Person, pose: Pose, light: Light) -> None:
    """Paint what hangs or bulges behind head and neck; to be called before the body is painted."""
    hair = make_hair(person)
    if hair is None:
        return
    view = View.of(hair, person, pose, light)
    sheet = Sheet.around(view, canvas)
    if hair.cover == 1:
        outline = cv2.convexHull(view.cap.reshape(-1, 2).astype(np.float32))[:, 0]
        sheet.fill([outline], toned(person.hair, [0.8])[0])
    layers = hair.locks.layers
    hidden = (view.facing < 0.02).any(1) & (layers == 0) | (layers < 0)
    away = np.where(layers < 0, 0, np.minimum(view.facing.mean(1), 0))
    dim = np.clip(1 + 0.5 * away, BEHIND_SHADE, 1)
    paint_locks(sheet, view, np.flatnonzero(hidden), np.ones_like(view.facing, bool), dim)
    sheet.paste(canvas, shading(sheet, hair, pose, light))


def paint_hair_front(canvas: Canvas, person: Person, pose: Pose, light: Light) -> None:
    """Paint what lies over skull, ears, forehead and shoulders; to be called after the face is painted."""
    hair = make_hair(person)
    if hair is None:
        return
    view = View.of(hair, person, pose, light)
    sheet = Sheet.around(view, canvas)
    paint_cap(sheet, view, pose)
    layers = hair.locks.layers[:, None]
    shown = (view.facing > 0) & (layers == 0) | (layers > 0)
    paint_locks(sheet, view, np.flatnonzero(shown.sum(1) > 1), shown, np.ones(len(shown)))
    sheet.fill([pose.project(FACE_PLATE * hair.size)[:, :2]], (0, 0, 0, 0))
    sheet.cast_shadow(canvas, pose, light)
    sheet.paste(canvas, shading(sheet, hair, pose, light))


@dataclass(frozen=True, eq=False)
class View:
    """Hair as seen in one pose.

    hair, colour, scale : what is seen; RGB; pixels per head unit
    cap : (azimuths, rises, 2), pixels
    points : (n, POINTS, 3) of the locks, x and y in pixels, depth in head units
    facing : (n, POINTS), how far the skull below faces the viewer, -1 to 1
    gloss : (n, POINTS), 0-1, how strongly the lamp is mirrored
    """

    hair: Hair
    colour: Colour
    scale: float
    cap: np.ndarray
    points: np.ndarray
    facing: np.ndarray
    gloss: np.ndarray

    @classmethod
    def of(cls, hair: Hair, person: Person, pose: Pose, light: Light) -> "View":
        """Project the hair; below the ears it follows the body, because it hangs."""
        points = hair.locks.points
        weight = np.clip((points[..., 1:2] - 0.2) / 1.2, 0, 1)
        weight = weight * weight * (3 - 2 * weight)
        projected = (1 - weight) * pose.project(points) + weight * pose.body().project(points)
        normals = (points - SKULL_CENTRE) / SKULL_AXES**2
        normals[..., 1] = np.minimum(normals[..., 1], 0)
        upright = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
        normals = pose.directions(upright)
        # The face reaches further forward than the skull, so on its far side it hides more than the skull does.
        far = np.clip(upright[..., 0] * np.sin(np.radians(pose.yaw)), 0, 1) * np.clip(3 * (points[..., 1] + 1.1), 0, 1)
        along = pose.directions(np.gradient(points, axis=1))
        along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9
        halfway = np.asarray(light.direction) + np.array([0, 0, 1])
        halfway = halfway / np.linalg.norm(halfway)
        gloss = (1 - (along @ halfway) ** 2) ** 8 * np.clip(normals @ halfway, 0, 1)
        cap = pose.project(hair.cap)[..., :2]
        return cls(hair, person.hair, pose.scale, cap, projected, normals[..., 2] - 0.6 * far, gloss)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A transparent sheet to paint hair on, multiplied by its opacity.

    image : (h, w, 4) uint8, RGB and opacity
    corner : x, y of its place on the canvas
    """

    image: np.ndarray
    corner: np.ndarray

    @classmethod
    def around(cls, view: View, canvas: Canvas) -> "Sheet":
        """An empty sheet as large as the hair, within the canvas."""
        spots = np.concatenate([view.points[..., :2].reshape(-1, 2), view.cap.reshape(-1, 2)])
        margin = 0.25 * view.scale  # locks are wider than their middle line, and cast shadows
        limit = np.array(canvas.image.shape[1::-1])
        low = np.clip(spots.min(0) - margin, 0, limit - 1).astype(int)
        high = np.clip(spots.max(0) + margin, low + 1, limit).astype(int)
        return cls(np.zeros((*(high - low)[::-1], 4), np.uint8), low)

    def fill(self, polygons: list[np.ndarray], colour: tuple) -> None:
        """Fill polygons (n, 2), in pixels of the canvas, that do not overlap."""
        corners = [to_fixed(polygon - self.corner) for polygon in polygons]
        cv2.fillPoly(self.image, corners, colour, cv2.LINE_8, FRACTION_BITS)

    def cast_shadow(self, canvas: Canvas, pose: Pose, light: Light) -> None:
        """Darken the skin and clothes that the hair on this sheet keeps the lamp from."""
        (x, y), (height, width) = self.corner, self.image.shape[:2]
        offset = -SHADOW_LENGTH * pose.scale * np.asarray(light.direction[:2])
        shift = np.float32([[1, 0, offset[0]], [0, 1, offset[1]]])
        reach = 2 * round(0.07 * pose.scale) + 1
        shadow = cv2.blur(cv2.warpAffine(self.image[..., 3], shift, (width, height)), (reach, reach))
        covered = canvas.covered[y : y + height, x : x + width]
        lit = cv2.bitwise_not(cv2.multiply(shadow, covered, scale=SHADOW_DEPTH * light.strength / OPAQUE))
        patch = canvas.image[y : y + height, x : x + width]
        patch[:] = cv2.multiply(patch, cv2.cvtColor(lit, cv2.COLOR_GRAY2RGB), scale=1 / OPAQUE)

    def paste(self, canvas: Canvas, shade: np.ndarray) -> None:
        """Lay the sheet, made brighter by `shade` (h, w, 4), on the canvas."""
        (x, y), (height, width) = self.corner, self.image.shape[:2]
        lit = cv2.multiply(self.image, shade, scale=1 / SHADE_UNIT)
        opacity = lit[..., 3]
        patch = canvas.image[y : y + height, x : x + width]
        below = cv2.multiply(patch, cv2.cvtColor(cv2.bitwise_not(opacity), cv2.COLOR_GRAY2RGB), scale=1 / OPAQUE)
        patch[:] = cv2.add(below, cv2.cvtColor(lit, cv2.COLOR_RGBA2RGB))
        covered = canvas.covered[y : y + height, x : x + width]
        covered[:] = cv2.max(covered, opacity)


def paint_cap(sheet: Sheet, view: View, pose: Pose) -> None:
    """Paint the soft ground below the locks, and hairs too short to be locks."""
    grid, hair = view.cap, view.hair
    quads = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], 2).reshape(-1, 4, 2)
    a, b = quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1]
    facing = a[:, 0] * b[:, 1] < a[:, 1] * b[:, 0]
    sheet.fill(list(quads[facing]), toned(view.colour, [0.84])[0])
    reach = 2 * round(0.05 * view.scale) + 1
    cv2.blur(sheet.image, (reach, reach), sheet.image)
    if hair.cover < 1:
        cv2.convertScaleAbs(sheet.image, sheet.image, hair.cover)
    outward = hair.fuzz[:, 0] - SKULL_CENTRE
    outward = pose.directions(outward)[:, 2] > np.where(outward[:, 1] < -0.5, 0, 0.3)  # beside a far cheek it is dirt
    strokes = to_fixed(pose.project(hair.fuzz[outward])[..., :2] - sheet.corner)
    for i, colour in enumerate(toned(view.colour, [0.75, 1.1])):
        cv2.polylines(sheet.image, list(strokes[i::2]), False, colour, 1, cv2.LINE_AA, FRACTION_BITS)


def paint_locks(sheet: Sheet, view: View, chosen: np.ndarray, shown: np.ndarray, dim: np.ndarray) -> None:
    """Paint the `chosen` locks, from far to near, where `shown` (n, POINTS), made darker by `dim` (n,)."""
    chosen = chosen[np.argsort(view.points[chosen, :, 2].mean(1))]
    rows, places, hair = chosen[:, None], clamped(shown[chosen]), view.hair
    spots = view.points[rows, places, :2] - sheet.corner
    aside = sideways(spots) * (0.5 * view.scale * hair.locks.widths[rows, places])[..., None]
    outlines = to_fixed(np.concatenate([spots + aside, (spots - aside)[:, ::-1]], 1))
    dark = to_fixed(np.stack([spots + 0.95 * aside, spots - 0.35 * aside], 1))
    bright = to_fixed(np.stack([spots + 0.3 * aside, spots - 0.75 * aside], 1))
    streaks, strong = streak_outlines(spots, aside, np.where(shown[chosen], view.gloss[rows, places], 0))
    tones = hair.locks.tones[chosen] * dim[chosen]
    plain, darker, lighter = (toned(view.colour, tones + change) for change in (0, -0.2, 0.14))
    shine = toned(view.colour, tones + hair.shine * (0.1 + 0.35 * strong))
    for i in range(len(chosen)):
        cv2.fillPoly(sheet.image, outlines[i : i + 1], plain[i], cv2.LINE_8, FRACTION_BITS)
        cv2.polylines(sheet.image, dark[i], False, darker[i], 1, cv2.LINE_AA, FRACTION_BITS)
        cv2.polylines(sheet.image, bright[i], False, lighter[i], 1, cv2.LINE_AA, FRACTION_BITS)
        if strong[i] > 0.3:
            cv2.fillPoly(sheet.image, streaks[i : i + 1], shine[i], cv2.LINE_8, FRACTION_BITS)


def clamped(shown: np.ndarray) -> np.ndarray:
    """Indices (n, POINTS) of the nearest shown point before each point, or else of the first shown one."""
    first = shown.argmax(1)[:, None]
    return np.maximum.accumulate(np.where(shown, np.arange(POINTS), first), axis=1)


def sideways(spots: np.ndarray) -> np.ndarray:
    """Unit vectors (n, POINTS, 2) across the curves `spots` (n, POINTS, 2)."""
    along = np.gradient(spots, axis=1)
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-6
    return np.stack([-along[..., 1], along[..., 0]], -1)


def streak_outlines(spots: np.ndarray, aside: np.ndarray, gloss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lens-shaped highlights (n, 14, 2), fixed-point, where each lock mirrors the lamp most, and how strongly (n,)."""
    peak = np.clip(gloss.argmax(1), 3, POINTS - 4)  # roots and tips are too thin for a highlight
    place = np.clip(peak[:, None] + 1.7 * STREAK, 0, POINTS - 1.001)
    low, share = place.astype(int), (place % 1)[..., None]
    rows = np.arange(len(spots))[:, None]
    middle = (1 - share) * spots[rows, low] + share * spots[rows, low + 1]
    reach = 0.38 * aside[rows, low] * (1 - STREAK**2)[:, None]
    return to_fixed(np.concatenate([middle + reach, (middle - reach)[:, ::-1]], 1)), gloss.max(1, initial=0)


def toned(hair: Colour, tones: np.ndarray) -> list[list[float]]:
    """Opaque hair colours (n, 4), lighter or darker by `tones` (n,); dark hair changes more than in proportion."""
    hair = np.asarray(hair)
    colours = np.clip(hair + (np.asarray(tones)[:, None] - 1) * (0.75 * hair + 46), 0, OPAQUE)
    return np.insert(colours, 3, OPAQUE, axis=1).tolist()


def shading(sheet: Sheet, hair: Hair, pose: Pose, light: Light) -> np.ndarray:
    """Brightness (h, w, 4) uint8 of a smooth head of hair, in `SHADE_UNIT`."""
    height, width = sheet.image.shape[:2]
    grid = np.stack(np.meshgrid(np.linspace(0, width, 24), np.linspace(0, height, 24)), -1)
    roll = np.radians(pose.roll)
    upright = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    centre = pose.project(SKULL_CENTRE)[:2] - sheet.corner
    flat = (grid - centre) @ upright / (pose.scale * hair.volume[:2])
    flat[..., 1] = np.minimum(flat[..., 1], 0)  # below the skull's middle, hair hangs straight down
    flat /= np.maximum(1, np.linalg.norm(flat, axis=-1, keepdims=True) / 0.97)
    depth = np.sqrt(1 - (flat**2).sum(-1, keepdims=True))
    shade = light.shade(np.concatenate([flat @ upright.T, depth], -1))
    shade = np.clip(SHADE_UNIT * shade, 0, 255).astype(np.uint8)
    layers = cv2.merge([shade, shade, shade, np.full_like(shade, SHADE_UNIT)])  # opacity stays as it is
    return cv2.resize(layers, (width, height))
