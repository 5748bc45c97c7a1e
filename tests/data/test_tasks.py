import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from fer_lib.data.sources import fer2013
from fer_lib.data.splits import check_splits
from fer_lib.data.table import make_table, usable
from fer_lib.data.tasks import SIX, labels_at_random, six_emotions, three_emotions
from fer_lib.emotions import EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.synthetic.plan import PRESETS, plan

PAPER_002 = ("anger", "happiness", "neutral")
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


def drawn_plan(pictures):
    """What is planned of drawn people, without their pictures."""
    cards = plan(PRESETS["context"], pictures, np.random.default_rng(0))
    rows = [{"id": str(c.number), "label": c.label, "split": c.split, "problem": c.problem} for c in cards]
    shown = [{"subject": str(c.subject), "picture_hash": str(c.number)} for c in cards]
    return make_table([row | more for row, more in zip(rows, shown, strict=True)], "synthetic")


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
    check_splits(six_emotions(drawn_plan(pictures), 0))


def test_a_single_subject_in_train_is_an_error():
    table = table_of()
    table["subject"] = table["split"]
    with pytest.raises(StudyError, match=r"train shows 1 subject\(s\)"):
        six_emotions(table, 0)


def test_three_emotions_of_all_splits_are_left_and_the_others_keep_their_row_with_the_reason():
    table, three = table_of(), three_emotions(table_of(), 0)
    assert three["id"].tolist() == table["id"].tolist()
    assert usable(three)["id"].tolist() == table["id"][table["label"].isin(PAPER_002)].tolist()
    assert three["problem"].isna().equals(three["label"].isin(PAPER_002))
    assert three.groupby("label")["problem"].first()["fear"] == "fear is not one of the three emotions of paper 002"


