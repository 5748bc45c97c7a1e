from dataclasses import replace

import numpy as np
import pytest

from fer_lib.synthetic.expressions import Expression
from fer_lib.synthetic.mesh import INNER_LIPS
from fer_lib.synthetic.person import draw_person
from fer_lib.synthetic.shot import draw_shot
from fer_lib.synthetic.video import expression_video

FRAMES = 11


@pytest.fixture(scope="module")
def video():
    rng = np.random.default_rng(0)
    expression = Expression({25: 0.8, 26: 1.0})
    shot = replace(draw_shot(rng, "office", difficulty=0), companion=None)
    return list(expression_video(draw_person(rng), expression, shot, FRAMES, size=64))


def test_units_rise_from_nothing_to_the_expression_and_fall_back(video):
    for unit, apex in ((25, 0.8), (26, 1.0)):
        course = np.array([units[unit] for _, units in video])
        assert course[[0, 5, -1]] == pytest.approx([0, apex, 0])
        assert (np.diff(course[:5]) > 0).all()
        assert (np.diff(course[6:]) < 0).all()
        assert np.abs(np.diff(course)).max() < 0.5 * apex


def test_the_drawn_mouth_opens_and_closes_with_them(video):
    upper, lower = INNER_LIPS[5], INNER_LIPS[15]
    gaps = [np.linalg.norm(drawing.landmarks[lower] - drawing.landmarks[upper]) for drawing, _ in video]
    assert gaps[5] > gaps[0] + 1
    assert gaps[2] > gaps[0]
    assert gaps[-1] == pytest.approx(gaps[0], abs=0.1)


def test_the_head_sways_a_little_and_comes_back(video):
    noses = np.array([drawing.landmarks[1] for drawing, _ in video])
    assert 0.1 < np.ptp(noses[:, 0]) < 6
    assert noses[-1] == pytest.approx(noses[0], abs=0.01)
    assert np.linalg.norm(np.diff(noses, axis=0), axis=1).max() < 3


def test_too_few_frames_are_named_at_the_call():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="frames is 2; onset, apex and offset need at least 3"):
        expression_video(draw_person(rng), Expression({}), draw_shot(rng, "office"), frames=2)
