from dataclasses import astuple

import numpy as np
import pytest

from fer_lib.synthetic.anatomy import rest_face, shape_fields
from fer_lib.synthetic.mesh import mirror, neutral
from fer_lib.synthetic.person import AGES, BEARDS, GENDERS, HAIRSTYLES, SKIN_TONES, Shape, draw_person

PEOPLE = [draw_person(np.random.default_rng(seed)) for seed in range(300)]


def test_everything_on_offer_is_drawn():
    assert {person.age for person in PEOPLE} == set(AGES)
    assert {person.gender for person in PEOPLE} == set(GENDERS)
    assert {person.skin_tone for person in PEOPLE} == set(SKIN_TONES)
    assert {person.hairstyle for person in PEOPLE} == set().union(*HAIRSTYLES.values())
    assert {person.beard for person in PEOPLE} == set(BEARDS)
    assert {person.glasses for person in PEOPLE} == {True, False}


def test_what_is_given_is_kept():
    person = draw_person(np.random.default_rng(0), "child", "male", 9)
    assert (person.age, person.gender, person.skin_tone) == ("child", "male", 9)


@pytest.mark.parametrize(
    ("looks", "sentence"),
    [
        ({"age": ""}, "age '' is unknown; use one of child, adult, old"),
        ({"gender": "woman"}, "gender 'woman' is unknown; use one of female, male"),
        ({"skin_tone": 0}, "skin_tone 0 is unknown; use a whole number from 1 to 10"),
    ],
)
def test_unknown_looks_are_named(looks, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw_person(np.random.default_rng(0), **looks)


def test_neither_children_nor_women_have_beards():
    assert {p.beard for p in PEOPLE if p.age == "child" or p.gender == "female"} == {"none"}


def test_skin_is_darker_tone_by_tone():
    light = [sum(draw_person(np.random.default_rng(0), skin_tone=tone).skin) for tone in SKIN_TONES]
    assert np.corrcoef(np.argsort(np.argsort(light)), list(SKIN_TONES))[0, 1] < -0.98


def test_no_two_people_share_a_shape():
    shapes = np.array([astuple(person.shape) for person in PEOPLE])
    assert shapes.shape[1] >= 12
    assert np.abs(shapes).max() <= 1.2
    assert len(np.unique(shapes.round(6), axis=0)) == len(PEOPLE)


@pytest.mark.parametrize("name", sorted(shape_fields()))
def test_a_shape_parameter_changes_the_face_a_little_and_both_ways(name):
    wide, narrow = (rest_face(Shape(**{name: value})) - neutral() for value in (1.0, -1.0))
    assert 0.01 < np.abs(wide).max() < 0.15
    assert wide == pytest.approx(-narrow)
    if name != "asymmetry":
        assert np.abs(wide[mirror()] - wide * (-1, 1, 1)).max() < 2e-3
