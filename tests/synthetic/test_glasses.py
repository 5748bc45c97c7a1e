from dataclasses import replace

import numpy as np
import pytest

from fer_lib.synthetic.camera import Pose
from fer_lib.synthetic.canvas import Canvas
from fer_lib.synthetic.glasses import FRAMES, paint_glasses

SIDE = 448
FRONTAL = Pose(0.0, 0.0, 0.0, 66.0, 224.0, 260.0)
SKIN = (200, 160, 130)
EYES = np.array([(-0.5, 0.0, 0.0), (0.5, 0.0, 0.0)])
# The vertices that glasses hold on to: the corners of the eyes and the nose's bridge.
HELD = {
    33: (-0.71, 0.0, -0.07),
    133: (-0.26, 0.03, 0.0),
    362: (0.26, 0.03, 0.0),
    263: (0.71, 0.0, -0.07),
    168: (0.0, -0.09, 0.18),
}


def glasses_on(pose: Pose, seed: int) -> np.ndarray:
    """How much (side, side) glasses change the picture, in grey levels."""
    canvas = Canvas(np.full((SIDE, SIDE, 3), SKIN, np.uint8), np.zeros((SIDE, SIDE), np.uint8))
    vertices = np.zeros((468, 3))
    vertices[list(HELD)] = list(HELD.values())
    paint_glasses(canvas, vertices, pose, seed)
    return np.abs(canvas.image.astype(int) - SKIN).max(2)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("yaw", [-20.0, 0.0, 20.0])
def test_glasses_leave_the_eyes_nearly_unchanged(seed, yaw):
    pose = replace(FRONTAL, yaw=yaw)
    change = glasses_on(pose, seed)
    assert change.max() > 30
    for eye in EYES:
        column, row = np.rint(pose.project(eye)[:2]).astype(int)
        assert change[row - 5 : row + 6, column - 7 : column + 8].max() <= 12


def test_the_same_seed_gives_the_same_glasses_and_seeds_give_several():
    assert np.array_equal(glasses_on(FRONTAL, 3), glasses_on(FRONTAL, 3))
    assert len({glasses_on(FRONTAL, seed).tobytes() for seed in range(30)}) > 2 * len(FRAMES)


def test_glasses_may_leave_the_picture():
    assert not glasses_on(replace(FRONTAL, x=-900.0), 1).any()
    assert glasses_on(replace(FRONTAL, x=0.0), 1).any()
