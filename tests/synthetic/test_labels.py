import numpy as np
import pytest

from fer_lib.emotions import BASIC, EMOTIONS
from fer_lib.synthetic.expressions import PROTOTYPES
from fer_lib.synthetic.labels import ambiguity, annotate, confusions, noisy_label


def many_votes(emotion, rng, how_ambiguous=0.5, contempt=False):
    votes = [annotate(emotion, how_ambiguous, rng, contempt=contempt) for _ in range(400)]
    return dict(zip(EMOTIONS, np.sum(votes, axis=0), strict=True))


def test_ten_annotators_give_ten_votes_and_none_to_contempt_unless_it_is_in_use(rng):
    for emotion in BASIC:
        votes = annotate(emotion, 0.5, rng)
        assert votes.shape == (8,)
        assert votes.sum() == 10
        assert many_votes(emotion, rng)["contempt"] == 0
    assert many_votes("neutral", rng, contempt=True)["contempt"] > 0
    assert annotate("fear", 0.2, rng, annotators=3).sum() == 3


@pytest.mark.parametrize("pair", [("fear", "surprise"), ("anger", "disgust"), ("sadness", "neutral")])
def test_the_pairs_that_people_mix_up_are_each_other_s_most_frequent_wrong_vote(pair, rng):
    for shown, seen in (pair, pair[::-1]):
        wrong = many_votes(shown, rng)
        del wrong[shown]
        assert max(wrong, key=wrong.get) == seen


def test_anger_and_sadness_come_next(rng):
    for shown, seen in (("anger", "sadness"), ("sadness", "anger")):
        wrong = many_votes(shown, rng)
        assert sorted(wrong, key=wrong.get)[-3] == seen


def test_the_more_ambiguous_an_expression_the_fewer_annotators_are_right(rng):
    right = [many_votes("fear", rng, level)["fear"] / 4000 for level in (0, 0.5, 1)]
    assert right[0] == pytest.approx(0.87, abs=0.03)
    assert right[0] > right[1] + 0.1 > right[2] + 0.2


def test_weak_expressions_are_ambiguous_and_so_is_a_neutral_face_that_moves():
    full = dict.fromkeys(PROTOTYPES["fear"], 1.0)
    assert ambiguity("fear", full) == 0
    assert ambiguity("fear", {unit: 0.25 for unit in full}) == pytest.approx(0.75)
    assert ambiguity("neutral", {}) == 0 < ambiguity("neutral", {12: 0.5}) < ambiguity("neutral", full) == 1


@pytest.mark.parametrize("share", [0, 0.15, 1])
def test_the_share_of_wrong_labels_is_the_one_asked_for(share, rng):
    labels = [noisy_label("anger", share, rng) for _ in range(4000)]
    assert np.mean([label != "anger" for label in labels]) == pytest.approx(share, abs=0.02)
    assert set(labels) <= set(BASIC)


def test_every_row_of_confusions_is_a_distribution_over_other_emotions():
    for contempt in (False, True):
        for emotion in EMOTIONS:
            row = confusions(emotion, contempt)
            assert row.sum() == pytest.approx(1)
            assert row[EMOTIONS.index(emotion)] == 0


def test_what_cannot_be_labelled_is_refused_by_name(rng):
    with pytest.raises(ValueError, match="emotion 'boredom' is unknown"):
        annotate("boredom", 0.5, rng)
    with pytest.raises(ValueError, match="ambiguity is -1; it must lie in 0-1"):
        annotate("fear", -1, rng)
    with pytest.raises(ValueError, match="share is 2; it must lie in 0-1"):
        noisy_label("fear", 2, rng)
