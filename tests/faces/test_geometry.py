from dataclasses import replace
from functools import cache
from math import atan2, pi

import cv2
import numpy as np
import pytest
from faces_to_find import CARDS, drawings
from mediapipe.python.solution_base import SolutionBase

from fer_lib.faces.detect import look
from fer_lib.faces.geometry import (
    AU_CENTRES,
    AU_DISTANCES,
    VISIBLE,
    au_centres,
    au_distances,
    eye_distance,
    from_neutral,
    visible_features,
)
from fer_lib.faces.networks import MESH_GRAPH, open_networks
from fer_lib.synthetic.draw import draw

STEPS = np.linspace(0, 1, 7)
BROWS = ("left eye to brow", "right eye to brow")
LIDS = ("left eye height", "right eye height")


@pytest.fixture
def faces(rng):
    """Three made-up faces of random points, which no symmetry can flatter."""
    return rng.normal(0, 50, (3, 478, 3))


@pytest.fixture
def plain():
    """A face of which every number can be worked out by hand: its eyes are 10 apart."""
    points = np.full((478, 2), np.nan)
    points[[133, 33, 362, 263]] = (-3, 0), (-7, 0), (3, 0), (7, 0)  # corners of the eyes
    points[[386, 374, 159, 145]] = (5, -1), (5, 1), (-5, -2), (-5, 1)  # lids
    points[[61, 291, 13, 14, 1]] = (-5, 10), (5, 10), (0, 9), (0, 12), (0, 4)  # mouth and tip of the nose
    points[[336, 107]] = (3, -5), (-3, -6)  # inner brows
    points[[276, 283, 293, 300, 46, 53, 63, 70]] = [(6, -4)] * 4 + [(-6, -8)] * 4  # outer brows
    return points


def test_twelve_centres_make_66_distances_and_the_visible_features_are_16():
    assert len(AU_CENTRES) == 12
    assert len(AU_DISTANCES) == 66 == len(set(map(frozenset, AU_DISTANCES)))
    assert len(VISIBLE) == 16 == len(set(VISIBLE))


def test_distances_are_in_eye_distances_and_named_by_their_units(faces):
    centres, measured = au_centres(faces), au_distances(faces)
    at = {unit: centres[:, number] for number, unit in enumerate(AU_CENTRES)}
    for number, (first, second) in enumerate(AU_DISTANCES):
        expected = np.hypot(*(at[first] - at[second]).T) / eye_distance(faces)
        assert np.allclose(measured[:, number], expected)


def test_every_visible_feature_is_as_worked_out_by_hand(plain):
    expected = {"left eye width": 0.4, "right eye width": 0.4, "mouth width": 1, "left eye height": 0.2}
    expected |= {"right eye height": 0.3, "mouth height": 0.3, "between the eyes": 0.6, "left eye to brow": 0.5}
    expected |= {"right eye to brow": 0.6, "eyes to outer brows": 0.6, "eyes to mouth": 1, "eyes to nose": 0.4}
    expected |= {"nose to mouth": 0.6, "angle at the left eye": atan2(10, 5), "angle at the right eye": atan2(10, 5)}
    expected |= {"angle at the mouth": pi - 2 * atan2(10, 5)}
    assert dict(zip(VISIBLE, visible_features(plain), strict=True)) == pytest.approx(expected)


def test_outer_brows_are_measured_from_the_inner_corners_of_the_eyes_as_the_outer_ones_rise_with_them(plain):
    plain[[33, 263], 1] -= 3
    assert visible_features(plain)[VISIBLE.index("eyes to outer brows")] == pytest.approx(0.6)


def test_the_distance_of_units_12_and_15_is_the_mouths_width(faces):
    width = visible_features(faces)[:, VISIBLE.index("mouth width")]
    assert np.allclose(au_distances(faces)[:, AU_DISTANCES.index((12, 15))], width)


@pytest.mark.parametrize("degrees", [0, 15, -90, 180])
@pytest.mark.parametrize("size", [0.01, 1, 30])
def test_size_place_and_turning_of_the_landmarks_do_not_matter(faces, degrees, size):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = size * faces[..., :2] @ turn + (123, -45)
    assert np.allclose(au_distances(moved), au_distances(faces), atol=1e-6)
    assert np.allclose(visible_features(moved), visible_features(faces), atol=1e-6)


def test_a_face_that_is_not_there_has_nan_features_and_the_others_theirs(faces):
    gone = faces.copy()
    gone[1] = np.nan
    for features in (au_distances, visible_features):
        assert np.isnan(features(gone)[1]).all()
        assert np.array_equal(features(gone)[[0, 2]], features(faces)[[0, 2]])


