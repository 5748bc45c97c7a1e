import matplotlib.pyplot as plt
import numpy as np
import pytest

from fer_lib.emotions import BASIC
from fer_lib.show.people import FACS_NAMES, contact_sheet, people_and_emotions, truth_sheet, unit_sheet
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.render import draw_card

SIZE = 64


@pytest.fixture(scope="module")
def cards():
    return people_and_emotions(3, seed=0)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def shown(axis) -> np.ndarray:
    return np.asarray(axis.images[0].get_array())


def test_each_person_shows_each_emotion_once(cards):
    assert sorted((card.emotion, card.subject) for card in cards) == sorted((e, s) for e in BASIC for s in range(3))


def test_a_contact_sheet_has_a_row_for_each_emotion_and_a_column_for_each_person(cards):
    axes = contact_sheet(cards, "", SIZE).axes
    assert [axis.get_ylabel() for axis in axes[::3]] == list(BASIC)
    for card in cards[:3]:
        place = axes[3 * BASIC.index(card.emotion) + card.subject]
        assert (shown(place) == draw_card(card, SIZE).picture).all()


def test_every_action_unit_has_its_name_and_a_picture_that_differs_from_rest(cards):
    rest, *moved = unit_sheet(cards[0].person, "", SIZE).axes
    assert set(FACS_NAMES) == set(ACTION_UNITS)
    for unit, axis in zip(ACTION_UNITS, moved, strict=False):
        assert axis.texts[0].get_text() == f"AU {unit}\n{FACS_NAMES[unit]}"
        changed = np.abs(shown(axis).astype(int) - shown(rest)).max(axis=2) > 10
        assert 0.001 < changed.mean() < 0.2, unit


def test_the_truth_is_painted_where_it_is_and_nowhere_else(cards):
    drawing = draw_card(next(card for card in cards if card.shot.companion), SIZE)
    box, landmarks, people, parts = truth_sheet(drawing, "").axes
    assert (shown(box) == drawing.picture).all()
    np.testing.assert_allclose(landmarks.collections[0].get_offsets(), drawing.landmarks)
    somewhere = np.any(list(drawing.regions.values()), axis=0)
    for axis, mask in ((people, drawing.person_mask | drawing.others_mask), (parts, somewhere)):
        differs = (shown(axis) != drawing.picture).any(axis=2)
        assert not differs[~mask].any()
        assert differs[mask].mean() > 0.95
