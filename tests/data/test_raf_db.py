import pytest
from tiny_pictures import CUT, write_picture, write_text

from fer_lib.data.sources import load_dataset, raf_db
from fer_lib.errors import StudyError

NUMBER = {"train": 30, "test": 3}
LABELS = (4, 6)  # happiness and anger


@pytest.fixture
def basic(tmp_path):
    """The published form: aligned pictures of two classes, and the list."""
    lines = []
    for split, number in NUMBER.items():
        for i in range(2 * number):
            write_picture(tmp_path / "basic" / "Image" / "aligned" / f"{split}_{i:05d}_aligned.jpg")
            lines.append(f"{split}_{i:05d}.jpg {LABELS[i % 2]}")
    write_text(tmp_path / "basic" / raf_db.LIST, "\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def original(basic):
    """The same pictures unaligned, each with the corners of its face."""
    pictures = (basic / "basic" / "Image" / "aligned").rename(basic / "basic" / "Image" / "original")
    for path in sorted(pictures.iterdir()):
        path = path.rename(pictures / path.name.replace("_aligned", ""))
        box = basic / "basic" / "Annotation" / "boundingbox" / f"{path.stem}_boundingbox.txt"
        write_text(box, "2.5 1.0 8.5 11.0 \n")
    return basic


@pytest.fixture
def kaggle(tmp_path):
    """Kaggle's form: DATASET with the two lists beside it."""
    for split, number in NUMBER.items():
        lines = ["image,label"]
        for i in range(2 * number):
            name = f"{split}_{i:05d}_aligned.jpg"
            write_picture(tmp_path / "DATASET" / split / str(LABELS[i % 2]) / name)
            lines.append(f"{name},{LABELS[i % 2]}")
        write_text(tmp_path / f"{split}_labels.csv", "\n".join(lines) + "\n")
    return tmp_path


def read(root):
    return raf_db.read(*raf_db.find(root))


def replace_in(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize("form", ["basic", "original", "kaggle"])
def test_each_form_gives_the_same_labels_and_a_tenth_of_train_as_validation(form, request, tmp_path):
    table = load_dataset("raf_db", request.getfixturevalue(form), tmp_path / "cache")
    assert table["split"].value_counts().to_dict() == {"train": 54, "test": 6, "validation": 6}
    assert table["label"].value_counts().to_dict() == {"happiness": 33, "anger": 33}
    labels = {path.split("train_")[1][:5]: label for path, label in zip(table["path"], table["label"], strict=True)
              if "train_" in path}  # fmt: skip
    assert labels["00000"] == "happiness"
    assert labels["00001"] == "anger"


def test_the_seven_numbers_stand_for_the_published_emotions():
    assert [*raf_db.NUMBERS.values()] == [
        "surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral",
    ]  # fmt: skip


def test_aligned_pictures_have_no_box_and_original_ones_a_square_around_the_face(basic, request):
    assert read(basic)["box"].isna().all()
    boxed = read(request.getfixturevalue("original"))
    assert boxed["box"].map(list).tolist() == [[0.5, 1.0, 10.0]] * 66


def test_an_original_picture_without_its_box_keeps_its_row(original):
    next((original / "basic" / "Annotation" / "boundingbox").glob("test_00000*")).unlink()
    assert read(original).set_index("id")["problem"].dropna().to_dict() == {
        "test_00000.jpg": "the face's box is missing"
    }


@pytest.mark.parametrize("box", ["nan nan nan nan", "9 1 3 8", "4 4 4 9"])
def test_an_empty_box_is_as_good_as_none(original, box):
    write_text(original / "basic" / "Annotation" / "boundingbox" / "test_00000_boundingbox.txt", box)
    assert read(original).set_index("id")["problem"].dropna().to_dict() == {
        "test_00000.jpg": "the face's box is missing"
    }


def test_a_box_that_is_not_four_numbers_is_refused(original):
    write_text(original / "basic" / "Annotation" / "boundingbox" / "test_00000_boundingbox.txt", "1 2 three 4")
    with pytest.raises(StudyError, match=r"test_00000_boundingbox\.txt: not the four numbers x1 y1 x2 y2"):
        read(original)


def test_pictures_that_are_missing_or_unreadable_keep_their_rows(basic):
    aligned = basic / "basic" / "Image" / "aligned"
    (aligned / "test_00000_aligned.jpg").unlink()
    (aligned / "test_00001_aligned.jpg").write_bytes(CUT)
    problems = read(basic).set_index("id")["problem"].dropna().to_dict()
    assert problems == {
        "test_00000.jpg": "the picture is missing",
        "test_00001.jpg": "unreadable picture (not a readable picture)",
    }


@pytest.mark.parametrize(("new", "found"), [("train_00000.jpg 8", "8"), ("train_00000.jpg", "")])
def test_an_unknown_label_is_named_with_its_row(basic, new, found):
    replace_in(basic / "basic" / raf_db.LIST, "train_00000.jpg 4", new)
    with pytest.raises(StudyError, match=f"row 1: label is '{found}', not one of 1, 2, 3, 4, 5, 6, 7"):
        read(basic)


def test_a_value_too_many_shifts_no_other(basic):
    whole = read(basic)
    replace_in(basic / "basic" / raf_db.LIST, "train_00000.jpg 4", "train_00000.jpg 4 7")
    assert read(basic).equals(whole)


def test_a_name_that_tells_no_split_is_refused(basic):
    replace_in(basic / "basic" / raf_db.LIST, "train_00000", "other_00000")
    with pytest.raises(StudyError, match=r"'other_00000\.jpg' begins neither with train_ nor with test_"):
        read(basic)


def test_a_name_that_stands_twice_is_refused(basic):
    replace_in(basic / "basic" / raf_db.LIST, "train_00001.jpg", "train_00000.jpg")
    with pytest.raises(StudyError, match=r"'train_00000\.jpg' stands twice"):
        read(basic)


def test_an_empty_list_is_refused(basic):
    write_text(basic / "basic" / raf_db.LIST, "")
    with pytest.raises(StudyError, match="the file has no rows"):
        read(basic)


def test_a_list_without_pictures_and_a_root_without_list_say_what_to_get(basic, tmp_path):
    (basic / "basic" / "Image").rename(basic / "basic" / "Other")
    with pytest.raises(StudyError, match="no Image/aligned or Image/original beside the labels; get RAF-DB"):
        raf_db.find(basic)
    with pytest.raises(StudyError, match="and no folder DATASET found; get RAF-DB"):
        raf_db.find(basic / "basic" / "Other")


def test_a_picture_that_only_the_list_knows_keeps_a_row(kaggle):
    (kaggle / "DATASET" / "test" / "4" / "test_00000_aligned.jpg").unlink()
    table = read(kaggle)
    assert len(table) == 66
    assert table.set_index("id")["problem"].dropna().to_dict() == {
        "test/4/test_00000_aligned.jpg": "the picture is missing"
    }


def test_kaggles_folders_are_enough_without_the_lists(kaggle):
    for name in raf_db.CSV_FILES:
        (kaggle / name).unlink()
    assert len(read(kaggle)) == 66


def test_a_list_that_contradicts_the_folders_is_refused(kaggle):
    replace_in(kaggle / "test_labels.csv", "test_00000_aligned.jpg,4", "test_00000_aligned.jpg,6")
    with pytest.raises(StudyError, match=r"'test_00000_aligned\.jpg' is anger here, but lies with happiness"):
        read(kaggle)


def test_a_list_without_its_columns_is_refused(kaggle):
    replace_in(kaggle / "test_labels.csv", "image,label", "file,label")
    with pytest.raises(StudyError, match=r"test_labels\.csv: the column 'image' is missing; get RAF-DB"):
        read(kaggle)


def test_an_unknown_and_an_empty_class_folder_are_refused(kaggle):
    (kaggle / "DATASET" / "test" / "8").mkdir()
    with pytest.raises(StudyError, match="'8' is no known emotion"):
        read(kaggle)
    (kaggle / "DATASET" / "test" / "8").rename(kaggle / "DATASET" / "test" / "2")
    with pytest.raises(StudyError, match="2: the class is empty"):
        read(kaggle)
