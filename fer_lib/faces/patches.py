"""Parts of 48×48 faces covered with white noise: paper 002's bars, covers fitted to the mesh, patches."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd

from fer_lib.faces.occlude import average_mesh
from fer_lib.faces.prepare import mesh_of
from fer_lib.synthetic import mesh
from fer_lib.synthetic.draw import REGIONS

SIDE = 48
BARS = {"eyes": 10, "nose": 20, "mouth": 30}  # the first row of each bar (paper 002, Methods)
BAR_HEIGHT = 10
BAR_PIXELS = BAR_HEIGHT * SIDE
REGION_PIXELS = 160  # that a cover of one region hides, whatever the region: 7 % of the picture
PARTS = {"eyes": ("brows", "eyes"), "nose": ("nose",), "mouth": ("mouth",)}  # what the bars are meant to hide
PATCH = 6  # side of a patch in pixels
PATCHES = (SIDE // PATCH) ** 2  # of a picture


def bar_mask(part: str) -> np.ndarray:
    """Where paper 002's bar over a part lies, bool (48, 48); `part` of `BARS`."""
    rows = np.zeros((SIDE, SIDE), bool)
    rows[BARS[part] : BARS[part] + BAR_HEIGHT] = True
    return rows


def with_noise(pictures: np.ndarray, masks: np.ndarray, seed: int) -> np.ndarray:
    """White noise where the masks are, new for every picture.

    Parameters
    ----------
    pictures : uint8 (N, 48, 48)
    masks : bool (N, 48, 48), or (48, 48) for all
    """
    noise = np.random.default_rng(seed).integers(0, 256, pictures.shape, np.uint8)
    return np.where(masks, noise, pictures)


def meshes_in_view(rows: pd.DataFrame, faces: pd.DataFrame) -> np.ndarray:
    """Where each face lies in what models see of it, float (N, 468, 2) in pixels of 48×48.

    Faces without a mesh get the average one.

    Parameters
    ----------
    rows, faces : of a study table, and what `faces.prepare` measured of them (landmarks, face_box, height, width)
    """
    seen = []
    for box, row in zip(rows["box"], faces.itertuples(), strict=True):
        shape = row.height, row.width
        known = mesh_of(row.landmarks)[: mesh.N_FACE, :2] if row.landmarks is not None else None
        points = average_mesh(box, row.face_box, shape) if known is None else known.astype(float)
        x, y, width, height = (0, 0, *shape[::-1]) if box is None else (*np.round(box[:2]), *[round(box[2])] * 2)
        seen.append((points - (x, y) + 0.5) * (SIDE / max(width, 1), SIDE / max(height, 1)) - 0.5)
    return np.array(seen).reshape(-1, mesh.N_FACE, 2)


def region_masks(meshes: np.ndarray, regions: Sequence[str], pixels: int) -> np.ndarray:
    """The pixels nearest to some regions of each face, or deepest inside them, equally many in every picture.

    Parameters
    ----------
    meshes : (N, 468, 2) in pixels of 48×48
    regions : of `REGIONS`

    Returns
    -------
    bool (N, 48, 48), each with `pixels` true
    """
    rings = [list(ring) for name in regions for ring in REGIONS[name]]
    return np.stack([_nearest(mesh_, rings, pixels) for mesh_ in meshes])


def _nearest(points: np.ndarray, rings: Sequence[Sequence[int]], pixels: int) -> np.ndarray:
    inside = np.zeros((3 * SIDE, 3 * SIDE), np.uint8)  # wide enough for faces that leave the picture
    for ring in rings:
        hull = cv2.convexHull(np.rint(np.clip(points[ring], -SIDE + 1, 2 * SIDE - 2) + SIDE).astype(np.int32))
        cv2.fillConvexPoly(inside, hull, 1)
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) - cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    order = np.argsort(away[SIDE : 2 * SIDE, SIDE : 2 * SIDE], axis=None, kind="stable")
    chosen = np.zeros(SIDE * SIDE, bool)
    chosen[order[:pixels]] = True
    return chosen.reshape(SIDE, SIDE)


def patch_masks(heat: np.ndarray, share: float) -> np.ndarray:
    """The hottest patches of each picture, as many as make up a share of it.

    Parameters
    ----------
    heat : float (N, 48, 48); random numbers give random patches
    share : 0-1 of the picture's patches, which are `PATCH` pixels wide

    Returns
    -------
    bool (N, 48, 48)
    """
    across = SIDE // PATCH
    means = heat.reshape(-1, across, PATCH, across, PATCH).mean((2, 4)).reshape(len(heat), -1)
    ranks = np.argsort(np.argsort(-means, axis=1, kind="stable"), axis=1)
    chosen = (ranks < round(share * across * across)).reshape(-1, across, across)
    return chosen.repeat(PATCH, 1).repeat(PATCH, 2)
