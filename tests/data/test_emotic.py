import numpy as np
import pytest
from scipy.io import savemat
from tiny_pictures import CUT, write_picture

from fer_lib.data.sources import emotic, load_dataset
from fer_lib.emotions import EMOTIONS
from fer_lib.errors import StudyError

FOLDER = "mscoco/images"


def structures(values: list[dict]) -> np.ndarray:
    """A struct array of MATLAB's."""
    array = np.empty((1, len(values)), [(name, object) for name in values[0]])
    for column, value in enumerate(values):
        for name in value:
            array[0, column][name] = value[name]
    return array


def cells(values) -> np.ndarray:
    array = np.empty((1, len(values)), object)
    array[0, :] = values
    return array


def person(*annotators, combined=None, box=(1, 2, 9, 12)) -> dict:
    """A person as train has it; with `combined`, as val and test have it."""
    said = structures([{"categories": cells(list(categories))} for categories in annotators])
    felt = structures([{"valence": 6.0, "arousal": 4.0, "dominance": 7.0}] * len(annotators))
    fields = {"body_bbox": np.array([box]), "annotations_categories": said, "annotations_continuous": felt}
    if combined is not None:
        fields |= {"combined_categories": cells(list(combined)), "combined_continuous": felt[:, :1]}
    return {**fields, "gender": "Female", "age": "Kid"}


def entry(filename, *people) -> dict:
    return {
        "filename": filename,
        "folder": FOLDER,
        "image_size": structures([{"n_col": 16, "n_row": 12}]),
        "original_database": structures([{"name": "mscoco", "info": "none"}]),
        "person": structures(list(people)),
    }


def write(root, **changed):
    """EMOTIC in its published form: happy and sad people, 12 of each in train, 2 in val and test."""
    splits = {}
    for split, number in (("train", 12), ("val", 2), ("test", 2)):
        combined = {} if split == "train" else {"combined": ["Happiness", "Pleasure"]}
        sad = {} if split == "train" else {"combined": ["Sadness"]}
        entries = [
            entry(f"{split}{i}.jpg", person(["Happiness", "Engagement"], **combined), person(["Sadness"], **sad))
            for i in range(number)
        ]
        for i in range(number):
            write_picture(root / "emotic" / FOLDER / f"{split}{i}.jpg")
        splits[split] = [*changed.get(split, []), *entries[len(changed.get(split, [])) :]]
    (root / "Annotations").mkdir(exist_ok=True)
    written = {split: structures(entries) for split, entries in splits.items()}
    savemat(root / "Annotations" / "Annotations.mat", written)
    return root


def read(root):
    return emotic.read(*emotic.find(root))


def first(root, *annotators, **options):
    """The row of a train person of whom that is said."""
    return read(write(root, train=[entry("train0.jpg", person(*annotators, **options))])).iloc[0]


def test_each_person_is_a_row_in_the_published_split(tmp_path):
    table = load_dataset("emotic", write(tmp_path), tmp_path / "cache")
    assert table["split"].value_counts().to_dict() == {"train": 24, "validation": 4, "test": 4}
    assert table["label"].value_counts().to_dict() == {"happiness": 16, "sadness": 16}
    assert table["id"][:2].tolist() == ["mscoco/images/train0.jpg#1", "mscoco/images/train0.jpg#2"]
    assert set(table["gender"]) == {"female"}
    assert set(table["age"]) == {"child"}


def test_corners_of_the_body_become_its_place_width_and_height(tmp_path):
    table = read(write(tmp_path))
    assert table["subject_box"].map(list).tolist() == [[1.0, 2.0, 8.0, 10.0]] * 32
    assert table["box"].isna().all()


def test_there_are_26_categories_and_counterparts_are_emotions_of_ours():
    assert len(emotic.COUNTERPARTS) + len(emotic.OTHERS) == 26
    assert set(emotic.COUNTERPARTS.values()) == set(EMOTIONS) - {"neutral"}


