"""The networks inside mediapipe's wheel, so that nothing is downloaded: BlazeFace, Face Mesh, selfie segmentation."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

LEAST_SCORE = 0.5  # of a face that BlazeFace finds
WEAK_SCORE = 0.2  # where a face is known to be, a weaker one will do
# Face Mesh of mediapipe's solutions finds its faces anew. This one is told, which saves a fifth of all the time, and
# keeps it from a neighbour's face.
MESH_GRAPH = """
input_stream: "image"
input_stream: "detection"
input_side_packet: "with_attention"
output_stream: "landmarks"
node {
  calculator: "ImagePropertiesCalculator"
  input_stream: "IMAGE:image"
  output_stream: "SIZE:size"
}
node {
  calculator: "FaceDetectionFrontDetectionToRoi"
  input_stream: "DETECTION:detection"
  input_stream: "IMAGE_SIZE:size"
  output_stream: "ROI:roi"
}
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks as mediapipe runs them; one set serves one thread.

    Attributes
    ----------
    near, far : BlazeFace for faces within two metres, and for those within five
    weak : the first, content with less
    mesh : Face Mesh of a face that one of them found
    segmenter : selfie segmentation
    """

    near: object
    far: object
    weak: object
    mesh: object
    segmenter: object


@cache
def open_networks() -> Networks:
    """This process's networks, opened when they are first needed."""
    with silent():
        from mediapipe.python.solution_base import SolutionBase
        from mediapipe.python.solutions.face_detection import FaceDetection
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        networks = Networks(
            FaceDetection(model_selection=0, min_detection_confidence=LEAST_SCORE),
            FaceDetection(model_selection=1, min_detection_confidence=LEAST_SCORE),
            FaceDetection(model_selection=0, min_detection_confidence=WEAK_SCORE),
            SolutionBase(graph_config=MESH_GRAPH, side_inputs={"with_attention": True}, outputs=["landmarks"]),
            SelfieSegmentation(model_selection=0),
        )
        for network in (networks.near, networks.far, networks.weak, networks.segmenter):
            network.process(np.zeros((256, 256, 3), np.uint8))
    return networks


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without the harmless warnings that mediapipe's C++ writes past Python."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
