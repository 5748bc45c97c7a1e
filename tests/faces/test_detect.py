from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from faces_to_find import CARDS, drawings, photograph
from mediapipe.python.solutions.face_mesh import FaceMesh

from fer_lib.data.table import crop, resize
from fer_lib.faces.detect import NO_FACE, NO_MESH, TOO_SMALL, find_faces, look
from fer_lib.faces.geometry import EYES, eye_distance
from fer_lib.faces.networks import open_networks
from fer_lib.synthetic.render import draw_card

TILES = {(0, 0): 224, (0, 224): 200, (224, 0): 176, (224, 224): 150}  # corner and side of four people in a square


def error(mesh, truth):
    """Mean distance of the landmarks from where they were drawn, in eye distances."""
    return np.linalg.norm(mesh[:468, :2] - truth, axis=1).mean() / eye_distance(truth)


def overlap(box, square):
    """Intersection over union of a box and a square."""
    low = np.maximum(box[:2], square[:2])
    high = np.minimum(box[:2] + box[2:], np.add(square[:2], square[2]))
    shared = np.prod(np.maximum(high - low, 0))
    return shared / (box[2] * box[3] + square[2] ** 2 - shared)


@pytest.fixture(scope="module")
def tiled():
    """Four people in one picture, and where their landmarks are."""
    picture, truths = np.full((448, 448, 3), 100, np.uint8), []
    for drawing, ((y, x), side) in zip(drawings()[12:], TILES.items(), strict=False):
        picture[y : y + side, x : x + side] = cv2.resize(drawing.picture, (side, side), interpolation=cv2.INTER_AREA)
        truths.append((drawing.landmarks + 0.5) * side / 224 - 0.5 + (x, y))
    return picture, truths


def test_in_a_photograph_the_one_face_is_found_with_its_mesh_and_its_person():
    sight = look(photograph())
    (x, y, width, height), mesh = sight.boxes[0], sight.landmarks
    assert len(sight.boxes) == 1
    assert overlap(sight.boxes[0], (175, 75, 105)) > 0.7  # as read off the picture
    left, right = (mesh[list(corners), :2].mean(0) for corners in EYES)
    assert x < right[0] < left[0] < x + width
    assert y < min(left[1], right[1]) < mesh[[61, 291], 1].mean() < y + height
    assert sight.person[130, 225]
    assert not sight.person[[0, 0, 100], [0, -1, 400]].any()


def test_in_drawn_people_mesh_box_and_person_lie_where_they_were_drawn():
    sights = [look(drawing.picture) for drawing in drawings()]
    errors = [
        error(s.landmarks, d.landmarks) if s.problem is None else None for s, d in zip(sights, drawings(), strict=True)
    ]
    assert None not in errors
    assert np.mean(errors) <= 0.03
    assert min(overlap(s.boxes[s.subject], d.face_box) for s, d in zip(sights, drawings(), strict=True)) > 0.4
    people = [(s.person, d.person_mask | d.others_mask) for s, d in zip(sights, drawings(), strict=True)]
    assert np.mean([(a & b).sum() / (a | b).sum() for a, b in people]) >= 0.95


def test_the_mesh_is_that_of_mediapipes_own_solution():
    solution = FaceMesh(static_image_mode=True, refine_landmarks=True)
    for picture in (drawings()[0].picture, drawings()[1].picture, photograph()):
        points = solution.process(picture).multi_face_landmarks[0].landmark
        expected = np.array([(p.x, p.y, p.z) for p in points]) * len(picture)
        assert np.allclose(look(picture).landmarks, expected, atol=0.01)


def test_of_many_faces_all_are_kept_the_largest_first_and_the_largest_is_the_subject(tiled):
    picture, truths = tiled
    boxes, subject = look(picture).boxes, look(picture, (0, 0, 224, 224)).subject
    assert subject == look(picture).subject == 0
    areas = boxes[:, 2] * boxes[:, 3]
    assert (np.diff(areas) <= 0).all()
    faces = find_faces(picture, np.array([224, 224, 150, 150]))
    assert len(faces) == 4
    assert error(look(picture).landmarks, truths[0]) < 0.05


@pytest.mark.parametrize("number", range(4))
def test_a_named_place_picks_another_face_also_one_that_only_the_full_range_finds(tiled, number):
    picture, truths = tiled
    (y, x), side = list(TILES.items())[number]
    assert error(look(picture, (x, y, side, side)).landmarks, truths[number]) < 0.06


