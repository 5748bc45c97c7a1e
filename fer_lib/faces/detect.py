"""What three networks see in a picture: its faces (BlazeFace), their mesh (Face Mesh), and where people are.

Paper 000, section 4.2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np

from fer_lib.data.table import crop
from fer_lib.faces.networks import open_networks, silent

N_LANDMARKS = 478  # Face Mesh's 468, and 5 for each iris
SMALLEST, LARGEST = 192, 640  # sides in pixels between which pictures are shown to the networks
TINIEST = 8  # a picture with a shorter side shows no face
CLOSE = 0.15  # of the picture's longer side: a smaller face is looked at again from close by, or its mesh lies askew
CLOSE_SIDE = 256  # of the square that is then shown
CLOSE_MARGIN = 0.35  # of the face's side, on each side of it in that square
BORDER = 0.5  # of the side: edge that is added where no face was found, since a face may fill or leave the picture
NO_FACE, NO_MESH, TOO_SMALL = "no face found", "no mesh found in the face", "too small to show a face"
_ONE_LOOKS = Lock()  # the networks serve one thread at a time


@dataclass(frozen=True, eq=False)
class Sight:
    """What was seen in one picture of height H and width W. All lengths are in its pixels.

    Whole numbers are the centres of pixels, as OpenCV counts and as the landmarks of drawn people do.

    Attributes
    ----------
    boxes : float32 (n, 4), x, y, width and height of every face, the largest first
    scores : float32 (n,), how sure BlazeFace is of each, 0-1
    subject : which of the faces is the subject's; None where none is
    landmarks : float32 (478, 3), x, y and depth of the subject's mesh, or None
    person : bool (H', W'), where people are, in the size in which the networks saw the picture
    problem : why the mesh is missing, or None
    """

    boxes: np.ndarray
    scores: np.ndarray
    subject: int | None
    landmarks: np.ndarray | None
    person: np.ndarray
    problem: str | None


@dataclass(frozen=True, eq=False)
class Face:
    """A face that BlazeFace found: its box, as in `Sight`, and mediapipe's own description, if it holds there."""

    box: np.ndarray
    score: float
    detection: object | None


def look(picture: np.ndarray, place: Sequence[float] | None = None) -> Sight:
    """Find the faces of a picture, and the mesh of its subject: the largest face that has one, or that in `place`.

    Parameters
    ----------
    picture : uint8 (H, W, 3) RGB; small ones are enlarged for the networks, large ones reduced
    place : x, y, width and height of where the subject is; its face has its centre there. Where BlazeFace finds
        none, the place itself is searched for a mesh
    """
    if min(picture.shape[:2]) < TINIEST:
        nothing = np.zeros(picture.shape[:2], bool)
        return Sight(np.empty((0, 4), np.float32), np.empty(0, np.float32), None, None, nothing, TOO_SMALL)
    seen = _view(picture)
    factors = np.array(seen.shape[1::-1]) / picture.shape[1::-1]  # how much wider and higher it is
    place = None if place is None else np.asarray(place, float) * np.tile(factors, 2)
    with _ONE_LOOKS:
        faces = find_faces(seen, place)
        subject, mesh = _find_subject(seen, faces, place)
        person = open_networks().segmenter.process(seen).segmentation_mask > 0.5
    boxes = np.array([face.box for face in faces]).reshape(-1, 4) / np.tile(factors, 2)
    scores = np.array([face.score for face in faces], np.float32)
    if mesh is None:
        problem = NO_FACE if subject is None else NO_MESH
    else:
        problem, mesh = None, _shrunk(mesh, factors)
    return Sight(boxes.astype(np.float32), scores, subject, mesh, person, problem)


def find_faces(picture: np.ndarray, place: np.ndarray | None = None) -> list[Face]:
    """All faces, the largest first.

    BlazeFace's short range comes first, for faces within two metres; then its full range; then the picture with
    its edge repeated around it; until a face is found, in the `place` where one is named.
    """
    others = []
    for faces in _attempts(picture):
        if _ranked(faces, place):
            return faces
        others = others or faces
    return others


