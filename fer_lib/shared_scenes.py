"""Is the scene of a test picture in train too? Then a place could be known by heart, and its label with it."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fer_lib.data.table import decode_picture, in_threads
from fer_lib.faces.prepare import load_faces, person_mask
from fer_lib.scenes import with_faces

SIDE = 32  # pixels at which scenes are compared
MARGIN = 0.03  # of the side, around people, where nothing is compared
FEWEST = 0.1  # share of the picture that both must show of their scenes
PLAIN = 2 / 255  # of white: a scene that varies less is a plain one, of which nothing can be said
SAME = 0.98  # correlation from which two pictures show one scene


def nearest_in_train(table: pd.DataFrame, faces: Path, split: str = "test") -> np.ndarray:
    """How well each picture's scene agrees with the most alike scene of train: correlation -1 to 1, float (N,).

    Two scenes are compared in grey where neither picture shows people, so that somebody else in front does not hide
    that a scene is the same. A camera that moved between two stills does. NaN where a picture shows too little of its
    scene, or a plain one.

    Parameters
    ----------
    table : the study table
    faces : folder of what `faces.prepare` measured of it
    split : whose pictures are asked about, those without a problem
    """
    greys, seen = _visible(table, faces)
    usable = table["problem"].isna().to_numpy()
    train, asked = (np.flatnonzero(usable & (table["split"] == name).to_numpy()) for name in ("train", split))
    blocks = np.array_split(asked, max(1, len(asked) * len(train) // 10_000_000))
    found = [_correlation(greys[block], seen[block], greys[train], seen[train]).max(1) for block in blocks]
    nearest = np.concatenate(found)
    return np.where(np.isfinite(nearest), nearest, np.nan)


def _visible(table: pd.DataFrame, faces: Path) -> tuple[np.ndarray, np.ndarray]:
    """Grey values, and where they are of the scene, each float32 (N, SIDE²)."""
    found = load_faces(faces, ["person", "face_boxes"])
    masks, boxes = found["person"].tolist(), found["face_boxes"].tolist()
    greys, seen = (np.zeros((len(table), SIDE * SIDE), np.float32) for _ in range(2))

    def reduce(start: int) -> int:
        rows = table.iloc[start : start + 256]
        for i, data, path in zip(range(start, len(table)), rows["picture"], rows["path"], strict=False):
            if masks[i] is not None:
                picture = decode_picture(data if data is not None else Path(path).read_bytes(), grey=True)
                greys[i] = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
                seen[i] = _scene(with_faces(person_mask(masks[i], *picture.shape), boxes[i])).ravel()
        return len(rows)

    in_threads(reduce, range(0, len(table), 256), len(table), "comparing scenes")
    return greys, seen


def _scene(person: np.ndarray) -> np.ndarray:
    """Which reduced pixels show nothing of people, bool (SIDE, SIDE)."""
    width = 2 * round(MARGIN * max(person.shape)) + 1
    grown = cv2.dilate(person.astype(np.float32), np.ones((width, width)))
    return cv2.resize(grown, (SIDE, SIDE), interpolation=cv2.INTER_AREA) == 0


def _correlation(a: np.ndarray, seen_a: np.ndarray, b: np.ndarray, seen_b: np.ndarray) -> np.ndarray:
    """Correlation of each of a (N, D) with each of b (M, D) over what both show; -inf where that is too little."""
    seen_a, seen_b = seen_a.astype(float), seen_b.astype(float)  # sums of squares lose a plain wall's in single
    a, b = (values / 255 * seen for values, seen in ((a, seen_a), (b, seen_b)))
    n = seen_a @ seen_b.T
    sum_a, sum_b = a @ seen_b.T, seen_a @ b.T
    both = a @ b.T - sum_a * sum_b / np.maximum(n, 1)
    own_a = (a * a) @ seen_b.T - sum_a**2 / np.maximum(n, 1)
    own_b = seen_a @ (b * b).T - sum_b**2 / np.maximum(n, 1)
    plain = n * PLAIN**2
    enough = (n >= FEWEST * a.shape[1]) & (own_a > plain) & (own_b > plain)
    spread = np.sqrt(np.where(enough, own_a * own_b, 1))
    return np.where(enough, np.clip(both / spread, -1, 1), -np.inf)