def test_the_full_range_finds_a_small_face_that_the_short_range_misses():
    picture = np.full((512, 512, 3), 125, np.uint8)
    picture[307:, 100:305] = cv2.resize(photograph(), (205, 205), interpolation=cv2.INTER_AREA)
    sight, whole = look(picture), look(photograph())
    assert open_networks().near.process(picture).detections is None
    there = (whole.landmarks[:, :2] + 0.5) * 205 / 512 - 0.5 + (100, 307)
    assert np.linalg.norm(sight.landmarks[:, :2] - there, axis=1).mean() < 0.06 * eye_distance(there)


def test_a_face_that_the_border_cuts_is_found_more_often_where_the_table_names_its_place():
    cut = [draw_card(replace(card, problem="cut")) for card in CARDS[:10]]
    blind = [look(drawing.picture) for drawing in cut]
    told = [look(drawing.picture, (*drawing.face_box, drawing.face_box[2])) for drawing in cut]
    assert {sight.problem for sight in blind} <= {None, NO_FACE, NO_MESH}
    assert sum(sight.problem is None for sight in told) == 10 > sum(sight.problem is None for sight in blind)
    assert np.median([error(s.landmarks, d.landmarks) for s, d in zip(told, cut, strict=True)]) < 0.5


def test_places_with_nobody_in_them_have_hardly_a_mesh():
    empty = [draw_card(replace(card, problem="no face")).picture for card in CARDS]
    sights = [look(picture) for picture in empty]
    assert sum(sight.landmarks is not None for sight in sights) <= 2  # BlazeFace sees faces in tombstones
    assert all((s.problem == NO_MESH) == (len(s.boxes) > 0) for s in sights if s.landmarks is None)


def test_a_false_alarm_larger_than_the_face_is_not_the_subject():
    drawing = draw_card(CARDS[0])
    sight = look(drawing.picture)
    assert [overlap(box, drawing.face_box) > 0.4 for box in sight.boxes] == [False, True]
    assert sight.subject == 1
    assert error(sight.landmarks, drawing.landmarks) < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (8, 8), (8, 5000), (5000, 8), (640, 641), (2000, 1500)])
def test_a_picture_of_any_shape_that_shows_nothing_has_a_problem_and_no_person(shape):
    sight = look(np.full((*shape, 3), 128, np.uint8))
    assert sight.problem == (TOO_SMALL if min(shape) < 8 else NO_FACE)
    assert sight.landmarks is sight.subject is None
    assert sight.boxes.shape == (0, 4)
    assert sight.person.shape == shape or max(sight.person.shape) == 640 or min(sight.person.shape) == 192


def test_a_small_picture_has_the_landmarks_of_its_enlarged_view_in_its_own_pixels():
    small = resize(drawings()[1].picture, 100)
    view = look(cv2.resize(small, (192, 192), interpolation=cv2.INTER_CUBIC))
    expected = (view.landmarks[:, :2] + 0.5) * 100 / 192 - 0.5  # the borders of both agree, pixels' centres are whole
    assert np.allclose(look(small).landmarks[:, :2], expected, atol=1e-3)
    assert np.allclose(look(small).boxes, view.boxes * 100 / 192, atol=1e-3)


def test_faces_of_48_by_48_grey_pixels_are_enlarged_and_measured():
    errors = []
    for drawing in drawings():
        x, y, side = (round(value) for value in drawing.face_box)
        small = resize(cv2.cvtColor(crop(drawing.picture, (x, y, side)), cv2.COLOR_RGB2GRAY), 48)
        truth = (drawing.landmarks - (x, y) + 0.5) * 48 / side - 0.5
        errors.append(error(look(np.repeat(small[..., None], 3, 2)).landmarks, truth))
    assert np.mean(errors) < 0.045


def test_landmarks_and_mask_are_the_same_whatever_picture_came_before():
    first = look(drawings()[0].picture)
    for drawing in drawings()[1:4]:
        look(drawing.picture)
    again = look(drawings()[0].picture)
    assert np.array_equal(first.landmarks, again.landmarks)
    assert np.array_equal(first.person, again.person)


def test_one_set_of_networks_serves_a_process_and_threads_wait_for_each_other():
    assert open_networks() is open_networks()
    pictures = [drawing.picture for drawing in drawings()[:6]]
    alone = [look(picture).landmarks for picture in pictures]
    with ThreadPoolExecutor(3) as pool:
        together = [sight.landmarks for sight in pool.map(look, pictures)]
    assert np.array_equal(alone, together)