@pytest.mark.parametrize("people", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_three_emotions_are_divided_70_to_30_and_a_tenth_of_the_70_is_validation(people, seed):
    rows = usable(three_emotions(table_of(people), seed))
    shares = pd.crosstab(rows["label"], rows["split"], normalize="index")
    wanted = pd.DataFrame({"test": 0.3, "train": 0.63, "validation": 0.07}, index=shares.index)
    assert shares.to_numpy() == pytest.approx(wanted.to_numpy(), abs=0.06 if people else 0.04)
    assert (rows["split"] == "test").mean() == pytest.approx(0.3, abs=0.025)


@pytest.mark.parametrize(("people", "group"), [(False, "picture_hash"), (True, "subject")])
def test_of_three_emotions_too_no_picture_or_subject_is_in_two_splits(people, group):
    three = three_emotions(table_of(people), 0)
    check_splits(three)
    assert (usable(three).groupby(group)["split"].nunique() == 1).all()


def test_the_seed_draws_test_and_validation_of_three_emotions():
    drawn = [three_emotions(table_of(), seed)["split"] for seed in (0, 0, 1)]
    assert drawn[0].equals(drawn[1])
    for split in ("validation", "test"):
        assert not (drawn[0] == split).equals(drawn[2] == split)


def test_three_emotions_leave_their_table_and_keep_what_it_says_of_its_source():
    table = table_of()
    three = three_emotions(table, 0)
    assert three.attrs == table.attrs == {"dataset": "toy", "files": {"file": "hash"}}
    three.attrs["dataset"] = "changed"
    assert table.attrs["dataset"] == "toy"
    assert table.equals(table_of())


def test_an_earlier_problem_keeps_a_picture_out_of_the_three_emotions():
    table = table_of()
    table.loc[::5, "problem"] = "unreadable picture"
    three = three_emotions(table, 0)
    assert set(three["problem"].iloc[::5]) == {"unreadable picture"}
    assert len(usable(three)) == ((table["problem"].isna()) & table["label"].isin(PAPER_002)).sum()


@pytest.mark.parametrize("lacking", PAPER_002)
def test_the_emotion_that_paper_002s_task_lacks_is_named(lacking):
    table = table_of()
    table.loc[table["label"] == lacking, "problem"] = "unreadable picture"
    with pytest.raises(StudyError, match=f"the data show no {lacking}, of which paper 002's task"):
        three_emotions(table, 0)


@pytest.mark.parametrize("column", ["subject", "label"])
def test_nine_subjects_or_pictures_of_an_emotion_are_too_few_for_70_to_30(column):
    table = table_of()
    if column == "subject":
        table["subject"] = [f"s{number % 9}" for number in range(len(table))]
    else:
        table = make_table(table.drop(table.index[table["label"] == "anger"][9:]).reset_index(drop=True), "toy")
    with pytest.raises(StudyError, match="fewer than 10 subjects, or pictures of an emotion"):
        three_emotions(table, 0)


@pytest.mark.parametrize("pictures", [140, 210])
def test_drawn_people_become_paper_002s_task_with_whole_subjects(pictures):
    three = three_emotions(drawn_plan(pictures), 0)
    check_splits(three)
    rows = usable(three)
    assert (rows.groupby("subject")["split"].nunique() == 1).all()
    assert (rows["split"] == "test").mean() == pytest.approx(0.3, abs=0.05)


@pytest.fixture
def voted():
    """Four emotions of unequal size in every split, some pictures of which cannot be used, with annotators' votes."""
    table = table_of()
    rare = table["label"].isin(["fear", "disgust"]) & (table["id"].str[-1] > "2")
    table = make_table(table[~rare].reset_index(drop=True), "toy", {"file": "hash"})
    table["votes"] = pd.Series([{label: 9.0} for label in table["label"]], dtype=object)
    table.loc[::7, "problem"] = "unreadable picture"
    return table


def test_random_labels_are_as_frequent_in_each_split_as_the_true_ones(voted):
    dealt = labels_at_random(voted, 0)
    for table in (voted, voted[voted["problem"].isna()]):
        before, after = (pd.crosstab(one["split"], one["label"]) for one in (table, dealt.loc[table.index]))
        assert before.equals(after)
    assert usable(voted)["label"].value_counts().nunique() > 1


def test_random_labels_leave_test_unusable_rows_and_everything_but_labels_and_votes(voted):
    dealt = labels_at_random(voted, 0)
    fixed = (voted["split"] == "test") | voted["problem"].notna()
    assert dealt["label"][fixed].equals(voted["label"][fixed])
    assert not dealt["label"][~fixed].equals(voted["label"][~fixed])
    others = [column for column in voted.columns if column not in ("label", "votes")]
    assert dealt[others].equals(voted[others])
    assert dealt["votes"].isna().all()
    assert voted["votes"].notna().all()
    check_splits(dealt)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_random_labels_tell_nothing_of_the_true_ones(split):
    numbers = np.resize(np.arange(7), 7 * 600)
    rows = [
        {"id": f"{k}", "split": split if k < 7 * 500 else "test", "label": EMOTIONS[at], "picture_hash": f"{k}"}
        for k, at in enumerate(numbers)
    ]
    table = make_table(rows, "toy")
    there = table["split"] == split
    counts = pd.crosstab(table["label"][there], labels_at_random(table, 1)["label"][there])
    assert chi2_contingency(counts).pvalue > 0.001
    assert np.trace(counts) / counts.to_numpy().sum() == pytest.approx(1 / 7, abs=0.02)


def test_the_seed_deals_the_labels_and_the_table_stays_as_it_was(voted):
    before = voted.copy()
    first, again, other = (labels_at_random(voted, seed) for seed in (0, 0, 1))
    assert first.equals(again)
    assert not first["label"].equals(other["label"])
    first.attrs["dataset"] = "changed"
    assert voted.attrs == {"dataset": "toy", "files": {"file": "hash"}} == again.attrs
    assert voted.equals(before)


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
