import os

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from skimage import data

from fer_lib.data.table import COLUMNS, decode_picture, encode_picture, make_table, picture_hash, resize
from fer_lib.errors import StudyError
from fer_lib.faces.prepare import prepare_faces
from fer_lib.scenes import FILLS, GREY, MARGIN, remove_person, scene_table, with_faces
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


@pytest.fixture(scope="module")
def prepared(drawn, tmp_path_factory):
    """A table of drawn people, a photograph and a row without a picture, and the folder of its measured faces."""
    pictures = [picture for picture, _, _ in drawn] + [data.astronaut()]
    rows = [
        {"picture": encode_picture(picture), "picture_hash": picture_hash(picture), "box": [9, 9, 50], "label": "joy"}
        for picture in pictures
    ]
    rows = [{"id": f"a{number}", "split": "train", **row} for number, row in enumerate([*rows, {"problem": "gone"}])]
    table = make_table(rows, "scenes", {"list.csv": "00"})
    return table, prepare_faces(table, tmp_path_factory.mktemp("scenes"), processes=1)


def test_scenes_are_a_table_of_places_without_anybody_whose_other_columns_stay(prepared, drawn):
    table, faces = prepared
    scenes = scene_table(table, faces, 96)
    others = [column for column in COLUMNS if column not in ("picture", "picture_hash", "box")]
    assert scenes[others].equals(table[others])
    assert scenes.attrs == table.attrs == {"dataset": "scenes", "files": {"list.csv": "00"}}
    assert scenes["box"].isna().all()
    shown = [decode_picture(picture) for picture in scenes["picture"][:-1]]
    assert {picture.shape for picture in shown} == {(96, 96, 3)}
    assert [picture_hash(picture) for picture in shown] == scenes["picture_hash"][:-1].tolist()
    assert scenes["picture"].iloc[-1] is scenes["picture_hash"].iloc[-1] is None
    small = [[resize(part, 96) for part in (picture, person, place)] for picture, person, place in drawn]
    before = np.mean([error(picture, person, place) for picture, person, place in small])
    after = np.mean([error(s, person, place) for s, (_, person, place) in zip(shown, small, strict=False)])
    assert after < 0.65 * before


def test_nothing_of_the_photographed_persons_face_and_suit_is_left(prepared):
    scene = decode_picture(scene_table(*prepared, 128)["picture"].iloc[-2]).astype(int)
    photograph = resize(data.astronaut(), 128).astype(int)
    orange = [(p[..., 0] - p[..., 2] > 120)[60:110, 15:70].mean() for p in (photograph, scene)]
    assert orange[0] > 0.4
    assert orange[1] < 0.02
    assert np.abs(scene - photograph)[:25, :25].mean() < 5  # the flag


def test_scenes_are_made_once_and_again_when_their_file_is_damaged(prepared):
    table, faces = prepared
    made = scene_table(table, faces, 32)
    path = max(faces.parent.glob("scenes-*.parquet"), key=os.path.getmtime)
    first = path.stat().st_mtime_ns
    assert scene_table(table.assign(label="fear"), faces, 32).equals(made.assign(label="fear"))
    assert path.stat().st_mtime_ns == first
    path.write_bytes(path.read_bytes()[:-50])
    assert scene_table(table, faces, 32).equals(made)
    assert path.stat().st_mtime_ns > first
    assert not scene_table(table, faces, 32, "mean")["picture"].equals(made["picture"])


def test_the_faces_of_another_table_are_refused(prepared):
    table, faces = prepared
    with pytest.raises(StudyError, match="has the faces of another table"):
        scene_table(table[::-1], faces, 32)


def test_a_usable_picture_that_could_not_be_read_is_named_and_makes_no_scene_with_its_person_in_it(prepared):
    table, faces = prepared
    table = table.assign(problem=None)
    table.attrs = dict(prepared[0].attrs)
    with pytest.raises(StudyError, match=r"no faces could be looked for, unreadable picture .*; mend it, delete "):
        scene_table(table, faces, 32)


def test_faces_that_the_mask_misses_belong_to_the_hole_with_their_margin():
    covered = with_faces(np.zeros((100, 100), bool), np.array([40, 40, 20, 20, -30, 90, 20, 40], np.float32))
    truth = np.zeros((100, 100), bool)
    truth[35:65, 35:65] = True
    assert (covered == truth).all()  # the second face lies outside of the picture
