import numpy as np
import pytest

from fer_lib.synthetic.action_units import ACTION_UNITS, LIDS, LIPS, check_units, displace, fields
from fer_lib.synthetic.mesh import mirror, neutral

BROWS, MOUTH, CHIN = [55, 65, 52, 53, 70, 105], [61, 291, 0, 17, 13, 14], [152, 175]


def moved(units, side="both"):
    """How far each vertex goes to the right and down."""
    return displace(neutral(), units, side) - neutral()


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_a_unit_moves_both_halves_alike_and_twice_as_far_at_twice_the_intensity(unit):
    field = fields()[unit]
    assert 0.01 < np.abs(field).max() < 0.4
    assert np.abs(field[mirror()] - field * (-1, 1, 1)).max() < 1e-3
    free = np.setdiff1d(np.arange(468), np.array(LIDS + LIPS + tuple(mirror()[np.array(LIDS + LIPS)].tolist())))
    assert moved({unit: 0.6})[free] == pytest.approx(2 * moved({unit: 0.3})[free])


@pytest.mark.parametrize("unit", [1, 2, 4, 5, 7, 45])
def test_units_of_the_upper_face_leave_the_mouth_alone(unit):
    assert not moved({unit: 1.0})[MOUTH + CHIN].any()


@pytest.mark.parametrize("unit", [12, 15, 17, 20, 23, 25, 26])
def test_units_of_the_lower_face_leave_the_brows_alone(unit):
    assert np.abs(moved({unit: 1.0})[BROWS]).max() < 0.01


@pytest.mark.parametrize(
    ("unit", "vertex", "right", "down"),
    [
        (1, 336, 0, -1),
        (2, 334, 0, -1),
        (4, 336, -1, 1),
        (5, 386, 0, -1),
        (6, 374, 0, -1),
        (7, 374, 0, -1),
        (9, 327, 0, -1),
        (10, 267, 0, -1),
        (12, 291, 1, -1),
        (15, 291, 0, 1),
        (17, 17, 0, -1),
        (20, 291, 1, 0),
        (23, 291, -1, 0),
        (25, 14, 0, 1),
        (26, 152, 0, 1),
        (45, 386, 0, 1),
    ],
)
def test_a_unit_moves_its_vertex_as_facs_says(unit, vertex, right, down):
    shift = moved({unit: 1.0})[vertex]
    assert not right or right * shift[0] > 0.01
    assert not down or down * shift[1] > 0.015


def test_lids_and_lips_never_pass_each_other():
    rng = np.random.default_rng(0)
    pairs = np.array(LIDS + LIPS)
    upper, lower = np.vstack((pairs, mirror()[pairs])).T
    for _ in range(100):
        face = displace(neutral(), dict(zip(ACTION_UNITS, rng.uniform(0, 1, len(ACTION_UNITS)), strict=True)))
        assert (face[lower, 1] - face[upper, 1]).min() > -1e-9


def test_a_closed_eye_is_closed():
    face = displace(neutral(), {45: 1.0})
    assert face[145, 1] - face[159, 1] < 0.2 * (neutral()[145, 1] - neutral()[159, 1])


def test_contempt_moves_one_corner_of_the_mouth():
    shift = np.abs(moved({12: 1.0, 14: 1.0}, "left")).max(axis=1)
    assert shift[291] > 0.05
    assert shift[61] == 0


@pytest.mark.parametrize(
    ("units", "side", "sentence"),
    [
        ({3: 0.5}, "both", "action unit 3 is not drawn; known are 1, 2, 4"),
        ({12: 1.5}, "both", "action unit 12 has intensity 1.5; it must lie in 0-1"),
        ({12: float("nan")}, "both", "intensity nan"),
        ({12: 0.5}, "up", "side 'up' is unknown; use one of both, left, right"),
    ],
)
def test_what_cannot_be_drawn_is_named(units, side, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_units(units, side)
