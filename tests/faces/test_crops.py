import cv2
import numpy as np
import pytest
from faces_to_find import drawings, people, photograph, rows_of

from fer_lib.data.table import COLUMNS, crop, decode_picture, load_pictures, picture_hash, resize
from fer_lib.faces.crops import aligned, aligned_table, face_table, pack, shows_faces_alone, squares_of, with_pictures
from fer_lib.faces.detect import look
from fer_lib.faces.geometry import EYES
from fer_lib.faces.prepare import measure


def roll(mesh):
    """By how many degrees the line through the eyes is turned."""
    left, right = (mesh[list(corners), :2].mean(0) for corners in EYES)
    return np.degrees(np.arctan2(*(left - right)[::-1]))


def turned(picture, degrees):
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


@pytest.fixture(scope="module")
def close():
    """A table of faces and nothing else, and what was measured of it."""
    table = rows_of([resize(crop(drawing.picture, drawing.face_box), 96) for drawing in drawings()[:8]])
    return table, measure(table)


@pytest.fixture(scope="module")
def mixed():
    """A drawn person, the photograph, an empty picture and a row without any; and what was measured of them."""
    table = rows_of([drawings()[1].picture, photograph(), np.zeros((90, 120, 3), np.uint8), None])
    table.attrs["files"] = {"list.csv": "00"}
    return table, measure(table)


def test_the_square_around_a_found_face_is_that_around_the_drawn_one():
    table, faces = people()
    boxes = np.array(face_table(table, faces)["box"].tolist())
    truth = np.array([drawing.face_box for drawing in drawings()])
    assert np.abs(boxes - truth).mean() < 0.03 * truth[:, 2].mean()


def test_where_no_face_was_found_the_tables_own_box_stays(mixed):
    table, faces = mixed
    own = table.copy()
    own["box"] = [[1.0, 2, 50], None, [3.0, 4, 40], None]
    boxes = face_table(own, faces)["box"].tolist()
    assert boxes[:2] == squares_of(faces)[:2]
    assert boxes[2:] == [[3, 4, 40], None]
    assert [box is None for box in face_table(table, faces)["box"]] == [False, False, True, True]


def test_a_face_without_a_mesh_is_cut_out_by_its_box_which_leaves_out_the_forehead(mixed):
    faces = mixed[1].head(1).assign(landmarks=None)
    x, y, width, height = faces["face_box"][0]
    ((left, top, side),) = squares_of(faces)
    assert side == pytest.approx(1.3 * max(width, height))
    assert (left + side / 2, top + side / 2) == pytest.approx((x + width / 2, y + height / 2))


def test_a_data_set_of_nothing_but_faces_is_left_as_it_is(close, mixed):
    table, faces = close
    assert shows_faces_alone(table, faces)
    assert face_table(table, faces) is table
    assert not shows_faces_alone(table.assign(box=[[0, 0, 96]] * 8), faces)
    assert not shows_faces_alone(*people())
    assert shows_faces_alone(mixed[0].tail(2), mixed[1].tail(2))  # no face was found, so there is no scene around one


@pytest.mark.parametrize(("side", "alone"), [(1.6, True), (1.7, False)])
def test_a_face_of_six_tenths_of_the_shorter_side_fills_the_picture_in_the_median(close, side, alone):
    table, faces = close
    extents = [square[2] for square in squares_of(faces)]
    faces = faces.assign(height=np.multiply(side, extents), width=10_000)
    faces.loc[:2, "height"] = 10_000  # in three of eight pictures a face is small
    assert shows_faces_alone(table, faces) == alone


@pytest.mark.parametrize("degrees", [-25, 0, 15])
def test_in_an_aligned_face_the_eyes_are_level_and_the_face_fills_it(degrees):
    for drawing in drawings()[:5]:
        picture = turned(drawing.picture, degrees)
        faces = measure(rows_of([picture]))
        face = aligned(picture, squares_of(faces)[0], look(picture).landmarks, 160)
        mesh = look(face).landmarks
        assert face.shape == (160, 160, 3)
        assert abs(roll(mesh)) <= 2
        assert np.ptp(mesh[:, :2], axis=0).max() > 0.75 * 160
        assert ((mesh[:, :2].min(0) + mesh[:, :2].max(0)) / 2).tolist() == pytest.approx([80, 80], abs=12)


def test_the_photograph_is_aligned_too(mixed):
    table, faces = mixed
    face = decode_picture(aligned_table(table, faces, 128)["picture"][1])
    assert abs(roll(look(photograph()).landmarks)) > 2.5
    assert abs(roll(look(face).landmarks)) <= 2


def test_pixels_land_where_the_turn_brings_them():
    mesh, picture = np.zeros((478, 2)), np.zeros((200, 200, 3), np.uint8)
    mesh[list(EYES[0])], mesh[list(EYES[1])] = (100, 110), (100, 90)  # the face lies, its left eye is the lower one
    picture[138:143, 98:103] = 255  # beyond the left eye, 40 from the middle of a square of 100
    face = aligned(picture, (50, 50, 100), mesh, 50)
    assert np.argwhere(face[..., 0] > 100).mean(0) == pytest.approx([24.5, 24.5 + 20], abs=0.6)


def test_a_reduced_face_is_smoothed():
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[::2] = 200
    face = aligned(stripes, (100, 100, 600), look(photograph()).landmarks, 48)
    assert np.abs(face.astype(int) - 100).max() <= 3


def test_aligned_faces_are_a_table_of_pictures_of_one_size_without_boxes(mixed):
    table, faces = mixed
    shown = aligned_table(table.assign(box=[[0, 0, 9]] * 4), faces, 40)
    assert shown["box"].isna().all()
    assert load_pictures(shown.head(3), 40, grey=False).shape == (3, 40, 40, 3)
    assert [decode_picture(data).shape for data in shown["picture"][:3]] == [(40, 40, 3)] * 3
    assert shown["picture"][3] is None
    assert shown["picture_hash"][0] == picture_hash(decode_picture(shown["picture"][0]))


def test_other_pictures_leave_attributes_and_columns_as_they_are(mixed):
    table, _ = mixed
    table = table.assign(label="joy", box=[[0, 0, 9]] * 4)
    table.attrs = mixed[0].attrs
    picture = np.full((5, 6, 3), 7, np.uint8)
    shown = with_pictures(table, [None, pack(picture), None, None])
    others = [column for column in COLUMNS if column not in ("picture", "picture_hash", "box")]
    assert shown[others].equals(table[others])
    assert shown.attrs == table.attrs == {"dataset": "pictures", "files": {"list.csv": "00"}}
    assert np.array_equal(decode_picture(shown["picture"][1]), picture)
    assert shown["picture"].drop(1).tolist() == table["picture"].drop(1).tolist()
    assert shown["box"].isna().all()