CHANGES = {
    "twice as large": lambda picture: cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
    "moved": lambda picture: cv2.copyMakeBorder(picture, 0, 24, 37, 0, cv2.BORDER_REPLICATE),
    "turned by 15°": lambda picture: cv2.warpAffine(
        picture, cv2.getRotationMatrix2D((112, 112), 15, 1), (224, 224), borderMode=cv2.BORDER_REPLICATE
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_picture_that_is_changed_gives_features_much_nearer_than_those_of_another_person(change):
    pictures = [drawing.picture for drawing in drawings()[:12]]
    for features in (au_distances, visible_features):
        before = np.array([features(look(picture).landmarks) for picture in pictures])
        after = np.array([features(look(CHANGES[change](picture)).landmarks) for picture in pictures])
        assert np.abs(after - before).mean() < 0.02
        assert np.abs(after - before).mean() < 0.35 * np.abs(before - np.roll(before, 1, 0)).mean()


@cache
def driven(unit):
    """Three people with a unit at every step, who hold still, look ahead and wear no glasses: pictures (3, 7)."""
    people = []
    for card in CARDS[:3]:
        shot = replace(card.shot, yaw=0.0, pitch=0.0, roll=0.0, companion=None)
        person = replace(card.person, glasses=False)
        people.append([draw(person, {unit: float(step)}, shot, 224).picture for step in STEPS])
    return people


def lengths(unit, names):
    """Mean of the named features of each person at each step, (3, 7)."""
    at = [VISIBLE.index(name) for name in names]
    meshes = np.array([[look(picture).landmarks for picture in person] for person in driven(unit)])
    return visible_features(meshes)[..., at].mean(-1)


@pytest.mark.parametrize(
    ("unit", "names", "sign"),
    [
        (12, ["mouth width"], 1),
        (26, ["mouth height"], 1),
        (1, BROWS, 1),
        (2, ["eyes to outer brows"], 1),
        (4, BROWS, -1),
    ],
)
def test_a_driven_action_unit_moves_its_length(unit, names, sign):
    correlations = [np.corrcoef(STEPS, measured)[0, 1] for measured in lengths(unit, names)]
    assert sign * np.mean(correlations) >= 0.95


def slopes(values):
    """By how much each row grows from the first step to the last, by least squares."""
    return np.array([np.polyfit(STEPS, row, 1)[0] for row in values])


def test_a_raised_cheek_shows_in_the_opening_of_the_lids_more_than_in_the_cheek():
    meshes = np.array([[look(picture).landmarks for picture in person] for person in driven(6)])
    cheek = au_distances(meshes)[..., AU_DISTANCES.index((6, 7))]
    assert slopes(lengths(6, LIDS)).mean() < -2 * abs(slopes(cheek).mean())


def test_refined_landmarks_answer_to_closing_lids_twice_as_much():
    coarse = SolutionBase(graph_config=MESH_GRAPH, side_inputs={"with_attention": False}, outputs=["landmarks"])
    opening = {True: [], False: []}
    for picture in (picture for person in driven(45) for picture in person):
        faces = open_networks().near.process(picture).detections
        for refined, network in ((True, open_networks().mesh), (False, coarse)):
            found = network.process({"image": picture, "detection": faces[0]}).landmarks.landmark
            points = 224 * np.array([(point.x, point.y) for point in found])
            opening[refined].append(visible_features(points)[[VISIBLE.index(name) for name in LIDS]].mean())
    fine, rough = (slopes(np.reshape(opening[refined], (3, 7))).mean() for refined in (True, False))
    assert fine < 2 * rough < 0


def test_a_subjects_own_rest_is_taken_away_and_several_are_averaged():
    features = np.array([[1.0, 10], [3, 30], [5, 5], [7, 7]])
    subjects, reference = np.array(["a", "a", "a", "b"]), np.array([True, True, False, True])
    moved = from_neutral(features, subjects, reference)
    assert moved.tolist() == [[-1, -10], [1, 10], [3, -15], [0, 0]]


def test_without_a_reference_or_a_name_there_is_nothing_to_take_away():
    features = np.arange(10, dtype=np.float32).reshape(5, 2)
    subjects = np.array(["a", "b", None, None, "c"], dtype=object)
    features[4] = np.nan  # c's only picture at rest has no face
    moved = from_neutral(features, subjects, np.array([True, False, True, False, True]))
    assert moved[0].tolist() == [0, 0]
    assert np.isnan(moved[1:]).all()
    assert moved.dtype == np.float32
    assert np.isnan(from_neutral(features, subjects, np.zeros(5, bool))).all()


def test_a_rest_without_a_face_is_left_out_of_the_mean():
    features = np.array([[np.nan], [4.0], [6]])
    assert from_neutral(features, np.array([1, 1, 1]), np.array([True, True, False]))[1:].tolist() == [[0], [2]]
