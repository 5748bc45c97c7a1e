import pytest
from tiny_pictures import CUT, write_picture

from fer_lib.data.sources import caer_s, load_dataset
from fer_lib.errors import StudyError


@pytest.fixture
def root(tmp_path):
    """Two classes as CAER-S names them, 30 stills of each in train and 3 in test."""
    for split, number in (("train", 30), ("test", 3)):
        for name in ("Anger", "Sad"):
            for i in range(1, number + 1):
                write_picture(tmp_path / "CAER-S" / split / name / f"{i:04d}.png")
    return tmp_path


@pytest.mark.parametrize("place", ["", "CAER-S"])
def test_the_published_tree_gives_a_table_with_a_tenth_of_train_as_validation(root, tmp_path, place):
    table = load_dataset("caer_s", root / place, tmp_path / "cache")
    assert set(table["source"]) == {"caer_s"}
    assert table.groupby(["label", "split"]).size()["anger"].to_dict() == {"test": 3, "train": 27, "validation": 3}
    assert table["box"].isna().all()


def test_a_tree_without_test_is_refused(root):
    (root / "CAER-S" / "test").rename(root / "CAER-S" / "other")
    with pytest.raises(StudyError, match="CAER-S: no folder 'test'"):
        caer_s.find(root)


def test_an_unknown_and_an_empty_class_are_refused_by_name(root):
    (root / "CAER-S" / "test" / "Bored").mkdir()
    with pytest.raises(StudyError, match="'Bored' is no known emotion"):
        caer_s.read(root / "CAER-S")
    (root / "CAER-S" / "test" / "Bored").rename(root / "CAER-S" / "test" / "Fear")
    with pytest.raises(StudyError, match="Fear: the class is empty; add pictures"):
        caer_s.read(root / "CAER-S")


def test_an_unreadable_still_keeps_its_row_with_the_problem(root):
    (root / "CAER-S" / "test" / "Sad" / "0001.png").write_bytes(CUT)
    table = caer_s.read(root / "CAER-S")
    assert table.set_index("id")["problem"].dropna().to_dict() == {
        "test/Sad/0001.png": "unreadable picture (not a readable picture)"
    }


def test_a_tree_of_which_nothing_can_be_read_is_refused(root):
    for path in (root / "CAER-S" / "train").rglob("*.png"):
        path.write_bytes(CUT)
    with pytest.raises(StudyError, match="caer_s: no picture of train can be used"):
        caer_s.read(root / "CAER-S")
