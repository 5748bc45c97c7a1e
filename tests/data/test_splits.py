import pandas as pd
import pytest

from fer_lib.data.splits import (
    carve_validation,
    check_splits,
    duplicates,
    has_training_twin,
    read_test,
    split_rows,
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


def test_each_reading_of_test_is_written_down(tmp_path):
    log = tmp_path / "log.csv"
    for reader in ("first", "second"):
        assert set(read_test(table_of(GOOD), reader, log)["split"]) == {"test"}
    assert pd.read_csv(log)["reader"].tolist() == ["first", "second"]


def test_the_test_split_cannot_be_had_by_the_side_door():
    with pytest.raises(StudyError, match="use read_test"):
        split_rows(table_of(GOOD), "test")
