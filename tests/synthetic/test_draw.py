import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_lib.synthetic.draw import Drawing, draw
from fer_lib.synthetic.mesh import neutral
from fer_lib.synthetic.person import draw_person
from fer_lib.synthetic.shot import draw_shot
from fer_lib.synthetic.skin import flat
from fer_lib.synthetic.surface import rasterise

ROOT = Path(__file__).parents[2]
SMILE = {6: 0.8, 12: 1.0, 25: 0.7}


def scene(seed=3, **changes):
    rng = np.random.default_rng(seed)
    person = replace(draw_person(rng, "adult", "female", 5), glasses=False)
    return person, replace(draw_shot(rng, "office"), companion=None, noise=0.0, blur=0.0, **changes)


def digest(seed):
    rng = np.random.default_rng(seed)
    drawing = draw(draw_person(rng), SMILE, draw_shot(rng, "beach"), 96)
    parts = (drawing.picture, drawing.landmarks, drawing.person_mask, drawing.others_mask)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_one_seed_gives_the_same_bytes_in_a_fresh_process():
    code = "import sys; sys.path[:0] = ['tests/synthetic', '.']; from test_draw import digest; print(digest(4))"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert fresh.stdout.strip() == digest(4) != digest(5)


def test_every_size_shows_the_same_to_a_fraction_of_a_pixel():
    person, shot = scene()
    small, large = draw(person, SMILE, shot, 96), draw(person, SMILE, shot, 192)
    assert large.picture.shape == (192, 192, 3)
    assert (large.landmarks + 0.5) / 2 - 0.5 == pytest.approx(small.landmarks, abs=0.15)
    assert (large.person_mask[::2, ::2] == small.person_mask).mean() > 0.98


def test_landmarks_lie_on_what_they_name():
    person, shot = scene()
    drawing = draw(person, {}, shot)
    red = drawing.picture[..., 0].astype(float) - drawing.picture[..., 1]
    assert red[drawing.regions["mouth"]].mean() > red[drawing.regions["cheeks"]].mean() + 8
    grey = drawing.picture.mean(-1)
    for name in ("brows", "eyes"):
        assert grey[drawing.regions[name]].mean() < grey[drawing.regions["cheeks"]].mean() - 10


def test_the_surface_under_a_vertex_is_that_vertex_and_eyes_are_holes():
    _, shot = scene(yaw=0.0, pitch=0.0, roll=0.0)
    pixels = shot.pose(448).project(neutral())[:, :2]
    patch = rasterise(neutral(), flat(), shot.pose(448), 448)
    for vertex in (1, 9, 50, 280, 152, 0):
        x, y = np.rint(pixels[vertex]).astype(int) - patch.corner
        assert patch.at[y, x] == pytest.approx(flat()[vertex], abs=2.5)
    x, y = np.rint(pixels[[159, 145]].mean(0)).astype(int) - patch.corner
    assert not patch.hit[y, x]


def test_masks_hold_people_and_do_not_overlap():
    person, shot = scene()
    drawing = draw(person, SMILE, replace(shot, companion=8))
    x, y = np.rint(drawing.landmarks).astype(int).T
    assert drawing.person_mask[y, x].mean() > 0.97
    assert 0.01 < drawing.others_mask.mean() < drawing.person_mask.mean()
    assert not (drawing.person_mask & drawing.others_mask).any()


def test_expression_light_and_mask_change_nothing_of_the_place():
    person, shot = scene()
    rest = draw(person, {}, shot, 96)
    blue = replace(shot.light, colour=(0.5, 0.7, 1.2))
    for other in (
        draw(person, SMILE, shot, 96),
        draw(person, {}, replace(shot, light=blue), 96),
        draw(person, {}, replace(shot, face_mask="surgical"), 96),
    ):
        changed = (other.picture != rest.picture).any(-1)
        near_people = np.zeros_like(changed)
        rows, columns = np.nonzero(rest.person_mask | other.person_mask)
        for dy, dx in np.ndindex(3, 3):
            near_people[np.clip(rows + dy - 1, 0, 95), np.clip(columns + dx - 1, 0, 95)] = True
        assert changed.any()
        assert not (changed & ~near_people).any()


def test_each_region_lies_within_the_face_and_none_is_there_without_a_face():
    person, shot = scene()
    drawing = draw(person, {}, shot)
    x, y, side = drawing.face_box
    for name, mask in drawing.regions.items():
        rows, columns = np.nonzero(mask)
        assert len(rows) > 30, name
        assert x <= columns.min() <= columns.max() <= x + side
        assert y <= rows.min() <= rows.max() <= y + side
    nobody = Drawing(drawing.picture, np.full((468, 2), np.nan), drawing.person_mask, drawing.others_mask)
    assert not any(mask.any() for mask in nobody.regions.values())


@pytest.mark.parametrize(
    ("units", "changes", "size", "sentence"),
    [
        ({3: 0.5}, {}, 96, "action unit 3 is not drawn"),
        ({12: 1.2}, {}, 96, "action unit 12 has intensity 1.2"),
        ({}, {}, 47, "size is 47 pixels; a person in a scene needs at least 48"),
        ({}, {"place": "moon"}, 96, "moon"),
        ({}, {"face_mask": "iron"}, 96, "iron"),
    ],
)
def test_what_cannot_be_drawn_is_named(units, changes, size, sentence):
    person, shot = scene(**changes)
    with pytest.raises(ValueError, match=sentence):
        draw(person, units, shot, size)
