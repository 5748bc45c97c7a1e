from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from fer_lib.data.table import encode_picture, load_pictures, make_table, picture_hash, usable
from fer_lib.emotions import in_order
from fer_lib.faces.crops import squares_of
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.files import write_json
from fer_lib.models.networks import get_network
from fer_lib.profiles import get_profile
from fer_lib.runs import Run, RunStore
from fer_lib.scenes import scene_table
from fer_lib.training import streams
from fer_lib.training.experiment import Experiment
from fer_lib.training.fusion import strangers
from fer_lib.training.streams import (
    frozen_features,
    labelled_by_place,
    places365_features,
    redealt,
    shows_scenes,
    stream_features,
    stream_task,
)

SMOKE = get_profile("smoke")
STREAM = Experiment("s", "regular_stream_colour", size=20, precision="32-true")
DEALT = ["picture", "picture_hash", "place"]


@pytest.fixture(scope="module")
def measured_cache(tmp_path_factory):
    """So that the faces of one table are measured once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def task(drawn_people, measured_cache):
    return lambda name, table=drawn_people: stream_task(name, table, SMOKE, 3, measured_cache)


@pytest.fixture
def scenes(rng):
    """Thirty rows, every sixth of them broken, whose pictures tell them apart."""
    rows = [
        {"id": str(k), "label": "fear", "split": "test" if k % 3 else "train", "picture": bytes([k]), "place": f"p{k}"}
        for k in range(30)
    ]
    table = make_table([{**row, "picture_hash": f"h{k}", "subject": f"s{k}"} for k, row in enumerate(rows)], "toy")
    table.loc[::6, "problem"] = "broken"
    return table


def faces_of_side(side, n=9):
    """What face detection would have measured of pictures of 100×100 in which the face's box has this side."""
    rows = [{"height": 100, "width": 100, "face_box": np.full(4, side), "landmarks": None} for _ in range(n)]
    return pd.DataFrame(rows)


def a_run(folder, experiment, seed=5) -> tuple[Run, torch.nn.Module]:
    """A run as the store keeps it, and the network that it holds."""
    torch.manual_seed(seed)
    network = get_network(experiment.network).make(len(experiment.classes), experiment.size).eval()
    write_json(folder / "experiment.json", {"experiment": vars(experiment)})
    save_file(network.state_dict(), folder / "weights.safetensors")
    return Run(folder), network


def test_the_deep_stream_sees_squares_around_the_faces_that_were_found(task, drawn_people, measured_cache):
    table, classes = task("safer/deep")
    squares = squares_of(load_faces(prepare_faces(drawn_people, measured_cache)))
    assert table["box"].tolist() == squares
    assert table["picture_hash"].equals(drawn_people["picture_hash"])
    assert classes == in_order(drawn_people["label"])


def test_resnet50_sees_the_same_faces_as_the_deep_stream(task):
    assert task("safer/resnet50/random/frozen")[0]["box"].equals(task("safer/deep")[0]["box"])


def test_the_background_stream_sees_scenes_at_its_size_with_the_emotions_as_labels(task, drawn_people, measured_cache):
    table, classes = task("safer/background")
    pictures = load_pictures(table, SMOKE.stream_size, grey=False)
    folder = prepare_faces(drawn_people, measured_cache)
    assert np.array_equal(pictures, load_pictures(scene_table(drawn_people, folder, 48), 48, grey=False))
    assert table["box"].isna().all()
    assert table["label"].equals(drawn_people["label"])
    assert table.attrs == drawn_people.attrs
    assert classes == in_order(drawn_people["label"])


def test_the_place_stream_learns_the_places_of_the_table_from_its_scenes(task, drawn_people):
    table, places = task("safer/place")
    assert table["label"].tolist() == drawn_people["place"].tolist()
    assert places == sorted(set(drawn_people["place"]))
    assert table["picture_hash"].equals(task("safer/background")[0]["picture_hash"])


def test_without_known_places_the_embedded_data_teach_them(task, drawn_people, monkeypatch):
    asked = []
    monkeypatch.setattr(streams, "load_dataset", lambda *words: asked.append(words) or drawn_people)
    nowhere = drawn_people.assign(place=None, id="other-" + drawn_people["id"])
    table, places = task("safer/place", nowhere)
    assert table["id"].equals(drawn_people["id"])
    assert places == sorted(set(drawn_people["place"]))
    ((dataset, root, _, seed, pictures),) = asked
    assert (dataset, root, seed, pictures) == ("synthetic", None, 3, SMOKE.synthetic_pictures)


def test_the_redealt_background_is_that_of_somebody_else_of_the_split(task, drawn_people):
    own, dealt = task("safer/background")[0], task("safer/background_redealt")[0]
    order = strangers(own["split"], 3)
    assert dealt["picture_hash"].tolist() == own["picture_hash"].to_numpy()[order].tolist()
    assert dealt["label"].equals(drawn_people["label"])


def test_a_place_that_is_not_known_is_a_problem_and_no_class(scenes):
    scenes.loc[4, "place"] = None
    named = labelled_by_place(scenes)
    assert named["problem"].iloc[4] == "its place is not known"
    assert named.drop(index=4)["problem"].equals(scenes.drop(index=4)["problem"])
    assert set(usable(named)["label"]) == set(usable(scenes)["place"]) - {None}
    assert named.attrs == scenes.attrs


