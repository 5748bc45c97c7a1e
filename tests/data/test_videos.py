from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_pictures import CUT

from fer_lib.data.sources import fabo, load_dataset, videos
from fer_lib.data.table import decode_picture
from fer_lib.errors import StudyError

SUBJECTS = [f"S{number:03d}" for number in range(1, 6)]


def write_video(path, frames=30, rate=25, shade=0):
    """A video of 64×48 pixels whose frames are of one grey, two levels lighter from frame to frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), shade + 2 * number, np.uint8))
    writer.release()
    return path


@pytest.fixture
def people(tmp_path):
    """Five subjects, each with a video of 1.2 seconds for happiness and for anger."""
    root = tmp_path / "set"
    for number, subject in enumerate(SUBJECTS):
        write_video(root / subject / "happy" / "a.avi", shade=20 * number)
        write_video(root / subject / "anger" / "a.avi", shade=20 * number + 10)
    return root


@pytest.fixture
def divided(tmp_path):
    """Videos by split and emotion, three of each in train and one in test."""
    root = tmp_path / "set"
    for split, number in (("train", 3), ("test", 1)):
        for i in range(number):
            write_video(root / split / "happy" / f"{i}.avi", shade=20 * i)
            write_video(root / split / "anger" / f"{i}.avi", shade=20 * i + 10)
    return root


def read(root, **options):
    return videos.read(*videos.find(root), root.parent / "frames", **options)


def test_frames_are_the_first_in_each_tenth_of_a_second(people):
    ids = read(people)["id"]
    times = [int(name.split("@")[1].removesuffix("ms")) for name in ids if name.startswith("S001/happy/a.avi@")]
    assert times == [0, 120, 200, 320, 400, 520, 600, 720, 800, 920, 1000, 1120]


@pytest.mark.parametrize(("rate", "taken"), [(5, 30), (10, 30), (30, 10), (29.97, 10)])
def test_a_slow_video_gives_every_frame_and_a_fast_one_ten_a_second(tmp_path, rate, taken):
    times = [time for time, _ in videos.read_frames(write_video(tmp_path / "a.avi", rate=rate))]
    assert len(times) == taken
    assert times == sorted(set(times))


def test_a_frame_is_the_picture_that_the_video_shows_at_its_time(people):
    table = read(people).set_index("id")
    for time, shade in ((0, 0), (120, 6), (1000, 50)):
        picture = decode_picture(Path(table["path"][f"S001/happy/a.avi@{time:08d}ms"]).read_bytes())
        assert picture.shape == (48, 64, 3)
        assert picture.mean() == pytest.approx(shade, abs=2)


def test_red_stays_red(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    writer.write(np.full((48, 64, 3), (0, 0, 255), np.uint8))  # blue, green, red
    writer.release()
    ((_, picture),) = videos.read_frames(tmp_path / "a.avi")
    assert (picture.reshape(-1, 3).mean(0) > 200).tolist() == [True, False, False]


def test_every_subject_is_in_one_split_and_fewer_than_ten_make_as_many_folds(people, tmp_path):
    table = load_dataset("videos", people, tmp_path / "cache")  # which checks that splits do not overlap
    assert table.groupby("split")["subject"].nunique().to_dict() == {"train": 3, "validation": 1, "test": 1}
    assert len(table) == 5 * 2 * 12
    assert (tmp_path / "cache" / "frames").is_dir()


def test_named_splits_are_kept_and_no_video_is_cut_into_train_and_validation(divided, tmp_path):
    table = load_dataset("videos", divided, tmp_path / "cache")
    assert set(table["split"]) == {"train", "validation", "test"}
    assert (table["id"].str.startswith("test") == (table["split"] == "test")).all()
    assert (table.groupby("subject")["split"].nunique() == 1).all()
    assert table["subject"].equals(table["id"].str.partition("@")[0])


def test_a_validation_folder_is_kept(divided):
    write_video(divided / "val" / "happy" / "0.avi")
    table = read(divided)
    assert (table["id"].str.startswith("val/") == (table["split"] == "validation")).all()


def test_a_single_video_of_an_emotion_cannot_be_shared(divided):
    for number in (1, 2):
        (divided / "train" / "happy" / f"{number}.avi").unlink()
    with pytest.raises(StudyError, match="train has a single readable video of 'happiness', so that none can become"):
        read(divided)


def test_a_video_is_read_once_until_it_changes(people, monkeypatch):
    first = read(people)
    read_frames, seen = videos.read_frames, []
    monkeypatch.setattr(videos, "read_frames", lambda video: seen.append(video) or read_frames(video))
    assert read(people).equals(first)
    assert seen == []
    changed = write_video(people / "S001" / "happy" / "a.avi", frames=10)
    assert len(read(people)) == len(first) - 8
    assert seen == [changed]


def test_an_interrupted_reading_leaves_no_half_video(people, monkeypatch):
    def stop(video):
        yield 0, np.zeros((48, 64, 3), np.uint8)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(videos, "read_frames", stop)
        read(people)
    assert len(read(people)) == 5 * 2 * 12


@pytest.mark.parametrize("data", [b"", b"RIFF cut short"])
def test_a_video_that_cannot_be_opened_keeps_one_row_with_its_problem(people, data):
    (people / "S001" / "happy" / "a.avi").write_bytes(data)
    rows = read(people).query("subject == 'S001' and label == 'happiness'")
    assert rows[["id", "problem"]].to_numpy().tolist() == [["S001/happy/a.avi", "the video has no readable frame"]]


def test_a_damaged_frame_keeps_its_row_with_the_problem(people):
    Path(read(people)["path"][0]).write_bytes(CUT)
    assert read(people)["problem"][0] == "unreadable picture (not a readable picture)"


def test_an_unknown_and_an_empty_emotion_are_refused_by_name(people):
    (people / "S001" / "bored").mkdir()
    with pytest.raises(StudyError, match="'bored' is no known emotion"):
        read(people)
    (people / "S001" / "bored").rename(people / "S001" / "fear")
    with pytest.raises(StudyError, match="fear: the class is empty; add videos"):
        read(people)


def test_a_subject_without_emotions_is_refused_by_name(people):
    (people / "S009").mkdir()
    with pytest.raises(StudyError, match="S009: no folders of classes in it"):
        read(people)


def test_a_root_without_videos_and_train_without_test_are_refused(divided, tmp_path):
    with pytest.raises(StudyError, match=r"no video \(\.avi, \.mp4, \.mov, \.webm\) found; the form is"):
        videos.find(tmp_path / "set" / "train")
    (divided / "test").rename(divided / "other")
    with pytest.raises(StudyError, match="no folder 'test'"):
        videos.find(divided)


def test_fabos_other_states_stay_as_one_row_a_video_and_both_surprises_are_one(people, tmp_path):
    for number, subject in enumerate(SUBJECTS):
        write_video(people / subject / "Boredom" / "b.avi", shade=20 * number + 5)
        write_video(people / subject / "Positive_Surprise" / "s.avi", shade=20 * number + 15)
    table = load_dataset("fabo", people, tmp_path / "cache")
    assert set(table["source"]) == {"fabo"}
    left_out = table[table["problem"].notna()]
    assert left_out["id"].tolist() == [f"{subject}/Boredom/b.avi" for subject in SUBJECTS]
    assert set(left_out["problem"]) == {"boredom is not one of the emotions"}
    assert table["label"].value_counts().to_dict() == {"happiness": 60, "anger": 60, "surprise": 60}


def test_fabo_has_no_splits(divided):
    with pytest.raises(StudyError, match="FABO has no splits; the form is subject/state/video"):
        fabo.find(divided)


def test_a_state_that_fabo_does_not_have_is_refused(people):
    (people / "S001" / "hungry").mkdir()
    with pytest.raises(StudyError, match="'hungry' is no known emotion"):
        fabo.read(people, people.parent / "frames")
