import io

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from fer_lib.data.table import (
    COLUMNS,
    decode_picture,
    encode_picture,
    load_pictures,
    load_table,
    make_table,
    picture_hash,
    resize,
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


def saved(picture, form, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("grey", [False, True])
def test_pictures_of_every_format_are_read_as_opencv_reads_them(rng, form, grey):
    data = saved(cv2.GaussianBlur(rng.integers(0, 256, (40, 60, 3)).astype(np.uint8), (0, 0), 2), form)
    flag = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    assert np.abs(decode_picture(data, grey).astype(int) - expected).max() <= 2


def test_sixteen_bits_palettes_and_transparency_become_eight_bits_a_channel():
    deep = cv2.imencode(".png", np.full((4, 5), 0x80FF, np.uint16))[1].tobytes()
    assert (decode_picture(deep) == 0x80).all()
    for mode in ("P", "RGBA", "LA", "1"):
        buffer = io.BytesIO()
        Image.new("RGB", (5, 4), "white").convert(mode).save(buffer, "PNG")
        assert (decode_picture(buffer.getvalue()) == np.full((4, 5, 3), 255)).all()


def test_a_picture_taken_on_its_side_comes_upright(rng):
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn to the right
    picture = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    data = saved(picture, "PNG", exif=turned)
    assert (decode_picture(data) == np.rot90(picture, -1)).all()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.9])
def test_a_picture_cut_short_is_refused(rng, form, kept):
    picture = rng.integers(0, 256, (48, 48, 3)).astype(np.uint8)
    data = saved(picture, form)
    with pytest.raises(ValueError, match=r"^not a readable picture$"):
        decode_picture(data[: int(kept * len(data))])


@pytest.mark.parametrize("side", [20, 47, 48, 49, 63, 96, 160])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_pictures_are_resized_as_torch_does_with_smoothed_cubics(rng, side, channels):
    picture = rng.integers(0, 256, (side, side, *channels)).astype(np.uint8)
    planes = torch.from_numpy(np.atleast_3d(picture)).permute(2, 0, 1)[None]
    expected = interpolate(planes, (48, 48), mode="bicubic", antialias=True)[0].permute(1, 2, 0).numpy()
    assert np.abs(np.atleast_3d(resize(picture, 48)).astype(int) - expected).max() <= 1


def test_a_wide_picture_is_averaged_along_its_long_side_only():
    stripes = np.tile(np.array([0, 200], np.uint8), (30, 480))
    assert np.abs(resize(stripes, 48).astype(int) - 100)[:, 2:-2].max() <= 1


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


def test_a_table_of_before_there_were_places_of_bodies_is_still_read(toy_table, tmp_path):
    save_table(toy_table.drop(columns="subject_box"), tmp_path / "table.parquet")
    back = load_table(tmp_path / "table.parquet")
    assert tuple(back.columns) == COLUMNS
    assert back["subject_box"].isna().all()
    assert table_hash(back) == table_hash(toy_table)


def test_a_table_without_any_other_column_is_refused(toy_table, tmp_path):
    save_table(toy_table.drop(columns="box"), tmp_path / "table.parquet")
    with pytest.raises(StudyError, match=r"table\.parquet is no study table; delete it"):
        load_table(tmp_path / "table.parquet")


def test_a_cut_table_is_refused_by_name(toy_table, tmp_path):
    path = tmp_path / "table.parquet"
    save_table(toy_table, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StudyError, match=r"table\.parquet is no readable Parquet file"):
        load_table(path)


def test_pictures_come_in_the_order_of_rows(rng):
    pictures = rng.integers(0, 256, (700, 96, 96)).astype(np.uint8)
    rows = [{"id": str(i), "split": "train", "picture": encode_picture(p)} for i, p in enumerate(pictures)]
    loaded = load_pictures(make_table(rows, "toy"), size=48)
    assert (loaded == [resize(picture, 48) for picture in pictures]).all()


def test_equal_pixels_in_another_shape_have_another_hash():
    assert picture_hash(np.zeros((2, 8), np.uint8)) != picture_hash(np.zeros((4, 4), np.uint8))


def test_rows_with_a_problem_are_kept_in_the_table_and_out_of_use():
    table = make_table(pd.DataFrame({"id": ["a", "b"], "split": "train", "problem": [None, "dark"]}), "toy")
    assert len(table) == 2
    assert usable(table)["id"].tolist() == ["a"]
