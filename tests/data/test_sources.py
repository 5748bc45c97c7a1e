import cv2
import numpy as np
import pytest
from conftest import TINY_COUNTS

from fer_lib.data.sources import ferplus, folder, load_dataset
from fer_lib.data.table import load_pictures
from fer_lib.emotions import EMOTIONS
from fer_lib.errors import StudyError


@pytest.fixture
def tree(tmp_path, rng):
    """A folder data set of two classes with 24 pictures each in train and 3 in test."""
    root = tmp_path / "set"
    for split in ("Train", "test"):
        for name in ("Happy", "afraid"):
            (root / split / name).mkdir(parents=True)
            for number in range(24 if split == "Train" else 3):
                cv2.imwrite(str(root / split / name / f"{number}.png"), rng.integers(0, 256, (20, 30, 3)))
    return root


def test_folder_names_are_matched_to_emotions_and_splits(tree):
    table = folder.read(tree)
    assert set(table["label"]) == {"happiness", "fear"}
    assert table["split"].value_counts()["test"] == 6
    assert load_pictures(table).shape == (54, 48, 48)


def test_an_unknown_class_is_refused_by_name(tree):
    (tree / "test" / "hungry").mkdir()
    with pytest.raises(StudyError, match="'hungry' is no known emotion; rename it to one of anger"):
        folder.read(tree)


def test_an_empty_class_is_refused_by_name(tree):
    (tree / "test" / "angry").mkdir()
    with pytest.raises(StudyError, match="angry: the class is empty; add pictures"):
        folder.read(tree)


def test_an_unreadable_picture_keeps_its_row_with_the_problem(tree):
    (tree / "test" / "Happy" / "0.png").write_bytes(b"\x89PNG cut short")
    table = folder.read(tree)
    assert len(table) == 54
    assert table.set_index("id")["problem"]["test/Happy/0.png"].startswith("unreadable picture")


def test_a_tree_without_test_is_refused(tree):
    (tree / "test").rename(tree / "other")
    with pytest.raises(StudyError, match="no folder 'test'; the form is split/class/picture"):
        folder.read(tree)


def test_a_missing_data_root_names_the_setting(tmp_path):
    with pytest.raises(StudyError, match="DATASET=fer2013 needs DATA_ROOT"):
        load_dataset("fer2013", "", tmp_path)


def test_a_data_root_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(StudyError, match="nowhere is no folder; set it"):
        load_dataset("fer2013", tmp_path / "nowhere", tmp_path)


def test_an_unknown_data_set_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(StudyError, match="DATASET 'mnist' is unknown; use one of synthetic, fer2013, ferplus, folder"):
        load_dataset("mnist", None, tmp_path)


def test_a_refused_data_set_leaves_nothing_in_the_cache(tree, tmp_path):
    (tree / "test" / "hungry").mkdir()
    with pytest.raises(StudyError):
        load_dataset("folder", tree, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_the_cache_is_used_until_a_picture_changes(tree, tmp_path, monkeypatch):
    first = load_dataset("folder", tree, tmp_path / "cache")
    monkeypatch.setattr(folder, "read", lambda *a, **k: pytest.fail("read again"))
    assert load_dataset("folder", tree, tmp_path / "cache").equals(first)
    monkeypatch.undo()
    cv2.imwrite(str(tree / "test" / "Happy" / "0.png"), np.zeros((9, 9)))
    assert not load_dataset("folder", tree, tmp_path / "cache").equals(first)


def test_drawn_people_come_with_disjoint_subjects_in_every_split(tmp_path):
    table = load_dataset("synthetic", None, tmp_path, seed=3, synthetic_pictures=210)
    assert (table.groupby("subject")["split"].nunique() == 1).all()
    assert table.groupby("split")["label"].nunique().eq(7).all()


VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def write_votes(path, ballots):
    usages = ["Training"] * 21 + ["PublicTest"] * 7 + ["PrivateTest"] * 14
    rows = [f"{usage},x.png,{ballot}" for usage, ballot in zip(usages, ballots, strict=True)]
    path.write_text(VOTES + "\n".join(rows))
    return path


def test_votes_give_majority_shares_and_the_reason_where_there_is_no_winner(fer_csv, tmp_path):
    ballots = ["2,6,0,0,0,0,0,2,0,0", "5,5,0,0,0,0,0,0,0,0", "3,0,0,0,0,0,0,0,7,0", "0,0,0,0,0,0,0,0,0,10"]
    votes = write_votes(tmp_path / ferplus.FILE_NAME, ballots + ["10,0,0,0,0,0,0,0,0,0"] * 38)
    table = ferplus.read(fer_csv, votes, TINY_COUNTS)
    assert table["label"][:5].tolist() == ["happiness", None, None, None, "neutral"]
    expected = dict.fromkeys(EMOTIONS, 0.0) | {"neutral": 0.2, "happiness": 0.6, "contempt": 0.2}
    assert dict(zip(EMOTIONS, table["votes"][0], strict=True)) == pytest.approx(expected)
    assert table["problem"][:4].tolist() == [
        None, "annotators disagree: no unique winner", "annotators chose unknown", "annotators chose no face",
    ]  # fmt: skip


def test_votes_that_do_not_match_the_pictures_are_refused(fer_csv, tmp_path):
    path = tmp_path / ferplus.FILE_NAME
    path.write_text(VOTES + "Training,x.png,10,0,0,0,0,0,0,0,0,0\n")
    with pytest.raises(StudyError, match="1 rows that do not match FER2013's 42"):
        ferplus.read(fer_csv, path, TINY_COUNTS)


def test_a_vote_that_is_no_number_is_named_with_its_row(tmp_path):
    path = write_votes(tmp_path / ferplus.FILE_NAME, ["1,2,3,x,0,0,0,0,0,0"] + ["1,0,0,0,0,0,0,0,0,0"] * 41)
    with pytest.raises(StudyError, match="row 1 has a vote that is no number"):
        ferplus.read_votes(path)


@pytest.mark.data
def test_ferplus_has_the_known_number_of_unique_winners_on_test(data_root):
    ballots = ferplus.read_votes(data_root / "ferplus" / ferplus.FILE_NAME)
    _, labels, _ = ferplus.plurality(ballots[ballots["Usage"] == "PrivateTest"])
    assert sum(label is not None for label in labels) == 3376
