import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from fer_lib.data.sources import fer2013
from fer_lib.emotions import BASIC
from fer_lib.synthetic.face_masks import FACE_MASKS
from fer_lib.synthetic.places import PLACES
from fer_lib.synthetic.plan import PRESETS, Bias, Preset, class_counts, plan
from fer_lib.synthetic.presets import PLACE_OF, PROBLEMS

BALANCED = PRESETS["balanced"]


def planned(preset, n, seed=0, **options):
    return plan(preset, n, np.random.default_rng(seed), **options)


def emotion_by_place(association):
    cards = planned(replace(BALANCED, association=association), 1400)
    counts = Counter((card.emotion, card.shot.place) for card in cards)
    return np.array([[counts[emotion, place] for place in PLACES] for emotion in BASIC])


def test_each_of_the_fourteen_places_belongs_to_one_emotion():
    owned = [place for pair in PLACE_OF.values() for place in pair]
    assert sorted(owned) == sorted(PLACES)
    assert set(PLACE_OF) == set(BASIC)


def test_without_association_places_tell_nothing_about_emotions():
    assert chi2_contingency(emotion_by_place(0)).pvalue > 0.001


def test_at_full_association_the_place_determines_the_emotion():
    assert ((emotion_by_place(1) > 0).sum(axis=0) == 1).all()


def test_the_preset_context_shows_the_own_places_as_often_as_it_says():
    cards = planned(PRESETS["context"], 1400)
    own = np.mean([card.shot.place in PLACE_OF[card.emotion] for card in cards])
    assert own == pytest.approx(0.8 + 0.2 * 2 / 14, abs=0.05)


def test_contempt_has_no_place_of_its_own():
    cards = planned(Preset("c", "", {"contempt": 1}, association=1), 300)
    assert len({card.shot.place for card in cards}) == 14


def test_class_counts_are_those_of_the_largest_remainders():
    assert class_counts({"anger": 1, "fear": 1, "neutral": 1}, 10) == {"anger": 4, "fear": 3, "neutral": 3}
    assert class_counts({"anger": 41, "fear": 29, "neutral": 30}, 7) == {"anger": 3, "fear": 2, "neutral": 2}
    assert class_counts({"anger": 998, "fear": 1, "neutral": 1, "sadness": 0}, 9) == {
        "anger": 7, "fear": 1, "neutral": 1,
    }  # fmt: skip


def test_the_imbalanced_preset_has_the_shares_of_fer2013():
    counts = dict(zip(BASIC, fer2013.COUNTS["train"], strict=True))
    assert class_counts(PRESETS["imbalanced"].class_shares, sum(counts.values())) == counts
    shown = Counter(card.emotion for card in planned(PRESETS["imbalanced"], 500))
    assert {e: round(500 * k / sum(counts.values())) for e, k in counts.items()} == pytest.approx(shown, abs=1)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_plans_what_was_asked_for_in_disjoint_splits_with_all_classes(name):
    cards = planned(PRESETS[name], 420)
    assert [card.number for card in cards] == list(range(420))
    assert len({card.subject for card in cards}) == 21
    assert {s: {c.emotion for c in cards if c.split == s} for s in ("train", "validation", "test")} == {
        "train": set(BASIC), "validation": set(BASIC), "test": set(BASIC),
    }  # fmt: skip
    assert all(sum(card.votes) == 10 and len(card.votes) == 8 for card in cards)


def test_every_subject_keeps_its_looks_and_shows_every_class():
    cards = planned(BALANCED, 700)
    for subject in {card.subject for card in cards}:
        own = [card for card in cards if card.subject == subject]
        assert len({str(card.person) for card in own}) == 1
        assert set(BASIC) == {card.emotion for card in own}
        assert len(own) == 20


def test_genders_and_skin_tones_are_shown_equally_often():
    cards = planned(BALANCED, 400)
    assert set(Counter(card.person.gender for card in cards).values()) == {200}
    assert Counter(card.person.skin_tone for card in cards) == dict.fromkeys(range(1, 11), 40)


def test_whole_subjects_are_dealt_to_splits_in_70_15_and_15_per_cent():
    cards = planned(BALANCED, 2000)
    assert Counter(card.split for card in cards) == {"train": 1400, "validation": 300, "test": 300}


def test_the_share_of_wrong_and_spoilt_pictures_is_the_preset_s():
    cards = planned(PRESETS["noisy"], 2000)
    assert np.mean([card.label != card.emotion for card in cards]) == pytest.approx(0.15, abs=0.03)
    assert sum(card.problem is not None for card in cards) == 160
    assert {card.problem for card in cards} == {None, *PROBLEMS}
    assert all(card.label == card.emotion and card.problem is None for card in planned(BALANCED, 70))


def test_a_duplicate_shows_what_its_intact_original_shows():
    cards = planned(PRESETS["noisy"], 1000)
    copies = [card for card in cards if card.problem == "duplicate"]
    assert copies
    for card in copies:
        original = cards[card.twin_of]
        assert original.problem is None
        for name in ("subject", "person", "emotion", "expression", "shot"):
            assert getattr(card, name) == getattr(original, name)


