from dataclasses import replace

import pandas as pd
import pytest

from fer_lib.emotions import EMOTIONS
from fer_lib.explain.action_units import AVERAGE_REST, OWN_REST
from fer_lib.explain.sentences import ABOVE_MASKS, WORDS, Evidence, is_unsure, sentence
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.person import AGES, GENDERS
from fer_lib.synthetic.places import PLACES

SURE = pd.Series({"anger": 0.03, "happiness": 0.872, "fear": 0.098})
TORN = pd.Series({"anger": 0.24, "surprise": 0.35, "fear": 0.41})
FULL = Evidence(
    SURE,
    units=(6, 12),
    against=OWN_REST,
    place="beach",
    place_probability=0.64,
    place_attributes=("outdoor", "natural light", "water"),
    age="adult",
    gender="female",
    streams={"face": 0.478, "place": 0.131},
)


def test_a_whole_sentence_with_everything_measured():
    assert sentence(FULL) == (
        "The subject, a woman, shows happiness (87 % sure): cheeks lifted and lip corners raised against this "
        "person's own neutral face. The place looks like a beach (64 % sure): outdoor, natural light and water. Of the "
        "61 points by which happiness is likelier than for a picture that shows nothing, the face gives 48 and the "
        "place 13."
    )


def test_a_whole_sentence_that_is_unsure():
    streams = {"face": 0.3, "background": -0.08, "place": -0.02}
    torn = Evidence(TORN, units=(4, 12), age="old", streams=streams, mask=True)
    assert sentence(torn) == (
        "What the subject, an old person, shows is unsure: perhaps fear (41 %) or surprise (35 %), because no emotion "
        "reaches 50 %, the runner-up is close, a mask covers the lower face and the background and the place disagree "
        "with the face. The face differs from an average face at rest: brows lowered. Of the 20 points by which fear "
        "is likelier than for a picture that shows nothing, the face gives 30, the background takes away 8 and the "
        "place 2."
    )


def test_a_whole_sentence_of_scores_alone():
    assert sentence(Evidence(SURE)) == "The subject shows happiness (87 % sure)."


UNITS = ": cheeks lifted and lip corners raised against this person's own neutral face"
ATTRIBUTES = "outdoor, natural light and water"
SHARES = (
    " Of the 61 points by which happiness is likelier than for a picture that shows nothing, the face gives 48 and the "
    "place 13."
)
# What is told of each piece of evidence, what is told instead without it, and what lacks then.
TOLD = {
    "no reader": (UNITS, "", {"units": None}),
    "no mesh": (UNITS, "", {"units": None, "mesh": False}),
    "no unit": (UNITS, "", {"units": ()}),
    "place": (
        f"The place looks like a beach (64 % sure): {ATTRIBUTES}",
        f"The place's attributes are {ATTRIBUTES}",
        {"place": None},
    ),
    "place probability": (" (64 % sure)", "", {"place_probability": None}),
    "attributes": (f": {ATTRIBUTES}", "", {"place_attributes": ()}),
    "unknown attributes": (f": {ATTRIBUTES}", "", {"place_attributes": None}),
    "place and attributes": (
        f" The place looks like a beach (64 % sure): {ATTRIBUTES}.",
        "",
        {"place": None, "place_attributes": ()},
    ),
    "age": ("a woman", "a female person", {"age": None}),
    "gender": ("a woman", "an adult", {"gender": None}),
    "person": (", a woman,", "", {"age": None, "gender": None}),
    "streams": (SHARES, "", {"streams": None}),
}


@pytest.mark.parametrize("piece", TOLD)
def test_each_clause_goes_away_with_its_evidence_and_all_others_stay(piece):
    told, instead, without = TOLD[piece]
    assert sentence(FULL).count(told) == 1
    assert sentence(replace(FULL, **without)) == sentence(FULL).replace(told, instead)


@pytest.mark.parametrize("mask", [None, False])
def test_a_mask_is_told_where_one_was_noticed(mask):
    worn = replace(FULL, units=(1, 2), mask=True)
    assert sentence(worn).count(" A mask covers the lower face.") == 1
    assert sentence(replace(worn, mask=mask)) == sentence(worn).replace(" A mask covers the lower face.", "")


