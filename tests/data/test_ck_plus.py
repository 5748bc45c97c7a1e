import json

import pytest
from tiny_pictures import CUT, write_picture, write_text

from fer_lib.data.sources import ck_plus, load_dataset
from fer_lib.errors import StudyError

SUBJECTS = [f"S{number:03d}" for number in range(5, 17)]
SEQUENCES = {"001": "5", "002": "1"}  # happiness and anger
FRAMES = 6


@pytest.fixture
def root(tmp_path):
    """Twelve subjects with one sequence of happiness and one of anger each, the peaks with two action units."""
    for subject in SUBJECTS:
        for sequence, number in SEQUENCES.items():
            place, name = f"{subject}/{sequence}", f"{subject}_{sequence}"
            for frame in range(1, FRAMES + 1):
                write_picture(tmp_path / "cohn-kanade-images" / place / f"{name}_{frame:08d}.png")
            peak = f"{place}/{name}_{FRAMES:08d}"
            write_text(tmp_path / "Emotion" / f"{peak}_emotion.txt", f"   {number}.0000000e+00\n")
            write_text(
                tmp_path / "FACS" / f"{peak}_facs.txt",
                "   1.2000000e+01   3.0000000e+00\n   2.5000000e+01   0.0000000e+00\n",
            )
    return tmp_path


def read(root):
    return ck_plus.read(*ck_plus.find(root))


def only(folder):
    (path,) = folder.iterdir()
    return path


def test_the_first_frame_is_neutral_and_the_last_three_carry_the_emotion(root):
    labels = read(root).set_index("id")["label"]
    assert labels[labels.index.str.startswith("S005_001")].to_dict() == {
        "S005_001_00000001": "neutral",
        "S005_001_00000004": "happiness",
        "S005_001_00000005": "happiness",
        "S005_001_00000006": "happiness",
    }
    assert labels.value_counts().to_dict() == {"happiness": 36, "anger": 36, "neutral": 24}


def test_the_numbers_stand_for_the_published_emotions():
    assert [*ck_plus.NUMBERS.values()] == [
        "neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise",
    ]  # fmt: skip


def test_every_subject_is_in_one_split_and_every_emotion_in_every_split(root, tmp_path):
    table = load_dataset("ck_plus", root, tmp_path / "cache")  # which checks both
    assert set(table["subject"]) == set(SUBJECTS)
    shares = table.groupby("split")["subject"].nunique()
    assert shares["train"] > shares["test"] > 0


def test_the_seed_chooses_who_is_in_which_split(root):
    splits = [ck_plus.read(*ck_plus.find(root), seed=seed)["split"].tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_the_peak_alone_has_action_units_and_an_ungraded_one_is_null(root):
    units = read(root).set_index("id")["action_units"]
    assert json.loads(units["S005_001_00000006"]) == {"12": 0.6, "25": None}
    assert units.drop([name for name in units.index if name.endswith("6")]).isna().all()


def test_action_units_may_be_left_out_and_archives_may_be_unpacked_into_folders_of_their_own(root):
    whole = read(root)
    (root / "FACS").rename(root / "other")
    (root / "Emotion_labels").mkdir()
    (root / "Emotion").rename(root / "Emotion_labels" / "Emotion")
    bare = read(root)
    assert bare["action_units"].isna().all()
    assert bare.drop(columns="action_units").equals(whole.drop(columns="action_units"))


def test_a_sequence_without_emotion_keeps_its_last_frames_with_the_problem(root):
    only(root / "Emotion" / "S005" / "001").unlink()
    rows = read(root).query("id.str.startswith('S005_001')")
    assert rows["id"].tolist() == ["S005_001_00000004", "S005_001_00000005", "S005_001_00000006"]
    assert set(rows["problem"]) == {"the sequence is labelled with no emotion"}
    assert rows["label"].isna().all()


def test_a_labelled_sequence_without_frames_keeps_one_row(root):
    for path in (root / "cohn-kanade-images" / "S005" / "001").iterdir():
        path.unlink()
    rows = read(root).query("id.str.startswith('S005_001')")
    assert rows[["id", "label", "problem"]].to_numpy().tolist() == [
        ["S005_001_00000006", "happiness", "the picture is missing"]
    ]


def test_an_unreadable_frame_keeps_its_row_with_the_problem(root):
    (root / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000006.png").write_bytes(CUT)
    problems = read(root).set_index("id")["problem"].dropna().to_dict()
    assert problems == {"S005_001_00000006": "unreadable picture (not a readable picture)"}


@pytest.mark.parametrize("text", ["8.0", "", "1.0\n2.0"])
def test_a_label_that_is_not_one_known_number_is_named(root, text):
    only(root / "Emotion" / "S005" / "001").write_text(text)
    with pytest.raises(StudyError, match=r"_emotion\.txt: not one number of 0, 1, 2, 3, 4, 5, 6, 7; get extended"):
        read(root)


@pytest.mark.parametrize(("kind", "text", "wrong"), [
    ("Emotion", "happy", "not numbers alone"),
    ("FACS", "12 C", "not numbers alone"),
    ("FACS", "12", r"a line has not 2 number\(s\)"),
])  # fmt: skip
def test_a_file_of_other_than_numbers_is_named(root, kind, text, wrong):
    only(root / kind / "S005" / "001").write_text(text)
    with pytest.raises(StudyError, match=wrong):
        read(root)


@pytest.mark.parametrize("name", ["cohn-kanade-images", "Emotion"])
def test_a_missing_folder_is_named(root, name):
    (root / name).rename(root / "other")
    with pytest.raises(StudyError, match=f"no folder {name} found; get extended-cohn-kanade-images.zip"):
        ck_plus.find(root)


def test_two_subjects_are_too_few(root):
    for kind in ("cohn-kanade-images", "Emotion", "FACS"):
        for subject in SUBJECTS[2:]:
            (root / kind / subject).rename(root / f"{kind}-{subject}")
    with pytest.raises(StudyError, match=r"16 usable picture\(s\) of 2 subject\(s\) are too few"):
        read(root)
