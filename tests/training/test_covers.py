import numpy as np
import pandas as pd
import pytest

from fer_lib.data.splits import check_splits
from fer_lib.data.table import decode_picture, load_pictures, make_table, usable
from fer_lib.data.tasks import THREE, three_emotions
from fer_lib.emotions import in_order
from fer_lib.faces.patches import REGION_PIXELS, REGIONS, meshes_in_view, region_masks
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.training import covers
from fer_lib.training.covers import WITH_MASK, bars_task, cover_task, mask_conditions, regions_task

SEED = 4
PARTS = ("none", "eyes", "nose", "mouth")
FIRST_ROW = {"eyes": 10, "nose": 20, "mouth": 30}  # paper 002, Methods; each bar is ten rows high


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """So that faces are found, and covers drawn, once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def masks(drawn_people, cache):
    return mask_conditions(drawn_people, SEED, cache)


@pytest.fixture(scope="module")
def boxed(toy_table):
    """Every second toy picture with a box inside it, and one of them broken."""
    table = make_table(toy_table.iloc[::2].reset_index(drop=True), "toy", {"file": "hash"})
    table["box"] = pd.Series([[4.0, 2.0, 40.0]] * len(table), dtype=object)
    table.loc[2, "problem"] = "broken"
    return table


@pytest.fixture(scope="module")
def barred(boxed, cache):
    three = three_emotions(boxed, SEED)
    return {part: bars_task(f"bars_scratch/{part}", three, SEED, cache)[0] for part in PARTS}


@pytest.fixture(scope="module")
def regions(drawn_people, cache):
    return regions_task(drawn_people, SEED, cache)[0]


def test_both_are_the_bare_faces_and_below_them_the_masked_ones(masks, drawn_people):
    bare, masked, both = (masks[name] for name in ("bare", "masked", "both"))
    n = len(drawn_people)
    assert len(bare) == len(masked) == n
    assert len(both) == 2 * n
    for column in ("id", "picture_hash", "picture", "label", "split"):
        assert both[column].iloc[:n].tolist() == bare[column].tolist()
    for column in ("picture_hash", "picture", "label", "split"):
        assert both[column].iloc[n:].tolist() == masked[column].tolist()


def test_bare_faces_are_the_study_table_itself(masks, drawn_people):
    assert masks["bare"] is drawn_people


def test_ids_of_both_are_unique_and_those_with_a_mask_end_so(masks, drawn_people):
    assert masks["both"]["id"].is_unique
    below = masks["both"]["id"].iloc[len(drawn_people) :]
    assert below.str.endswith(WITH_MASK).all()
    assert below.str.removesuffix(WITH_MASK).tolist() == drawn_people["id"].tolist()


@pytest.mark.parametrize("column", ["id", "label", "split", "subject", "problem"])
def test_a_mask_changes_nothing_but_the_picture(masks, drawn_people, column):
    assert masks["masked"][column].tolist() == drawn_people[column].tolist()


def test_every_face_gets_a_mask(masks, drawn_people):
    before, after = load_pictures(drawn_people), load_pictures(masks["masked"])
    assert (before != after).any((1, 2)).all()
    assert masks["masked"]["cover"].notna().all()


def test_nobody_of_both_is_in_two_splits(masks):
    assert (masks["both"].groupby("subject")["split"].nunique() == 1).all()
    assert masks["both"].attrs == masks["bare"].attrs


@pytest.mark.parametrize("taught", ["bare", "masked", "both"])
def test_a_masked_experiment_learns_from_the_faces_that_it_is_named_after(masks, drawn_people, cache, taught):
    table, classes = cover_task(f"masked/mobilenet_v2/random/{taught}", drawn_people, SEED, cache)
    assert table["picture_hash"].tolist() == masks[taught]["picture_hash"].tolist()
    assert table["id"].tolist() == masks[taught]["id"].tolist()
    assert classes == in_order(drawn_people["label"])


@pytest.mark.parametrize("part", FIRST_ROW)
def test_a_bar_of_noise_lies_in_its_ten_rows_and_nowhere_else(barred, part):
    bare, covered = (load_pictures(usable(barred[name])) for name in ("none", part))
    rows = np.zeros(48, bool)
    rows[FIRST_ROW[part] : FIRST_ROW[part] + 10] = True
    assert np.array_equal(covered[:, ~rows], bare[:, ~rows])
    noise = covered[:, rows].astype(float)
    assert noise.mean() == pytest.approx(127.5, abs=1)
    assert noise.std() == pytest.approx(np.sqrt((256**2 - 1) / 12), abs=1)  # of whole numbers from 0 to 255
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize("part", FIRST_ROW)
@pytest.mark.parametrize("column", ["id", "label", "split", "problem"])
def test_every_bar_is_about_the_same_pictures_in_the_same_splits(barred, part, column):
    assert barred[part][column].tolist() == barred["none"][column].tolist()


@pytest.mark.parametrize("part", PARTS)
def test_the_task_of_bars_has_three_emotions_and_splits_that_hold(barred, part):
    check_splits(barred[part])
    assert set(usable(barred[part])["label"]) == set(THREE)
    assert barred[part].attrs == {"dataset": "toy", "files": {"file": "hash"}}


@pytest.mark.parametrize("part", PARTS)
def test_a_picture_under_any_bar_or_none_is_what_models_see_and_needs_no_box(barred, part):
    there = barred[part]["problem"].isna()
    assert barred[part]["box"][there].isna().all()
    assert [list(box) for box in barred[part]["box"][~there]] == [[4.0, 2.0, 40.0]] * int((~there).sum())
    assert {decode_picture(data, grey=True).shape for data in barred[part]["picture"][there]} == {(48, 48)}


def test_without_a_bar_pictures_are_those_of_the_study_table(barred, boxed):
    known = usable(barred["none"])
    assert np.array_equal(load_pictures(known), load_pictures(boxed.set_index("id").loc[known["id"]].reset_index()))


def test_rows_with_a_problem_keep_their_picture(barred):
    broken = barred["none"]["problem"].notna()
    for part in FIRST_ROW:
        assert barred[part]["picture_hash"][broken].tolist() == barred["none"]["picture_hash"][broken].tolist()


def test_a_bar_is_drawn_once_and_another_seed_draws_another(barred, boxed, cache, monkeypatch):
    three = three_emotions(boxed, SEED)
    other, _ = bars_task("bars_scratch/eyes", three, SEED + 1, cache)
    assert not other["picture_hash"].equals(barred["eyes"]["picture_hash"])
    monkeypatch.setattr(covers, "with_noise", lambda *_: pytest.fail("drawn again"))
    for family in ("bars_scratch/eyes", "bars/googlenet/random/eyes"):
        table, classes = cover_task(family, three, SEED, cache)
        assert table["picture_hash"].tolist() == barred["eyes"]["picture_hash"].tolist()
        assert classes == in_order(THREE)


def test_no_region_of_a_test_face_is_covered(regions, drawn_people):
    tested = (drawn_people["split"] == "test").to_numpy()
    assert np.array_equal(load_pictures(regions[tested]), load_pictures(drawn_people[tested]))
    assert regions["picture_hash"][tested].tolist() == drawn_people["picture_hash"][tested].tolist()
    assert regions["box"][tested].notna().all()


def test_a_face_to_learn_from_has_nothing_or_one_region_covered(regions, drawn_people, cache):
    rows = drawn_people[drawn_people["split"] != "test"].reset_index(drop=True)
    learnt = regions[regions["split"] != "test"].reset_index(drop=True)
    changed = load_pictures(rows) != load_pictures(learnt)
    faces = load_faces(prepare_faces(drawn_people, cache), ["landmarks", "height", "width"])
    meshes = meshes_in_view(rows, faces.set_index("id").loc[rows["id"]].reset_index())
    places = np.stack([region_masks(meshes, [name], REGION_PIXELS) for name in REGIONS])
    counts = changed.sum((1, 2))
    assert ((counts == 0) | ((counts > 0.93 * REGION_PIXELS) & (counts <= REGION_PIXELS))).all()
    covered = counts > 0
    within = ~(changed & ~places).any((2, 3))  # region × picture
    assert (within[:, covered].sum(0) == 1).all()
    assert 0.6 < covered.mean() < 1  # six of seven are
    assert within[:, covered].any(1).sum() >= 5
    assert learnt["box"].isna().all()


@pytest.mark.parametrize("column", ["id", "label", "split", "problem"])
def test_covered_regions_leave_all_else(regions, drawn_people, column):
    assert regions[column].tolist() == drawn_people[column].tolist()
    assert regions.attrs == drawn_people.attrs


def test_experiments_of_regions_share_one_table(regions, drawn_people, cache, monkeypatch):
    monkeypatch.setattr(covers, "with_noise", lambda *_: pytest.fail("drawn again"))
    for name in ("regions/six_layer", "regions/strong"):
        table, classes = cover_task(name, drawn_people, SEED, cache)
        assert table["picture_hash"].tolist() == regions["picture_hash"].tolist()
        assert classes == in_order(drawn_people["label"])


def test_what_is_kept_of_bars_are_pictures_and_all_else_is_the_callers(barred, boxed, cache):
    younger = three_emotions(boxed, SEED).assign(age="child")
    again, _ = bars_task("bars_scratch/eyes", younger, SEED, cache)
    assert set(again["age"]) == {"child"}
    assert again["picture_hash"].equals(barred["eyes"]["picture_hash"])
