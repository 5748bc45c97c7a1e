import numpy as np
import pytest
from tiny_pictures import CUT, write_picture, write_text

from fer_lib.data.sources import affectnet, load_dataset
from fer_lib.errors import StudyError

HEADER = ",".join(affectnet.COLUMNS)
NUMBER = {"training": 30, "validation": 3}


def line(name, expression, box="2,1,8,10") -> str:
    return f"{name},{box},1.0;2.0;3.0;4.0,{expression},0.5,-0.25"


@pytest.fixture
def manual(tmp_path):
    """The manual annotation: both lists, and pictures of neutral (0) and surprise (3)."""
    for stem, number in NUMBER.items():
        lines = [HEADER]
        for i in range(2 * number):
            name = f"{i % 5}/{stem}{i:04x}.jpg"
            write_picture(tmp_path / "Manually_Annotated_Images" / name)
            lines.append(line(name, (0, 3)[i % 2]))
        write_text(tmp_path / "Manually_Annotated_file_lists" / f"{stem}.csv", "\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def eight(tmp_path):
    """The eight classes: pictures and single numbers, kept as text or as a number."""
    for name, number in (("train_set", 30), ("val_set", 3)):
        for i in range(2 * number):
            write_picture(tmp_path / name / "images" / f"{i}.jpg")
            save_label(tmp_path / name, i, (0, 3)[i % 2] if i % 3 else str((0, 3)[i % 2]))
    return tmp_path


def save_label(place, number, value):
    (place / "annotations").mkdir(exist_ok=True)
    np.save(place / "annotations" / f"{number}_exp.npy", np.array(value))


def read(root):
    return affectnet.read(*affectnet.find(root))


def change(root, old, new, name="training.csv"):
    path = root / "Manually_Annotated_file_lists" / name
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize("form", ["manual", "eight"])
def test_the_official_validation_set_is_test_and_a_tenth_of_train_is_validation(form, request, tmp_path):
    table = load_dataset("affectnet", request.getfixturevalue(form), tmp_path / "cache")
    assert table["split"].value_counts().to_dict() == {"train": 54, "test": 6, "validation": 6}
    assert table["label"].value_counts().to_dict() == {"neutral": 33, "surprise": 33}
    assert table["label"][:2].tolist() == ["neutral", "surprise"]
    assert set(table["id"][table["split"] == "test"].str.split(r"[-/]").str[0]) <= {"validation", "val_set"}


def test_the_numbers_stand_for_the_published_expressions():
    assert [*affectnet.EXPRESSIONS.values()][:8] == [
        "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
    ]  # fmt: skip


def test_the_box_is_the_square_around_the_listed_face(manual):
    assert [list(box) for box in read(manual)["box"]] == [[1.0, 1.0, 10.0]] * 66


@pytest.mark.parametrize("box", ["NULL,NULL,NULL,NULL", "-1,-1,-1,-1", "3,4,0,0"])
def test_a_picture_without_a_box_keeps_its_row(manual, box):
    change(manual, line("0/training0000.jpg", 0), line("0/training0000.jpg", 0, box))
    table = read(manual)
    assert table["problem"].dropna().tolist() == ["the face's box is missing"]
    assert table["label"][0] == "neutral"


def test_a_box_that_no_picture_can_hold_is_a_problem_and_is_never_cut_out(manual):
    change(manual, line("0/training0000.jpg", 0), line("0/training0000.jpg", 0, "3,4,90000,9"))
    assert read(manual)["problem"].dropna().tolist() == ["the face's box is larger than any picture"]


def test_pictures_of_no_emotion_keep_their_rows_without_a_label(manual):
    for row, number in enumerate((8, 9, 10)):
        old = f"{row}/training{row:04x}.jpg"
        change(manual, line(old, (0, 3)[row % 2]), line(old, number, "NULL,NULL,NULL,NULL"))
    table = read(manual)
    assert table["label"][:3].tolist() == [None] * 3
    assert table["problem"].dropna().tolist() == [
        "labelled as none of the eight emotions", "labelled as uncertain", "labelled as no face",
    ]  # fmt: skip


def test_a_list_without_its_row_of_names_is_read_all_the_same(manual):
    whole = read(manual)
    change(manual, HEADER + "\n", "", "validation.csv")
    assert read(manual).equals(whole)


def test_a_missing_column_is_named(manual):
    change(manual, "expression", "feeling")
    with pytest.raises(StudyError, match=r"training\.csv: the column 'expression' is missing; get AffectNet"):
        read(manual)


@pytest.mark.parametrize("bad", ["11", "-1", "happy", ""])
def test_an_unknown_expression_is_named_with_its_row(manual, bad):
    change(manual, line("1/training0001.jpg", 3), line("1/training0001.jpg", bad))
    with pytest.raises(StudyError, match=f"row 2: expression is '{bad}', not one of 0, 1, 2"):
        read(manual)


@pytest.mark.parametrize("instead", ["", "1.0,2.0,"])
def test_a_list_without_its_row_of_names_and_with_other_columns_is_refused(manual, instead):
    path = manual / "Manually_Annotated_file_lists" / "validation.csv"
    lines = [text.replace("1.0;2.0;3.0;4.0,", instead) for text in path.read_text().splitlines()[1:]]
    write_text(path, "\n".join(lines))
    with pytest.raises(StudyError, match=r"validation\.csv: not a readable CSV file"):
        read(manual)


def test_an_empty_list_is_refused(manual):
    write_text(manual / "Manually_Annotated_file_lists" / "training.csv", HEADER + "\n")
    with pytest.raises(StudyError, match=r"training\.csv: the file has no rows"):
        read(manual)


def test_pictures_that_are_missing_or_unreadable_keep_their_rows(manual):
    pictures = manual / "Manually_Annotated_Images"
    (pictures / "0" / "training0000.jpg").unlink()
    (pictures / "1" / "training0001.jpg").write_bytes(CUT)
    assert read(manual)["problem"].dropna().to_dict() == {
        0: "the picture is missing",
        1: "unreadable picture (not a readable picture)",
    }


def test_the_same_picture_listed_twice_is_two_rows(manual):
    change(manual, "1/training0001.jpg", "0/training0000.jpg")
    table = read(manual)
    assert table["picture_hash"][0] == table["picture_hash"][1]
    assert table["split"][0] == table["split"][1]


def test_pictures_that_were_never_unpacked_are_an_error(manual):
    (manual / "Manually_Annotated_Images").rename(manual / "Other")
    with pytest.raises(StudyError, match=r"no Manually_Annotated_Images, and no train_set .* get AffectNet"):
        affectnet.find(manual)
    (manual / "Manually_Annotated_Images").mkdir()
    with pytest.raises(StudyError, match=r"no picture of train can be used \(the picture is missing\)"):
        read(manual)


@pytest.mark.parametrize("name", ["training.csv", "validation.csv"])
def test_a_missing_list_is_named(manual, name):
    (manual / "Manually_Annotated_file_lists" / name).unlink()
    with pytest.raises(StudyError, match=f"no {name}, and no train_set"):
        affectnet.find(manual)


def test_a_picture_that_is_added_later_is_noticed(manual, tmp_path):
    late = manual / "Manually_Annotated_Images" / "0" / "training0000.jpg"
    late.unlink()
    assert load_dataset("affectnet", manual, tmp_path / "cache")["problem"].notna().sum() == 1
    write_picture(late)
    assert load_dataset("affectnet", manual, tmp_path / "cache")["problem"].isna().all()


def test_the_cache_is_used_without_a_look_at_every_picture(manual, tmp_path, monkeypatch):
    first = load_dataset("affectnet", manual, tmp_path / "cache")
    monkeypatch.setattr(affectnet, "read", lambda *_, **__: pytest.fail("read again"))
    assert load_dataset("affectnet", manual, tmp_path / "cache").equals(first)


def test_a_label_without_picture_and_a_picture_without_label_keep_their_rows(eight):
    (eight / "train_set" / "images" / "0.jpg").unlink()
    (eight / "train_set" / "annotations" / "1_exp.npy").unlink()
    (eight / "train_set" / "images" / "2.jpg").write_bytes(CUT)
    assert read(eight).set_index("id")["problem"].dropna().to_dict() == {
        "train_set/0": "the picture is missing",
        "train_set/1": "the label is missing",
        "train_set/2": "unreadable picture (not a readable picture)",
    }


@pytest.mark.parametrize("bad", [b"", b"\x93NUMPY cut short"])
def test_a_label_file_that_is_damaged_is_named(eight, bad):
    (eight / "val_set" / "annotations" / "0_exp.npy").write_bytes(bad)
    with pytest.raises(StudyError, match=r"0_exp\.npy: not the number of an expression"):
        read(eight)


def test_a_label_file_with_an_unknown_number_or_several_is_named(eight):
    save_label(eight / "val_set", 0, 11)
    with pytest.raises(StudyError, match=r"0_exp\.npy: 11 is not one of 0, 1, 2"):
        read(eight)
    for several in ([1, 2], np.inf):
        save_label(eight / "val_set", 0, several)
        with pytest.raises(StudyError, match=r"0_exp\.npy: not the number"):
            read(eight)


def test_one_of_the_two_sets_alone_is_refused(eight):
    (eight / "val_set").rename(eight / "other")
    with pytest.raises(StudyError, match=r"no training\.csv, and no train_set with val_set, found"):
        affectnet.find(eight)
