from dataclasses import replace

import numpy as np
import pytest

from fer_lib.data.sources.synthetic import PRESET, SIZE
from fer_lib.data.table import encode_picture
from fer_lib.errors import StudyError
from fer_lib.explain import planted
from fer_lib.explain.planted import expression_change
from fer_lib.synthetic.plan import plan
from fer_lib.synthetic.render import draw_card

TOTAL = 56  # drawn people of the fixture, by seed 0


@pytest.fixture(scope="module")
def changes(drawn_people):
    """How much each of four emotions changes, mean over its faces."""
    rows = drawn_people[drawn_people["label"].isin(["happiness", "surprise", "neutral"])]
    found = expression_change(rows, TOTAL, 0)
    return {label: found[(rows["label"] == label).to_numpy()] for label in set(rows["label"])}


def test_every_picture_has_a_change_of_each_pixel_in_grey_levels(changes, drawn_people):
    for found in changes.values():
        assert found.shape == (8, 48, 48)
        assert found.min() >= 0
        assert found.max() <= 255


@pytest.mark.parametrize("emotion", ["happiness", "surprise"])
def test_an_open_or_smiling_mouth_changes_more_than_the_rest(changes, emotion):
    mean = changes[emotion].mean(0)
    mouth = np.zeros((48, 48), bool)
    mouth[30:42, 14:34] = True
    assert mean[mouth].mean() > 2 * mean[~mouth].mean()


def test_a_strong_expression_changes_more_than_a_faint_one(changes):
    assert changes["happiness"].mean() > 2 * changes["neutral"].mean()


def test_a_face_at_rest_changes_nothing(drawn_people, monkeypatch):
    cards = plan(PRESET, TOTAL, np.random.default_rng(0))
    resting = replace(cards[3], expression=replace(cards[3].expression, units={}))
    monkeypatch.setattr(planted, "plan", lambda *_: [*cards[:3], resting, *cards[4:]])
    row = drawn_people.iloc[[3]].assign(picture=[encode_picture(draw_card(resting, SIZE).picture)])
    assert (expression_change(row, TOTAL, 0) == 0).all()


def test_the_order_and_choice_of_rows_do_not_matter(drawn_people):
    few = drawn_people.iloc[[7, 2]]
    both = expression_change(few, TOTAL, 0)
    assert np.array_equal(expression_change(few.iloc[::-1], TOTAL, 0), both[::-1])


def test_the_size_of_the_answer_is_that_which_is_asked_for(drawn_people):
    assert expression_change(drawn_people.iloc[:1], TOTAL, 0, side=20).shape == (1, 20, 20)


def test_pictures_of_another_seed_are_refused(drawn_people):
    with pytest.raises(StudyError, match="drawn-0-000000 is not what seed 1 draws; delete the cached table"):
        expression_change(drawn_people.iloc[:1], TOTAL, 1)


def test_the_last_picture_is_among_those_that_are_tried(drawn_people):
    rows = drawn_people.iloc[:25].copy()
    rows.loc[24, "picture"] = rows.loc[0, "picture"]
    with pytest.raises(StudyError, match="drawn-0-000024 is not what seed 0 draws"):
        expression_change(rows, TOTAL, 0)
