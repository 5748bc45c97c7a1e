from dataclasses import replace

import numpy as np
import pytest

from fer_lib.synthetic import ACTION_UNITS, draw_face, draw_person

SIZE = 192


# A face on which lips can be told from skin by colour.
PAINTED = replace(
    draw_person(np.random.default_rng(5)),
    skin=(235, 205, 180),
    lips=(190, 20, 40),
    beard=0.0,
    glasses=False,
    mouth_curve=0.0,
)


def frontal(action_units):
    return draw_face(PAINTED, action_units, np.random.default_rng(0), SIZE, variation=0).astype(int)


def mouth_corners(picture):
    """Width of the lip-coloured region and the mean row of its two ends, in pixels."""
    rows, columns = np.nonzero(picture[..., 0] - picture[..., 1] > 75)
    ends = (columns < columns.min() + 3) | (columns > columns.max() - 3)
    return np.ptp(columns), rows[ends].mean()


def dark_mouth(picture):
    """How many pixels of the mouth region are as dark as the cavity behind the teeth."""
    return (picture[125:165, 76:116].max(axis=2) < 85).sum()


def test_a_smile_draws_the_mouth_corners_apart_and_up():
    (rest_width, rest_row), (width, row) = mouth_corners(frontal({})), mouth_corners(frontal({12: 1.0}))
    assert width > 1.25 * rest_width
    assert row < rest_row - 5


def test_the_lip_corner_depressor_lowers_the_corners():
    assert mouth_corners(frontal({15: 1.0}))[1] > mouth_corners(frontal({}))[1] + 5


def test_a_dropping_jaw_opens_an_ever_larger_dark_mouth():
    areas = [dark_mouth(frontal({25: 1.0, 26: jaw})) for jaw in (0.0, 0.5, 1.0)]
    assert areas[0] + 25 < areas[1] < areas[2] - 50


def test_upper_face_units_leave_the_mouth_alone():
    change = np.abs(frontal({1: 1.0, 2: 1.0, 4: 1.0, 5: 1.0}) - frontal({})).max(axis=2)
    assert change[: SIZE // 2].max() > 60
    assert change[120:].max() == 0


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_every_action_unit_changes_the_picture_more_when_stronger(unit):
    rest, weak, strong = frontal({}), frontal({unit: 0.3}), frontal({unit: 1.0})
    assert 0 < np.abs(weak - rest).sum() < np.abs(strong - rest).sum()


def test_expression_does_not_change_pose_background_or_light():
    person = draw_person(np.random.default_rng(3))
    one, other = (draw_face(person, units, np.random.default_rng(8)) for units in ({}, {4: 1.0, 12: 1.0}))
    assert np.array_equal(one[:, :8], other[:, :8])


def test_size_is_honoured():
    person = draw_person(np.random.default_rng(1))
    for size in (24, 49, 96):
        picture = draw_face(person, {26: 0.5}, np.random.default_rng(1), size)
        assert picture.shape == (size, size, 3)
        assert picture.dtype == np.uint8


@pytest.mark.parametrize(
    ("units", "options", "sentence"),
    [
        ({3: 0.5}, {}, "action unit 3 is not drawn"),
        ({12: 1.5}, {}, "action unit 12 has intensity 1.5; it must lie in 0-1"),
        ({12: float("nan")}, {}, "intensity nan"),
        ({}, {"size": 23}, "size is 23 pixels; a face needs at least 24"),
        ({}, {"variation": 2}, "variation is 2; it must lie in 0-1"),
    ],
)
def test_wrong_arguments_are_named(units, options, sentence):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=sentence):
        draw_face(draw_person(rng), units, rng, **options)
