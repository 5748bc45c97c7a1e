from dataclasses import replace

import numpy as np
import pytest

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import Canvas
from fer_lib.synthetic.hair import paint_hair_behind, paint_hair_front
from fer_lib.synthetic.person import HAIRSTYLES, Shape, draw_person

SIDE = 448
SCALE = 62
BACKGROUND = 120
FRONTAL = Pose(0, 0, 0, SCALE, SIDE / 2, 290)
LIGHT = Light((0.0, -0.6, 0.8), 0.5, (1, 1, 1))
CHIN = 1.76
BROW_ENDS = ((-0.88, -0.31, -0.1), (-0.22, -0.48, 0.18), (0.22, -0.48, 0.18), (0.88, -0.31, -0.1))
LONG = ("long straight", "long wavy", "braids", "ponytail")
SHORT = ("buzz cut", "short side parting", "short spiky", "quiff", "curly crop", "receding")
STYLES = sorted(set().union(*HAIRSTYLES.values()))
HAIRY = [style for style in STYLES if style != "bald"]


def painted(style, seed=3, pose=FRONTAL, colour=(142.0, 68.0, 38.0), behind=True, skin=False):
    person = draw_person(np.random.default_rng(1), age="adult")
    person = replace(person, hairstyle=style, hair=colour, texture_seed=seed, shape=Shape())
    canvas = Canvas(np.full((SIDE, SIDE, 3), BACKGROUND, np.uint8), np.zeros((SIDE, SIDE), np.uint8))
    if behind:
        paint_hair_behind(canvas, person, pose, LIGHT)
    canvas.covered[:] |= 255 * np.uint8(skin)
    paint_hair_front(canvas, person, pose, LIGHT)
    return canvas


def pixel(x, y, z=-0.3, pose=FRONTAL):
    return tuple(np.rint(pose.project(np.array([x, y, z]))[:2]).astype(int))


def region(low, high):
    (x0, y0), (x1, y1) = pixel(*low), pixel(*high)
    return slice(y0, y1), slice(x0, x1)


@pytest.mark.parametrize("style", HAIRY)
def test_the_scalp_above_the_hairline_is_covered_in_about_the_hair_colour(style):
    canvas = painted(style, behind=False)
    scalp = region((-0.3, -1.78, -0.77), (0.3, -1.65, -0.49))
    assert (canvas.covered[scalp] > 120).mean() > 0.9
    assert np.abs(canvas.image[scalp].reshape(-1, 3).mean(0) - (142, 68, 38)).max() < 45


def test_bald_covers_less_than_any_other_style():
    covered = {style: (painted(style).covered > 0).sum() for style in STYLES}
    assert all(covered["bald"] < covered[style] for style in HAIRY)


@pytest.mark.parametrize("style", HAIRY)
def test_brows_and_eyes_of_a_frontal_head_stay_free(style):
    face = region((-0.85, -0.62), (0.85, 0.3))
    for seed in range(3):
        assert not (painted(style, seed, behind=False).covered[face] > 0).any()


@pytest.mark.parametrize("style", HAIRY)
def test_the_same_person_has_the_same_hair_twice(style):
    assert np.array_equal(painted(style).image, painted(style).image)


def test_another_seed_gives_other_strands():
    assert not np.array_equal(painted("bob", 3).image, painted("bob", 4).image)


def test_styles_differ():
    silhouettes = [painted(style).covered > 120 for style in HAIRY]
    for i, first in enumerate(silhouettes):
        for second in silhouettes[:i]:
            assert (first != second).sum() > 0.02 * first.sum()


def test_long_hair_reaches_below_the_chin_and_short_hair_does_not():
    below_chin = slice(pixel(0, CHIN)[1], None)
    assert all((painted(style).covered[below_chin] > 120).any() for style in LONG)
    assert not any((painted(style).covered[below_chin] > 0).any() for style in SHORT)


@pytest.mark.parametrize("style", [style for style in HAIRY if style != "ponytail"])  # its tail hangs on one side
def test_hair_turned_left_is_as_large_as_hair_turned_right(style):
    areas = [(painted(style, pose=replace(FRONTAL, yaw=yaw)).covered > 120).sum() for yaw in (-25, 25)]
    assert abs(areas[0] - areas[1]) < 0.1 * areas[0]


@pytest.mark.parametrize("x", [-100, 5, 440, 700])
def test_a_head_at_or_beyond_the_edge_can_be_painted(x):
    canvas = painted("long wavy", pose=replace(FRONTAL, x=float(x)))
    assert (canvas.covered > 0).any() == (x < 500)


def test_strands_follow_the_head_when_it_moves():
    here, there = painted("quiff"), painted("quiff", pose=replace(FRONTAL, x=SIDE / 2 + 20, y=300))
    assert np.array_equal(here.image[:-10, :-20], there.image[10:, 20:])


def test_the_shadow_of_hair_falls_on_the_person_only():
    alone, worn = painted("bob", behind=False), painted("bob", behind=False, skin=True)
    skin = alone.covered == 0
    assert (alone.image[skin] == BACKGROUND).all()
    assert (worn.image[skin] < BACKGROUND).any()
    assert (worn.image[skin] <= BACKGROUND).all()


def test_turned_heads_keep_their_brows():
    for yaw in (-30, -15, 15, 30):
        pose = replace(FRONTAL, yaw=yaw)
        x, y = np.transpose([pixel(*end, pose=pose) for end in BROW_ENDS])
        for style in HAIRY:
            assert not painted(style, pose=pose, behind=False).covered[y, x].any()
