from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from skimage.data import astronaut

from fer_lib import multistream, one_picture
from fer_lib.data.table import encode_picture, load_pictures, make_table, picture_hash, usable
from fer_lib.emotions import in_order
from fer_lib.errors import StudyError
from fer_lib.evaluation.metrics import rightly
from fer_lib.faces.crops import face_table
from fer_lib.faces.geometry import AU_DISTANCES, VISIBLE
from fer_lib.faces.prepare import load_faces, matrix, prepare_faces
from fer_lib.models.regular import N_FEATURES
from fer_lib.multistream import FUSIONS, REDEALT, Multistream
from fer_lib.profiles import PROFILES
from fer_lib.scenes import scene_table
from fer_lib.study import open_study
from fer_lib.training.fusion import FACE, SCENE, STREAMS, Features, judge_fusion, strangers
from fer_lib.training.streams import SEEN, stream_features
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread")
# Rows of the study's result table, which stay.
DESIGNED = ("safer/F", "safer/F+B", "safer/F+P", "safer/F+B+P", "safer/F-au", "safer/F-visible")
WHOLE = "safer/F+B+P"


def opened(table, runs) -> Multistream:
    study = open_study("06_safer_multistream", "synthetic", "smoke", runs=runs)
    return Multistream(study, table, Trainings(study, table))


def accuracy(frame, classes) -> float:
    return float(rightly(frame, classes).mean())


