from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_lib.explain.regions import (
    OUTSIDE,
    PLACES,
    REST,
    UNIT_REGIONS,
    emotion_regions,
    heat_table,
    most_changed,
    overlap,
    place_maps,
    place_shares,
    pointing,
    true_places,
)
from fer_lib.faces.occlude import fixed_mesh
from fer_lib.faces.patches import REGIONS
from fer_lib.synthetic.action_units import ACTION_UNITS
from fer_lib.synthetic.draw import draw
from fer_lib.synthetic.expressions import PROTOTYPES
from fer_lib.synthetic.person import draw_person
from fer_lib.synthetic.shot import draw_shot


def portrait(seed, **changes):
    """A person who fills the picture of 48 pixels."""
    rng = np.random.default_rng(seed)
    person = draw_person(rng)
    shot = draw_shot(rng, "office")
    return draw(person, {}, replace(shot, scale=0.34, x=0.5, y=0.68, companion=None, **changes), 48)


@pytest.fixture(scope="module")
def portraits():
    return [portrait(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def places(portraits):
    return place_maps(np.stack([drawing.landmarks for drawing in portraits]))


def intersection_over_union(one, other):
    return (one & other).sum() / (one | other).sum()


def test_every_pixel_lies_in_one_place_so_that_shares_add_up_to_1(places, rng):
    assert places.shape == (4, 48, 48)
    assert set(np.unique(places)) == set(range(len(PLACES)))
    shares = place_shares(rng.random((4, 48, 48)), places)
    assert list(shares.columns) == [*REGIONS, REST, OUTSIDE]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(np.ones(4))
    assert (shares > 0).all(axis=None)


@pytest.mark.parametrize("name", REGIONS)
def test_places_are_the_regions_that_were_drawn(portraits, places, name):
    for drawing, one in zip(portraits, places, strict=True):
        others = np.any([mask for other, mask in drawing.regions.items() if other != name], axis=0)
        found, drawn = one == PLACES.index(name), drawing.regions[name]
        assert intersection_over_union(found & ~others, drawn & ~others) > 0.6  # hulls fill the hollow of a brow
        assert found[drawn & ~others].mean() > 0.9


def test_a_face_beside_its_drawn_regions_is_the_rest_and_beside_the_person_nothing_is_a_face(portraits, places):
    for drawing, one in zip(portraits, places, strict=True):
        face = one != PLACES.index(OUTSIDE)
        assert (face & drawing.person_mask).sum() / face.sum() > 0.97
        rest = one == PLACES.index(REST)
        assert (rest & np.any(list(drawing.regions.values()), axis=0)).sum() / rest.sum() < 0.03
        low, high = drawing.landmarks.min(0) - 1, drawing.landmarks.max(0) + 1
        y, x = np.nonzero(face)
        assert (np.array([x.min(), y.min()]) >= low).all()
        assert (np.array([x.max(), y.max()]) <= high).all()


def test_landmarks_lie_in_the_place_that_they_name(portraits, places):
    named = {1: "nose", 13: "mouth", 14: "mouth", 105: "brows", 334: "brows", 50: "cheeks", 280: "cheeks"}
    for drawing, one in zip(portraits, places, strict=True):
        at = np.rint(drawing.landmarks).astype(int)
        assert {PLACES[one[at[k, 1], at[k, 0]]] for k in named} == set(named.values())
        for number, name in named.items():
            assert PLACES[one[at[number, 1], at[number, 0]]] == name


@pytest.mark.parametrize(("across", "down"), [(10, 0), (0, 13), (-17, -9), (60, 0), (5000, -5000)])
def test_of_a_face_that_leaves_the_picture_the_rest_keeps_its_places(across, down):
    mesh = fixed_mesh(0, 0, 48)[:, :2]
    whole, moved = place_maps(np.stack([mesh, mesh + np.array([across, down])]))
    expected = np.full((48, 48), PLACES.index(OUTSIDE))
    rows, columns = np.mgrid[:48, :48]
    from_row, from_column = rows - down, columns - across
    there = (from_row >= 0) & (from_row < 48) & (from_column >= 0) & (from_column < 48)
    expected[there] = whole[from_row[there], from_column[there]]
    inside = there | (np.abs([across, down]).max() > 48)  # beside it may lie what was beyond the picture's edge
    assert np.array_equal(moved[inside], expected[inside])


def test_no_face_has_no_places():
    assert place_maps(np.zeros((0, 468, 2))).shape == (0, 48, 48)


@pytest.fixture
def halves():
    """Three pictures: mouth above, outside below."""
    places = np.full((3, 48, 48), PLACES.index(OUTSIDE))
    places[:, :24] = PLACES.index("mouth")
    return places


def test_shares_are_those_by_hand_and_without_heat_there_are_none(halves):
    heats = np.zeros((3, 48, 48), np.float32)
    heats[0, 0, 0], heats[0, 40, :3] = 1, 1
    heats[2, 30] = 0.5
    shares = place_shares(heats, halves)
    assert shares["mouth"].tolist() == pytest.approx([0.25, np.nan, 0], nan_ok=True)
    assert shares[OUTSIDE].tolist() == pytest.approx([0.75, np.nan, 1], nan_ok=True)
    assert shares.loc[1].isna().all()
    assert shares.loc[0, [*set(REGIONS) - {"mouth"}, REST]].tolist() == [0] * 6
    assert place_shares(np.ones((3, 48, 48)), halves)["mouth"].tolist() == [0.5] * 3


@pytest.fixture(scope="module")
def table():
    """Shares of 90 pictures, one in nine without heat, those of a map that never looked, labels, and their table."""
    rng = np.random.default_rng(1)
    shares, expected = (pd.DataFrame(rng.dirichlet(np.ones(len(PLACES)), 90), columns=PLACES) for _ in range(2))
    shares.iloc[::9] = np.nan
    labels = np.resize(["fear", "anger"], 90)
    return shares, expected, labels, heat_table(shares, expected, labels, 1000)


@pytest.mark.parametrize("emotion", ["fear", "anger"])
def test_the_table_has_numpys_means_and_counts_and_a_row_for_each_emotion_and_place(table, emotion):
    shares, expected, labels, found = table
    part = found[found["emotion"] == emotion].set_index("place")
    own = labels == emotion
    values = shares[own].to_numpy()
    count = (~np.isnan(values[:, 0])).sum()
    chance = expected[own & shares["nose"].notna()].to_numpy().mean(0)
    assert len(found) == 2 * len(PLACES)
    assert part["n"].tolist() == [count] * len(PLACES) == [40] * len(PLACES)
    assert part["value"].loc[list(PLACES)].tolist() == pytest.approx(np.nanmean(values, 0).tolist())
    assert part["expected"].loc[list(PLACES)].tolist() == pytest.approx(chance.tolist())
    wide = 2 * 1.96 * np.nanstd(values, 0) / np.sqrt(count)
    assert (part["high"] - part["low"]).loc[list(PLACES)].tolist() == pytest.approx(wide.tolist(), rel=0.15)
    assert ((part["low"] < part["value"]) & (part["value"] < part["high"])).all()


def test_emotions_show_where_their_units_do():
    assert emotion_regions("happiness") == ("eyes", "cheeks", "mouth")  # cheek raiser, lip corner puller, lips part
    assert emotion_regions("surprise") == ("brows", "eyes", "mouth", "chin")
    assert emotion_regions("anger") == ("brows", "eyes", "mouth", "chin")
    assert emotion_regions("disgust") == ("brows", "eyes", "nose", "mouth", "chin")
    assert emotion_regions("contempt") == ("mouth",)
    assert emotion_regions("neutral") == ()


def test_every_drawn_unit_has_a_region_and_every_emotion_some():
    assert set(UNIT_REGIONS) == set(ACTION_UNITS)
    assert {region for regions in UNIT_REGIONS.values() for region in regions} == set(REGIONS)
    assert all(emotion_regions(emotion) for emotion in PROTOTYPES if emotion != "neutral")


def test_true_pixels_are_those_of_the_emotions_places(places):
    found = true_places(places, ["happiness", "neutral", "contempt", "happiness"])
    names = np.array(PLACES)[places]
    assert np.array_equal(found[2], names[2] == "mouth")
    assert np.array_equal(found[0], (names[0] == "eyes") | (names[0] == "cheeks") | (names[0] == "mouth"))
    assert not found[1].any()


def test_what_changed_most_is_the_fewest_pixels_that_hold_the_share():
    changes = np.array([[[5.0, 1], [3, 1]], [[0, 0], [0, 0]], [[2, 2], [2, 2]]])
    assert most_changed(changes, 0.5).astype(int).tolist() == [[[1, 0], [0, 0]], [[0, 0], [0, 0]], [[1, 1], [0, 0]]]
    assert most_changed(changes, 0.51)[0].tolist() == [[True, False], [True, False]]
    assert most_changed(changes, 0.81)[0].sum() == 3
    assert most_changed(changes, 1.0).sum((1, 2)).tolist() == [4, 0, 4]
    assert not most_changed(changes, 0.0).any()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_of_any_change_the_chosen_pixels_hold_the_share_and_without_the_least_of_them_do_not(rng, share):
    changes = rng.exponential(size=(5, 9, 9))
    for change, chosen in zip(changes, most_changed(changes, share), strict=True):
        assert change[chosen].sum() >= share * change.sum()
        assert change[chosen].sum() - change[chosen].min() < share * change.sum()
        assert change[chosen].min() > change[~chosen].max()


@pytest.fixture
def truth():
    """Four pictures of 3×3: the left column; the same; no place; the whole picture."""
    there = np.zeros((4, 3, 3), bool)
    there[:2, :, 0], there[3] = True, True
    return there


def test_pointing_is_whether_the_hottest_pixel_lies_right_and_equals_count_by_their_share(truth):
    heats = np.zeros((4, 3, 3))
    heats[0, 1, 0] = heats[1, 1, 2] = heats[2, 0, 0] = heats[3, 2, 2] = 0.7
    heats[:, 2, 1] = 0.6
    assert pointing(heats, truth).tolist() == pytest.approx([1, 0, np.nan, 1], nan_ok=True)
    heats[0, 0, 2] = heats[0, 1, 1] = heats[0, 2, 0] = 0.7
    assert pointing(heats, truth)[0] == 0.5


def test_overlap_is_that_of_as_many_hot_pixels_as_there_are_true_ones(truth):
    heats = np.zeros((4, 3, 3))
    heats[:] = np.arange(9).reshape(3, 3) / 9
    heats[0, 0, 0] = 1  # the hottest three: 1 of the left column, and 2 that are not
    assert overlap(heats, truth).tolist() == pytest.approx([1 / 5, 1 / 5, np.nan, 1], nan_ok=True)  # row 2: 6, 7, 8
    heats[0, 1, 0] = 1
    assert overlap(heats, truth)[0] == pytest.approx(2 / 4)


@pytest.mark.parametrize("score", [pointing, overlap])
def test_a_perfect_map_scores_1_an_inverted_one_0_and_one_without_heat_nothing(truth, score, rng):
    perfect = truth * (1 + rng.random(truth.shape))
    assert score(perfect, truth).tolist() == pytest.approx([1, 1, np.nan, 1], nan_ok=True)
    assert score(2 - perfect, truth)[:2].tolist() == [0, 0]
    assert np.isnan(score(np.zeros_like(perfect), truth)).all()


def test_random_maps_point_and_overlap_by_chance(rng):
    truth = np.zeros((4000, 6, 6), bool)
    truth[:, :3, :3] = True
    heats = rng.random(truth.shape)
    assert np.mean(pointing(heats, truth)) == pytest.approx(9 / 36, abs=0.03)
    shared = np.random.default_rng(5).hypergeometric(9, 27, 9, 40000)
    assert np.mean(overlap(heats, truth)) == pytest.approx(np.mean(shared / (18 - shared)), abs=0.01)
