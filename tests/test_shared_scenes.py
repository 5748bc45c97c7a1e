from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_lib import shared_scenes
from fer_lib.data.table import encode_picture, make_table
from fer_lib.shared_scenes import SAME, _correlation, nearest_in_train
from fer_lib.synthetic.plan import PRESETS, plan
from fer_lib.synthetic.render import draw_card


@pytest.fixture(scope="module")
def nearest():
    """Train: four people in their scenes. Test: other people in two of these scenes, and in two others of that kind."""
    cards = plan(PRESETS["balanced"], 14, np.random.default_rng(3))
    train, others = cards[:4], cards[4:8]
    moved = [replace(b, shot=replace(b.shot, place=a.shot.place)) for a, b in zip(train, others, strict=True)]
    shared = [replace(b, shot=replace(b.shot, scene_seed=a.shot.scene_seed)) for a, b in zip(train, moved, strict=True)]
    drawn = [draw_card(card, 160) for card in (*train, *shared[:2], *moved[2:])]
    rows = [
        {"id": str(i), "source": "t", "picture": encode_picture(d.picture), "label": "anger", "split": split}
        for i, (d, split) in enumerate(zip(drawn, ["train"] * 4 + ["test"] * 4, strict=True))
    ]
    people = [(d.person_mask | d.others_mask) * np.uint8(255) for d in drawn]
    masks = pd.DataFrame({"person": [cv2.imencode(".png", mask)[1].tobytes() for mask in people]})
    masks["face_boxes"] = [[]] * len(masks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_scenes, "load_faces", lambda *_: masks)
        return nearest_in_train(make_table(rows, "t"), None)


def test_a_scene_is_known_again_behind_somebody_else(nearest):
    assert (nearest[:2] > SAME).all()


def test_another_scene_of_the_same_kind_is_told_apart(nearest):
    assert (nearest[2:] < SAME).all()


def test_the_correlation_is_numpys_over_what_both_show(rng):
    a, b = rng.uniform(0, 255, (2, 40)), rng.uniform(0, 255, (3, 40))
    seen_a, seen_b = rng.random((2, 40)) > 0.3, rng.random((3, 40)) > 0.3
    ours = _correlation(a, seen_a.astype(float), b, seen_b.astype(float))
    for i in range(2):
        for j in range(3):
            both = seen_a[i] & seen_b[j]
            assert ours[i, j] == pytest.approx(np.corrcoef(a[i, both], b[j, both])[0, 1], abs=1e-6)


def test_scenes_of_which_too_little_is_seen_are_not_compared():
    seen = np.zeros((1, 100))
    seen[0, :5] = 1
    assert _correlation(np.arange(100.0)[None], seen, np.arange(100.0)[None], seen) == -np.inf


def test_plain_walls_of_other_greys_are_not_told_to_be_one_scene(rng):
    walls = np.repeat(rng.integers(0, 255, (10, 1)), 1024, 1).astype(np.float32)
    everything = np.ones_like(walls)
    assert (_correlation(walls, everything, walls, everything) == -np.inf).all()
    wall, other = (rng.normal(value, 9, 1024).astype(np.float32)[None] for value in (40, 200))
    assert _correlation(wall, everything[:1], wall, everything[:1]) == pytest.approx(1)
    assert abs(_correlation(wall, everything[:1], other, everything[:1])) < SAME
