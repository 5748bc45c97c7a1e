from collections import Counter

import numpy as np
import pandas as pd
import pytest

from fer_lib.data.drawn import drawn_faces, with_drawn_faces
from fer_lib.data.splits import check_splits
from fer_lib.data.table import COLUMNS, SPLITS, encode_picture, load_pictures, make_table, picture_hash, table_hash
from fer_lib.errors import StudyError


def noise_table(train, votes=None):
    """A table of random pictures: as many of each class in train as `train` says, and one in each other split."""
    rng = np.random.default_rng(5)
    rows = []
    for split in SPLITS:
        for label in Counter(train if split == "train" else train.keys()).elements():
            picture = rng.integers(0, 256, (48, 48)).astype(np.uint8)
            row = {"id": f"noise-{len(rows)}", "source": "noise", "label": label, "split": split, "votes": votes}
            rows.append({**row, "picture": encode_picture(picture), "picture_hash": picture_hash(picture)})
    return make_table(rows, "noise", {"noise.csv": "0" * 64})


@pytest.fixture(scope="module")
def few():
    return noise_table({"anger": 12, "fear": 4, "neutral": 9})


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def filled(few, cache):
    return with_drawn_faces(few, 1, cache)


def test_drawn_faces_fill_small_classes_to_half_of_the_largest(few, filled):
    train = filled["label"][filled["split"] == "train"].value_counts().to_dict()
    assert train == {"anger": 12, "fear": 6, "neutral": 9}
    assert len(filled) - len(few) == 2


def test_the_given_rows_and_the_tables_name_stay_as_they_are(few, filled):
    pd.testing.assert_frame_equal(filled.iloc[: len(few)], few)
    assert filled.attrs == few.attrs
    assert tuple(filled.columns) == COLUMNS


def test_drawn_rows_are_marked_have_new_subjects_and_lie_in_train_alone(few, filled):
    drawn = filled.iloc[len(few) :]
    assert drawn["id"].str.startswith("extra-1-").all()
    assert drawn["subject"].str.startswith("extra-1-").all()
    assert (drawn["split"] == "train").all()
    assert set(drawn["label"]) == {"fear"}
    assert drawn["votes"].isna().all()  # as in the table, which has none


def test_drawn_rows_have_votes_where_the_table_has(tmp_path):
    table = noise_table({"anger": 3, "fear": 1}, votes=np.eye(8)[0])
    drawn = with_drawn_faces(table, 1, tmp_path).iloc[-1]
    assert drawn["label"] == "fear"
    assert drawn["votes"].sum() == pytest.approx(1)


def test_drawn_pictures_can_be_read_and_are_no_flat_areas(few, filled):
    pictures = load_pictures(filled.iloc[len(few) :], 48)
    assert pictures.shape == (2, 48, 48)
    assert pictures.std(axis=(1, 2)).min() > 10


def test_the_filled_table_passes_the_check_of_splits(tmp_path):
    table = noise_table({"anger": 20, "fear": 9})
    with pytest.raises(StudyError, match="'fear'"):
        check_splits(table)
    check_splits(with_drawn_faces(table, 0, tmp_path))


def test_the_same_seed_draws_the_same_faces_and_another_one_others(few, filled, tmp_path):
    assert table_hash(with_drawn_faces(few, 1, tmp_path)) == table_hash(filled)
    other = with_drawn_faces(few, 2, tmp_path)
    assert not set(other["picture_hash"][len(few) :]) & set(filled["picture_hash"])


def test_faces_are_drawn_once(few, filled, cache, monkeypatch):
    monkeypatch.setattr("fer_lib.data.drawn._draw", None)
    assert table_hash(with_drawn_faces(few, 1, cache)) == table_hash(filled)


def test_a_table_without_small_classes_comes_back_as_it_is(tmp_path):
    table = noise_table({"anger": 2, "fear": 1})
    assert with_drawn_faces(table, 0, tmp_path) is table


def test_faces_to_start_from_show_every_class_in_every_split_and_nobody_twice(tmp_path):
    table = drawn_faces({"anger": 1, "fear": 1}, 60, 0, tmp_path, "start")
    assert len(table) == 60
    assert set(zip(table["split"], table["label"], strict=True)) == {(s, c) for s in SPLITS for c in ("anger", "fear")}
    assert (table.groupby("subject")["split"].nunique() == 1).all()
