import numpy as np
import pytest

from fer_lib.synthetic.places import PLACES
from fer_lib.synthetic.shot import draw_shot


def test_without_difficulty_the_camera_is_level_and_sharp():
    shot = draw_shot(np.random.default_rng(0), "office", 0)
    assert (shot.yaw, shot.pitch, shot.roll, shot.blur, shot.noise) == (0, 0, 0, 0, 0)


def test_an_unknown_place_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=f"place 'moon' is unknown; use one of {', '.join(PLACES)}"):
        draw_shot(np.random.default_rng(0), "moon")


@pytest.mark.parametrize("difficulty", [-0.1, 1.5, np.nan])
def test_a_difficulty_outside_its_bounds_is_named(difficulty):
    with pytest.raises(ValueError, match=f"difficulty is {difficulty}; it must lie in 0-1"):
        draw_shot(np.random.default_rng(0), "office", difficulty)
