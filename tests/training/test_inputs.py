import numpy as np
import pytest
import torch

from fer_lib.data.table import encode_picture, make_table
from fer_lib.emotions import BASIC, EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.training.experiment import Experiment
from fer_lib.training.inputs import REST, Split, picture_tensor

LABELS = ("fear", "anger", "neutral", "fear")


def table(labels=LABELS, votes=None):
    """A picture for each label, the first quite black, each next one brighter by 10."""
    pictures = [np.full((48, 48), 10 * k, np.uint8) for k in range(len(labels))]
    columns = zip(labels, pictures, votes or [None] * len(labels), strict=True)
    rows = [{"label": label, "picture": encode_picture(picture), "votes": shares} for label, picture, shares in columns]
    return make_table([{**row, "id": str(k), "split": "train"} for k, row in enumerate(rows)], "toy")


def shares(**of):
    return np.array([of.get(name, 0) for name in EMOTIONS], np.float32)


def test_targets_count_in_the_experiments_order_of_classes():
    classes = ("neutral", "fear", "anger")
    assert Split.load(table(), Experiment("a", classes=classes)).targets.tolist() == [1, 2, 0, 1]
    assert Split.load(table(), Experiment("a")).targets.tolist() == [BASIC.index(label) for label in LABELS]


def test_pictures_are_grey_bytes_of_the_experiments_size_in_the_order_of_the_rows():
    inputs = Split.load(table(), Experiment("a", "regular", size=64)).inputs
    assert (inputs.shape, inputs.dtype) == ((4, 1, 64, 64), torch.uint8)
    assert inputs[:, 0, 5, 5].tolist() == [0, 10, 20, 30]


def test_a_network_of_scenes_sees_colours_channels_first():
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:] = (10, 20, 30)
    rows = [{"id": "a", "split": "train", "label": "fear", "picture": encode_picture(picture)}]
    inputs = picture_tensor(make_table(rows, "toy"), Experiment("a", "regular_stream_colour", size=32))
    assert (inputs.shape, inputs.dtype, inputs.is_contiguous()) == ((1, 3, 32, 32), torch.uint8, True)
    assert inputs[0, :, 5, 20].tolist() == [10, 20, 30]
    assert inputs[0, :, 5, 3].tolist() == [0, 0, 0]


def test_rest_takes_every_other_label():
    split = Split.load(table(), Experiment("a", classes=("anger", REST)))
    assert split.targets.tolist() == [1, 0, 1, 1]


def test_a_label_that_is_no_class_is_named():
    with pytest.raises(StudyError, match="label 'neutral' is none of fear, anger"):
        Split.load(table(), Experiment("a", classes=("fear", "anger")))


def test_labels_have_no_soft_targets_even_where_there_are_votes():
    assert Split.load(table(votes=[shares(fear=1)] * 4), Experiment("a")).soft_targets is None


def test_votes_become_shares_in_the_experiments_order_of_classes():
    """Of 4, 2 and 4 tenths, the last for contempt, which is no class: two and one third."""
    votes = [shares(fear=0.4, neutral=0.2, contempt=0.4), shares(anger=1), shares(neutral=0.5), shares(fear=0.3)]
    classes = ("neutral", "fear", "anger")
    split = Split.load(table(votes=votes), Experiment("a", classes=classes, targets="votes"))
    assert split.soft_targets.dtype == torch.float32
    assert split.soft_targets.numpy() == pytest.approx(np.array([[1 / 3, 2 / 3, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]))
    assert split.targets.tolist() == [1, 2, 0, 1]


def test_votes_for_every_other_emotion_are_votes_for_rest():
    votes = [shares(fear=0.4, anger=0.6), shares(anger=1), shares(contempt=1), shares(fear=0.5, neutral=0.5)]
    split = Split.load(table(votes=votes), Experiment("a", classes=("anger", REST), targets="votes"))
    assert split.soft_targets.numpy() == pytest.approx(np.array([[0.6, 0.4], [1, 0], [0, 1], [0, 1]]))


def test_learning_from_votes_that_are_missing_is_refused():
    with pytest.raises(StudyError, match="experiment a learns from votes, but the data have none; use labels"):
        Split.load(table(votes=[shares(fear=1), None, shares(fear=1), None]), Experiment("a", targets="votes"))


def test_a_picture_without_a_vote_for_any_class_is_named():
    votes = [shares(fear=1), shares(anger=1), shares(contempt=1), shares(fear=1)]
    with pytest.raises(StudyError, match="experiment a: picture 2 has no vote for any of fear, anger, neutral"):
        Split.load(table(votes=votes), Experiment("a", classes=("fear", "anger", "neutral"), targets="votes"))


def test_a_split_on_another_device_keeps_all_it_has():
    votes = [shares(fear=1)] * 4
    split = Split.load(table(votes=votes), Experiment("a", targets="votes"))
    moved = split.to(torch.device("meta"))
    assert {moved.inputs.device.type, moved.targets.device.type, moved.soft_targets.device.type} == {"meta"}
    assert moved.rows is split.rows
