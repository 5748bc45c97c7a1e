import io
import tarfile

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import TINY_COUNTS, fer_rows

from fer_lib.data.sources import fer2013
from fer_lib.data.splits import duplicates
from fer_lib.data.table import load_pictures, table_hash
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError


def pack(path, members: dict[str, bytes]):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def read(path):
    return fer2013.read(path, counts=TINY_COUNTS)


def write_changed(path, row: int, column: str, value) -> None:
    rows = fer_rows().astype(object)
    rows.loc[row, column] = value
    rows.to_csv(path, index=False)


def test_pixels_labels_and_splits_are_those_of_the_csv(fer_csv):
    table, rows = read(fer_csv), pd.read_csv(fer_csv)
    assert table["label"].tolist() == [BASIC[label] for label in rows["emotion"]]
    assert table["split"].value_counts().to_dict() == {"train": 21, "validation": 7, "test": 14}
    pixels = np.array([list(map(int, text.split())) for text in rows["pixels"]]).reshape(-1, 48, 48)
    assert (load_pictures(table) == pixels).all()


def test_csv_icml_archive_and_spaced_headers_give_the_same_table(fer_csv, tmp_path):
    icml = tmp_path / "icml_face_data.csv"
    renamed = pd.read_csv(fer_csv)[["emotion", "Usage", "pixels"]]
    renamed.set_axis(["emotion", " Usage", " pixels"], axis=1).to_csv(icml, index=False)
    archive = pack(tmp_path / "fer2013.tar.gz", {"fer2013/README": b"x", "fer2013/fer2013.csv": fer_csv.read_bytes()})
    assert table_hash(read(fer_csv)) == table_hash(read(icml)) == table_hash(read(archive))


def test_the_folder_form_keeps_test_and_carves_validation_from_train(tmp_path):
    counts = {"train": (20,) * 7, "validation": (1,) * 7, "test": (2,) * 7}
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    for number, row in enumerate(fer_rows(counts).itertuples()):
        folder = tmp_path / ("train" if row.Usage == "Training" else "test") / names[row.emotion]
        folder.mkdir(parents=True, exist_ok=True)
        picture = np.array(row.pixels.split(), np.uint8).reshape(48, 48)
        cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    table = fer2013.read(fer2013.find(tmp_path)[0], counts=counts)
    assert table["split"].value_counts().to_dict() == {"train": 126, "test": 21, "validation": 14}


