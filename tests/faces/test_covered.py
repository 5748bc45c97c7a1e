import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from faces_to_find import CARDS
from PIL import Image

from fer_lib.data.table import decode_picture, encode_picture, make_table, picture_hash
from fer_lib.faces import covered as module
from fer_lib.faces.covered import covered_table
from fer_lib.faces.fabric import MASKS
from fer_lib.faces.occlude import FIXED
from fer_lib.synthetic.render import draw_card

SIDE = 96
# Rows of the table; the first three have a mesh, the next four lack one.
MESH, GREY, FILE, BOX, FACE_BOX, WHOLE, WIDE, PROBLEM = range(8)
UNFITTED = [BOX, FACE_BOX, WHOLE, WIDE]
COVERED = [MESH, GREY, FILE, *UNFITTED]
OWN_BOX = [20.0, 10.0, 50.0]


def mesh_bytes(landmarks):
    """Drawn landmarks as the column `landmarks` has them, with irises and depths."""
    return np.pad(landmarks, ((0, 10), (0, 1))).astype(np.float32).tobytes()


def faces_of(landmarks):
    boxes = [None] * len(landmarks)
    boxes[BOX], boxes[FACE_BOX] = (np.array((30, 25, 40, 30), np.float32) for _ in range(2))
    return pd.DataFrame({"landmarks": landmarks, "face_box": boxes}, dtype=object)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A study table of faces, and what would have been measured of it, some with less than a mesh."""
    near = [replace(card, framing="face") for card in CARDS[:8]]
    drawings = [draw_card(card, SIDE) for card in near]
    pictures = [drawing.picture for drawing in drawings]
    pictures[GREY] = np.array(Image.fromarray(pictures[GREY]).convert("L"))
    pictures[WIDE] = np.hstack([pictures[WIDE]] * 2)
    rows = [{"picture": encode_picture(picture), "picture_hash": picture_hash(picture)} for picture in pictures]
    file = tmp_path_factory.mktemp("files") / "face.png"
    file.write_bytes(rows[FILE].pop("picture"))
    rows[FILE]["path"] = str(file)
    for number, row in enumerate(rows):
        split = ("train", "validation", "test")[number % 3]
        row |= {"id": f"face-{number}", "label": near[number].label, "split": split, "subject": f"who-{number}"}
    rows[MESH]["box"], rows[BOX]["box"], rows[PROBLEM]["problem"] = [1.0, 2.0, 90.0], OWN_BOX, "its label is not known"
    fitted = (MESH, GREY, FILE, PROBLEM)
    landmarks = [mesh_bytes(drawing.landmarks) if i in fitted else None for i, drawing in enumerate(drawings)]
    return make_table(rows, "faces", {"list.csv": "00"}), faces_of(landmarks)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("covered")


@pytest.fixture(scope="module")
def made(inputs, cache):
    return covered_table(*inputs, 5, cache)


def bare(table, row):
    data = table["picture"][row]
    return decode_picture(Path(table["path"][row]).read_bytes() if data is None else data)


def outline(table, row):
    """The first outline of a row's cover, (n, 2)."""
    return np.reshape(np.asarray(table["cover_outlines"][row][0], float), (-1, 2))


def test_rows_and_all_that_is_known_of_them_stay(inputs, made):
    table, _ = inputs
    kept = [name for name in table if name not in ("picture", "picture_hash", "box")]
    assert made[kept].equals(table[kept])
    assert made.columns.tolist() == [*table.columns, "cover", "cover_fitted", "cover_outlines"]
    boxes = [None if box is None else list(box) for box in made["box"]]
    assert boxes == [[1, 2, 90], None, None, OWN_BOX, None, None, None, None]
    assert made.attrs == table.attrs == {"dataset": "faces", "files": {"list.csv": "00"}}


