import pytest

from fer_lib.emotions import BASIC, EMOTIONS, PALETTE, SYNONYMS, in_order, parse_emotion


def test_the_first_seven_are_in_fer2013s_own_order():
    assert BASIC == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


@pytest.mark.parametrize(
    ("name", "emotion"),
    [("Angry", "anger"), ("happy", "happiness"), (" SAD ", "sadness"), ("contempt", "contempt")],
)
def test_names_of_other_data_sets_are_understood(name, emotion):
    assert parse_emotion(name) == emotion


def test_an_unknown_name_is_no_emotion():
    assert parse_emotion("hungry") is None


def test_no_synonym_stands_for_two_emotions():
    names = [name for emotion, others in SYNONYMS.items() for name in (emotion, *others)]
    assert len(names) == len(set(names))


def test_every_emotion_has_a_colour_of_its_own():
    assert set(PALETTE) == set(EMOTIONS)
    assert len(set(PALETTE.values())) == len(EMOTIONS)


def test_names_come_back_once_and_in_the_studys_order():
    assert in_order(["neutral", "fear", "neutral", "anger"]) == ["anger", "fear", "neutral"]
