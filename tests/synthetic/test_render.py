import hashlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from fer_lib.synthetic.plan import PRESETS, plan
from fer_lib.synthetic.render import draw_card, in_processes

SIZE = 64
CARDS = plan(PRESETS["balanced"], 14, np.random.default_rng(0))


def digest(drawings):
    told = hashlib.sha256()
    for drawing in drawings:
        for array in (drawing.picture, drawing.landmarks, drawing.person_mask, drawing.others_mask):
            told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()


def face_of(drawing):
    low, high = drawing.landmarks.min(0), drawing.landmarks.max(0)
    return (low + high) / 2 / SIZE, (high - low).max() / SIZE


def test_one_seed_gives_the_same_bytes_in_fresh_processes_and_in_this_one():
    drawings = list(in_processes(partial(draw_card, size=SIZE), CARDS[:9], processes=2))
    assert digest(drawings) == digest(draw_card(card, SIZE) for card in CARDS[:9])
    assert digest(drawings[:1]) != digest(drawings[1:2])


@pytest.mark.parametrize("card", CARDS[:3], ids=lambda card: card.emotion)
def test_a_framed_face_fills_four_fifths_of_the_picture_and_lies_in_its_middle(card):
    centre, extent = face_of(draw_card(replace(card, framing="face"), SIZE))
    assert centre == pytest.approx((0.5, 0.5), abs=0.01)
    assert extent == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(("card", "framing"), [(CARDS[0], "scene"), (CARDS[1], "face")], ids=("left", "right"))
def test_half_of_a_cut_face_lies_outside_and_the_landmarks_say_so(card, framing):
    whole, cut = (draw_card(replace(card, framing=framing, problem=p), SIZE) for p in (None, "cut"))
    assert face_of(cut)[0][0] == pytest.approx(card.number % 2, abs=0.01)
    assert face_of(cut)[1] == pytest.approx(face_of(whole)[1], abs=0.001)
    assert cut.person_mask.sum() < 0.8 * whole.person_mask.sum()


def test_a_place_without_a_face_is_the_same_place_without_anybody_in_it():
    card = replace(CARDS[0], shot=replace(CARDS[0].shot, companion=None))
    whole, empty = (draw_card(replace(card, problem=problem), SIZE) for problem in (None, "no face"))
    assert np.isnan(empty.landmarks).all()
    assert not empty.person_mask.any()
    assert not empty.others_mask.any()
    changed = np.abs(whole.picture.astype(int) - empty.picture).max(axis=2) > 20
    assert changed[whole.person_mask].mean() > 0.5
    assert changed[~whole.person_mask].mean() < 0.05


def test_dark_and_blurred_pictures_keep_their_truth_and_little_of_their_light_or_edges():
    whole, dark, blurred = (draw_card(replace(CARDS[0], problem=p), SIZE) for p in (None, "dark", "blurred"))
    assert (dark.landmarks == whole.landmarks).all()
    assert (blurred.person_mask == whole.person_mask).all()
    assert dark.picture.mean() == pytest.approx(0.12 * whole.picture.mean(), abs=1)
    steps = [np.abs(np.diff(drawing.picture.astype(int), axis=0)).mean() for drawing in (blurred, whole)]
    assert steps[0] < steps[1] / 3
    assert blurred.picture.mean() == pytest.approx(whole.picture.mean(), rel=0.05)


def test_a_duplicate_is_its_original_byte_for_byte():
    cards = plan(PRESETS["noisy"], 300, np.random.default_rng(0))
    copy = next(card for card in cards if card.problem == "duplicate")
    assert digest([draw_card(copy, SIZE)]) == digest([draw_card(cards[copy.twin_of], SIZE)])