def test_without_age_or_gender_nobody_guesses_them():
    assert "an adult," in sentence(replace(FULL, gender=None))
    assert "a female person," in sentence(replace(FULL, age=None))
    assert "The subject shows" in sentence(replace(FULL, age=None, gender=None))
    assert "a male person of age 20-29," in sentence(replace(FULL, age="20-29", gender="male"))


@pytest.mark.parametrize("gender", [*GENDERS, None])
@pytest.mark.parametrize("age", [*AGES, "teenager"])
def test_every_age_and_gender_of_the_data_has_a_word_of_its_own(age, gender):
    told = {sentence(replace(FULL, age=a, gender=g)) for a in (*AGES, "teenager", None) for g in (*GENDERS, None)}
    assert len(told) == 15
    assert " of age " not in sentence(replace(FULL, age=age, gender=gender))


def test_every_action_unit_has_words_of_its_own():
    assert set(WORDS) == set(ACTION_UNITS)
    assert len(set(WORDS.values())) == len(ACTION_UNITS)
    told = sentence(replace(FULL, units=ACTION_UNITS))
    assert all(words in told for words in WORDS.values())


def test_units_are_joined_as_english_joins_them():
    assert ": jaw dropped against" in sentence(replace(FULL, units=(26,)))
    assert ": brows lowered, nose wrinkled and jaw dropped against" in sentence(replace(FULL, units=(4, 9, 26)))


def test_units_are_told_beside_what_they_were_compared_with():
    assert "raised against an average face at rest." in sentence(replace(FULL, against=AVERAGE_REST))


def test_below_a_mask_nothing_is_said_to_be_seen():
    told = sentence(replace(FULL, units=ACTION_UNITS, mask=True))
    assert all((words in told) == (unit in ABOVE_MASKS) for unit, words in WORDS.items())
    assert "against" not in sentence(replace(FULL, units=(6, 12), mask=True))


def test_a_neutral_face_is_told_by_what_does_not_stand_out():
    calm = Evidence(pd.Series({"neutral": 0.9, "fear": 0.1}), units=())
    assert sentence(calm) == (
        "The subject shows a neutral face (90 % sure): no action unit stands out against an average face at rest."
    )
    assert sentence(replace(calm, units=None)) == "The subject shows a neutral face (90 % sure)."


@pytest.mark.parametrize(
    ("scores", "unsure"),
    [
        ((0.5, 0.4, 0.1), False),
        ((0.499, 0.3, 0.201), False),  # told as 50 %
        ((0.49, 0.3, 0.21), True),
        ((0.55, 0.45, 0.0), False),
        ((0.54, 0.46, 0.0), True),
        ((1.0,), False),
        ((0.4,), True),
    ],
)
def test_low_and_close_scores_are_unsure(scores, unsure):
    evidence = Evidence(pd.Series(scores, EMOTIONS[: len(scores)]))
    assert is_unsure(evidence) == unsure
    assert ("unsure" in sentence(evidence)) == unsure
    assert ("sure)" in sentence(evidence)) != unsure


# A torn judgement for no other reason than its scores, and what adds each reason.
PLAIN = Evidence(TORN, units=(4,), streams={"face": 0.3, "place": 0.1}, mask=False)
REASONS = {
    "no emotion reaches 50 %": ({}, {"scores": pd.Series({"fear": 0.51, "surprise": 0.49})}),
    "the runner-up is close": ({}, {"scores": pd.Series({"fear": 0.41, "surprise": 0.3, "anger": 0.29})}),
    "no mesh of the face was found": ({"units": None, "mesh": False}, {"units": None, "mesh": True}),
    "a mask covers the lower face": ({"mask": True}, {}),
    "the place disagrees with the face": ({"streams": {"face": 0.3, "place": -0.1}}, {}),
    "no action unit stands out": ({"units": ()}, {}),
    "no action unit stands out above the mask": ({"units": (12,), "mask": True}, {}),
}


@pytest.mark.parametrize("reason", REASONS)
def test_unsure_says_why_and_only_what_holds(reason):
    holds, fails = REASONS[reason]
    assert reason in sentence(replace(PLAIN, **holds))
    assert reason not in sentence(replace(PLAIN, **fails))


@pytest.mark.parametrize("mesh", [None, True])
def test_units_that_nothing_could_read_are_no_missing_mesh(mesh):
    unread = sentence(replace(PLAIN, units=None, mesh=mesh))
    assert "mesh" not in unread
    assert "action unit" not in unread
    assert unread == sentence(replace(PLAIN, units=None))


