from dataclasses import replace

import numpy as np
import pytest

from fer_lib.synthetic.body import SEED, paint_body
from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import Canvas
from fer_lib.synthetic.garments import GARMENTS, choose_outfit
from fer_lib.synthetic.person import Person, draw_person

SIDE, SCALE, X, Y = 448, 60.0, 224.0, 250.0
FRONTAL = Pose(0.0, 0.0, 0.0, SCALE, X, Y)
LIGHT = Light((0.0, -0.5, 0.87), 0.6, (1.0, 1.0, 1.0))
SCENE = 120


def row(down: float) -> int:
    """The row of a height in head coordinates, seen from the front."""
    return round(Y + (down - 1) * SCALE)


def person(age: str = "adult", gender: str = "female", seed: int = 1) -> Person:
    return draw_person(np.random.default_rng(seed), age, gender, skin_tone=5)


def wearing(name: str, seed: int = 1) -> Person:
    """A person who wears the garment."""
    for texture_seed in range(1000):
        found = replace(person(gender="male", seed=seed), texture_seed=texture_seed)
        if choose_outfit(found, np.random.default_rng([texture_seed, SEED])).name == name:
            return found
    raise AssertionError(f"nobody wears {name}")


def painted(who: Person, pose: Pose = FRONTAL) -> Canvas:
    canvas = Canvas(np.full((SIDE, SIDE, 3), SCENE, np.uint8), np.zeros((SIDE, SIDE), np.uint8))
    paint_body(canvas, who, pose, LIGHT)
    return canvas


def width(canvas: Canvas, down: float) -> int:
    return int((canvas.covered[row(down)] > 0).sum())


def test_the_same_person_wears_the_same_clothes_twice():
    assert np.array_equal(painted(person()).image, painted(person()).image)
    assert not np.array_equal(painted(person()).image, painted(replace(person(), texture_seed=77)).image)


def test_children_have_narrower_shoulders_than_adults_and_women_than_men():
    child, woman, man = (width(painted(who), 3.6) for who in (person("child"), person(), person(gender="male")))
    assert child < 0.9 * woman < 0.9 * man


def test_a_wider_face_has_wider_shoulders():
    slim, broad = (replace(person(), shape=replace(person().shape, face_width=w)) for w in (-1.0, 1.0))
    assert width(painted(broad), 3.6) > width(painted(slim), 3.6)


@pytest.mark.parametrize("who", [person("child"), person(), person("old", "male")])
def test_neck_and_shoulders_are_covered_and_beside_the_face_nothing_above_the_chin(who):
    canvas = painted(who)
    assert canvas.covered[row(2.1), round(X)] == 255
    assert canvas.covered[row(3.6), round(X) - 90 : round(X) + 90].all()
    assert canvas.covered[-1, round(X)] == 255
    above = canvas.covered[: row(1.76)].copy()
    above[:, round(X - 0.9 * SCALE) : round(X + 0.9 * SCALE)] = 0
    assert not above.any()


def test_only_covered_pixels_are_painted():
    canvas = painted(person())
    assert (canvas.image[canvas.covered == 0] == SCENE).all()


def test_the_chin_s_shadow_makes_the_upper_neck_darker_than_the_lower():
    canvas = painted(wearing("v-neck"))
    upper, lower = (canvas.image[row(down), round(X) - 15 : round(X) + 15].mean() for down in (1.9, 2.75))
    assert upper < 0.85 * lower


def test_shoulders_turn_with_the_head_but_less():
    roll = painted(person(), replace(FRONTAL, roll=15.0)).covered > 0
    left, right = (int(np.argmax(roll[:, round(X + side * 1.6 * SCALE)])) for side in (-1, 1))
    assert 0 < right - left < np.tan(np.radians(15)) * 3.2 * SCALE


@pytest.mark.parametrize("name", GARMENTS)
def test_every_garment_can_be_painted(name):
    canvas = painted(wearing(name) if GARMENTS[name].worn_by[1] else person(seed=3))
    assert canvas.image[canvas.covered > 0].std() > 5


@pytest.mark.parametrize(("x", "y", "scale"), [(-400.0, 200.0, 60.0), (224.0, 700.0, 60.0), (224.0, 20.0, 160.0)])
def test_a_body_may_leave_the_picture(x, y, scale):
    canvas = painted(person(), Pose(20.0, 10.0, -10.0, scale, x, y))
    assert canvas.covered.any() == (0 < y < SIDE and 0 < x < SIDE)


def test_small_companions_can_be_painted():
    assert painted(person(), Pose(0.0, 0.0, 0.0, 14.0, X, Y)).covered.any()
