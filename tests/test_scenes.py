import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from fer_lib.errors import StudyError
from fer_lib.scenes import FILLS, GREY, MARGIN, remove_person
from fer_lib.synthetic.places import draw_place
from fer_lib.synthetic.plan import PRESETS, plan
from fer_lib.synthetic.render import draw_card

MAGENTA = (255, 0, 255)


def meadow(rng, height=120, width=160):
    """A noisy green picture with a magenta person in its middle, and where that person is."""
    picture = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
    picture[..., 1] += 150
    person = np.zeros((height, width), bool)
    person[height // 4 :, width // 3 : -width // 3] = True
    picture[person] = MAGENTA
    return picture, person


@pytest.fixture(scope="module")
def drawn():
    """Drawn pictures, their persons, and the same places with nobody there."""
    cards = plan(PRESETS["balanced"], 7, np.random.default_rng(1))
    drawings = [draw_card(card) for card in cards]
    places = [draw_place(card.shot.place, np.random.default_rng(card.shot.scene_seed), 224) for card in cards]
    return [(d.picture, d.person_mask, place) for d, place in zip(drawings, places, strict=True)]


@pytest.mark.parametrize("fill", FILLS)
def test_nothing_changes_beyond_the_margin_and_the_picture_given_stays_whole(fill, rng):
    picture, person = meadow(rng)
    before = picture.copy()
    scene = remove_person(picture, person, fill)
    far = distance_transform_edt(~person) > MARGIN * 160 + 1
    assert np.array_equal(scene[far], picture[far])
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("fill", FILLS)
def test_nothing_of_the_persons_colour_is_left_not_even_at_a_soft_edge(fill, rng):
    picture, person = meadow(rng)
    edge = (distance_transform_edt(~person) > 0) & (distance_transform_edt(~person) <= 2)
    picture[edge] = picture[edge] // 2 + np.array(MAGENTA, np.uint8) // 2
    scene = remove_person(picture, person, fill).astype(int)
    assert scene[..., 0].max() < 75
    assert scene[person][:, 1].min() > 135


def test_the_mean_is_that_of_what_is_left():
    picture = np.full((50, 50, 3), (10, 20, 30), np.uint8)
    picture[:, 25:] = (30, 40, 50)
    person = np.zeros((50, 50), bool)
    person[10:-10, 10:-10] = True
    picture[person] = MAGENTA
    assert remove_person(picture, person, "mean")[25, 25].tolist() == [20, 30, 40]


@pytest.mark.parametrize("fill", FILLS)
def test_a_picture_that_is_all_person_becomes_grey(fill, rng):
    picture, person = meadow(rng)
    assert (remove_person(picture, np.ones_like(person), fill) == GREY).all()


def test_a_remainder_too_thin_to_flow_from_gives_its_mean(rng):
    picture, person = meadow(rng, 512, 512)
    person[:] = True
    person[: round(512 * MARGIN) + 1] = False  # the margin leaves one row, thinner than a reduced pixel
    picture[0] = (9, 8, 7)
    assert (remove_person(picture, person, "inpaint") == (9, 8, 7)).all()


@pytest.mark.parametrize("fill", FILLS)
def test_without_a_person_the_picture_stays_the_same(fill, rng):
    picture, person = meadow(rng)
    assert np.array_equal(remove_person(picture, np.zeros_like(person), fill), picture)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (300, 2)])
@pytest.mark.parametrize("there", [False, True])
def test_the_smallest_grey_pictures_stay_grey(fill, shape, there):
    picture, person = np.full((*shape, 3), GREY, np.uint8), np.zeros(shape, bool)
    person[0, 0] = there
    assert np.array_equal(remove_person(picture, person, fill), picture)


def error(scene, person, place):
    """Mean difference from the empty place, in grey levels, where the person was."""
    return np.abs(scene[person].astype(int) - place[person]).mean()


def test_on_average_the_fill_is_nearer_to_the_empty_place_than_the_person_and_what_flows_in_nearest(drawn):
    before = np.mean([error(picture, person, place) for picture, person, place in drawn])
    inpaint, mean = (
        np.mean([error(remove_person(picture, person, fill), person, place) for picture, person, place in drawn])
        for fill in ("inpaint", "mean")
    )
    assert inpaint < 0.6 * before
    assert inpaint < 0.85 * mean < mean < 0.8 * before


def test_an_unknown_fill_is_named(rng):
    with pytest.raises(StudyError, match="'blur' is unknown; use one of inpaint, mean"):
        remove_person(*meadow(rng), "blur")
