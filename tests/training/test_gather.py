from dataclasses import dataclass, field, replace

import pandas as pd
import pytest
import torch

from fer_lib.data.table import make_table, table_hash, usable
from fer_lib.data.tasks import labels_at_random, six_emotions, three_emotions
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.profiles import get_profile
from fer_lib.runs import RunStore
from fer_lib.training import gather
from fer_lib.training.gather import Gatherer

SEED = 3  # of the first run, so that seeds are seen to count on from it
PAPER_001 = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
TOO_LONG = (
    "profile smoke leaves that to a GPU; `python -m fer_lib train … --dataset toy --profile smoke` does it anywhere"
)
PROFILE = replace(
    get_profile("smoke"),
    without_gpu=("six_layer/*", "gimefive/13_bn", "transfer/resnet18/*", "search"),
    seeds_without_gpu=1,
)


@dataclass
class Machine:
    """A machine that pretends to train: what it trained, and on which table."""

    gatherer: Gatherer
    trained: list = field(default_factory=list)

    def fit(self, experiment, table, store):
        def make(folder):
            self.trained.append((experiment, table))
            (folder / "history.csv").write_text("epoch\n1\n")

        return store.get(experiment, table_hash(table), experiment.code(), make)

    def has_gpu(self, monkeypatch, has: bool) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: has)

    @property
    def names(self) -> list[str]:
        return [experiment.name for experiment, _ in self.trained]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Without a GPU, without ImageNet's weights, and with a network that must not be asked for them."""
    made = Machine(Gatherer(PROFILE, SEED, RunStore(tmp_path / "store"), tmp_path / "cache"))
    made.has_gpu(monkeypatch, False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(gather, "imagenet", lambda name: pytest.fail(f"asked for the weights of {name}"))
    monkeypatch.setattr(gather, "fit", made.fit)
    gather._imagenet_is_had.cache_clear()
    yield made
    gather._imagenet_is_had.cache_clear()


@pytest.fixture
def few(toy_table):
    """Every fourth toy picture with all of its classes, as drawn faces to start from."""
    return make_table(toy_table.iloc[::4], "start")


def test_what_the_profile_has_no_time_for_is_left_out_with_its_reason(machine, toy_table):
    assert machine.gatherer.runs("gimefive/10", toy_table) == []
    assert machine.trained == []
    assert machine.gatherer.left_out == {"gimefive/10": TOO_LONG}


def test_what_the_profile_has_time_for_is_trained_once_and_then_found(machine, toy_table):
    first, again = (machine.gatherer.runs("six_layer/base", toy_table) for _ in range(2))
    assert [run.folder for run in first] == [run.folder for run in again]
    assert machine.names == ["six_layer/base"]
    assert machine.gatherer.left_out == {}


def test_a_run_that_another_machine_trained_is_found_where_there_is_no_time_for_it(machine, toy_table, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    (there,) = machine.gatherer.runs("gimefive/10", toy_table)
    machine.has_gpu(monkeypatch, False)
    (here,) = machine.gatherer.runs("gimefive/10", toy_table)
    assert here.folder == there.folder
    assert machine.names == ["gimefive/10"]
    assert machine.gatherer.left_out == {}


def test_the_seeds_that_are_there_are_given_and_the_missing_ones_told(machine, toy_table):
    runs = machine.gatherer.runs("six_layer/base", toy_table, seeds=2)
    assert [run.experiment["seed"] for run in runs] == [SEED]
    told = f"1 of 2 seeds are there; for the rest {TOO_LONG}"
    assert machine.gatherer.left_out == {"six_layer/base": told}


def test_a_further_seed_is_found_in_the_store_and_then_nothing_is_told(machine, toy_table):
    machine.gatherer.train("six_layer/base", toy_table, SEED + 1)
    runs = machine.gatherer.runs("six_layer/base", toy_table, seeds=2)
    assert [run.experiment["seed"] for run in runs] == [SEED, SEED + 1]
    assert machine.gatherer.left_out == {}


def test_a_gpu_trains_every_experiment_with_every_seed(machine, toy_table, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    for name in ("gimefive/10", "strong/single"):
        runs = machine.gatherer.runs(name, toy_table, seeds=3)
        assert [run.experiment["seed"] for run in runs] == [SEED, SEED + 1, SEED + 2]
    assert machine.names == 3 * ["gimefive/10"] + 3 * ["strong/single"]
    assert machine.gatherer.left_out == {}


def test_a_named_training_is_made_even_without_a_gpu(machine, toy_table):
    assert machine.gatherer.train("strong/single", toy_table, 7).experiment["seed"] == 7


def test_an_unknown_experiment_is_refused(machine, toy_table):
    with pytest.raises(StudyError, match="experiment 'vgg' is unknown"):
        machine.gatherer.train("vgg", toy_table, SEED)


def test_gimefive_sees_six_emotions_in_the_papers_order_and_both_test_parts(machine, toy_table):
    machine.gatherer.runs("gimefive/13_bn", toy_table)
    ((trained, table),) = machine.trained
    seen = usable(table)
    assert trained.classes == PAPER_001
    assert set(seen["label"]) == set(PAPER_001)
    both = toy_table[(toy_table["split"] != "train") & (toy_table["label"] != "neutral")]
    assert set(seen["id"][seen["split"] == "test"]) == set(both["id"])


def test_other_networks_see_the_study_table_and_its_classes_in_the_studys_order(machine, toy_table):
    machine.gatherer.runs("six_layer/base", toy_table)
    ((trained, table),) = machine.trained
    assert table is toy_table
    assert trained.classes == BASIC


@pytest.fixture
def unbalanced(toy_table):
    """The toy pictures with a tenth of those that show fear in train."""
    rare = toy_table[(toy_table["split"] == "train") & (toy_table["label"] == "fear")].index[4:]
    return make_table(toy_table.drop(rare), "toy")


def test_small_classes_are_filled_with_drawn_faces_for_that_experiment(machine, unbalanced, few, monkeypatch):
    asked = []
    monkeypatch.setattr(gather, "with_drawn_faces", lambda *words: asked.append(words) or few)
    machine.gatherer.runs("six_layer/drawn_faces", unbalanced)
    assert all(table is unbalanced for table, *_ in asked)
    assert all(rest == [SEED, machine.gatherer.cache] for _, *rest in asked)
    ((trained, seen),) = machine.trained
    assert trained.name == "six_layer/drawn_faces"
    assert seen is few


def test_the_network_of_random_labels_learns_from_a_table_whose_labels_tell_nothing(machine, toy_table, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    runs = machine.gatherer.runs("six_layer/random_labels", toy_table, seeds=2)
    (trained, seen), (_, seen_by_second) = machine.trained
    assert [run.experiment["seed"] for run in runs] == [SEED, SEED + 1]
    assert (trained.name, trained.network, trained.classes) == ("six_layer/random_labels", "six_layer", BASIC)
    learnt_from = toy_table["split"] != "test"
    assert (seen["label"] == toy_table["label"])[learnt_from].mean() == pytest.approx(1 / 7, abs=0.06)
    assert seen["label"][~learnt_from].equals(toy_table["label"][~learnt_from])
    assert seen.equals(labels_at_random(toy_table, SEED))
    assert seen_by_second.equals(seen)  # dealt by the study's seed; the second run differs in its start alone
    assert table_hash(seen) != table_hash(toy_table)


def test_random_labels_are_trained_as_the_true_ones_and_found_again(machine, toy_table):
    machine.gatherer.runs("six_layer/base", toy_table)
    machine.gatherer.runs("six_layer/random_labels", toy_table)
    machine.gatherer.runs("six_layer/random_labels", toy_table)
    (base, _), (trained, _) = machine.trained
    assert replace(trained, name=base.name, watch_test=base.watch_test) == base


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("six_layer/votes", "the data have no annotators' votes"),
        ("six_layer/drawn_faces", "no class is small enough to be filled up"),
        ("one_against_rest/contempt", "the data do not show that emotion"),
    ],
)
def test_what_the_data_do_not_allow_is_left_out_even_with_a_gpu_and_refused_when_named(
    machine, toy_table, name, reason, monkeypatch
):
    machine.has_gpu(monkeypatch, True)
    assert machine.gatherer.runs(name, toy_table) == []
    assert machine.gatherer.left_out == {name: reason}
    with pytest.raises(StudyError, match=reason):
        machine.gatherer.train(name, toy_table, SEED)
    assert machine.trained == []


@pytest.fixture
def faces_alone(monkeypatch):
    """Whether the pictures show nothing but faces, as face detection would say; it is not run."""

    def say(alone):
        monkeypatch.setattr("fer_lib.training.streams.shows_scenes", lambda table, cache: not alone)
        monkeypatch.setattr("fer_lib.training.streams.stream_task", lambda name, table, *_: (table, list(BASIC)))

    return say


@pytest.mark.parametrize("name", ["safer/background", "safer/background_redealt", "safer/place"])
def test_streams_of_scenes_are_left_out_where_pictures_show_faces_alone(machine, toy_table, faces_alone, name):
    faces_alone(True)
    machine.gatherer.profile = get_profile("smoke")
    assert machine.gatherer.runs(name, toy_table) == []
    assert machine.gatherer.left_out == {name: "its pictures show nothing but faces"}
    with pytest.raises(StudyError, match=f"experiment {name}: its pictures show nothing but faces"):
        machine.gatherer.train(name, toy_table, SEED)


@pytest.mark.parametrize("alone", [True, False])
def test_the_streams_that_there_is_something_to_see_for_are_trained(machine, toy_table, faces_alone, alone):
    faces_alone(alone)
    machine.gatherer.profile = get_profile("smoke")
    for name in ("safer/deep", "safer/background", "safer/place", "safer/resnet50/random/frozen"):
        machine.gatherer.runs(name, toy_table)
    scenes = [] if alone else ["safer/background", "safer/place"]
    assert machine.names == ["safer/deep", *scenes, "safer/resnet50/random/frozen"]


def test_streams_are_left_out_where_faces_cannot_be_found(machine, toy_table, monkeypatch):
    monkeypatch.setattr(gather, "find_spec", lambda name: None)
    assert machine.gatherer.runs("safer/deep", toy_table) == []
    assert machine.gatherer.left_out == {"safer/deep": "mediapipe, which finds faces, is not installed here"}


def test_a_stream_is_shown_what_its_task_says_with_the_studys_profile_seed_and_cache(machine, toy_table, monkeypatch):
    asked = []
    monkeypatch.setattr("fer_lib.training.streams.stream_task", lambda *words: asked.append(words) or (None, ["a"]))
    assert machine.gatherer.task("safer/deep", toy_table) == (None, ["a"])
    ((name, table, *rest),) = asked
    assert (name, table is toy_table) == ("safer/deep", True)
    assert rest == [PROFILE, SEED, machine.gatherer.cache]


def test_what_stands_in_the_way_is_time_for_this_seed_or_weights_that_are_not_here(machine, toy_table):
    obstacle = machine.gatherer.obstacle
    assert obstacle("gimefive/10", toy_table) == TOO_LONG
    assert obstacle("six_layer/base", toy_table) is None
    assert obstacle("six_layer/base", toy_table, SEED + 1) == TOO_LONG
    assert obstacle("transfer/resnet18/imagenet/frozen", toy_table) == "ImageNet's weights are not here"
    machine.gatherer.profile = get_profile("smoke")
    assert obstacle("safer/resnet50/imagenet/frozen", toy_table) == "ImageNet's weights are not here"
    assert obstacle("safer/resnet50/random/frozen", toy_table) is None


def test_an_emotion_too_rare_for_paper_001s_task_leaves_its_family_out(machine, unbalanced):
    assert machine.gatherer.runs("gimefive/13_bn", unbalanced) == []
    assert "4 pictures of 'fear', too few" in machine.gatherer.left_out["gimefive/13_bn"]


def test_only_the_first_seed_is_watched_on_test(machine, toy_table, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    runs = machine.gatherer.runs("strong/single", toy_table, seeds=3)
    assert [run.experiment["watch_test"] for run in runs] == [True, False, False]


def test_a_start_from_drawn_faces_is_trained_first_and_named_by_its_folder(machine, toy_table, few, monkeypatch):
    asked = []
    monkeypatch.setattr(gather, "drawn_faces", lambda *words: asked.append(words) or few)
    machine.gatherer.runs("transfer/resnet18/drawn/frozen", toy_table)
    (start, start_table), (trained, table) = machine.trained
    assert (start.name, start.start, start.frozen) == ("start/resnet18", "random", False)
    assert start_table is few
    assert (trained.name, trained.frozen, table is toy_table) == ("transfer/resnet18/drawn/frozen", True, True)
    assert trained.start.startswith("start-resnet18-")
    assert (machine.gatherer.store.root / trained.start / "experiment.json").exists()
    assert asked[0][:3] == (dict.fromkeys(BASIC, 1), PROFILE.start_pictures, SEED)


def test_experiments_of_one_network_share_their_start(machine, toy_table, few, monkeypatch):
    monkeypatch.setattr(gather, "drawn_faces", lambda *words: few)
    for part in ("frozen", "head"):
        machine.gatherer.runs(f"transfer/resnet18/drawn/{part}", toy_table)
    assert machine.names.count("start/resnet18") == 1


def test_no_face_is_drawn_to_look_for_a_start_that_was_trained_at_another_size_only(
    machine, toy_table, few, monkeypatch
):
    name = "transfer/resnet18/drawn/full"
    monkeypatch.setattr(gather, "drawn_faces", lambda *words: few)
    machine.gatherer.train(name, toy_table, SEED)
    monkeypatch.setattr(gather, "drawn_faces", lambda *words: pytest.fail("drawn"))
    machine.gatherer.profile = replace(PROFILE, max_epochs=60, without_gpu=())
    assert machine.gatherer.runs(name, toy_table) == []
    assert list(machine.gatherer.left_out) == [name]


def test_a_start_that_was_trained_at_this_size_is_looked_up(machine, toy_table, few, monkeypatch):
    name = "transfer/resnet18/drawn/full"
    monkeypatch.setattr(gather, "drawn_faces", lambda *words: few)
    machine.gatherer.train(name, toy_table, SEED)
    machine.gatherer.profile = replace(PROFILE, without_gpu=())
    assert [run.experiment["name"] for run in machine.gatherer.runs(name, toy_table)] == [name]


@pytest.mark.parametrize(
    ("task", "names"),
    [(six_emotions, ("gimefive/13_bn", "gimefive/10")), (three_emotions, ("bars_scratch/none", "bars_scratch/eyes"))],
)
def test_a_task_of_some_emotions_is_made_once_for_all_of_its_experiments(machine, toy_table, monkeypatch, task, names):
    made = []
    monkeypatch.setattr(gather, task.__name__, lambda *words: made.append(words) or task(*words))
    for name in (*names, *names):
        assert machine.gatherer.lack(name, toy_table) is None
        machine.gatherer.task(name, toy_table)
    assert len(made) == 1


def test_a_damaged_file_of_imagenets_weights_is_told_and_not_taken_for_a_missing_one(machine, toy_table, monkeypatch):
    def damaged(network):
        raise StudyError("the file is damaged")

    monkeypatch.setattr(gather, "imagenet", damaged)
    monkeypatch.setattr(gather, "has_imagenet", lambda network: True)
    machine.gatherer.profile = replace(get_profile("full"), without_gpu=("transfer/*",))
    with pytest.raises(StudyError, match="damaged"):
        machine.gatherer.runs("transfer/resnet18/imagenet/frozen", toy_table)


def test_no_face_is_drawn_for_what_is_left_out(machine, toy_table, monkeypatch):
    monkeypatch.setattr(gather, "drawn_faces", lambda *words: pytest.fail("drawn"))
    assert machine.gatherer.runs("transfer/vgg11/drawn/full", toy_table) == []
    assert list(machine.gatherer.left_out) == ["transfer/vgg11/drawn/full"]


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_short_profiles_leave_out_imagenets_weights_that_are_not_here_and_ask_no_network(
    machine, toy_table, profile, gpu, monkeypatch
):
    machine.has_gpu(monkeypatch, gpu)
    machine.gatherer.profile = replace(get_profile(profile), without_gpu=("transfer/*",))
    assert machine.gatherer.runs("transfer/resnet18/imagenet/frozen", toy_table) == []
    assert machine.gatherer.left_out == {"transfer/resnet18/imagenet/frozen": "ImageNet's weights are not here"}


def test_profile_full_asks_for_imagenets_weights_and_goes_on_without_them(machine, toy_table, monkeypatch):
    asked = []

    def refuse(network):
        asked.append(network)
        raise StudyError("no network")

    monkeypatch.setattr(gather, "imagenet", refuse)
    machine.gatherer.profile = replace(get_profile("full"), without_gpu=("transfer/*",))
    assert machine.gatherer.runs("transfer/resnet18/imagenet/frozen", toy_table) == []
    assert asked == ["resnet18"]
    assert machine.gatherer.left_out == {"transfer/resnet18/imagenet/frozen": "ImageNet's weights are not here"}


def test_imagenets_weights_in_the_cache_are_used(machine, toy_table, monkeypatch):
    monkeypatch.setattr(gather, "has_imagenet", lambda network: network == "resnet18")
    machine.gatherer.runs("transfer/resnet18/imagenet/frozen", toy_table)
    ((trained, _),) = machine.trained
    assert trained.start == "imagenet"


def test_profile_full_does_not_search_without_a_gpu(machine, toy_table, monkeypatch):
    monkeypatch.setattr("fer_lib.training.search.search", lambda *words: pytest.fail("searched"))
    machine.gatherer.profile = get_profile("full")
    assert machine.gatherer.search("six_layer/base", {}, toy_table) is None
    assert machine.gatherer.left_out["search"].startswith("profile full leaves that to a GPU; ")


@pytest.mark.parametrize(("made", "told"), [(2, "2 of 30 trials are there; profile full "), (30, None)])
def test_trials_that_another_machine_finished_are_shown_and_the_rest_is_told(
    machine, toy_table, monkeypatch, made, told
):
    there = pd.DataFrame({"value": [0.5] * made})
    monkeypatch.setattr("fer_lib.training.search.finished", lambda *words: there)
    machine.gatherer.profile = get_profile("full")
    assert machine.gatherer.search("six_layer/base", {}, toy_table) is there
    assert machine.gatherer.left_out.get("search", "").startswith(told or "")
    assert ("search" in machine.gatherer.left_out) == bool(told)


def test_the_grid_of_paper_001_is_shown_where_it_was_made_and_never_made_here(machine, toy_table, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    assert machine.gatherer.grid(toy_table) is None
    assert "search gimefive/15_bn_dropout --grid" in machine.gatherer.left_out.pop("grid")
    for made in (1, 72):
        there = pd.DataFrame({"value": [0.5] * made})
        monkeypatch.setattr("fer_lib.training.search.finished", lambda *words, grid, there=there: there)
        assert machine.gatherer.grid(toy_table) is there
        if made == 1:
            assert machine.gatherer.left_out.pop("grid").startswith("1 of its 72 trainings are there; ")
    assert (machine.gatherer.left_out, machine.trained) == ({}, [])


def test_a_trial_of_the_search_is_a_third_as_long_as_a_training(machine, toy_table, monkeypatch):
    monkeypatch.setattr("fer_lib.training.search.search", lambda *words: words)
    machine.gatherer.profile = replace(PROFILE, max_epochs=60, trials=4)
    base, space, trials, table, _, journal = machine.gatherer.search("six_layer/base", {"decay": (0.9,)}, toy_table)
    assert (base.name, base.seed, base.max_epochs) == ("six_layer/base", SEED, 20)
    assert (space, trials, table is toy_table) == ({"decay": (0.9,)}, 4, True)
    assert journal.name == "toy.journal"


@pytest.fixture
def uncovered(monkeypatch):
    """What notebooks 07 and 08 learn from is the table itself: no face is looked for."""
    monkeypatch.setattr("fer_lib.training.covers.cover_task", lambda name, table, *_: (table, list(BASIC)))


@pytest.mark.parametrize("faces", ["bare", "masked", "both"])
def test_the_strong_network_goes_on_from_its_run_on_bare_faces(machine, toy_table, uncovered, monkeypatch, faces):
    machine.has_gpu(monkeypatch, True)
    (run,) = machine.gatherer.runs(f"masked/strong/{faces}", toy_table)
    (bare, bare_table), (trained, _) = machine.trained
    assert (bare.name, bare.start, bare.seed, bare_table is toy_table) == ("strong/small", "random", SEED, True)
    (found,) = machine.gatherer.runs("strong/small", toy_table)
    assert trained.name == f"masked/strong/{faces}"
    assert trained.start == run.experiment["start"] == found.folder.name
    assert len(machine.trained) == 2  # the run on bare faces was found again


def test_each_seed_of_the_strong_network_goes_on_from_its_own_run(machine, toy_table, uncovered, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    starts = [run.folder.name for run in machine.gatherer.runs("strong/small", toy_table, seeds=2)]
    runs = machine.gatherer.runs("masked/strong/masked", toy_table, seeds=2)
    assert [run.experiment["start"] for run in runs] == starts
    assert starts[0] != starts[1]


def test_without_time_or_a_run_on_bare_faces_the_strong_network_is_left_out(machine, toy_table, uncovered):
    assert machine.gatherer.runs("masked/strong/masked", toy_table) == []
    assert machine.gatherer.left_out == {"masked/strong/masked": TOO_LONG}
    assert machine.trained == []


@pytest.mark.parametrize("name", ["masked/six_layer/masked", "masked/mobilenet_v2/random/bare", "regions/six_layer"])
def test_covers_that_follow_the_face_are_left_out_where_faces_cannot_be_found(machine, toy_table, name, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    monkeypatch.setattr(gather, "find_spec", lambda name: None)
    assert machine.gatherer.runs(name, toy_table) == []
    assert machine.gatherer.left_out == {name: "mediapipe, which finds faces, is not installed here"}
    with pytest.raises(StudyError, match="mediapipe"):
        machine.gatherer.train(name, toy_table, SEED)


@pytest.mark.parametrize("name", ["bars/googlenet/random/eyes", "bars_scratch/none"])
def test_bars_need_opencv_but_no_mediapipe(machine, toy_table, name, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    monkeypatch.setattr(gather, "find_spec", lambda name: None)
    assert machine.gatherer.lack(name, toy_table) == "OpenCV, which covers faces, is not installed here"
    monkeypatch.setattr(gather, "find_spec", lambda name: None if name == "mediapipe" else name)
    machine.gatherer.runs(name, toy_table)
    assert (machine.names, machine.gatherer.left_out) == ([name], {})
    assert machine.trained[0][0].classes == ("anger", "happiness", "neutral")


@pytest.mark.parametrize("lacking", ["anger", "happiness", "neutral"])
@pytest.mark.parametrize("name", ["bars/googlenet/random/eyes", "bars_scratch/none"])
def test_bars_are_left_out_where_one_of_the_three_emotions_is_not_shown(machine, toy_table, name, lacking, monkeypatch):
    machine.has_gpu(monkeypatch, True)
    others = make_table(toy_table[toy_table["label"] != lacking].reset_index(drop=True), "toy")
    assert machine.gatherer.runs(name, others) == []
    assert machine.gatherer.left_out == {name: f"the data show no {lacking}, of which paper 002's task is made"}


@pytest.mark.parametrize(("there", "start"), [(True, "imagenet"), (False, "random")])
def test_a_published_network_starts_at_random_where_imagenets_file_is_not_here(machine, monkeypatch, there, start):
    monkeypatch.setattr(gather, "has_imagenet", lambda network: there and network == "googlenet")
    assert machine.gatherer.start_here("googlenet") == start
    assert machine.gatherer.start_here("mobilenet_v2") == "random"