def test_dealing_anew_moves_pictures_and_places_of_usable_rows_inside_their_split(scenes):
    dealt, there = redealt(scenes, 0), scenes["problem"].isna()
    for split in ("train", "test"):
        rows = there & (scenes["split"] == split)
        before, after = scenes[rows][DEALT], dealt[rows][DEALT]
        assert sorted(map(tuple, after.to_numpy())) == sorted(map(tuple, before.to_numpy()))
        assert (after["picture"].to_numpy() != before["picture"].to_numpy()).all()


def test_dealing_anew_leaves_all_else_and_the_table_it_was_given(scenes):
    before = scenes.copy()
    dealt, broken = redealt(scenes, 0), scenes["problem"].notna()
    assert dealt.drop(columns=DEALT).equals(before.drop(columns=DEALT))
    assert dealt[broken].equals(before[broken])
    assert scenes.equals(before)
    assert dealt.attrs == scenes.attrs
    assert redealt(scenes, 0).equals(dealt)
    assert not redealt(scenes, 1).equals(dealt)


@pytest.mark.parametrize(("side", "shows"), [(20, True), (80, False)])
def test_faces_that_fill_their_pictures_show_no_scene(scenes, monkeypatch, side, shows):
    monkeypatch.setattr(streams, "prepare_faces", lambda table, cache: "folder")
    monkeypatch.setattr(streams, "load_faces", lambda folder, columns: faces_of_side(side, 30))
    assert shows_scenes(scenes, None) is shows


def test_a_table_that_knows_where_faces_are_shows_more_than_those_and_none_is_measured(scenes, monkeypatch):
    monkeypatch.setattr(streams, "prepare_faces", lambda *_: pytest.fail("measured"))
    scenes.at[3, "box"] = [0.0, 0.0, 5.0]
    assert shows_scenes(scenes, None) is True


@torch.no_grad()
def test_features_of_a_stream_are_what_the_body_of_its_run_makes_of_colours(drawn_people, tmp_path):
    run, network = a_run(tmp_path / "run", STREAM)
    found = stream_features(run, drawn_people.iloc[:5], tmp_path / "cache")
    colours = torch.from_numpy(load_pictures(drawn_people.iloc[:5], 20, grey=False)).permute(0, 3, 1, 2)
    assert found.dtype == np.float32
    assert found == pytest.approx(network.body(colours / 127.5 - 1).numpy(), abs=1e-4)


def test_features_of_a_stream_are_computed_once_and_again_for_another_run(drawn_people, tmp_path, monkeypatch):
    rows, cache = drawn_people.iloc[:5], tmp_path / "cache"
    (run, _), (other, _) = a_run(tmp_path / "run", STREAM), a_run(tmp_path / "other", STREAM, seed=6)
    first = stream_features(run, rows, cache)
    assert not np.array_equal(stream_features(other, rows, cache), first)
    monkeypatch.setattr("fer_lib.training.starts._run_body", lambda *_: pytest.fail("computed again"))
    assert np.array_equal(stream_features(run, rows, cache), first)


@pytest.mark.parametrize(("start", "settled"), [("random", True), ("earlier", False)])
def test_a_frozen_body_of_random_numbers_is_settled_on_train_alone(drawn_people, tmp_path, monkeypatch, start, settled):
    asked = []
    monkeypatch.setattr(streams, "settle", lambda experiment, network, pictures, *_: asked.append(len(pictures)))
    a_run(tmp_path / "store" / "earlier", Experiment("e", "face_resnet_small", size=16))
    frozen = Experiment("f", "face_resnet_small", start=start, frozen=True, size=16)
    found = frozen_features(frozen, drawn_people, RunStore(tmp_path / "store"), tmp_path / "cache")
    assert found.shape == (56, 256)
    assert asked == ([(drawn_people["split"] == "train").sum()] if settled else [])


def test_places365_sees_every_scene_in_colour_at_its_own_size_and_once(tmp_path, monkeypatch):
    """Its network is replaced by one that gives back the mean of red; 300 pictures are more than one part."""
    seen = []

    def features(pictures):
        seen.append(pictures.shape)
        return np.full((len(pictures), 9216), pictures[..., 0].mean((1, 2))[:, None], np.float32)

    monkeypatch.setattr(
        "fer_lib.models.places365.load_places365", lambda device: SimpleNamespace(features=features, files={})
    )
    reds = [np.full((8, 8, 3), (k % 256, 0, 9), np.uint8) for k in range(300)]
    rows = [{"id": str(k), "split": "test", "picture": encode_picture(red)} for k, red in enumerate(reds)]
    table = make_table(rows, "toy").assign(picture_hash=[picture_hash(red) for red in reds])
    found = places365_features(table, tmp_path)
    assert (places365_features(table, tmp_path) == found).all()
    assert found.shape == (300, 9216)
    assert found[:, 7] == pytest.approx(np.arange(300) % 256, abs=0.5)
    assert seen == [(256, 224, 224, 3), (44, 224, 224, 3)]
