import numpy as np
import pytest

from fer_lib.data.sources import fer2013
from fer_lib.data.splits import check_splits
from fer_lib.data.table import make_table, usable
from fer_lib.data.tasks import SIX, six_emotions
from fer_lib.emotions import EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.synthetic.plan import PRESETS, plan

COUNTS = {"train": 60, "validation": 6, "test": 6}


def table_of(people: bool = False):
    """Pictures of every emotion, each picture twice; with `people`, three pictures in a row show one subject."""
    numbers = [(split, label, k) for split, n in COUNTS.items() for label in EMOTIONS for k in range(n)]
    rows = [
        {
            "id": f"{split}-{label}-{k}",
            "split": split,
            "label": label,
            "picture_hash": f"{split}-{label}-{k // 2}",
            "subject": f"{split}-{label}-{k // 3}" if people else None,
        }
        for split, label, k in numbers
    ]
    return make_table(rows, "toy", {"file": "hash"})


def test_other_emotions_keep_their_row_with_the_reason():
    table, six = table_of(), six_emotions(table_of(), 0)
    assert six["id"].tolist() == table["id"].tolist()
    assert set(usable(six)["label"]) == set(SIX)
    problems = six.groupby("label")["problem"].first()
    assert problems["neutral"] == "neutral is not one of the six emotions of paper 001"
    assert problems["contempt"].startswith("contempt is not")


def test_an_earlier_problem_is_kept():
    table = table_of()
    table.loc[table["label"] == "neutral", "problem"] = "unreadable picture"
    six = six_emotions(table, 0)
    assert set(six["problem"][six["label"] == "neutral"]) == {"unreadable picture"}


def test_validation_and_test_are_merged_and_a_tenth_of_train_becomes_validation():
    six = six_emotions(table_of(), 0)
    assert usable(six)["split"].value_counts().to_dict() == {"train": 6 * 54, "test": 6 * 12, "validation": 6 * 6}
    assert six["id"][six["split"] == "validation"].str.startswith("train").all()
    check_splits(six)


@pytest.mark.parametrize(("people", "group"), [(False, "picture_hash"), (True, "subject")])
def test_equal_pictures_and_subjects_stay_in_one_split(people, group):
    assert (usable(six_emotions(table_of(people), 0)).groupby(group)["split"].nunique() == 1).all()


def test_the_table_that_it_is_made_from_stays_as_it_was():
    table = table_of()
    six = six_emotions(table, 0)
    six.attrs["dataset"] = "changed"
    assert table.equals(table_of())
    assert table.attrs == {"dataset": "toy", "files": {"file": "hash"}}


def test_what_the_table_says_of_its_source_is_kept():
    assert six_emotions(table_of(), 0).attrs == {"dataset": "toy", "files": {"file": "hash"}}


def test_the_seed_chooses_the_validation_pictures():
    splits = [six_emotions(table_of(), seed)["split"].tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_the_toy_pictures_become_the_task_too(toy_table):
    check_splits(six_emotions(toy_table, 0))


def test_an_emotion_too_rare_to_share_is_named():
    table = table_of()
    with pytest.raises(StudyError, match="pictures of 'disgust', too few"):
        six_emotions(table[~table["id"].str.match(r"train-disgust-\d$|train-disgust-[1-4]")], 0)


@pytest.mark.parametrize("pictures", [210, 2800])  # of the profiles smoke and quick
def test_drawn_people_become_the_task_with_every_emotion_in_every_split(pictures):
    cards = plan(PRESETS["context"], pictures, np.random.default_rng(0))
    rows = [{"id": str(c.number), "label": c.label, "split": c.split, "problem": c.problem} for c in cards]
    shown = [{"subject": str(c.subject), "picture_hash": str(c.number)} for c in cards]
    table = make_table([row | more for row, more in zip(rows, shown, strict=True)], "synthetic")
    check_splits(six_emotions(table, 0))


def test_a_single_subject_in_train_is_an_error():
    table = table_of()
    table["subject"] = table["split"]
    with pytest.raises(StudyError, match=r"train shows 1 subject\(s\)"):
        six_emotions(table, 0)


@pytest.mark.data
def test_fer2013_has_the_papers_test_pictures_and_one_more_in_train(data_root):
    table = fer2013.read(fer2013.find(data_root)[0])
    six = six_emotions(table, 0)
    counts = usable(six)["split"].value_counts()
    assert counts["train"] + counts["validation"] == 23_744  # the paper counts 23,743
    assert counts["test"] == 5_945
    assert counts["validation"] == pytest.approx(2_374, abs=30)
    assert six["id"].is_unique
    learnt_from = usable(six).query("split != 'test'")
    assert (learnt_from.groupby("picture_hash")["split"].nunique() == 1).all()
    assert six["problem"].eq("neutral is not one of the six emotions of paper 001").sum() == 6_198
