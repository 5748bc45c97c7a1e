from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_lib import files
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.evaluation.metrics import rightly
from fer_lib.runs import RunStore
from fer_lib.training import fusion
from fer_lib.training.fusion import Features, Fusion, experiment_of, fit_fusion, judge_fusion, strangers
from fer_lib.training.loop import Training

pytestmark = pytest.mark.usefixtures("one_thread")
CLASSES = BASIC[:4]
SIZES = {"au": 6, "visible": 5, "deep": 3, "background": 2, "place": 4}
SPLITS = ("train",) * 6 + ("validation",) * 2 + ("test",) * 2
SHORT = Fusion("safer/toy", streams=("au", "place"), classes=CLASSES, learning_rate=4e-3, batch_size=60, max_epochs=12)


def made_features(n=1000) -> Features:
    """Four classes, of which `au` tells whether it is one of the first two, `place` whether it is odd; the rest noise.

    Every tenth picture has no mesh.
    """
    rng = np.random.default_rng(0)
    number, turns = rng.integers(0, 4, n), {"au": lambda k: k // 2, "place": lambda k: k % 2}
    streams = {name: rng.normal(3, 0.5, (n, size)).astype(np.float32) for name, size in SIZES.items()}
    for name, tell in turns.items():
        streams[name] += tell(number)[:, None]
    rows = {"id": [f"toy-{k}" for k in range(n)], "label": np.array(CLASSES)[number], "split": np.resize(SPLITS, n)}
    return Features(pd.DataFrame(rows).assign(problem=None), streams)


@pytest.fixture(scope="module")
def features():
    return made_features()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return RunStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def run(features, store):
    """Both telling streams joined, and one of noise."""
    return fit_fusion(replace(SHORT, streams=("au", "visible", "place")), features, store)


def accuracy(run_or_frame) -> float:
    frame = run_or_frame if isinstance(run_or_frame, pd.DataFrame) else run_or_frame.of_split("test")
    return float(rightly(frame, CLASSES).mean())


def changed(features, name, at=(5, 1), by=1e-3) -> Features:
    """The features with one value of one stream moved a little."""
    values = features.streams[name].copy()
    values[at] += by
    return replace(features, streams={**features.streams, name: values})


def test_streams_that_each_tell_half_are_joined_to_the_whole(features, store, run):
    alone = [accuracy(fit_fusion(replace(SHORT, streams=(name,)), features, store)) for name in ("au", "place")]
    assert accuracy(run) > 0.9
    assert max(alone) < 0.65


def test_predictions_are_probabilities_of_every_validation_and_test_picture(run):
    assert run.predictions["split"].value_counts().to_dict() == {"validation": 200, "test": 200}
    assert run.predictions[list(CLASSES)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)


def test_a_finished_fusion_is_found_and_not_trained_again(features, store, run, monkeypatch):
    monkeypatch.setattr(fusion, "_train", lambda *_: pytest.fail("trained"))
    assert fit_fusion(experiment_of(run, Fusion), features, store).folder == run.folder


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(features, store, run, tmp_path):
    wanted = experiment_of(run, Fusion)
    assert wanted == replace(SHORT, streams=("au", "visible", "place"))
    assert fit_fusion(wanted, features, RunStore(tmp_path)).predictions.equals(run.predictions)
    assert not fit_fusion(replace(wanted, seed=1), features, store).predictions.equals(run.predictions)


def test_an_interrupted_fusion_resumes_to_the_same_predictions(features, run, tmp_path, monkeypatch):
    learn, epochs = Training._learn, []

    def interrupted(training, epoch):
        epochs.append(epoch)
        if epochs == [0, 1, 2]:
            raise KeyboardInterrupt
        return learn(training, epoch)

    monkeypatch.setattr("fer_lib.training.fit.SAVE_EVERY", 0)
    monkeypatch.setattr(Training, "_learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit_fusion(experiment_of(run, Fusion), features, RunStore(tmp_path))
    resumed = fit_fusion(experiment_of(run, Fusion), features, RunStore(tmp_path))
    assert epochs[:4] == [0, 1, 2, 2]
    assert resumed.predictions.equals(run.predictions)


def test_a_fusion_reads_test_once_and_writes_it_down(run):
    assert pd.read_csv(run.folder / "test_readings.csv")["reader"].tolist() == ["safer/toy"]


def test_test_pictures_move_neither_the_epoch_nor_what_is_measured(features, run, tmp_path):
    """Another test split leaves history and validation as they were."""
    test = (features.rows["split"] == "test").to_numpy()
    other = {name: np.where(test[:, None], 99 - values, values) for name, values in features.streams.items()}
    again = fit_fusion(experiment_of(run, Fusion), replace(features, streams=other), RunStore(tmp_path))
    assert again.of_split("validation").equals(run.of_split("validation"))
    assert again.history.drop(columns="seconds").equals(run.history.drop(columns="seconds"))
    assert not again.of_split("test").equals(run.of_split("test"))


def test_features_as_they_were_are_judged_as_in_the_training(features, run):
    pd.testing.assert_frame_equal(judge_fusion(run, features, "again"), run.of_split("test"))


def test_a_judgement_is_written_down_beside_the_run_and_leaves_it_whole(features, run, store):
    judge_fusion(run, features, "why it was read")
    readings = pd.read_csv(run.folder.parent / "fusion_test_readings.csv")
    assert readings.iloc[-1][["reader", "pictures"]].tolist() == ["why it was read", 200]
    wanted = experiment_of(run, Fusion)
    assert store.find(wanted, features.hash(wanted.streams), wanted.code()).folder == run.folder


def test_blanking_a_stream_costs_what_it_told(features, run):
    blind = {name: accuracy(judge_fusion(run, features.without([name]), "blank")) for name in ("au", "visible")}
    assert blind["au"] < 0.65 < 0.9 < accuracy(run)
    assert blind["visible"] > accuracy(run) - 0.03


def test_the_place_of_somebody_else_misleads(features, run):
    assert accuracy(judge_fusion(run, features.with_scenes_of_others(3), "shuffled")) < 0.65


@pytest.mark.parametrize(("normalised", "learnt"), [(True, True), (False, False)])
def test_a_loud_stream_that_tells_nothing_drowns_the_others_unless_each_is_normalised(
    features, store, normalised, learnt
):
    loud = replace(features, streams={**features.streams, "visible": 1000 * features.streams["visible"]})
    wanted = replace(SHORT, streams=("au", "visible", "place"), normalised=normalised)
    assert (accuracy(fit_fusion(wanted, loud, store)) > 0.85) == learnt


def test_stream_dropout_trains_and_suffers_less_from_a_missing_stream(features, store, run):
    dropped = fit_fusion(replace(experiment_of(run, Fusion), stream_dropout=0.4), features, store)
    blind = features.without(["au"])
    assert accuracy(dropped) > 0.85
    assert dropped.folder != run.folder
    losses = [accuracy(one) - accuracy(judge_fusion(one, blind, "blank")) for one in (run, dropped)]
    assert losses[1] <= losses[0] + 0.05


def test_rows_with_a_problem_are_neither_learnt_nor_judged(features, store):
    some = features.rows.assign(problem=np.where(np.arange(1000) % 7 == 0, "broken", None))
    run = fit_fusion(SHORT, replace(features, rows=some), store)
    assert not set(run.predictions["id"]) & set(some["id"][some["problem"].notna()])


def test_the_hash_sees_every_value_of_a_used_stream_and_none_of_another(features):
    before = features.hash(("au", "place"))
    for name, at in (("au", (0, 0)), ("au", (-1, -1)), ("place", (500, 2))):
        assert changed(features, name, at).hash(("au", "place")) != before
    assert changed(features, "visible").hash(("au", "place")) == before
    assert features.hash(("place", "au")) != before
    assert features.without(["au"]).hash(("au", "place")) != before


@pytest.mark.parametrize("column", ["id", "label", "split", "problem"])
def test_the_hash_sees_labels_splits_and_problems(features, column):
    rows = features.rows.copy()
    rows.loc[0, column] = {"label": "sadness", "split": "validation"}.get(column, "other")
    assert replace(features, rows=rows).hash(("au",)) != features.hash(("au",))


def test_the_hash_sees_the_order_of_pictures(features):
    turned = {name: values[::-1] for name, values in features.streams.items()}
    backwards = Features(features.rows[::-1].reset_index(drop=True), turned)
    assert backwards.hash(("au",)) != features.hash(("au",))
    assert Features(features.rows.copy(), dict(features.streams)).hash(("au",)) == features.hash(("au",))


def folder(wanted, features) -> str:
    return RunStore("runs").folder(wanted, features.hash(wanted.streams), wanted.code()).name


@pytest.mark.parametrize(
    "setting", [{"streams": ("place", "au")}, {"normalised": False}, {"stream_dropout": 0.3}, {"max_epochs": 9}]
)
def test_every_setting_of_a_fusion_names_another_run(features, setting):
    assert folder(replace(SHORT, **setting), features) != folder(SHORT, features)


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("fer_lib.models.safer", True),
        ("fer_lib.training.fusion:Features", True),
        ("fer_lib.training.fusion:_train", True),
        ("fer_lib.training.fusion:_network", True),
        ("fer_lib.training.loop", True),
        ("fer_lib.training.fusion", False),
        ("fer_lib.models.networks", False),
        ("fer_lib.models.scratch", False),
        ("fer_lib.models.regular", False),  # its features are what it matters by
    ],
)
def test_the_program_that_joins_streams_names_a_fusion_and_no_other_does(features, monkeypatch, part, named):
    program, before = files._program, folder(SHORT, features)
    monkeypatch.setattr(files, "_program", lambda name: program(name) + " changed" * (name == part))
    assert (folder(SHORT, features) != before) == named


