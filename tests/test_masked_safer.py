from itertools import product

import numpy as np
import pytest

from fer_lib.data.table import usable
from fer_lib.faces.geometry import AU_DISTANCES
from fer_lib.faces.prepare import load_faces, matrix, prepare_faces
from fer_lib.masked_safer import DEEP, MaskedSafer
from fer_lib.multistream import Multistream
from fer_lib.study import open_study
from fer_lib.training.covers import mask_conditions
from fer_lib.training.fusion import FACE, SCENE, STREAMS, judge_fusion
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread")
KINDS = ("bare", "masked")
CELLS = tuple(product(KINDS, KINDS))
WHOLE = "safer/F+B+P"


@pytest.fixture(scope="module")
def safer(drawn_people, tmp_path_factory, one_thread):
    """SAFER on bare and masked drawn people, one of whom cannot be used."""
    table = drawn_people.copy()
    table.attrs = dict(drawn_people.attrs)
    table.loc[3, "problem"] = "for the sake of the test"
    study = open_study("07_masked_faces", "synthetic", "smoke", runs=tmp_path_factory.mktemp("runs"))
    return MaskedSafer(study, table)


@pytest.fixture(scope="module")
def face(safer):
    return safer.measure("safer/F")


@pytest.fixture(scope="module")
def scene(safer):
    return safer.measure(WHOLE)


def accuracy(frames, classes) -> float:
    return float(np.mean([(frame[classes].idxmax(axis=1) == frame["label"]).mean() for frame in frames]))


def test_on_bare_faces_the_streams_are_those_of_notebook_06(safer):
    own = Multistream(safer.study, safer.table, Trainings(safer.study, safer.table)).features
    features = safer.features("bare", "bare")
    assert safer.has_scenes
    assert features.rows.equals(own.rows)
    assert all(np.array_equal(features.streams[name], own.streams[name], equal_nan=True) for name in STREAMS)


@pytest.mark.parametrize("taught", KINDS)
@pytest.mark.parametrize("tested", KINDS)
def test_geometry_is_measured_on_the_tested_faces_and_the_scene_is_that_of_the_bare_ones(safer, taught, tested):
    features, bare = safer.features(taught, tested), safer.features("bare", "bare")
    table = mask_conditions(safer.table, safer.study.seed, safer.study.cache)[tested]
    measured = load_faces(prepare_faces(table, safer.study.cache), ["au"]).set_index("id").loc[features.rows["id"]]
    assert np.array_equal(features.streams["au"], matrix(measured["au"], len(AU_DISTANCES)), equal_nan=True)
    assert all(features.streams[name] is bare.streams[name] for name in SCENE)
    assert features.rows["id"].tolist() == usable(safer.table)["id"].tolist()
    assert {len(values) for values in features.streams.values()} == {len(features.rows)}


def test_masks_change_what_is_measured_of_faces(safer):
    bare, masked = (safer.features(kind, kind).streams for kind in KINDS)
    for name in FACE:
        assert not np.array_equal(bare[name], masked[name], equal_nan=True)


def test_the_deep_stream_hangs_on_what_it_was_taught_and_on_what_it_is_shown(safer):
    deep = [safer.features(*cell).streams["deep"] for cell in CELLS]
    assert not any(np.allclose(deep[i], deep[k], equal_nan=True) for i in range(4) for k in range(i))
    assert set(safer.deep) == set(KINDS)
    own = safer.safers["masked"].features.streams["deep"]
    assert np.array_equal(safer.features("masked", "masked").streams["deep"], own, equal_nan=True)
    kept = [item["name"] for item in safer.study.page if item.get("experiment") == DEEP]
    assert set(kept) == {run.folder.name for run in safer.deep.values()}
    assert len(set(kept)) == 2


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_has_test_predictions_of_the_same_pictures_by_every_seed(safer, face, scene, cell):
    known = usable(safer.table)[lambda rows: rows["split"] == "test"]
    for frame in (*face[cell], *scene[cell]):
        assert frame["id"].tolist() == known["id"].tolist()
        assert frame["label"].tolist() == known["label"].tolist()
    assert len(face[cell]) == len(scene[cell]) == safer.study.profile.fusion_seeds


@pytest.mark.parametrize("name", ["safer/F", WHOLE])
def test_results_of_every_seed_and_their_mean_are_recorded_by_what_was_taught_and_tested(safer, face, scene, name):
    found = {"safer/F": face, WHOLE: scene}[name]
    rows = safer.study.rows().query("experiment == 'masked/' + @name and metric == 'accuracy' and split == 'test'")
    rows = rows[~rows["test_condition"].str.endswith("no twin in train")]
    assert rows["n"].nunique() == 1
    for (taught, tested), frames in found.items():
        own = rows[(rows["train_condition"] == taught) & (rows["test_condition"] == tested)]
        values = [accuracy([frame], safer.safers["bare"].classes) for frame in frames]
        assert own["value"].tolist() == pytest.approx([*values, np.mean(values)])
    assert len(rows) == 4 * (safer.study.profile.fusion_seeds + 1)


def test_a_fusion_is_asked_about_the_faces_of_its_cell(safer, scene):
    bare = safer.safers["bare"]
    runs = bare.layers(WHOLE, safer.features("masked", "masked"))
    for tested in KINDS:
        said = judge_fusion(runs[1], safer.features("masked", tested), "a test")
        assert scene["masked", tested][1].equals(said)
    assert not np.allclose(scene["masked", "bare"][1][bare.classes], scene["masked", "masked"][1][bare.classes])


def test_changes_and_accuracies_are_means_over_the_seeds(safer, face, scene):
    classes = safer.safers["bare"].classes
    for cell in CELLS:
        assert safer.accuracy(face[cell]) == pytest.approx(accuracy(face[cell], classes))
        by_hand = accuracy(scene[cell], classes) - accuracy(face[cell], classes)
        assert safer.change(face[cell], scene[cell]).value == pytest.approx(by_hand)


def guesses(frames, classes, rng) -> list:
    return [frame.assign(**dict(zip(classes, rng.random((len(classes), len(frame))), strict=True))) for frame in frames]


def test_an_interaction_is_the_difference_of_two_changes(safer, face, rng):
    classes = safer.safers["bare"].classes
    cells = [guesses(face["bare", "bare"], classes, rng) for _ in range(4)]
    a, b, c, d = (accuracy(frames, classes) for frames in cells)
    found = safer.interaction((cells[0], cells[1]), (cells[2], cells[3]))
    assert found.value == pytest.approx((d - c) - (b - a))
    assert found.low <= found.value <= found.high
    assert found.p is None
    turned = [frame[::-1].reset_index(drop=True) for frame in cells[3]]
    assert safer.interaction((cells[0], cells[1]), (cells[2], turned)) == found
    assert safer.interaction((cells[0], cells[1]), (cells[0], cells[1])).value == 0
