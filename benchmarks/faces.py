"""The preparation of faces, and its three networks alone: BlazeFace, Face Mesh and segmentation as mediapipe has them.

In the first comparison the networks are given decoded pictures and squares around the faces, and what they find is
thrown away. In the second, masks are put on faces, which should take no longer than to find them.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed

from fer_lib.data.table import crop, encode_picture, in_threads, make_table, picture_hash, resize
from fer_lib.faces.detect import find_faces, look
from fer_lib.faces.fabric import MASKS
from fer_lib.faces.occlude import cover
from fer_lib.faces.prepare import SHARD, prepare_faces
from fer_lib.synthetic.plan import PRESETS, plan
from fer_lib.synthetic.render import draw_card, in_processes

SHARDS = 12  # as many for each of two, three or four processes
REPEATED = 4  # times that each picture stands in the table
MARGIN = 0.35  # of a face, around it in its square
SQUARE = 256
COVERED = 256  # faces that get a mask


def preparation(folder: Path) -> tuple[int, Callable, Callable]:
    """How many drawn pictures, their full preparation, and the three networks alone in as many processes."""
    cards = plan(PRESETS["balanced"], SHARD * SHARDS // REPEATED, np.random.default_rng(0))
    drawn = [drawing.picture for drawing in in_processes(draw_card, cards)]
    pictures = drawn * REPEATED
    np.save(folder / "pictures.npy", pictures)
    np.save(folder / "squares.npy", [_square(picture) for picture in drawn] * REPEATED)
    rows = pd.DataFrame({"id": [f"{number:06d}" for number in range(len(pictures))], "split": "train"})
    rows["picture"] = [encode_picture(picture) for picture in drawn] * REPEATED
    rows["picture_hash"] = [picture_hash(picture) for picture in drawn] * REPEATED
    table, starts = make_table(rows, "bench"), range(0, len(pictures), SHARD)

    def prepare() -> None:
        with TemporaryDirectory() as fresh:
            prepare_faces(table, Path(fresh))

    def networks_alone() -> None:
        Parallel(cpu_count())(delayed(_process)(folder, start) for start in starts)

    return len(pictures), prepare, networks_alone


def _square(picture: np.ndarray) -> np.ndarray:
    box = find_faces(picture)[0].box
    side = (1 + 2 * MARGIN) * box[2:].max()
    return resize(crop(picture, (*(box[:2] + box[2:] / 2 - side / 2), side)), SQUARE)


@cache
def _solutions() -> tuple:
    from mediapipe.python.solutions import face_detection, face_mesh, selfie_segmentation

    return (
        face_detection.FaceDetection(model_selection=0),
        face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True),
        selfie_segmentation.SelfieSegmentation(model_selection=0),
    )


def _process(folder: Path, start: int) -> None:
    detector, mesh, segmenter = _solutions()
    pictures, squares = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("pictures", "squares"))
    for picture, square in zip(pictures[start : start + SHARD], squares[start : start + SHARD], strict=True):
        detector.process(picture)
        mesh.process(square)
        segmenter.process(picture)


def covering() -> tuple[int, Callable, Callable]:
    """How many grey faces of 48×48 pixels, masks put on all of them by two threads, and their meshes found."""
    cards = plan(PRESETS["balanced"], COVERED, np.random.default_rng(0))
    drawn = (draw_card(card, SQUARE) for card in cards)
    faces = [resize(crop(drawing.picture, drawing.face_box), 48) for drawing in drawn]
    meshes = [look(face).landmarks for face in faces]
    seen = [(face[..., 1].copy(), mesh) for face, mesh in zip(faces, meshes, strict=True) if mesh is not None]

    def cover_part(start: int) -> int:
        part = seen[start : start + SHARD]
        for number, (face, mesh) in enumerate(part, start):
            cover(face, mesh, MASKS[number % len(MASKS)], np.random.default_rng(number))
        return len(part)

    def cover_all() -> None:
        in_threads(cover_part, range(0, len(seen), SHARD), len(seen), "covering faces")

    return len(seen), cover_all, lambda: [look(face) for face in faces]