def test_a_face_that_speaks_against_what_the_scene_says_disagrees_too():
    told = sentence(replace(PLAIN, streams={"face": -0.05, "background": 0.3, "place": 0.001}))
    assert "the background disagrees with the face" in told
    assert "disagree" not in sentence(replace(PLAIN, streams={"face": -0.05, "place": -0.3}))


def test_reasons_and_most_likely_emotions_are_told_of_unsure_ones_alone():
    told = sentence(replace(FULL, units=None, mesh=False, mask=True, streams={"face": 0.5, "place": -0.1}))
    assert "because" not in told
    assert "mesh" not in told
    assert "perhaps" not in told


def test_the_most_likely_are_told_highest_first_and_neutral_as_a_face():
    torn = Evidence(pd.Series({"neutral": 0.38, "disgust": 0.2, "sadness": 0.42}))
    assert "perhaps sadness (42 %) or a neutral face (38 %)" in sentence(torn)
    assert "perhaps anger (40 %), because" in sentence(Evidence(pd.Series({"anger": 0.4})))


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        ({"face": 0.475, "background": 0.005, "place": 0.135}, "Of the 62 points"),
        ({"face": 0.7, "place": -0.09}, "the face gives 70 and the place takes away 9."),
        ({"face": 0.2, "background": 0.0, "place": -0.1}, "the face gives 20, the background none and the place takes"),
        ({"face": 0.012, "place": 0.001}, "Of the 1 point by which"),
        ({"face": 0.1, "place": -0.1}, "Happiness is as likely as for a picture that shows nothing: the face gives 10"),
        ({"face": -0.3, "place": 0.1}, "Happiness is 20 points less likely than for a picture that shows nothing:"),
        (
            {"face": -0.3, "background": -0.05, "place": 0.1},
            "the face takes away 30, the background 5 and the place gives",
        ),
    ],
)
def test_streams_are_told_in_points(streams, told):
    assert told in sentence(replace(FULL, streams=streams))


@pytest.mark.parametrize("shares", [(0.475, 0.135), (0.334, 0.333, 0.333), (-0.005, 0.205, 0.3), (0.0049, 0.0049)])
def test_points_add_up_to_the_rounded_sum_and_lie_beside_their_shares(shares):
    points = replace(FULL, streams=dict(zip(("face", "background", "place"), shares, strict=False))).points
    assert sum(points.values()) == round(100 * sum(shares))
    assert all(abs(told - 100 * share) < 1 for told, share in zip(points.values(), shares, strict=True))


@pytest.mark.parametrize("streams", [None, {}, {"face": 0.4}])
def test_one_stream_alone_has_no_shares(streams):
    assert "points" not in sentence(replace(FULL, streams=streams))


@pytest.mark.parametrize(
    ("score", "told"), [(1.0, "more than 99 %"), (0.996, "more than 99 %"), (0.994, "99 %"), (0.876, "88 %")]
)
def test_nothing_is_certain(score, told):
    scores = pd.Series({"fear": score, "anger": 1 - score})
    assert f"shows fear ({told} sure)" in sentence(Evidence(scores))


def test_what_is_told_at_all_is_not_impossible():
    assert "(less than 1 % sure)" in sentence(replace(FULL, place_probability=0.002))


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("office", "an office"),
        ("public_toilet", "a public toilet"),
        ("street_traffic", "a street with traffic"),
        ("arena/hockey", "a hockey arena"),
        ("bazaar/outdoor", "an outdoor bazaar"),
        ("utility_room", "a utility room"),
        ("ice_cream_parlor", "an ice cream parlor"),
    ],
)
def test_places_are_told_in_words(place, told):
    assert f"The place looks like {told} (64 % sure)" in sentence(replace(FULL, place=place))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_every_drawn_place_is_told_without_marks_of_programs(place):
    told = sentence(replace(FULL, place=place.name, place_attributes=place.attributes))
    assert all(attribute in told for attribute in place.attributes)
    assert not {*"_/[]"} & {*told}


def test_attributes_of_an_unknown_place_are_told_all_the_same():
    told = sentence(replace(FULL, place=None, place_attributes=["no_horizon", "dark"]))
    assert "The place's attributes are no horizon and dark." in told
    assert "%" not in told.split("The place")[1].split("Of the")[0]