@pytest.fixture(scope="module")
def safer(drawn_people, tmp_path_factory, one_thread):
    """SAFER on drawn people, one of whom cannot be used."""
    table = drawn_people.copy()
    table.attrs = dict(drawn_people.attrs)
    table.loc[3, "problem"] = "for the sake of the test"
    return opened(table, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def fused(safer):
    return safer.fuse(WHOLE, safer.features)


def test_the_fusions_are_those_of_the_designed_results_and_of_known_streams():
    assert set(DESIGNED) <= set(FUSIONS)
    assert all(set(streams) <= set(STREAMS) for streams in FUSIONS.values())
    assert FUSIONS["safer/F"] == FACE
    assert set(FUSIONS[WHOLE]) == set(STREAMS)


def test_every_usable_picture_has_the_features_of_five_streams(safer):
    sizes = {"au": len(AU_DISTANCES), "visible": len(VISIBLE), **dict.fromkeys(("deep", *SCENE), N_FEATURES)}
    assert safer.has_scenes
    assert safer.features.sizes(STREAMS) == sizes
    assert {len(values) for values in safer.features.streams.values()} == {55}
    assert safer.features.rows["id"].equals(usable(safer.table)["id"])


def test_measured_features_are_those_of_their_own_picture(safer):
    measured = load_faces(safer.folder, ["au"]).set_index("id").loc[safer.rows["id"], "au"]
    assert np.array_equal(safer.features.streams["au"], matrix(measured, 66), equal_nan=True)
    assert np.isfinite(safer.features.streams["au"]).all(1).mean() > 0.9


def test_learnt_features_tell_pictures_apart_and_are_found_again(safer, monkeypatch):
    assert all(values.std(0).max() > 0 for values in safer.features.streams.values())
    monkeypatch.setattr("fer_lib.training.starts._run_body", lambda *_: pytest.fail("computed again"))
    again = Multistream(safer.study, safer.table, safer.trainings).features
    assert again.hash(STREAMS) == safer.features.hash(STREAMS)


def test_a_fusion_is_trained_with_every_seed_and_its_results_and_their_mean_are_recorded(safer, fused):
    rows = safer.study.rows().query("experiment == @WHOLE and split == 'test' and metric == 'accuracy'")
    rows = rows[rows["test_condition"] == "bare"]
    values = [accuracy(run.of_split("test"), safer.classes) for run in fused]
    assert [run.experiment["seed"] for run in fused] == [0, 1]
    assert fused[0].experiment["plateau_patience"] < PROFILES["quick"].patience  # or the rate would never fall
    assert rows["value"].tolist() == pytest.approx([*values, np.mean(values)])
    assert set(rows["model"]) == {"SAFER"}
    assert {run.folder.name for run in fused} <= {item["name"] for item in safer.study.page if item["kind"] == "run"}
    assert safer.mean_accuracy(fused) == pytest.approx(np.mean(values))


def test_metrics_of_one_class_are_recorded_as_means_over_seeds_alone(safer, fused):
    rows = safer.study.rows().query("experiment == @WHOLE and split == 'test' and test_condition == 'bare'")
    by_class = rows[rows["metric"].str.endswith("]")]
    tested = [run.of_split("test") for run in fused]
    angry = [rightly(frame[frame["label"] == "anger"], safer.classes).mean() for frame in tested]
    assert by_class["seed"].isna().all()
    assert rows.query("metric == 'macro F1'")["seed"].notna().sum() == len(fused)
    assert by_class.query("metric == 'recall[anger]'")["value"].tolist() == pytest.approx([np.mean(angry)])


def test_what_if_a_stream_were_missing_is_judged_and_recorded_by_its_condition(safer, fused):
    frames = safer.what_if(fused, safer.features.without(SCENE), "scene blanked")
    rows = safer.study.rows().query("test_condition == 'scene blanked' and metric == 'accuracy'")
    values = [accuracy(frame, safer.classes) for frame in frames]
    assert rows["value"].tolist() == pytest.approx([*values, np.mean(values)])
    assert set(rows["train_condition"]) == {"bare"}
    readings = pd.read_csv(safer.study.store.root / "fusion_test_readings.csv")
    assert f"{WHOLE}: scene blanked" in readings["reader"].tolist()


def test_nothing_changes_where_nothing_was_changed(safer, fused):
    same = safer.change(fused, safer.what_if(fused, safer.features, "as it was"))
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_a_change_is_that_of_the_mean_over_seeds_whatever_the_order_of_pictures(safer, fused):
    frames = safer.what_if(fused, safer.features.without(FACE), "face blanked")
    before, after = (
        [accuracy(f, safer.classes) for f in some] for some in ([r.of_split("test") for r in fused], frames)
    )
    turned = [frame[::-1].reset_index(drop=True) for frame in frames]
    assert safer.change(fused, turned).value == pytest.approx(np.mean(after) - np.mean(before))
    assert safer.change(fused, turned) == safer.change(fused, frames)


def test_redealt_scenes_are_those_that_the_background_network_has_learnt_anew(safer):
    """The place follows the picture whose background was dealt, and no face moves."""
    order = strangers(safer.rows["split"], safer.study.seed)
    dealt, own = safer.redealt.streams, safer.features.streams
    scenes = safer.scenes().iloc[order].reset_index(drop=True)
    run = safer.trainings.runs("safer/background_redealt")[0]
    assert np.array_equal(dealt["background"], stream_features(run, scenes, safer.study.cache / "features"))
    assert np.array_equal(dealt["place"], own["place"][order])
    assert all(dealt[name] is own[name] for name in FACE)


def test_a_fusion_that_learns_from_other_data_says_so_in_its_rows(safer):
    name = "safer/redealt/F+B+P"
    safer.fuse(name, safer.redealt, REDEALT, streams=FUSIONS[WHOLE])
    rows = safer.study.rows().query("experiment == @name")
    assert set(rows["train_condition"]) == {REDEALT}
    assert set(rows["test_condition"]) == {REDEALT, f"{REDEALT}, no twin in train"}


def test_another_deep_extractor_takes_the_place_of_the_regular_cnn_and_of_nothing_else(safer, monkeypatch):
    other = np.zeros((55, 7), np.float32)
    features = safer.with_deep(other)
    assert features.sizes(("au", "deep")) == {"au": 66, "deep": 7}
    assert features.hash(("au", "place")) == safer.features.hash(("au", "place"))
    monkeypatch.setattr("fer_lib.multistream.frozen_features", lambda wanted, *_: wanted)
    monkeypatch.setattr("fer_lib.training.gather._imagenet_is_had", lambda *_, **__: False)
    start, wanted = safer.resnet50()
    assert (start, wanted.start, wanted.frozen, wanted.network) == ("random", "random", True, "resnet50_linear")
    monkeypatch.setattr("fer_lib.training.gather._imagenet_is_had", lambda *_, **__: True)
    assert safer.resnet50()[0] == "imagenet"


def test_a_face_that_is_neither_found_nor_named_says_nothing(safer, monkeypatch):
    deep = safer.features.streams["deep"]
    monkeypatch.setattr(multistream, "squares_of", lambda faces: [None] * len(faces))
    monkeypatch.setitem(safer.__dict__, "rows", safer.rows.assign(box=[None, *safer.rows["box"][1:]]))
    shown = safer.with_deep(deep).streams["deep"]
    assert np.isnan(shown[0]).all()
    assert (shown[1:] == deep[1:]).all()


def test_the_features_of_another_tables_pictures_are_refused(safer):
    run = safer.trainings.runs("safer/deep")[0]
    for other in (safer.table[::-1], safer.table.assign(split="train")):
        with pytest.raises(StudyError, match=r"has other pictures or splits .* with this DATASET and SEED"):
            safer.of_run(run, other)


def test_the_trainings_of_the_streams_are_in_the_manifest(safer):
    kept = {item["experiment"] for item in safer.study.page if item["kind"] == "run"}
    assert {"safer/deep", "safer/background", "safer/place"} <= kept


def test_shown_is_a_mended_picture_whose_place_is_recognised_and_nothing_where_no_face_is_meshed(
    safer, fused, monkeypatch
):
    face = safer.fuse("safer/F", safer.features)[0]
    shown = one_picture.mended_by_scene(safer, face, fused[0])
    assert shown["id"] in set(face.of_split("validation")["id"])
    assert one_picture.way_of(safer, fused[0], shown["id"])["box"] is not None
    monkeypatch.setitem(safer.__dict__, "faces", safer.faces.assign(landmarks=None))
    assert one_picture.mended_by_scene(safer, face, fused[0]) is None


def test_places365_makes_the_place_stream_where_its_files_are(safer, monkeypatch):
    made = Multistream(safer.study, safer.table, SimpleNamespace(runs=lambda name: pytest.fail(f"asked for {name}")))
    monkeypatch.setattr("fer_lib.multistream.has_places365", lambda: True)
    monkeypatch.setattr("fer_lib.multistream.places365_features", lambda scenes, cache: scenes["id"].to_numpy())
    files = SimpleNamespace(files={"alexnet": "0123456789abcdef"})
    monkeypatch.setattr("fer_lib.multistream.load_places365", lambda: files)
    assert "safer/place" not in made.learners
    assert made._places.tolist() == safer.rows["id"].tolist()
    assert made.place_source == "AlexNet of Places365, sha256 alexnet 0123456789ab"


@pytest.mark.parametrize(
    ("known", "source"), [(True, "places, from scenes without people"), (False, "places, from drawn scenes")]
)
def test_what_taught_the_place_stream_is_told(safer, monkeypatch, known, source):
    monkeypatch.setattr("fer_lib.multistream.has_places365", lambda: False)
    table = safer.table if known else safer.table.assign(place=None)
    assert Multistream(safer.study, table, safer.trainings).place_source == f"a small network that learnt {source}"


@pytest.fixture(scope="module")
def crops(drawn_people, tmp_path_factory, one_thread):
    """SAFER on the faces of the drawn people alone, cut out as in a data set that has no scenes."""
    pictures = load_pictures(drawn_people, 64, grey=False)
    shown = {"picture": [encode_picture(p) for p in pictures], "picture_hash": [picture_hash(p) for p in pictures]}
    table = make_table(drawn_people.assign(box=None, place=None, **shown), "faces")
    return opened(table, tmp_path_factory.mktemp("crops"))


def test_pictures_of_faces_alone_have_neither_background_nor_place(crops):
    assert not crops.has_scenes
    assert set(crops.features.streams) == set(FACE)
    assert crops.trainings.runs("safer/background") == []
    assert crops.trainings.gatherer.left_out == {"safer/background": "its pictures show nothing but faces"}


def test_faces_alone_are_fused_and_judged(crops):
    runs = crops.fuse("safer/F", crops.features)
    assert runs[0].experiment["streams"] == list(FACE)
    assert 0 <= crops.mean_accuracy(runs) <= 1


def test_a_photograph_that_nobody_here_drew_goes_all_the_way_to_probabilities(safer, fused, tmp_path):
    photo = {"id": "astronaut", "split": "test", "label": "happiness", "picture": encode_picture(astronaut())}
    table = make_table([photo | {"picture_hash": "photo"}], "photo")
    folder = prepare_faces(table, tmp_path)
    face = load_faces(folder, [*SEEN, "au", "visible", "face_problem"])
    assert face["face_problem"].isna().all()
    shown = {"deep": face_table(table, face), "background": scene_table(table, folder, safer.study.profile.stream_size)}
    shown["place"] = shown["background"]
    runs = {name: safer.trainings.runs(f"safer/{name}")[0] for name in shown}
    learnt = {name: stream_features(runs[name], usable(shown[name]), tmp_path) for name in shown}
    measured = {"au": matrix(face["au"], len(AU_DISTANCES)), "visible": matrix(face["visible"], len(VISIBLE))}
    features = Features(usable(table), {**measured, **learnt})
    scores = judge_fusion(fused[0], features, "a photograph")[safer.classes]
    assert scores.shape == (1, 7)
    assert scores.to_numpy().sum() == pytest.approx(1, abs=1e-5)
    assert safer.classes == in_order(safer.table["label"])
    blind = judge_fusion(fused[0], features.without(STREAMS), "nothing of it")[safer.classes]
    assert not np.allclose(blind, scores)
