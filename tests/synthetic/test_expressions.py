import numpy as np
import pytest

from fer_lib.emotions import BASIC, EMOTIONS
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.expressions import PROTOTYPES, Expression, express

PAIRS = [(emotion, difficulty) for emotion in EMOTIONS for difficulty in (0.2, 1)]


@pytest.mark.parametrize("emotion", BASIC)
def test_without_difficulty_each_emotion_is_its_pure_prototype(emotion, rng):
    for _ in range(20):
        assert express(emotion, 0, rng) == Expression(dict.fromkeys(PROTOTYPES[emotion], 1.0))


@pytest.mark.parametrize(("emotion", "difficulty"), PAIRS)
def test_intensities_are_known_units_between_0_and_1_and_the_prototype_keeps_a_quarter(emotion, difficulty, rng):
    for _ in range(200):
        units = express(emotion, difficulty, rng).units
        wanted = set(PROTOTYPES[emotion]) - ({5} if 45 in units else set())
        assert wanted <= set(units) <= set(ACTION_UNITS)
        assert all(0 < intensity <= 1 for intensity in units.values())
        assert all(units[unit] >= 0.25 for unit in wanted)


def test_no_jaw_drops_behind_closed_lips_and_no_closed_lid_is_raised(rng):
    for units in (express(emotion, 1, rng).units for emotion in BASIC for _ in range(200)):
        assert units.get(25, 0) >= units.get(26, 0)
        assert not {5, 45} <= set(units)


def test_contempt_is_on_one_side_and_on_each_as_often_and_nothing_else_is(rng):
    sides = [express("contempt", 0.5, rng).side for _ in range(400)]
    assert set(sides) == {"left", "right"}
    assert 150 < sides.count("left") < 250
    assert {express(emotion, 1, rng).side for emotion in BASIC for _ in range(20)} == {"both"}


def test_the_nearest_prototype_is_mostly_the_emotion_and_less_so_with_difficulty(rng):
    right = [
        np.mean([nearest(express(e, d, rng).units) == e for e in BASIC for _ in range(100)]) for d in (0.1, 0.5, 1)
    ]
    assert right[0] > 0.97
    assert right[0] > right[1] > right[2] > 0.5


def nearest(units):
    """The prototype with the smallest distance to the intensities, at their own strength."""
    shown = np.array([units.get(unit, 0) for unit in ACTION_UNITS])
    strength = max(shown.max(), 0.5)
    wanted = {e: np.array([strength * (unit in PROTOTYPES[e]) for unit in ACTION_UNITS]) for e in BASIC}
    return min(BASIC, key=lambda emotion: np.linalg.norm(wanted[emotion] - shown))


def test_blinks_are_rare_and_mouths_speak_more_often_with_difficulty(rng):
    blinks = np.mean([45 in express("anger", 1, rng).units for _ in range(2000)])
    assert 0.03 < blinks < 0.1
    open_mouths = [np.mean([26 in express("anger", d, rng).units for _ in range(1000)]) for d in (0, 0.3, 1)]
    assert 0 == open_mouths[0] < open_mouths[1] < open_mouths[2]


def test_what_cannot_be_expressed_is_refused_by_name(rng):
    with pytest.raises(ValueError, match="emotion 'boredom' is unknown; use one of anger"):
        express("boredom", 0.5, rng)
    with pytest.raises(ValueError, match=r"difficulty is 1\.2; it must lie in 0-1"):
        express("anger", 1.2, rng)
