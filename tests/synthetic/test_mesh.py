from collections import Counter

import cv2
import mediapipe as mp
import numpy as np
import pytest

from fer_lib.synthetic import mesh


def directed_edges(faces):
    return Counter((int(a), int(b)) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True))


def test_triangles_are_those_of_face_mesh():
    joined = {frozenset(pair) for pair in mp.solutions.face_mesh_connections.FACEMESH_TESSELATION}
    faces = mesh.face_triangles()
    assert len({frozenset(face) for face in faces.tolist()}) == 852
    assert {frozenset(edge) for edge in directed_edges(faces)} == joined


def test_all_triangles_turn_the_same_way_and_eyes_and_mouth_are_holes():
    edges = directed_edges(mesh.face_triangles())
    assert max(edges.values()) == 1
    rims = {a for a, b in edges if (b, a) not in edges}
    rings = (mesh.OVAL, mesh.RIGHT_EYE, mesh.LEFT_EYE, mesh.INNER_LIPS)
    assert rims == {vertex for ring in rings for vertex in ring}


def test_the_average_face_is_its_own_mirror_image_with_the_eyes_one_unit_apart():
    face, twin = mesh.neutral(), mesh.mirror()
    assert np.array_equal(twin[twin], np.arange(468))
    assert np.abs(face[twin] - face * (-1, 1, 1)).max() < 2e-4
    right, left = face[list(mesh.RIGHT_EYE)].mean(0), face[list(mesh.LEFT_EYE)].mean(0)
    assert left - right == pytest.approx([1, 0, 0], abs=2e-3)


def test_subdivision_keeps_the_old_vertices_and_every_plane():
    matrix, faces = mesh.finer()
    coarse = mesh.with_skull(mesh.neutral())
    assert np.array_equal((matrix @ coarse)[: len(coarse)], coarse)
    assert np.abs(matrix @ np.ones(len(coarse)) - 1).max() < 1e-12
    assert len(faces) == 4 * len(mesh.triangles())
    assert max(directed_edges(faces).values()) == 1


def test_normals_of_a_ball_point_away_from_its_centre():
    ball = mesh.finer()[0] @ mesh.with_skull(mesh.neutral()) - (0, 0.3, -1.2)
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    alike = (mesh.normals(ball, mesh.finer()[1]) * ball).sum(1)
    assert np.median(alike) > 0.99


@pytest.mark.parametrize(
    ("ring", "inside", "outside"),
    [
        (mesh.NOSE, (1, 4, 5), (205, 13, 151)),
        (mesh.RIGHT_CHEEK, (50, 205), (1, 425, 152)),
        (mesh.LEFT_CHEEK, (280, 425), (1, 205, 152)),
        (mesh.CHIN, (199, 200), (13, 1)),
        (mesh.OUTER_LIPS, (13, 14), (164, 18)),
    ],
)
def test_a_region_holds_what_it_is_named_after(ring, inside, outside):
    face = mesh.neutral()[:, :2].astype(np.float32)
    where = {
        vertex: cv2.pointPolygonTest(face[list(ring)], face[vertex].tolist(), False) for vertex in inside + outside
    }
    assert all(where[vertex] > 0 for vertex in inside)
    assert all(where[vertex] < 0 for vertex in outside)
