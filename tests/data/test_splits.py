import pandas as pd
import pytest

from fer_lib.data.splits import (
    carve_validation,
    check_splits,
    duplicates,
    has_training_twin,
    read_test,
    split_by_subject,
    split_rows,
    subject_folds,
)
from fer_lib.data.table import make_table
from fer_lib.errors import StudyError


def table_of(rows) -> pd.DataFrame:
    names = ["split", "label", "picture_hash", "subject"]
    return make_table([dict(zip(names, row, strict=False), id=str(i)) for i, row in enumerate(rows)], "toy")


GOOD = [
    (split, label, f"{split}-{label}-{number}")
    for split, numbers in (("train", 10), ("validation", 1), ("test", 1))
    for label in ("fear", "anger")
    for number in range(numbers)
]


def test_good_splits_pass():
    check_splits(table_of(GOOD))


def test_a_class_missing_from_a_split_is_named():
    with pytest.raises(StudyError, match=r"validation split has no usable .* of 'anger' and needs 1"):
        check_splits(table_of([row for row in GOOD if row[:2] != ("validation", "anger")]))


def test_a_class_too_small_to_learn_from_is_named():
    with pytest.raises(StudyError, match=r"train split has 9 usable .* of 'fear' and needs 10"):
        check_splits(table_of(GOOD[1:]))


def test_an_id_in_two_splits_is_named():
    table = table_of(GOOD)
    table.loc[len(table) - 1, "id"] = "0"
    with pytest.raises(StudyError, match="id '0' is in more than one split"):
        check_splits(table)


def test_a_class_too_small_to_share_is_named():
    with pytest.raises(StudyError, match=r"train has 10 pictures of .*too few to take validation pictures from"):
        carve_validation(table_of(GOOD), seed=0)


def test_a_subject_in_two_splits_is_named():
    rows = [(*row, row[2]) for row in GOOD] + [("train", "fear", "x", "eve"), ("test", "fear", "y", "eve")]
    with pytest.raises(StudyError, match="subject 'eve' is in more than one split"):
        check_splits(table_of(rows))


def test_copies_across_splits_are_counted_with_their_labels():
    rows = [
        *GOOD,
        ("test", "fear", "train-fear-0"),
        ("test", "anger", "train-fear-0"),
        ("validation", "fear", "new"),
    ]
    counts = duplicates(table_of(rows)).set_index(["split", "also in"])
    assert counts.loc[("test", "train")].to_dict() == {"pictures": 2, "share": 0.5, "other label": 1}
    assert counts.loc[("train", "test"), "pictures"] == 1
    assert counts.loc[("validation", "train"), "pictures"] == 0


def test_the_twins_of_training_pictures_are_marked_outside_train_only():
    table = table_of([*GOOD, ("test", "fear", "train-fear-0")])
    assert table["id"][has_training_twin(table)].tolist() == [str(len(GOOD))]


def test_carved_validation_is_a_stratified_tenth_and_keeps_equal_pictures_together():
    rows = [("train", label, f"{label}-{i // 2}") for label in ("fear", "anger") for i in range(200)]
    carved = carve_validation(table_of(rows), seed=0)
    assert carved.groupby(["label", "split"]).size().loc[:, "validation"].tolist() == [20, 20]
    assert (carved.groupby("picture_hash")["split"].nunique() == 1).all()
    assert carved["split"].equals(carve_validation(table_of(rows), seed=0)["split"])


def people(number: int, each: int = 4) -> pd.DataFrame:
    """Pictures of so many subjects, each shown with fear and anger."""
    numbers = [(s, label, i) for s in range(number) for label in ("fear", "anger") for i in range(each)]
    return table_of([("train", label, f"{s}-{label}-{i}", f"subject {s}") for s, label, i in numbers])


def test_folds_are_of_whole_subjects_and_even():
    table = people(30)
    folds = subject_folds(table, seed=0)
    assert (table.assign(fold=folds).groupby("subject")["fold"].nunique() == 1).all()
    assert pd.crosstab(table["label"], folds).to_numpy().tolist() == [[12] * 10] * 2
    assert (folds == subject_folds(table, seed=0)).all()
    assert (folds != subject_folds(table, seed=1)).any()


def test_the_last_fold_is_test_and_the_one_before_it_validation():
    table = people(30)
    folds, divided = subject_folds(table, seed=0), split_by_subject(table, seed=0)
    assert set(divided["split"][folds == 9]) == {"test"}
    assert set(divided["split"][folds == 8]) == {"validation"}
    assert set(divided["split"][folds < 8]) == {"train"}
    assert divided.drop(columns="split").equals(table.drop(columns="split"))
    assert divided.attrs == table.attrs
    check_splits(divided)


def test_an_emotion_that_few_subjects_show_is_spread_over_the_folds():
    table = people(30)
    rare = table["subject"].isin([f"subject {s}" for s in range(10)]) & (table["label"] == "fear")
    table.loc[rare, "label"] = "contempt"
    assert (pd.crosstab(table["label"], subject_folds(table, seed=0)).loc["contempt"] == 4).all()


def test_fewer_than_ten_subjects_make_a_fold_each():
    assert sorted(set(subject_folds(people(4), seed=0))) == [0, 1, 2, 3]


def test_two_subjects_are_too_few_for_three_splits():
    with pytest.raises(StudyError, match=r"16 usable picture\(s\) of 2 subject\(s\) are too few"):
        subject_folds(people(2), seed=0)


def test_a_row_with_a_problem_goes_where_its_subject_goes():
    table = people(12)
    whole = subject_folds(table, seed=0)
    table.loc[::4, "problem"] = "dark"  # a quarter of everybody's pictures
    table.loc[::4, "label"] = None
    folds = subject_folds(table, seed=0)
    assert (table.assign(fold=folds).groupby("subject")["fold"].nunique() == 1).all()
    assert len(set(folds)) == len(set(whole)) == 10
    table["problem"] = "dark"
    with pytest.raises(StudyError, match=r"0 usable picture\(s\) of 0 subject\(s\)"):
        subject_folds(table, seed=0)


def test_each_reading_of_test_is_written_down(tmp_path):
    log = tmp_path / "log.csv"
    for reader in ("first", "second"):
        assert set(read_test(table_of(GOOD), reader, log)["split"]) == {"test"}
    assert pd.read_csv(log)["reader"].tolist() == ["first", "second"]


def test_the_test_split_cannot_be_had_by_the_side_door():
    with pytest.raises(StudyError, match="use read_test"):
        split_rows(table_of(GOOD), "test")
