import numpy as np
import pandas as pd
import pytest

from fer_lib.data.table import (
    COLUMNS,
    decode_picture,
    encode_picture,
    load_pictures,
    load_table,
    make_table,
    picture_hash,
    save_table,
    table_hash,
    usable,
)
from fer_lib.errors import StudyError


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (1, 1), (7, 90, 3)])
def test_a_picture_survives_packing_bit_by_bit(rng, shape):
    picture = rng.integers(0, 256, shape).astype(np.uint8)
    assert (decode_picture(encode_picture(picture), grey=picture.ndim == 2) == picture).all()


def test_bytes_that_are_no_picture_are_refused():
    with pytest.raises(ValueError, match="not a readable picture"):
        decode_picture(b"no picture at all")


def test_a_table_comes_back_from_disk_with_columns_and_files(toy_table, tmp_path):
    table = make_table(toy_table, "toy", {"a.csv": "00"})
    save_table(table, tmp_path / "table.parquet")
    back = load_table(tmp_path / "table.parquet")
    assert tuple(back.columns) == COLUMNS
    assert back.attrs == table.attrs == {"dataset": "toy", "files": {"a.csv": "00"}}
    assert table_hash(back) == table_hash(toy_table)


def test_the_hash_sees_a_changed_label_and_a_changed_split(toy_table):
    for column, value in (("label", "fear"), ("split", "test"), ("picture_hash", "0" * 16)):
        changed = toy_table.copy()
        changed.loc[0, column] = value
        assert table_hash(changed) != table_hash(toy_table)


def test_equal_ids_are_refused_by_name():
    rows = [{"id": "a", "split": "train"}, {"id": "a", "split": "test"}]
    with pytest.raises(StudyError, match="id 'a' stands twice"):
        make_table(rows, "toy")


def test_an_unknown_split_is_refused_by_name():
    with pytest.raises(StudyError, match="'dev' is no split"):
        make_table([{"id": "a", "split": "dev"}], "toy")


def test_a_missing_table_says_which_notebook_makes_it(tmp_path):
    with pytest.raises(StudyError, match="run notebook 01_data_preparation first"):
        load_table(tmp_path / "table.parquet")


def test_a_cut_table_is_refused_by_name(toy_table, tmp_path):
    path = tmp_path / "table.parquet"
    save_table(toy_table, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StudyError, match=r"table\.parquet is no readable Parquet file"):
        load_table(path)


def test_pictures_come_in_the_order_of_rows_and_are_averaged_when_reduced(rng):
    pictures = rng.integers(0, 256, (700, 96, 96)).astype(np.uint8)
    rows = [{"id": str(i), "split": "train", "picture": encode_picture(p)} for i, p in enumerate(pictures)]
    loaded = load_pictures(make_table(rows, "toy"), size=48)
    expected = pictures.reshape(700, 48, 2, 48, 2).mean((2, 4))
    assert np.abs(loaded - expected).max() <= 0.5


def test_equal_pixels_in_another_shape_have_another_hash():
    assert picture_hash(np.zeros((2, 8), np.uint8)) != picture_hash(np.zeros((4, 4), np.uint8))


def test_rows_with_a_problem_are_kept_in_the_table_and_out_of_use():
    table = make_table(pd.DataFrame({"id": ["a", "b"], "split": "train", "problem": [None, "dark"]}), "toy")
    assert len(table) == 2
    assert usable(table)["id"].tolist() == ["a"]