@pytest.mark.parametrize("streams", [(), ("au", "smell"), ("au", "place", "au")])
def test_streams_that_cannot_be_joined_are_refused_in_one_sentence(streams):
    with pytest.raises(StudyError, match=r"experiment f: streams .*name some of au, visible, deep, background, place"):
        Fusion("f", streams=streams)


@pytest.mark.parametrize("sizes", [(2, 2, 2), (50, 7, 3), (1000, 2, 90)])
def test_everybody_gets_the_scene_of_somebody_else_of_the_same_split(sizes, rng):
    splits = pd.Series(rng.permutation(np.repeat(["train", "validation", "test"], sizes)))
    order = strangers(splits, 3)
    assert sorted(order) == list(range(sum(sizes)))
    assert (order != np.arange(sum(sizes))).all()
    assert (splits.to_numpy()[order] == splits.to_numpy()).all()
    assert np.array_equal(order, strangers(splits, 3))


def test_another_seed_deals_other_scenes_and_a_split_of_one_picture_keeps_its_own():
    splits = pd.Series(["train"] * 50 + ["test"])
    assert strangers(splits, 0)[-1] == 50
    assert (strangers(splits, 0) != strangers(splits, 1)).any()


def test_scenes_of_others_move_background_and_place_together_and_no_face(features):
    moved = features.with_scenes_of_others(5)
    order = strangers(features.rows["split"], 5)
    for name, values in features.streams.items():
        expected = values[order] if name in ("background", "place") else values
        assert np.array_equal(moved.streams[name], expected)
    assert moved.rows is features.rows
    assert not np.array_equal(moved.streams["place"], features.streams["place"])


def test_blanked_streams_see_nothing_and_the_others_as_before(features):
    blind = features.without(["au", "place"])
    assert np.isnan(blind.streams["au"]).all()
    assert np.isnan(blind.streams["place"]).all()
    assert blind.streams["deep"] is features.streams["deep"]
    assert np.isfinite(features.streams["au"]).all()


def test_features_lie_beside_each_other_in_the_order_of_the_experiment(features):
    rows = features.rows.assign(row=np.arange(1000)).iloc[[9, 2]]
    split = features.split(rows, replace(SHORT, streams=("place", "au")))
    expected = np.hstack([features.streams["place"][[9, 2]], features.streams["au"][[9, 2]]])
    assert np.array_equal(split.inputs.numpy(), expected)
    assert [CLASSES[k] for k in split.targets.tolist()] == rows["label"].tolist()
    assert features.sizes(("place", "au")) == {"place": 4, "au": 6}
