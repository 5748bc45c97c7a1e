"""What three networks see in a picture: its faces (BlazeFace), their mesh (Face Mesh), and where people are.

The networks lie inside mediapipe's wheel, so that nothing is downloaded (paper 000, section 4.2).
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from fer_lib.data.table import crop, resize

N_LANDMARKS = 478  # Face Mesh's 468, and 5 for each iris
SMALLEST, LARGEST = 192, 640  # sides in pixels between which pictures are shown to the networks
TINIEST = 8  # a picture with a shorter side shows no face
LEAST_SCORE = 0.5  # of a face that BlazeFace finds
MESH_SCORE = 0.2  # where a face is known to be, a weaker one will do
MESH_SIDE = 256  # of the square that Face Mesh is shown
MESH_MARGIN = 0.35  # of the face's side, on each side of it in that square
BORDER = 0.5  # of the side: edge that is added where no face was found, since a face may fill or leave the picture
NO_FACE, NO_MESH, TOO_SMALL = "no face found", "no mesh found in the face", "too small to show a face"


@dataclass(frozen=True, eq=False)
class Sight:
    """What was seen in one picture of height H and width W. All lengths are in its pixels.

    Attributes
    ----------
    boxes : float32 (n, 4), x, y, width and height of every face, the largest first
    scores : float32 (n,), how sure BlazeFace is of each, 0-1
    subject : which of the faces is the subject's; None where none is
    landmarks : float32 (478, 3), x, y and depth of the subject's mesh, or None
    person : bool (H', W'), where people are; the picture's own size, or that of its reduced view
    problem : why the mesh is missing, or None
    """

    boxes: np.ndarray
    scores: np.ndarray
    subject: int | None
    landmarks: np.ndarray | None
    person: np.ndarray
    problem: str | None


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks as mediapipe runs them; one set serves one thread."""

    near: object
    far: object
    mesh: object
    segmenter: object


@cache
def open_networks() -> Networks:
    """This process's networks, opened when they are first needed."""
    with _silent():
        from mediapipe.python.solutions import face_detection, face_mesh, selfie_segmentation

        networks = Networks(
            face_detection.FaceDetection(model_selection=0, min_detection_confidence=LEAST_SCORE),
            face_detection.FaceDetection(model_selection=1, min_detection_confidence=LEAST_SCORE),
            face_mesh.FaceMesh(
                static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=MESH_SCORE
            ),
            selfie_segmentation.SelfieSegmentation(model_selection=0),
        )
        for network in vars(networks).values():
            network.process(np.zeros((MESH_SIDE, MESH_SIDE, 3), np.uint8))
    return networks


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without the harmless warnings that mediapipe's C++ writes past Python."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def look(picture: np.ndarray, place: Sequence[float] | None = None) -> Sight:
    """Find the faces of a picture, and the mesh of its subject: the largest face, or that in `place`.

    Parameters
    ----------
    picture : uint8 (H, W, 3) RGB; small ones are enlarged for the networks, large ones reduced
    place : x, y, width and height of where the subject is; its face has its centre there. Where BlazeFace finds
        none, the place itself is searched for a mesh
    """
    if min(picture.shape[:2]) < TINIEST:
        return _blind(picture, TOO_SMALL)
    seen, factor = _view(picture)
    networks = open_networks()
    boxes, scores = find_faces(seen)
    subject = _choose(boxes, None if place is None else np.asarray(place, float) * factor)
    target = boxes[subject] if subject is not None else None if place is None else np.asarray(place, float) * factor
    landmarks = None if target is None else _mesh(seen, target)
    person = networks.segmenter.process(seen).segmentation_mask > 0.5
    if landmarks is None:
        problem = NO_FACE if subject is None else NO_MESH
    else:
        problem, landmarks = None, (landmarks / factor).astype(np.float32)
    return Sight((boxes / factor).astype(np.float32), scores, subject, landmarks, person, problem)


def find_faces(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes float32 (n, 4) of all faces, the largest first, and their scores float32 (n,).

    BlazeFace's short range comes first, for faces within two metres; then its full range; then the picture with
    its edge repeated around it.
    """
    networks = open_networks()
    for network in (networks.near, networks.far):
        boxes, scores = _detect(network, picture)
        if len(boxes):
            return boxes, scores
    edge = round(BORDER * min(picture.shape[:2]))
    boxes, scores = _detect(networks.near, cv2.copyMakeBorder(picture, *[edge] * 4, cv2.BORDER_REPLICATE))
    return boxes - np.array([edge, edge, 0, 0], np.float32), scores


def _detect(network: object, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = picture.shape[:2]
    found = network.process(picture).detections or []
    boxes = [detection.location_data.relative_bounding_box for detection in found]
    boxes = np.array([(box.xmin, box.ymin, box.width, box.height) for box in boxes], np.float32).reshape(-1, 4)
    scores = np.array([detection.score[0] for detection in found], np.float32)
    order = np.argsort(-boxes[:, 2] * boxes[:, 3], kind="stable")
    return boxes[order] * np.array([width, height, width, height], np.float32), scores[order]


def _choose(boxes: np.ndarray, place: np.ndarray | None) -> int | None:
    """The first box; where a place is named, the one with its centre in the place, nearest to the place's own."""
    if place is None or not len(boxes):
        return 0 if len(boxes) else None
    away = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - (place[:2] + place[2:] / 2))
    inside = (away <= place[2:] / 2).all(1)
    return int(np.where(inside, away.sum(1), np.inf).argmin()) if inside.any() else None


def _mesh(picture: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """Face Mesh of the face in `box`, float (478, 3), shown with a margin around it."""
    side = (1 + 2 * MESH_MARGIN) * float(box[2:].max())
    x, y = (round(float(value)) for value in box[:2] + box[2:] / 2 - side / 2)
    side = max(round(side), 1)
    with _silent():
        found = open_networks().mesh.process(resize(crop(picture, (x, y, side)), MESH_SIDE)).multi_face_landmarks
    if not found:
        return None
    points = np.array([(point.x, point.y, point.z) for point in found[0].landmark])
    return points * side + (x, y, 0)


def _view(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture as the networks are shown it, and how much larger than the picture that is."""
    height, width = picture.shape[:2]
    factor = min(max(1.0, SMALLEST / min(height, width)), LARGEST / max(height, width))
    if factor == 1.0:
        return np.ascontiguousarray(picture), factor
    shape = max(1, round(width * factor)), max(1, round(height * factor))
    return cv2.resize(picture, shape, interpolation=cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA), factor


def _blind(picture: np.ndarray, problem: str) -> Sight:
    nothing = np.zeros(picture.shape[:2], bool)
    return Sight(np.empty((0, 4), np.float32), np.empty(0, np.float32), None, None, nothing, problem)
