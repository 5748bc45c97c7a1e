import hashlib
import subprocess
import sys
from functools import cache

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fer_lib.synthetic.places import ATTRIBUTES, PLACES, draw_place

SIZE = 64
N_DRAWS = 18


@cache
def pictures(name):
    """Draws (N_DRAWS, SIZE, SIZE, 3) of one place."""
    return np.array([draw_place(name, np.random.default_rng([7, i]), SIZE) for i in range(N_DRAWS)])


def around_the_person(name):
    """Colour thumbnails of a place, (N_DRAWS, n), without what a person in the middle would cover."""
    kept = np.ones((12, 12), bool)
    kept[2:, 2:10] = False
    thumbnails = [cv2.resize(picture, (12, 12), interpolation=cv2.INTER_AREA) for picture in pictures(name)]
    return np.array(thumbnails)[:, kept].reshape(N_DRAWS, -1) / 255


def test_a_fresh_process_draws_the_same_bytes():
    program = (
        "import hashlib, numpy as np; from fer_lib.synthetic.places import PLACES, draw_place\n"
        "drawn = [draw_place(name, np.random.default_rng([7, 0]), 64) for name in PLACES]\n"
        "print(hashlib.sha256(np.array(drawn)).hexdigest())"
    )
    fresh = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    here = hashlib.sha256(np.array([pictures(name)[0] for name in PLACES])).hexdigest()
    assert fresh.strip() == here


@pytest.mark.parametrize("name", PLACES)
def test_no_two_draws_of_a_place_look_alike(name):
    drawn = pictures(name).astype(float)
    for i in range(N_DRAWS):
        others = np.delete(drawn, i, 0)
        assert np.abs(others - drawn[i]).mean((1, 2, 3)).min() > 6


@pytest.mark.parametrize("name", PLACES)
def test_a_place_has_the_same_layout_at_two_sizes(name):
    small, large = (draw_place(name, np.random.default_rng(3), size) for size in (112, 224))
    large = cv2.resize(large, (112, 112), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.95


def test_what_shows_around_a_person_tells_the_place():
    names = np.repeat(list(PLACES), N_DRAWS)
    shown = np.concatenate([around_the_person(name) for name in PLACES])
    train = np.arange(len(names)) % 3 > 0
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200)).fit(shown[train], names[train])
    assert model.score(shown[~train], names[~train]) >= 0.6


def test_every_dark_place_is_darker_than_every_other():
    light = {name: pictures(name).mean() for name in PLACES}
    dark = [light[name] for name, place in PLACES.items() if "dark" in place.attributes]
    bright = [light[name] for name, place in PLACES.items() if "dark" not in place.attributes]
    assert max(dark) < min(bright)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_place_is_either_indoors_or_outdoors_and_its_light_is_moderate(place):
    assert ("indoor" in place.attributes) != ("outdoor" in place.attributes)
    assert set(place.attributes) <= set(ATTRIBUTES)
    assert all(0.8 < gain < 1.2 for gain in place.light)
    assert 0.6 <= place.brightness[0] < place.brightness[1] <= 1.15


@pytest.mark.parametrize("size", [48, 65])
def test_a_picture_has_the_size_asked_for(size):
    picture = draw_place("office", np.random.default_rng(0), size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize(
    ("name", "size", "sentence"),
    [
        ("moon", 64, "place 'moon' is not drawn; known are street_traffic"),
        ("beach", 47, "size is 47 pixels; a place needs at least 48"),
    ],
)
def test_wrong_arguments_are_named(name, size, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw_place(name, np.random.default_rng(0), size)
