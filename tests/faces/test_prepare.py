import io
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from faces_to_find import drawings, people, photograph, rows_of
from PIL import Image

from fer_lib.data.table import encode_picture, make_table
from fer_lib.errors import StudyError
from fer_lib.faces import prepare
from fer_lib.faces.detect import LARGEST, NO_FACE, TOO_SMALL, look
from fer_lib.faces.geometry import au_distances, visible_features
from fer_lib.faces.prepare import landmarks_of, load_faces, matrix, measure, person_mask, prepare_faces


@pytest.fixture(scope="module", autouse=True)
def _small_shards():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "SHARD", 8)
        yield


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A table in three shards, and where its faces were measured."""
    table = people()[0].head(20)
    return table, prepare_faces(table, tmp_path_factory.mktemp("faces"), processes=2)


@pytest.fixture
def copy(many, tmp_path):
    """The same table, and a copy of its measurements that a test may spoil."""
    table, folder = many
    shutil.copytree(folder, tmp_path / folder.name)
    return table, tmp_path / folder.name


def encoded(image, form="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def measured_bytes(data):
    table = make_table([{"id": "a", "split": "train", "picture": data}], "one")
    return measure(table).iloc[0]


def test_a_row_holds_what_was_seen_in_its_picture():
    table, faces = people()
    assert faces["id"].tolist() == table["id"].tolist()
    for drawing, row in zip(drawings()[:3], faces.itertuples(), strict=False):
        sight = look(drawing.picture)
        assert (row.height, row.width, row.faces, row.face_problem) == (224, 224, len(sight.boxes), None)
        assert np.array_equal(row.face_boxes, sight.boxes.ravel())
        assert np.array_equal(row.face_box, sight.boxes[sight.subject])
        assert row.face_score == sight.scores[sight.subject] == row.face_scores[sight.subject]
        assert np.array_equal(person_mask(row.person, 224, 224), sight.person)
        assert np.allclose(row.au, au_distances(sight.landmarks), atol=1e-6)
        assert np.allclose(row.visible, visible_features(sight.landmarks), atol=1e-6)


def test_the_columns_landmarks_and_features_come_back_as_arrays_with_nan_where_no_face_is():
    faces = measure(rows_of([drawings()[0].picture, np.zeros((50, 50, 3), np.uint8)]))
    meshes = landmarks_of(faces["landmarks"])
    assert meshes.shape == (2, 478, 3)
    assert np.array_equal(meshes[0], look(drawings()[0].picture).landmarks)
    assert np.isnan(meshes[1]).all()
    assert np.array_equal(matrix(faces["au"], 66)[0], faces["au"][0])
    assert np.isnan(matrix(faces["au"], 66)[1]).all()
    assert matrix(faces["au"][:0], 66).shape == (0, 66)


def test_a_batch_of_bad_input_has_a_row_for_each_and_goes_on(tmp_path):
    good, gone = drawings()[1].picture, tmp_path / "gone.png"
    bad = {"none": {}, "gone": {"path": str(gone)}, "cut": {"picture": encode_picture(good)[:2000]}}
    bad |= {"text": {"picture": b"no picture"}, "empty": {"picture": b""}, "good": {"picture": encode_picture(good)}}
    bad |= {"dot": {"picture": encode_picture(good[:1, :1])}, "faceless": {"picture": encode_picture(good * 0)}}
    table = make_table([{"id": name, "split": "train", **row} for name, row in bad.items()], "bad")
    faces = load_faces(prepare_faces(table, tmp_path)).set_index("id")
    assert faces.index.tolist() == table["id"].tolist()
    told = faces["face_problem"].to_dict()
    assert told["gone"] == "unreadable picture (No such file or directory)"
    assert told["cut"] == told["text"] == told["empty"] == "unreadable picture (not a readable picture)"
    assert told["none"] == "unreadable picture (neither bytes nor a path)"
    assert (told["dot"], told["faceless"], told["good"]) == (TOO_SMALL, NO_FACE, None)
    assert faces["faces"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert faces["height"].tolist() == [0, 0, 0, 0, 0, 224, 1, 224]


def test_every_kind_of_pixels_is_measured():
    picture = Image.fromarray(drawings()[0].picture)
    deep = cv2.imencode(".png", np.array(picture.convert("L")).astype(np.uint16) << 8)[1].tobytes()
    kinds = {mode: encoded(picture.convert(mode)) for mode in ("L", "RGBA", "P", "LA")}
    kinds |= {"CMYK": encoded(picture.convert("CMYK"), "JPEG"), "16 bit": deep}
    expected = measured_bytes(encoded(picture))["au"]
    for kind, data in kinds.items():
        assert np.abs(measured_bytes(data)["au"] - expected).mean() < 0.03, kind


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_of_a_hundred_million_pixels_is_measured_in_its_own_pixels():
    grey = cv2.cvtColor(drawings()[0].picture, cv2.COLOR_RGB2GRAY)
    large = cv2.resize(grey, (10_000, 10_000), interpolation=cv2.INTER_LINEAR)
    row = measured_bytes(encoded(Image.fromarray(large), "JPEG"))
    assert (row["height"], row["width"], row["face_problem"]) == (10_000, 10_000, None)
    mesh = np.frombuffer(row["landmarks"], np.float32).reshape(478, 3)[:468, :2]
    assert np.abs((mesh + 0.5) * 224 / 10_000 - 0.5 - drawings()[0].landmarks).mean() < 2
    assert max(cv2.imdecode(np.frombuffer(row["person"], np.uint8), cv2.IMREAD_GRAYSCALE).shape) == LARGEST


def test_a_named_place_is_where_the_subject_is_sought():
    pair = np.hstack([drawings()[0].picture, drawings()[1].picture])
    table = rows_of([pair] * 3)
    table.at[1, "box"] = [224, 0, 224]
    table.at[2, "box"], table.at[2, "subject_box"] = [0, 0, 224], [224, 0, 224, 224]
    centres = [box[0] + box[2] / 2 for box in measure(table)["face_box"]]
    assert [centre > 224 for centre in centres[1:]] == [True, True]
    table.at[1, "box"] = [0, 0, 224]
    assert measure(table)["face_box"][1][0] < 224


def test_a_photograph_and_rows_with_a_problem_go_through():
    table = rows_of([photograph(), photograph()])
    table.loc[1, "problem"] = "its label is not known"
    faces = measure(table)
    assert faces["faces"].tolist() == [1, 1]
    assert faces["landmarks"].nunique() == 1


def test_the_rows_are_the_same_whatever_the_number_of_processes(many, tmp_path):
    table, folder = many
    alone = prepare_faces(table, tmp_path, processes=1)
    assert alone.name == folder.name
    pd.testing.assert_frame_equal(load_faces(alone), load_faces(folder))
    assert load_faces(folder)["id"].tolist() == table["id"].tolist()


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.parquet")}


@pytest.mark.parametrize("damage", ["deleted", "cut short", "half as many rows"])
def test_only_the_shard_that_is_missing_or_damaged_is_made_again(copy, damage):
    table, folder = copy
    whole, before = load_faces(folder), times(folder)
    path = sorted(folder.glob("*.parquet"))[1]
    if damage == "deleted":
        path.unlink()
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:-50])
    else:
        pd.read_parquet(path)[:4].to_parquet(path)
    assert prepare_faces(table, folder.parent) == folder
    changed = {name for name, time in times(folder).items() if before[name] != time}
    assert changed == {path.name}
    pd.testing.assert_frame_equal(load_faces(folder), whole)


def test_a_finished_preparation_is_not_repeated(copy, monkeypatch):
    table, folder = copy
    monkeypatch.setattr(prepare, "Parallel", None)  # whoever calls it, fails
    assert prepare_faces(table, folder.parent) == folder


def test_missing_and_damaged_shards_are_named(copy, tmp_path):
    _, folder = copy
    first = min(folder.glob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-50])
    with pytest.raises(StudyError, match=rf"{first.name} is damaged .*; delete it and run"):
        load_faces(folder)
    first.unlink()
    with pytest.raises(StudyError, match=f"{first.name} is missing; run notebook 01"):
        load_faces(folder)
    with pytest.raises(StudyError, match="no face has been measured yet"):
        load_faces(tmp_path / "nowhere")


def test_what_a_killed_process_left_behind_does_no_harm(copy, tmp_path):
    _, folder = copy
    (folder / ".00000000-of-00000020.parquet.x1.parquet").write_bytes(b"half")
    assert len(load_faces(folder)) == 20
    (tmp_path / ".00000000-of-00000020.parquet.x1.parquet").write_bytes(b"half")
    with pytest.raises(StudyError, match="no face has been measured yet"):
        load_faces(tmp_path)


def test_only_the_columns_asked_for_are_read(many):
    faces = load_faces(many[1], ["height", "au"])
    assert faces.columns.tolist() == ["id", "height", "au"]
    with pytest.raises(StudyError, match=r"column 'aus' is none of the faces'; use id, height, .*, au, "):
        load_faces(many[1], ["aus"])


def test_the_folder_is_named_by_pictures_and_places_and_not_by_labels(people_of_two):
    name = prepare._key(people_of_two)
    for column, value in (("label", "anger"), ("split", "test")):
        assert prepare._key(people_of_two.assign(**{column: value})) == name
    changes = {"picture_hash": "0" * 16, "box": [1.0, 2, 3], "subject_box": [1, 2, 3, 4], "id": "x"}
    for column, value in changes.items():
        other = people_of_two.copy()
        other.at[0, column] = value
        assert prepare._key(other) != name, column
    boxed = people_of_two.assign(subject_box=[[1, 2, 3, 4]] * 2)
    assert prepare._key(boxed) == prepare._key(boxed.assign(subject_box=[np.array([1.0, 2, 3, 4])] * 2))


@pytest.fixture
def people_of_two():
    return people()[0].head(2)