def test_the_biased_group_is_shown_as_rarely_and_as_weakly_as_the_preset_says():
    cards = planned(PRESETS["biased"], 1400)
    anger = [card for card in cards if card.emotion == "anger"]
    women = [card for card in anger if card.person.gender == "female"]
    assert len(women) / len(anger) == pytest.approx(0.2, abs=0.01)
    men = np.mean([c.expression.units[4] for c in anger if c.person.gender == "male"])
    assert np.mean([c.expression.units[4] for c in women]) == pytest.approx(0.6 * men, rel=0.2)
    others = [card.person.gender == "female" for card in cards if card.emotion != "anger"]
    assert np.mean(others) == pytest.approx(0.5, abs=0.02)


def test_every_split_has_both_genders_alike_and_the_bias_is_in_each():
    cards = planned(PRESETS["biased"], 2800)
    for split in ("train", "validation", "test"):
        women = {
            shown: [c.person.gender == "female" for c in cards if c.split == split and (c.emotion == "anger") == shown]
            for shown in (True, False)
        }
        assert np.mean(women[False]) == pytest.approx(0.5, abs=0.06)
        assert np.mean(women[True]) == pytest.approx(0.2, abs=0.02)


def test_a_rare_group_has_at_least_one_subject():
    preset = replace(BALANCED, bias=Bias("fear", "skin_tone", 10, share=0.5))
    for seed in range(5):
        fear = [card for card in planned(preset, 70, seed) if card.emotion == "fear"]
        assert sum(card.person.skin_tone == 10 for card in fear) == pytest.approx(5, abs=1)


def test_a_masked_twin_follows_its_bare_card_and_differs_by_the_mask_alone():
    cards = planned(replace(BALANCED, masked_twins=True), 70)
    assert [card.number for card in cards] == list(range(70))
    for bare, masked in zip(cards[::2], cards[1::2], strict=True):
        assert masked.shot.face_mask in FACE_MASKS
        unmasked = replace(masked, number=bare.number, twin_of=None, shot=replace(masked.shot, face_mask=None))
        assert unmasked == bare
        assert masked.twin_of == bare.number
    assert {card.shot.face_mask for card in cards[1::2]} == set(FACE_MASKS)


def test_the_generator_alone_decides():
    assert planned(PRESETS["noisy"], 70, 3) == planned(PRESETS["noisy"], 70, 3) != planned(PRESETS["noisy"], 70, 4)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"class_shares": {"boredom": 1}}, "class_shares: boredom is no emotion"),
        ({"class_shares": {"anger": -1}}, "class_shares: a share is negative"),
        ({"class_shares": {"anger": math.nan}}, "class_shares: a share is not finite"),
        ({"class_shares": {"anger": math.inf}}, "class_shares: a share is not finite"),
        ({"class_shares": {"anger": 0}}, "class_shares: no emotion has a share"),
        ({"class_shares": {}}, "class_shares: no emotion has a share"),
        ({"association": 1.1}, r"association is 1\.1; it must lie in 0-1"),
        ({"label_noise": -0.1}, r"label_noise is -0\.1; it must lie in 0-1"),
        ({"difficulty": 2}, "difficulty is 2; it must lie in 0-1"),
        ({"problem_share": 3}, "problem_share is 3; it must lie in 0-1"),
        ({"framing": "hand"}, "framing 'hand' is unknown; use scene or face"),
        ({"masked_twins": True, "problem_share": 0.1}, "masked_twins and problem_share exclude each other"),
        ({"bias": Bias("contempt", "age", "old", 0.5)}, "bias: 'contempt' has no share"),
        ({"bias": Bias("anger", "height", "tall", 0.5)}, "bias: 'height' is unknown; use one of gender, age"),
        ({"bias": Bias("anger", "age", "ancient", 0.5)}, "bias: the group 'ancient' is unknown"),
        ({"bias": Bias("anger", "age", "old", 1.5)}, r"bias: the share is 1\.5"),
        ({"bias": Bias("anger", "age", "old", 0.5, -1)}, "bias: the strength is -1"),
        ({"bias": Bias("anger", "age", "old", 0.5, math.nan)}, "bias: the strength is nan; use a finite one"),
        ({"bias": Bias("anger", "age", "old", 0.5, math.inf)}, "bias: the strength is inf; use a finite one"),
    ],
)
def test_wrong_values_of_a_preset_are_named(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(BALANCED, **values)


def test_too_few_pictures_or_subjects_are_named():
    with pytest.raises(ValueError, match="n is 6; balanced needs 7 or more"):
        planned(BALANCED, 6)
    with pytest.raises(ValueError, match="n is 15; with masked twins it must be even"):
        planned(replace(BALANCED, masked_twins=True), 15)
    with pytest.raises(ValueError, match="n_subjects is 0; at least 1 is needed"):
        planned(BALANCED, 70, n_subjects=0)