def _attempts(picture: np.ndarray) -> Iterator[list[Face]]:
    networks = open_networks()
    yield _detect(networks.near, picture)
    yield _detect(networks.far, picture)
    edge = round(BORDER * min(picture.shape[:2]))
    found = _detect(networks.near, cv2.copyMakeBorder(picture, *[edge] * 4, cv2.BORDER_REPLICATE))
    yield [Face(face.box - (edge, edge, 0, 0), face.score, None) for face in found]


def _detect(network: object, picture: np.ndarray) -> list[Face]:
    height, width = picture.shape[:2]
    faces = []
    for detection in network.process(picture).detections or []:
        box = detection.location_data.relative_bounding_box
        sides = np.array([box.xmin * width, box.ymin * height, box.width * width, box.height * height])
        faces.append(Face(sides, detection.score[0], detection))
    return sorted(faces, key=lambda face: -face.box[2] * face.box[3])


def _ranked(faces: list[Face], place: np.ndarray | None) -> list[int]:
    """Which faces may be the subject's: all as they come, or those with their centre in the place, nearest first."""
    if place is None or not faces:
        return list(range(len(faces)))
    centres = np.array([face.box[:2] + face.box[2:] / 2 for face in faces])
    away = np.abs(centres - (place[:2] + place[2:] / 2))
    inside = (away <= place[2:] / 2).all(1)
    return [int(number) for number in away.sum(1).argsort(kind="stable") if inside[number]]


def _find_subject(
    picture: np.ndarray, faces: list[Face], place: np.ndarray | None
) -> tuple[int | None, np.ndarray | None]:
    """Number of the subject's face, and its mesh. What has no mesh is hardly a face, so the next one may be it."""
    ranked = _ranked(faces, place)
    if not ranked:
        return None, None if place is None else _mesh_from_close(picture, place)
    for number in ranked:
        mesh = _find_mesh(picture, faces[number])
        if mesh is not None:
            return number, mesh
    return ranked[0], None


def _find_mesh(picture: np.ndarray, face: Face) -> np.ndarray | None:
    """The mesh of a face, float (478, 3)."""
    if face.detection is None:
        return _mesh_from_close(picture, face.box)
    if face.box[2:].max() < CLOSE * max(picture.shape[:2]):
        close = _mesh_from_close(picture, face.box)
        return _mesh(picture, face) if close is None else close
    mesh = _mesh(picture, face)
    return _mesh_from_close(picture, face.box) if mesh is None else mesh


def _mesh(picture: np.ndarray, face: Face) -> np.ndarray | None:
    with silent():
        found = open_networks().mesh.process({"image": picture, "detection": face.detection}).landmarks
    if not found:
        return None
    points = np.array([(point.x, point.y, point.z) for point in found.landmark])
    return points * (picture.shape[1], picture.shape[0], picture.shape[1])


def _mesh_from_close(picture: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """The mesh of the face in the middle of `box`, which is found again in its square."""
    side = max(round((1 + 2 * CLOSE_MARGIN) * float(box[2:].max())), 1)
    corner = np.round(box[:2] + box[2:] / 2 - side / 2)
    close = _resized(crop(picture, (*corner, side)), CLOSE_SIDE, CLOSE_SIDE)
    faces = _detect(open_networks().weak, close)
    ranked = _ranked(faces, np.array([0, 0, CLOSE_SIDE, CLOSE_SIDE]))
    mesh = _mesh(close, faces[ranked[0]]) if ranked else None
    return None if mesh is None else _shrunk(mesh, np.full(2, CLOSE_SIDE / side)) + np.array([*corner, 0])


def _shrunk(points: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Points of an enlarged picture, (n, 3), in pixels of the picture itself, float32; the borders of both agree."""
    shrunk = points / (*factors, factors[0])
    shrunk[:, :2] += (1 / factors - 1) / 2
    return shrunk.astype(np.float32)


def _view(picture: np.ndarray) -> np.ndarray:
    """The picture as the networks are shown it."""
    height, width = picture.shape[:2]
    factor = min(max(1.0, SMALLEST / min(height, width)), LARGEST / max(height, width))
    return _resized(picture, max(1, round(width * factor)), max(1, round(height * factor)))


def _resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    if picture.shape[:2] == (height, width):
        return np.ascontiguousarray(picture)
    enlarged = width > picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC if enlarged else cv2.INTER_AREA)
