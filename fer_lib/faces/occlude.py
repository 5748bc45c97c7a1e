"""Masks, sunglasses and headsets on a face, fitted to its mesh (papers 000, section 6.1, and 003).

A cover lies where the face is, not where its expression is: its place is told by vertices that hardly move when a face
does, and its light by bare skin, so that no mask betrays the mouth below it. Only a jaw that drops takes its mask
along, as it does in life.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator

from fer_lib.errors import StudyError
from fer_lib.faces.crops import BOX_MARGIN
from fer_lib.faces.fabric import COVERS, WIDEST, Cover
from fer_lib.faces.geometry import eye_distance
from fer_lib.synthetic.mesh import OVAL, mirror, neutral

# Vertices that tell where the face is: its oval, the corners of the eyes, the bridge of the nose, the outer cheeks.
_RIGHT = (33, 133, 117, 118, 119, 123, 147, 177, 213, 192, 100, 101)
ANCHORS = (*OVAL, *_RIGHT, *mirror()[list(_RIGHT)], 168, 6, 197, 195, 5, 4)
# Skin that shows how light falls: forehead, bridge of the nose and cheeks.
SKIN = (10, 151, 9, 67, 297, 69, 299, 104, 333, 108, 337, 6, 197, 117, 346, 118, 347, 123, 352, 147, 376, 177, 401)
FINENESS = 64  # pixels of an eye distance that covers are drawn at, before they are reduced to the picture
FIXED = (0.495, 0.385, 0.35)  # x and y between the eyes, and their distance, in sides: the mean of FER2013's meshes
GRID = 14  # points along each side, between which the face's coordinates are interpolated
FEWEST, UNKNOWN_LIGHT = 4, 0.85  # places of bare skin that tell the light, and what is taken where fewer are seen
SMOOTH = 1e-3  # of interpolated places: landmarks may err by so little


@dataclass(frozen=True, eq=False)
class Covered:
    """A picture with a cover on its face.

    Attributes
    ----------
    picture : uint8 (H, W) or (H, W, 3), as the bare one
    outlines : polygons, float32 (n, 2), in pixels, whole numbers at their centres; pixels that none of them touches
        are as they were
    """

    picture: np.ndarray
    outlines: list[np.ndarray]


def cover(picture: np.ndarray, mesh: np.ndarray, kind: str, rng: np.random.Generator) -> Covered:
    """Put a cover on a face.

    Parameters
    ----------
    picture : uint8 (H, W) grey or (H, W, 3) RGB
    mesh : landmarks (468 or more, 2 or more) in pixels of the picture
    kind : of `fabric.COVERS`
    rng : draws colour and pattern

    Raises
    ------
    StudyError
        When the kind is unknown.
    """
    if kind not in COVERS:
        raise StudyError(f"{kind!r} is no cover for a face; use one of {', '.join(COVERS)}.")
    worn, mesh = COVERS[kind], np.asarray(mesh, float)[:, :2]
    known, at = neutral()[list(ANCHORS), :2], mesh[list(ANCHORS)]
    polygons, bands = _outlines(worn, RBFInterpolator(known, at, smoothing=SMOOTH))
    outlines = [*polygons, *bands]
    area = _Area.around(outlines, picture.shape, float(eye_distance(mesh)))
    if area is None:
        return Covered(picture.copy(), outlines)
    x, y = area.grid(RBFInterpolator(at, known, smoothing=SMOOTH))
    colours = worn.paint(x, y, rng)
    colours[area.fill(polygons) == 0] = worn.band_colour
    turned_away = 1 - 0.35 * np.clip(np.abs(x) / WIDEST, 0, 1) ** 2
    colours *= (turned_away * _light(picture, mesh, worn, area))[..., None]
    return Covered(area.compose(picture, colours, area.fill(outlines)), outlines)


def fixed_mesh(x: float, y: float, side: float) -> np.ndarray:
    """The average face, (468, 2), where faces lie on average in a square picture of them.

    Parameters
    ----------
    x, y, side : of the square, in pixels
    """
    across, down, distance = FIXED
    return neutral()[:, :2] * distance * side + np.array((x + across * side, y + down * side)) - 0.5


def average_mesh(box: Sequence[float] | None, face_box: Sequence[float] | None, shape: tuple[int, ...]) -> np.ndarray:
    """The average face, (468, 2) in pixels, where no mesh tells it: in the table's box, the found one, or the picture.

    Parameters
    ----------
    box : x, y and side of the square that the study table names, or None
    face_box : x, y, width and height of what BlazeFace found, or None
    shape : of the picture, height and width first
    """
    if box is not None:
        return fixed_mesh(*(float(value) for value in box[:3]))
    if face_box is not None:
        x, y, width, height = (float(value) for value in face_box)
        side = BOX_MARGIN * max(width, height)
        return fixed_mesh(x + width / 2 - side / 2, y + height / 2 - side / 2, side)
    side = min(shape[:2])
    return fixed_mesh((shape[1] - side) / 2, (shape[0] - side) / 2, side)


@dataclass(frozen=True)
class _Area:
    """The part of a picture that a cover lies in, drawn `factor` times as large.

    Attributes
    ----------
    left, top, right, bottom : its pixels in the picture, right and bottom excluded
    """

    left: int
    top: int
    right: int
    bottom: int
    factor: int

    @classmethod
    def around(cls, outlines: Sequence[np.ndarray], shape: tuple[int, ...], unit: float) -> "_Area | None":
        """The area of all outlines in a picture of that shape; None where they lie outside."""
        points = np.concatenate(outlines)
        low, high = np.floor(points.min(0)).astype(int) - 1, np.ceil(points.max(0)).astype(int) + 2
        left, top = np.maximum(low, 0)
        right, bottom = np.minimum(high, shape[1::-1])
        factor = int(np.clip(round(FINENESS / max(unit, 1e-6)), 1, 8))
        return cls(left, top, right, bottom, factor) if right > left and bottom > top else None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in drawn pixels."""
        return (self.bottom - self.top) * self.factor, (self.right - self.left) * self.factor

    def fill(self, polygons: Sequence[np.ndarray]) -> np.ndarray:
        """Where the polygons are, uint8 (height, width) of 0 or 1 in drawn pixels."""
        canvas = np.zeros(self.size, np.uint8)
        for polygon in polygons:
            drawn = (polygon - (self.left, self.top) + 0.5) * self.factor - 0.5
            cv2.fillPoly(canvas, [np.rint(drawn * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        return canvas

    def grid(self, coordinates: RBFInterpolator) -> tuple[np.ndarray, np.ndarray]:
        """The face's x and y at every drawn pixel, each (height, width)."""
        height, width = self.size
        across = np.linspace(self.left - 0.5, self.right - 0.5, GRID)
        down = np.linspace(self.top - 0.5, self.bottom - 0.5, GRID)
        points = np.stack(np.meshgrid(across, down), -1).reshape(-1, 2)
        coarse = coordinates(points).reshape(GRID, GRID, 2)
        # borders of the area lie on the outer points, so the fine grid begins half a step inside of them
        at = [(np.arange(n) + 0.5) / n * (GRID - 1) for n in (width, height)]
        maps = [part.astype(np.float32) for part in np.meshgrid(*at)]
        return tuple(
            cv2.remap(np.ascontiguousarray(coarse[..., k], np.float32), *maps, cv2.INTER_LINEAR) for k in (0, 1)
        )

    def compose(self, picture: np.ndarray, colours: np.ndarray, fills: np.ndarray) -> np.ndarray:
        """The picture with the drawn colours (height, width, 3), 0-1, where `fills` is 1."""
        size = (self.right - self.left, self.bottom - self.top)
        share = cv2.resize(fills.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        paint = cv2.resize((colours * fills[..., None]).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        paint = 255 * np.clip(paint, 0, 1)
        if picture.ndim == 2:
            paint = cv2.cvtColor(paint, cv2.COLOR_RGB2GRAY)
        else:
            share = share[..., None]
        new = picture.copy()
        part = new[self.top : self.bottom, self.left : self.right]
        mixed = np.rint(part * (1 - share) + paint).clip(0, 255).astype(np.uint8)
        part[:] = np.where(share > 0, mixed, part)
        return new


def _outlines(worn: Cover, place: RBFInterpolator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Polygons and bands of a cover in pixels, float32 (n, 2) each."""
    flip = np.array((-1, 1))
    closed = [np.concatenate([half, (np.array(half) * flip)[-2:0:-1]]) for half in worn.halves]
    closed += [np.array(pair) * side for pair in worn.pairs for side in (1, flip)]
    bands = [_band(*band) * side for band in worn.bands for side in (1, flip)]
    polygons = [place(_rounded_off(corners)).astype(np.float32) for corners in closed]
    return polygons, [place(corners).astype(np.float32) for corners in bands]


def _band(start: tuple[float, float], end: tuple[float, float], width: float) -> np.ndarray:
    """A straight band as a polygon, (4, 2)."""
    start, end = np.array(start), np.array(end)
    along = (end - start) / np.linalg.norm(end - start)
    aside = 0.5 * width * np.array((-along[1], along[0]))
    return np.array((start + aside, end + aside, end - aside, start - aside))


def _rounded_off(corners: np.ndarray, times: int = 2) -> np.ndarray:
    """A closed polygon with its corners cut, twice (Chaikin 1974)."""
    for _ in range(times):
        following = np.roll(corners, -1, 0)
        corners = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], 1).reshape(-1, 2)
    return corners


def _light(picture: np.ndarray, mesh: np.ndarray, worn: Cover, area: _Area) -> np.ndarray:
    """How bright the face is lit at every drawn pixel of the area, (height, width), 1 for full light.

    A plane through the brightness of bare skin, and nothing of what the cover hides: or the dark of an open mouth would
    shine through.
    """
    height, width = picture.shape[:2]
    size = max(1, round(0.12 * float(eye_distance(mesh))))
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    smooth = cv2.blur(grey, (size, size)) / 255
    points = mesh[[index for index in SKIN if not _hidden(worn, neutral()[index, :2])]]
    places = np.rint(points).astype(int)
    inside = ((places >= 0) & (places < (width, height))).all(1)
    points, levels = points[inside], smooth[tuple(places[inside].T[::-1])]
    skin = levels >= 0.6 * np.median(levels) if len(levels) else np.zeros(0, bool)  # darker is hair
    if skin.sum() < FEWEST:
        return np.full(area.size, UNKNOWN_LIGHT)
    middle = points[skin].mean(0)
    plane = np.linalg.lstsq(np.c_[np.ones(skin.sum()), points[skin] - middle], levels[skin], rcond=None)[0]
    mean = max(float(plane[0]), 1e-3)
    xs = (np.arange(area.size[1]) + 0.5) / area.factor + area.left - 0.5 - middle[0]
    ys = (np.arange(area.size[0]) + 0.5) / area.factor + area.top - 0.5 - middle[1]
    fall = 1 + (plane[1] * xs[None] + plane[2] * ys[:, None]) / mean
    return np.clip(0.5 + 0.6 * mean, 0.5, 1.0) * np.clip(fall, 0.6, 1.3)


def _hidden(worn: Cover, point: np.ndarray) -> bool:
    """Whether a point of the face, in its own coordinates, lies below a cover."""
    folded = np.array((-abs(point[0]), point[1]))
    halves = [np.array([*half, (0, half[-1][1]), (0, half[0][1])], np.float32) for half in worn.halves]
    shapes = halves + [np.array(pair, np.float32) for pair in worn.pairs]
    return any(cv2.pointPolygonTest(shape, folded.tolist(), True) > -0.06 for shape in shapes)