@pytest.mark.parametrize("row", COVERED)
def test_a_covered_picture_is_another_one_of_the_same_size(inputs, made, row):
    before, after = bare(inputs[0], row), decode_picture(made["picture"][row])
    assert after.shape == before.shape
    assert 0.05 < (after != before).any(-1).mean() < 0.6
    assert made["picture_hash"][row] != inputs[0]["picture_hash"][row]


def test_a_grey_picture_stays_grey_and_its_hash_is_that_of_its_pixels(made):
    modes = [Image.open(io.BytesIO(data)).mode for data in made["picture"]]
    assert [mode == "L" for mode in modes] == [row == GREY for row in range(len(modes))]
    for row in COVERED:
        pixels = np.asarray(Image.open(io.BytesIO(made["picture"][row])))
        assert made["picture_hash"][row] == picture_hash(pixels)


def test_a_colour_picture_without_colours_is_stored_as_a_grey_one(inputs, cache):
    table, faces = (part.iloc[[GREY]].reset_index(drop=True) for part in inputs)
    three = np.repeat(np.asarray(bare(table, 0)[..., :1]), 3, 2)
    table = table.assign(picture=[encode_picture(three)], picture_hash=[picture_hash(three)])
    shown = covered_table(table, faces, 5, cache)
    assert Image.open(io.BytesIO(shown["picture"][0])).mode == "L"


def test_rows_without_a_mesh_are_told_from_the_others(made):
    assert made["cover_fitted"].tolist() == [row not in UNFITTED for row in range(7)] + [None]
    assert set(made["cover"][COVERED]) <= set(MASKS)


def test_a_row_with_a_problem_stays_as_it_is(inputs, made):
    assert made["problem"][PROBLEM] == "its label is not known"
    assert made["picture"][PROBLEM] == inputs[0]["picture"][PROBLEM]
    assert made["picture_hash"][PROBLEM] == inputs[0]["picture_hash"][PROBLEM]
    assert made.loc[PROBLEM, ["cover", "cover_fitted", "cover_outlines"]].tolist() == [None, None, None]


def test_a_table_of_nothing_but_problems_comes_back(inputs, tmp_path):
    table, faces = inputs
    none = covered_table(table.assign(problem="all of them"), faces, 5, tmp_path)
    assert none["cover"].isna().all()
    assert none["picture"].tolist() == table["picture"].tolist()