@pytest.mark.parametrize(("said", "label", "problem"), [
    (["Anger"], "anger", None),
    (["Aversion", "Doubt/Confusion"], "disgust", None),
    (["Engagement"], None, "none of the study's emotions"),
    ([], None, "none of the study's emotions"),
    (["Sadness", "Pain", "Anger"], None, "several emotions: anger, sadness"),
])  # fmt: skip
def test_many_categories_become_one_emotion_or_a_problem(tmp_path, said, label, problem):
    row = first(tmp_path, said)
    assert (row["label"], row["problem"]) == (label, problem)


def test_several_annotators_count_together_and_their_published_combination_goes_before(tmp_path):
    assert first(tmp_path, ["Anger"], ["Fear"])["problem"] == "several emotions: anger, fear"
    assert first(tmp_path, ["Anger"], ["Fear"], combined=["Fear"])["label"] == "fear"


def test_a_picture_that_stands_in_two_entries_numbers_its_people_on(tmp_path):
    twice = [entry("train0.jpg", person(["Fear"])), entry("train0.jpg", person(["Anger"]))]
    table = read(write(tmp_path, train=twice))
    assert table["id"][:2].tolist() == ["mscoco/images/train0.jpg#1", "mscoco/images/train0.jpg#2"]


def test_a_box_without_extent_keeps_its_row_with_the_problem(tmp_path):
    row = first(tmp_path, ["Anger"], box=(5, 5, 5, 9))
    assert (row["label"], row["problem"], row["subject_box"]) == ("anger", "the body's box is empty", None)


def test_pictures_that_are_missing_or_unreadable_keep_their_rows(tmp_path):
    write(tmp_path)
    (tmp_path / "emotic" / FOLDER / "train0.jpg").unlink()
    (tmp_path / "emotic" / FOLDER / "train1.jpg").write_bytes(CUT)
    problems = read(tmp_path)["problem"].dropna().tolist()
    assert problems == ["the picture is missing"] * 2 + ["unreadable picture (not a readable picture)"] * 2


def test_an_unknown_category_is_named_with_its_entry(tmp_path):
    with pytest.raises(StudyError, match="train, entry 1: the category 'Boredom' is unknown; get EMOTIC"):
        first(tmp_path, ["Boredom"])


@pytest.mark.parametrize("field", ["filename", "folder", "person"])
def test_a_missing_field_of_an_entry_is_named(tmp_path, field):
    write(tmp_path)
    bare = {name: value for name, value in entry("a.jpg", person(["Fear"])).items() if name != field}
    written = dict.fromkeys(emotic.SPLITS, structures([bare]))
    savemat(tmp_path / "Annotations" / "Annotations.mat", written)
    with pytest.raises(StudyError, match=f"train, entry 1: the field '{field}' is missing"):
        read(tmp_path)


@pytest.mark.parametrize("field", ["body_bbox", "annotations_categories"])
def test_a_missing_field_of_a_person_is_named(tmp_path, field):
    someone = {name: value for name, value in person(["Fear"]).items() if name != field}
    with pytest.raises(StudyError, match=f"train, entry 1: the field '{field}' is missing"):
        read(write(tmp_path, train=[entry("train0.jpg", someone)]))


def test_annotations_without_a_split_or_cut_short_are_refused(tmp_path):
    path = write(tmp_path) / "Annotations" / "Annotations.mat"
    written = path.read_bytes()
    path.write_bytes(written[: len(written) // 2])
    with pytest.raises(StudyError, match=r"Annotations\.mat: not a readable file of MATLAB's"):
        read(tmp_path)
    savemat(path, {"train": structures([entry("train0.jpg", person(["Fear"]))])})
    with pytest.raises(StudyError, match=r"Annotations\.mat: no val in it"):
        read(tmp_path)


def test_missing_annotations_and_pictures_are_named(tmp_path):
    write(tmp_path)
    (tmp_path / "emotic").rename(tmp_path / "other")
    with pytest.raises(StudyError, match="no folder emotic with mscoco, framesdb, emodb_small, ade20k found"):
        emotic.find(tmp_path)
    (tmp_path / "Annotations" / "Annotations.mat").unlink()
    with pytest.raises(StudyError, match=r"no Annotations\.mat found; get EMOTIC"):
        emotic.find(tmp_path)