@pytest.mark.parametrize("place", ["fer2013.csv", "fer2013/fer2013.csv", "a/b/icml_face_data.csv", "fer2013.tar.gz"])
def test_a_copy_is_found_wherever_it_lies_below_data_root(tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert fer2013.find(tmp_path) == [path]


def test_nothing_found_says_what_was_looked_for_and_where_to_get_it(tmp_path):
    with pytest.raises(StudyError, match=r"no fer2013\.csv.*download fer2013\.tar\.gz from Kaggle"):
        fer2013.find(tmp_path)


def test_a_truncated_archive_is_named(fer_csv, tmp_path):
    archive = pack(tmp_path / "fer2013.tar.gz", {"fer2013/fer2013.csv": fer_csv.read_bytes()})
    archive.write_bytes(archive.read_bytes()[:-5000])
    with pytest.raises(StudyError, match=r"fer2013\.tar\.gz: the archive is damaged or cut short"):
        read(archive)


def test_an_archive_of_noise_is_named(tmp_path, rng):
    path = tmp_path / "fer2013.tar.gz"
    path.write_bytes(rng.bytes(4000))
    with pytest.raises(StudyError, match=r"fer2013\.tar\.gz: the archive is damaged or cut short"):
        read(path)


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/passwd", "fer2013/../../evil"])
def test_a_member_that_points_outside_is_refused_by_name(tmp_path, name):
    archive = pack(tmp_path / "fer2013.tar.gz", {name: b"x", "fer2013/fer2013.csv": b"emotion,pixels,Usage\n"})
    with pytest.raises(StudyError, match="points outside the archive"):
        read(archive)
    assert [path.name for path in tmp_path.iterdir()] == ["fer2013.tar.gz"]


def test_a_linked_member_is_refused_by_name(tmp_path):
    with tarfile.open(tmp_path / "fer2013.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("fer2013/fer2013.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(StudyError, match=r"'fer2013/fer2013\.csv' points outside the archive"):
        read(tmp_path / "fer2013.tar.gz")


def test_an_archive_without_the_csv_is_named(tmp_path):
    with pytest.raises(StudyError, match=r"no fer2013\.csv inside"):
        read(pack(tmp_path / "fer2013.tar.gz", {"readme": b"x"}))


def test_a_row_with_too_few_pixels_is_named(fer_csv):
    write_changed(fer_csv, 4, "pixels", "1 2 3")
    with pytest.raises(StudyError, match=r"fer2013\.csv: row 5: 3 pixel values where 2304 numbers"):
        read(fer_csv)


def test_a_missing_pixel_in_one_row_is_not_made_up_by_one_too_many_in_the_next(fer_csv):
    rows = fer_rows()
    rows.loc[0, "pixels"] = rows.loc[0, "pixels"].rpartition(" ")[0]
    rows.loc[1, "pixels"] += " 7"
    rows.to_csv(fer_csv, index=False)
    with pytest.raises(StudyError, match="row 1: 2303 pixel values"):
        read(fer_csv)


@pytest.mark.parametrize("bad", ["256", "-1", "x", "1.5"])
def test_a_pixel_that_is_no_number_from_0_to_255_is_refused_with_its_row(fer_csv, bad):
    write_changed(fer_csv, 2, "pixels", " ".join([bad] + ["0"] * 2303))
    with pytest.raises(StudyError, match="row 3: 2304 pixel values where 2304 numbers from 0 to 255"):
        read(fer_csv)


@pytest.mark.parametrize("label", ["7", "-1", "happy", ""])
def test_a_label_outside_0_to_6_is_named_with_its_row(fer_csv, label):
    write_changed(fer_csv, 9, "emotion", label)
    with pytest.raises(StudyError, match=f"row 10: emotion is '{label}', not one of 0, 1, 2, 3, 4, 5, 6"):
        read(fer_csv)


def test_an_unknown_usage_is_named_with_its_row(fer_csv):
    write_changed(fer_csv, 0, "Usage", "Secret")
    with pytest.raises(StudyError, match="row 1: Usage is 'Secret', not one of Training, PublicTest, PrivateTest"):
        read(fer_csv)


def test_a_missing_column_is_named(fer_csv):
    fer_rows().drop(columns="Usage").to_csv(fer_csv, index=False)
    with pytest.raises(StudyError, match="the column 'Usage' is missing"):
        read(fer_csv)


def test_an_empty_file_is_named(fer_csv):
    fer_csv.write_text("")
    with pytest.raises(StudyError, match=r"fer2013\.csv: not a readable CSV file"):
        read(fer_csv)


def test_wrong_split_counts_are_told_beside_the_right_ones(fer_csv):
    fer_rows().iloc[:-1].to_csv(fer_csv, index=False)
    with pytest.raises(StudyError, match=r"test has 2/2/2/2/2/2/1 pictures .* where FER2013 has 2/2/2/2/2/2/2"):
        read(fer_csv)


@pytest.mark.data
def test_the_real_file_has_the_official_counts_and_the_known_share_of_copies(data_root):
    table = fer2013.read(fer2013.find(data_root)[0])
    assert table["split"].value_counts().to_dict() == {"train": 28709, "validation": 3589, "test": 3589}
    leak = duplicates(table).set_index(["split", "also in"]).loc[("test", "train")]
    assert 0.07 < leak["share"] < 0.1