@pytest.mark.parametrize("row", [MESH, GREY, FILE])
def test_pixels_that_the_told_outlines_do_not_touch_stay(inputs, made, row):
    before, after = bare(inputs[0], row), decode_picture(made["picture"][row])
    far = np.ones(before.shape[:2], bool)
    for flat in made["cover_outlines"][row]:
        points = np.reshape(np.asarray(flat), (-1, 2))
        (left, top), (right, bottom) = np.floor(points.min(0)).astype(int) - 1, np.ceil(points.max(0)).astype(int) + 2
        far[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
    assert far.any()
    assert np.array_equal(after[far], before[far])


@pytest.mark.parametrize("row", [MESH, GREY, FILE])
def test_a_fitted_cover_lies_on_the_mouth_of_its_mesh(inputs, made, row):
    mesh = np.frombuffer(inputs[1]["landmarks"][row], np.float32).reshape(478, 3)[:, :2]
    found = outline(made, row)
    assert (found.min(0) < mesh[[13, 14, 61, 291]].min(0)).all()
    assert (found.max(0) > mesh[[13, 14, 61, 291]].max(0)).all()


# the box; the found box 30, 25, 40, 30 and 1.3 times its longer side; all; the middle of one twice as wide as high
SQUARES = {BOX: OWN_BOX, FACE_BOX: [24, 14, 52], WHOLE: [0, 0, SIDE], WIDE: [SIDE / 2, 0, SIDE]}


@pytest.mark.parametrize("row", UNFITTED)
def test_without_a_mesh_a_cover_lies_where_faces_do_on_average(made, row):
    x, y, side = SQUARES[row]
    found = outline(made, row)
    unit = FIXED[2] * side
    middle, eyes = x + FIXED[0] * side - 0.5, y + FIXED[1] * side - 0.5
    assert (found[:, 0].min() + found[:, 0].max()) / 2 == pytest.approx(middle, abs=0.05 * unit)
    assert 0.9 < np.ptp(found[:, 0]) / 2 / unit < 1.2
    assert 0 < (found[:, 1].min() - eyes) / unit < 0.3
    assert 1.7 < (found[:, 1].max() - eyes) / unit < 2.1


@pytest.mark.parametrize("order", [[3, 1, 0], [7, 6, 5, 4, 3, 2, 1, 0], [1]])
def test_an_id_has_its_cover_wherever_its_row_stands(inputs, made, order, tmp_path):
    table, faces = (part.iloc[order].reset_index(drop=True) for part in inputs)
    other = covered_table(table, faces, 5, tmp_path)
    for column in ("id", "picture", "picture_hash", "cover", "cover_fitted"):
        assert other[column].tolist() == made[column][order].tolist()


def test_faces_with_the_same_picture_wear_different_masks(inputs, tmp_path):
    table, faces = (pd.concat([part.iloc[[MESH]]] * 12, ignore_index=True) for part in inputs)
    table["id"] = [f"twin-{number}" for number in range(12)]
    many = covered_table(table, faces, 5, tmp_path)
    assert many["picture_hash"].nunique() > 6
    assert set(many["cover"]) == set(MASKS)


def test_what_was_made_is_read_and_not_made_again(inputs, made, cache, monkeypatch):
    def fail(*_):
        raise AssertionError("made again")

    monkeypatch.setattr(module, "cover", fail)
    table, faces = inputs
    again = covered_table(table, faces, 5, cache)
    pd.testing.assert_frame_equal(again, made)
    assert again.attrs == table.attrs
    with pytest.raises(AssertionError, match="made again"):
        covered_table(table, faces, 6, cache)


def test_another_seed_gives_other_masks_and_none_that_was_kept_is_lost(inputs, made, cache):
    other = covered_table(*inputs, 6, cache)
    differs = other["picture_hash"] != made["picture_hash"]
    assert differs[COVERED].sum() >= 4
    assert not differs[PROBLEM]
    assert covered_table(*inputs, 5, cache)["picture_hash"].tolist() == made["picture_hash"].tolist()


@pytest.mark.parametrize("kinds", [("headset",), ["sunglasses", "headset"]])
def test_only_the_kinds_asked_for_are_worn(inputs, cache, kinds):
    assert set(covered_table(*inputs, 5, cache, kinds)["cover"].dropna()) <= set(kinds)


def test_a_mesh_that_was_measured_elsewhere_takes_its_cover_there(inputs, made, cache):
    table, faces = inputs
    mesh = np.frombuffer(faces["landmarks"][MESH], np.float32).reshape(478, 3) + np.float32((3, -2, 0))
    faces = faces.copy()
    faces.at[MESH, "landmarks"] = mesh.tobytes()
    moved = covered_table(table, faces, 5, cache)
    assert np.allclose(outline(moved, MESH) - outline(made, MESH), (3, -2), atol=0.01)
    assert (moved["picture_hash"] != made["picture_hash"]).tolist() == [row == MESH for row in range(8)]


def test_labels_that_were_corrected_are_those_of_the_covered_table(inputs, made, cache):
    table, faces = inputs
    corrected = covered_table(table.assign(label="joy", split="test"), faces, 5, cache)
    assert set(corrected["label"]) == {"joy"}
    assert set(corrected["split"]) == {"test"}
    assert corrected["picture_hash"].tolist() == made["picture_hash"].tolist()


def test_the_bare_table_is_left_alone(inputs, cache):
    table, faces = inputs
    before = table.copy(deep=True), faces.copy(deep=True)
    covered_table(table, faces, 7, cache)
    pd.testing.assert_frame_equal(table, before[0])
    pd.testing.assert_frame_equal(faces, before[1])
