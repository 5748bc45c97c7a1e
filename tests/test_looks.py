from copy import copy, deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from joblib import parallel_config
from safetensors.torch import save_file
from scipy.integrate import trapezoid
from torch import nn

from fer_lib import looks as looks_of
from fer_lib import sanity_checks
from fer_lib.data.table import load_pictures
from fer_lib.errors import StudyError
from fer_lib.explain.claims import ENOUGH
from fer_lib.explain.methods import GAUSSIAN, IN_PLACE, RANDOM, fitting
from fer_lib.explain.planted import expression_change
from fer_lib.explain.regions import OUTSIDE, PLACES, emotion_regions
from fer_lib.looks import EXPLAINED, PIXELS, READ, RESIDUAL, SIX_LAYER, TESTED, Looks
from fer_lib.models.networks import get_network
from fer_lib.study import open_study
from fer_lib.training.experiment import Experiment
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")
FEW = 4  # pictures that are put to the test
PATCH = slice(4, 14), slice(30, 42)  # rows and columns that `PatchReader` reads


@pytest.fixture(scope="module")
def one_process():
    """Starting further processes takes longer than all pictures here."""
    with parallel_config("sequential"):
        yield


class PatchReader(nn.Module):
    """Its first class is the brightness of one patch, the second its darkness; no other pixel counts."""

    def __init__(self, classes: int):
        super().__init__()
        self.strength, self.rest = nn.Parameter(torch.tensor(4.0)), classes - 2

    def forward(self, pictures):
        read = pictures[:, :, PATCH[0], PATCH[1]].mean((1, 2, 3)) * self.strength
        return torch.cat([torch.stack([read, -read], 1), torch.full((len(read), self.rest), -20.0)], 1)


def untrained(network: str, classes: list[str], rows) -> nn.Module:
    """A network that has learnt nothing, but names different emotions: its last layer's bias is that of its pictures.

    Without it, one emotion would be named in all pictures.
    """
    torch.manual_seed(3)
    made = get_network(network).make(len(classes), 48).eval()
    last = [layer for layer in made.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.bias -= made(seen(rows)).mean(0)
    return made


def seen(rows) -> torch.Tensor:
    """What a network is given of pictures, by hand."""
    return torch.from_numpy(load_pictures(rows)[:, None].astype(np.float32)) / 127.5 - 1


def run_of(name: str) -> SimpleNamespace:
    return SimpleNamespace(folder=Path(name.replace("/", "-")), experiment={"name": name})


@pytest.fixture(scope="module")
def looks(drawn_people, tmp_path_factory, one_thread, one_process):
    """Both networks, untrained; drawn people, most of whom are tested, one of whom cannot be used."""
    table = drawn_people.copy()
    table.attrs = dict(drawn_people.attrs)
    moved = table["subject"].isin(table["subject"][table["split"] == "train"].unique()[1:])
    table.loc[moved, "split"] = "test"
    table.loc[table.index[table["split"] == "test"][2], "problem"] = "for the sake of the test"
    study = open_study("09_interpretability", "synthetic", "smoke", runs=tmp_path_factory.mktemp("runs"))
    study.profile = replace(study.profile, explained=FEW)
    found = Looks(study, table, Trainings(study, table))
    for name, network in ((SIX_LAYER, "six_layer"), (RESIDUAL, "face_resnet_small")):
        wanted = Experiment(EXPLAINED[name][0], network, classes=tuple(found.classes), precision="32-true")
        found._networks[name] = wanted, untrained(network, found.classes, found.rows)
        found.runs[name] = run_of(wanted.name)
    return found


@pytest.fixture
def other(looks):
    """The same, of which a test can change what it likes."""
    return again(looks)


def again(looks, **changed) -> Looks:
    made = copy(looks)
    fresh = {name: dict(getattr(looks, name)) for name in ("runs", "curves", "_networks", "_said", "_pictures")}
    made.__dict__ |= fresh | changed
    return made


def with_reader(looks) -> Looks:
    """The six-layer network gives way to one that reads one patch, in pictures of noise."""
    rng = np.random.default_rng(0)
    noise = rng.integers(60, 190, (len(looks.rows), 1, 48, 48), np.uint8)
    for picture, change in zip(noise, rng.choice([-55, 60], len(noise)), strict=True):
        picture[:, PATCH[0], PATCH[1]] += np.uint8(change % 256)
    made = again(looks, _said={}, _pictures={48: torch.from_numpy(noise)}, runs={SIX_LAYER: run_of("one patch")})
    experiment, _ = looks.network(SIX_LAYER)
    made._networks = {SIX_LAYER: (experiment, PatchReader(len(looks.classes)))}
    return made


def test_a_network_that_stands_in_is_there_but_not_judged(other):
    base, stand_in = run_of(EXPLAINED[SIX_LAYER][0]), run_of(EXPLAINED[RESIDUAL][1])
    there = {run.experiment["name"]: [run, run_of("of another seed")] for run in (base, stand_in)}
    other.trainings, other.runs = SimpleNamespace(runs=lambda name: there.get(name, [])), {}
    other.gather()
    assert other.runs == {SIX_LAYER: base, RESIDUAL: stand_in}
    assert other.judged == [SIX_LAYER]
    kept = {item["experiment"] for item in other.study.page if item["kind"] == "run"}
    assert kept == {base.experiment["name"], stand_in.experiment["name"]}


def test_a_network_as_it_is_meant_goes_before_what_stands_in_and_both_are_judged(other):
    other.trainings, other.runs = SimpleNamespace(runs=lambda name: [run_of(name)]), {}
    other.gather()
    assert [run.experiment["name"] for run in other.runs.values()] == [names[0] for names in EXPLAINED.values()]
    assert other.judged == [SIX_LAYER, RESIDUAL]


def test_without_any_network_the_error_tells_which_to_train(other):
    other.trainings, other.runs = SimpleNamespace(runs=lambda name: []), {}
    with pytest.raises(StudyError, match=r"train six_layer/base with `python -m fer_lib train`"):
        other.gather()


def test_the_rows_are_the_usable_test_rows_and_their_reading_is_written_down(looks):
    known = looks.table[(looks.table["split"] == "test") & looks.table["problem"].isna()]
    assert looks.rows["id"].tolist() == known["id"].tolist()
    [log] = looks.study.folder.glob("*readings*.csv")
    assert "notebook 09_interpretability" in log.read_text(encoding="utf-8")


def test_pictures_read_and_put_to_the_test_are_drawn_without_repetition_and_the_same_for_the_same_seed(looks):
    n = len(looks.rows)
    for chosen, size in ((looks.read, READ * FEW), (looks.some, FEW)):
        assert len(set(chosen.tolist())) == len(chosen) == size
        assert set(chosen.tolist()) < set(range(n))
    assert set(looks.some.tolist()) <= set(looks.read.tolist())
    same = Looks(replace(looks.study), looks.table, looks.trainings)
    assert (same.read.tolist(), same.some.tolist()) == (looks.read.tolist(), looks.some.tolist())
    others = [
        Looks(replace(looks.study, seed=seed), looks.table, looks.trainings).some.tolist() for seed in range(1, 9)
    ]
    assert len({tuple(chosen) for chosen in others}) > 1


def test_of_a_large_test_split_more_than_the_profile_says_are_put_to_the_test(looks):
    large = again(looks, rows=looks.rows.sample(TESTED * 9, replace=True, random_state=0))
    for name in ("read", "some"):
        large.__dict__.pop(name, None)
    assert (len(large.some), len(large.read)) == (9, 9 * READ)


def test_all_pictures_are_read_where_there_are_fewer_than_asked(looks):
    study = replace(looks.study, profile=replace(looks.study.profile, explained=1000))
    every = Looks(study, looks.table, looks.trainings)
    assert every.read.tolist() == every.some.tolist() == list(range(len(looks.rows)))


@pytest.mark.parametrize("name", [SIX_LAYER, RESIDUAL])
def test_a_network_says_of_the_test_pictures_what_it_makes_of_them_by_hand(looks, name):
    with torch.no_grad():
        chances = looks.network(name)[1](seen(looks.rows)).softmax(1).numpy()
    assert looks.said(name)["id"].tolist() == looks.rows["id"].tolist()
    assert looks.said(name)[looks.classes].to_numpy() == pytest.approx(chances, abs=1e-4)
    assert looks.named(name).tolist() == [looks.classes[k] for k in chances.argmax(1)]
    assert len(set(looks.named(name))) > 2


def test_heat_is_asked_for_the_class_that_the_network_names_in_each_picture(looks, monkeypatch):
    asked = []
    monkeypatch.setattr(looks_of, "kept_heat", lambda *told: asked.append(told))
    looks.heat(SIX_LAYER, "saliency", looks.some)
    looks.heat(SIX_LAYER)
    for (_, key, method, network, pictures, targets), (way, chosen) in zip(
        asked, (("saliency", looks.some), ("Grad-CAM", looks.read)), strict=True
    ):
        assert (key, method, network) == ("six_layer-base", way, looks.network(SIX_LAYER)[1])
        assert np.array_equal(pictures[:, 0], load_pictures(looks.rows.iloc[chosen]))
        assert [looks.classes[k] for k in targets] == looks.named(SIX_LAYER)[chosen].tolist()


def test_heat_is_computed_once_for_each_network(looks, monkeypatch):
    before = {name: looks.heat(name, "saliency", looks.some) for name in looks.runs}
    assert not np.allclose(before[SIX_LAYER], before[RESIDUAL])
    monkeypatch.setattr("fer_lib.explain.methods.heat", lambda *_: pytest.fail("computed again"))
    for name, found in before.items():
        assert np.array_equal(again(looks).heat(name, "saliency", looks.some), found)


def test_each_network_is_read_by_grad_cam_in_place_where_its_maps_do_not_reach_the_edges_and_by_its_pixels(looks):
    assert looks.ways(SIX_LAYER) == ["Grad-CAM", IN_PLACE, PIXELS]
    assert looks.ways(RESIDUAL) == ["Grad-CAM", PIXELS]


@pytest.fixture
def one_unmeshed(other):
    """In the third picture that is read, no mesh was found."""
    lost = other.rows["id"].iloc[other.read[2]]
    faces = other._faces.copy()
    faces.at[lost, "landmarks"] = None
    for name in ("meshed", "places", "expected", "facs"):
        other.__dict__.pop(name, None)
    other.__dict__["_faces"] = faces
    return other


def test_pictures_without_a_mesh_have_no_shares(one_unmeshed):
    shares = one_unmeshed.shares(SIX_LAYER, PIXELS)
    unknown = shares.isna().all(axis=1).to_numpy()
    assert unknown.tolist() == (~one_unmeshed.meshed[one_unmeshed.read]).tolist()
    assert unknown[2]
    assert shares[~unknown].notna().all(axis=None)


def test_pictures_without_a_mesh_show_their_emotion_nowhere(one_unmeshed):
    assert not one_unmeshed.facs[one_unmeshed.read[2]].any()
    for truth, places, emotion in zip(one_unmeshed.facs, one_unmeshed.places, one_unmeshed.rows["label"], strict=True):
        inside = {PLACES[k] for k in np.unique(places[truth])}
        assert inside <= set(emotion_regions(emotion))
    assert one_unmeshed.facs.any((1, 2)).sum() > len(one_unmeshed.rows) / 2


def test_shares_are_the_parts_of_each_pictures_heat_in_its_own_places(looks):
    shares, heats = looks.shares(SIX_LAYER, PIXELS), looks.heat(SIX_LAYER, PIXELS)
    for k, at in enumerate(looks.read):
        by_hand = [heats[k][looks.places[at] == number].sum() / heats[k].sum() for number in range(len(PLACES))]
        assert shares.iloc[k].to_numpy() == pytest.approx(by_hand, nan_ok=True)


def test_places_are_those_of_the_pictures_own_faces(looks):
    """Faces fill most of their boxes, and eyes lie above mouths."""
    heights = np.arange(48)[:, None]
    for places in looks.places[looks.meshed]:
        down = [
            np.broadcast_to(heights, places.shape)[places == PLACES.index(name)].mean() for name in ("eyes", "mouth")
        ]
        assert down[0] < down[1]
        assert (places == PLACES.index(OUTSIDE)).mean() < 0.7


def test_what_is_expected_is_the_share_of_a_bell_in_the_middle_of_the_picture(looks):
    away = (np.arange(48) - 23.5) / 47 / 0.25
    bell = np.exp(-(away[:, None] ** 2 + away**2) / 2)
    for k, at in enumerate(looks.read):
        by_hand = [bell[looks.places[at] == number].sum() / bell.sum() for number in range(len(PLACES))]
        assert looks.expected.iloc[k].to_numpy() == pytest.approx(by_hand, abs=1e-5)


def naming(looks, rng, **counts) -> Looks:
    """The same, whose network names emotions as often in the pictures that are read; in all others, the first."""
    said = np.full(len(looks.rows), next(iter(counts)), object)
    said[looks.read] = rng.permutation(np.repeat(list(counts), list(counts.values())))
    looks.named = lambda name: said
    return looks


def test_mean_maps_are_means_over_the_pictures_in_which_an_emotion_is_named_often_enough(other, rng):
    other.__dict__["read"] = np.arange(3 * ENOUGH)
    other.__dict__["meshed"] = np.ones(len(other.rows), bool)
    naming(other, rng, fear=ENOUGH, surprise=ENOUGH - 1, anger=ENOUGH + 1)
    often = [emotion for emotion in other.classes if emotion in ("fear", "anger")]
    backs, means = other.mean_maps(SIX_LAYER)
    named, shown = other.named(SIX_LAYER)[other.read], load_pictures(other.rows.iloc[other.read]).astype(float)
    assert list(means) == other.ways(SIX_LAYER)
    for method, of in means.items():
        heats = other.heat(SIX_LAYER, method)
        assert heats.max() > 0
        assert list(of) == list(backs) == [f"{emotion}, N {(named == emotion).sum()}" for emotion in often]
        for emotion, told in zip(often, backs, strict=True):
            assert np.allclose(backs[told], np.mean(shown[named == emotion], 0))
            assert np.allclose(of[told], np.mean(heats[named == emotion], 0), atol=1e-6)


def test_pictures_without_a_mesh_are_in_no_mean(other, rng):
    other.__dict__["read"] = np.arange(2 * ENOUGH)
    other.__dict__["meshed"] = np.arange(len(other.rows)) != 3
    naming(other, rng, fear=2 * ENOUGH)
    assert list(other.mean_maps(SIX_LAYER)[0]) == [f"fear, N {2 * ENOUGH - 1}"]


def test_where_no_emotion_is_named_often_enough_all_pictures_are_one_mean(other, rng):
    counts = np.bincount(np.arange(len(other.read)) % len(other.classes))
    assert counts.max() < ENOUGH
    naming(other, rng, **dict(zip(other.classes, counts, strict=True)))
    backs, means = other.mean_maps(SIX_LAYER)
    everyone = f"all, N {len(other.read)}"
    assert list(backs) == [everyone]
    assert {tuple(maps) for maps in means.values()} == {(everyone,)}
    assert backs[everyone] == pytest.approx(other.pictures(SIX_LAYER)[other.read, 0].numpy().mean(0))


def test_titles_of_cases_go_with_their_pictures_and_maps(looks):
    which = np.array([7, 2, 5])
    pictures, heats = looks.cases(SIX_LAYER, which, ("saliency", PIXELS))
    chances, shown = looks.said(SIX_LAYER)[looks.classes].to_numpy(), load_pictures(looks.rows)
    assert list(heats) == ["saliency", PIXELS]
    for k, (title, at) in enumerate(zip(pictures, which, strict=True), 1):
        said = looks.classes[chances[at].argmax()]
        assert title == f"{k}: {looks.rows['label'].iloc[at]},\nsaid {said}, {round(100 * chances[at].max())}%"
        assert np.array_equal(pictures[title], shown[at])
        for way, maps in heats.items():
            assert list(maps) == list(pictures)
            assert np.allclose(maps[title], looks.heat(SIX_LAYER, way, np.array([at]))[0], atol=1e-2)


def test_every_fitting_method_and_both_controls_are_put_to_the_test(other, monkeypatch):
    monkeypatch.setattr(looks_of.faithfulness, "road", lambda network, shown, targets, heats: heats[:, :4, 0] + 1.0)
    found = other.faithfulness(SIX_LAYER)
    asked = [*fitting(other.network(SIX_LAYER)[1]), GAUSSIAN, RANDOM]
    assert "occlusion" in asked
    assert {score: list(values) for score, values in found.items()} == dict.fromkeys(looks_of.SCORES, asked)
    assert {len(values) for values in found.values()} == {FEW}
    for method in asked:
        assert found["ROAD"][method].tolist() == pytest.approx(
            1 + other.heat(SIX_LAYER, method, other.some)[:, :4, 0].mean(1)
        )
        curves = other.curves[SIX_LAYER, method]
        below = trapezoid(curves, np.linspace(0, 1, curves.shape[1]), axis=1)
        assert found["deletion"][method].tolist() == pytest.approx((1 - below).tolist())
        first = other.said(SIX_LAYER)[other.classes].max(axis=1).to_numpy()[other.some]
        assert curves[:, 0] == pytest.approx(first, abs=0.02)  # in half precision here


@pytest.fixture(scope="module")
def reader(looks):
    return with_reader(looks)


@pytest.fixture(scope="module")
def faithful(reader):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks_of, "fitting", lambda network: [PIXELS])
        return reader.faithfulness(SIX_LAYER)


@pytest.mark.parametrize("score", looks_of.SCORES)
def test_of_a_network_that_reads_one_patch_integrated_gradients_are_truer_than_a_bell_in_the_middle(faithful, score):
    assert (faithful[score][PIXELS] > faithful[score][GAUSSIAN]).all()
    assert faithful[score][PIXELS].mean() > faithful[score][RANDOM].mean()


def test_all_heat_of_integrated_gradients_lies_in_the_patch_that_is_read(reader, faithful):
    heats = reader.heat(SIX_LAYER, PIXELS, reader.some)
    assert heats[:, *PATCH].sum() == pytest.approx(heats.sum())
    assert heats.sum((1, 2)).min() > 0
    assert set(reader.named(SIX_LAYER)) == set(reader.classes[:2])


def test_deletion_curves_are_means_over_pictures_once_for_each_method(reader, faithful):
    frame = reader.deletion_curves(SIX_LAYER, [PIXELS, GAUSSIAN, PIXELS])
    assert frame["name"].drop_duplicates().tolist() == [PIXELS, GAUSSIAN]
    for method, part in frame.groupby("name"):
        curves = reader.curves[SIX_LAYER, method]
        assert part["x"].tolist() == pytest.approx(np.linspace(0, 100, curves.shape[1]))
        assert part["value"].tolist() == pytest.approx(curves.mean(0))
        assert ((part["low"] <= part["value"] + 1e-9) & (part["value"] <= part["high"] + 1e-9)).all()


def test_a_networks_maps_are_wholly_like_its_own(other, monkeypatch):
    _, network = other.network(RESIDUAL)
    monkeypatch.setattr(sanity_checks, "_untaught", lambda experiment, pictures: network)
    found = sanity_checks.against_nothing(other, RESIDUAL)
    assert list(found) == ["random weights"]
    assert list(found.index) == [method for method in fitting(network) if method != "occlusion"]
    heated = {method: np.ptp(other.heat(RESIDUAL, method, other.some), (1, 2)).any() for method in found.index}
    values = [(one.value, one.low, one.high) for one in found["random weights"]]
    expected = [[1.0 if heated[method] else np.nan] * 3 for method in found.index]
    assert np.array(values) == pytest.approx(np.array(expected), abs=1e-3, nan_ok=True)
    assert sum(heated.values()) > 3


def with_dealt(other) -> SimpleNamespace:
    """The first of two runs that were taught labels dealt at random, which are all that were trained."""
    runs = [run_of("six_layer/random_labels"), run_of("of another seed")]
    other.trainings = SimpleNamespace(runs=lambda name: runs if name == sanity_checks.RANDOM_LABELS else [])
    return runs[0]


def test_the_network_that_was_taught_labels_dealt_at_random_is_the_first_of_its_runs(looks):
    other = again(looks, trainings=SimpleNamespace(runs=lambda name: []))
    assert sanity_checks.random_labels_run(other) is None
    other = again(looks)
    assert with_dealt(other) is sanity_checks.random_labels_run(other)


def test_chance_is_the_share_of_the_largest_class_of_usable_train_pictures(other):
    usable = other.table[(other.table["split"] == "train") & other.table["problem"].isna()]
    labels = [*["fear"] * 3, *["anger"] * 2, *["happiness"] * (len(usable) - 5)]
    table = other.table.copy()
    table.loc[usable.index, "label"] = labels
    assert sanity_checks.share_of_largest_class(again(other, table=table)) == max(3, len(usable) - 5) / len(usable)
    table.loc[usable.index[5:], "problem"] = "for the sake of the test"
    assert sanity_checks.share_of_largest_class(again(other, table=table)) == 3 / 5


@pytest.mark.parametrize("most", [3, 512])
def test_networks_with_random_weights_are_settled_on_the_first_train_pictures(other, monkeypatch, most):
    given = []

    def untaught(experiment, pictures):
        given.append(pictures)
        return other.network(SIX_LAYER)[1]

    monkeypatch.setattr(sanity_checks, "SETTLING", most)
    monkeypatch.setattr(sanity_checks, "_untaught", untaught)
    monkeypatch.setattr(sanity_checks, "fitting", lambda network: ["saliency"])
    other.trainings = SimpleNamespace(runs=lambda name: [])
    assert list(sanity_checks.against_nothing(other, SIX_LAYER)) == ["random weights"]
    train = other.table[(other.table["split"] == "train") & other.table["problem"].isna()]
    assert np.array_equal(given[0][:, 0], load_pictures(train.reset_index(drop=True))[:most])


def test_a_network_whose_maps_have_no_heat_is_like_nothing(other, monkeypatch):
    silent = deepcopy(other.network(SIX_LAYER)[1])
    last = [layer for layer in silent.modules() if isinstance(layer, nn.Linear)][-1]
    nn.init.zeros_(last.weight)
    monkeypatch.setattr(sanity_checks, "_untaught", lambda experiment, pictures: silent)
    monkeypatch.setattr(sanity_checks, "fitting", lambda network: ["saliency"])
    other.trainings = SimpleNamespace(runs=lambda name: [])
    found = sanity_checks.against_nothing(other, SIX_LAYER).loc["saliency", "random weights"]
    assert np.isnan([found.value, found.low, found.high]).all()


def test_the_six_layer_network_is_also_held_against_one_that_learnt_random_labels(other, monkeypatch):
    _, network = other.network(SIX_LAYER)
    blank = with_dealt(other)
    monkeypatch.setattr(sanity_checks, "whole_network", lambda run, *_: (None, {blank.folder: network}[run.folder]))
    monkeypatch.setattr(sanity_checks, "fitting", lambda network: ["saliency", "occlusion"])
    found = sanity_checks.against_nothing(other, SIX_LAYER)
    assert list(found) == ["random weights", "random labels"]
    assert found.loc["saliency", "random labels"].value == pytest.approx(1, abs=1e-3)
    assert found.loc["saliency", "random weights"].high < 0.9
    assert blank.folder.name in {item.get("name") for item in other.study.page}


def fresh(looks, name) -> tuple[Experiment, nn.Module, torch.Tensor]:
    """An experiment, its network as it starts, and pictures."""
    experiment, _ = looks.network(name)
    torch.manual_seed(experiment.seed)
    return experiment, get_network(experiment.network).make(len(experiment.classes), 48), looks.pictures(name)[:7]


def norms(network) -> list[nn.BatchNorm2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]


@pytest.mark.parametrize("name", [SIX_LAYER, RESIDUAL])
def test_the_untaught_network_has_the_weights_of_the_experiment_before_it_learnt(looks, name):
    experiment, start, pictures = fresh(looks, name)
    untaught = sanity_checks._untaught(experiment, pictures)
    assert not any(layer.training for layer in untaught.modules())
    weights = dict(untaught.named_parameters())
    assert all(torch.equal(weights.pop(key), value) for key, value in start.named_parameters())
    assert not weights


@pytest.mark.parametrize("name", [SIX_LAYER, RESIDUAL])
def test_the_batch_norms_of_the_untaught_network_have_the_moments_of_the_pictures(looks, name):
    experiment, start, pictures = fresh(looks, name)
    reached = []
    norms(start)[0].register_forward_hook(lambda layer, given, made: reached.append(given[0]))
    with torch.no_grad():
        start(seen(looks.rows.iloc[:7]))
    settled = norms(sanity_checks._untaught(experiment, pictures))
    assert torch.allclose(settled[0].running_mean, reached[0].mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(settled[0].running_var, reached[0].var((0, 2, 3)), rtol=1e-3)
    assert not any((layer.running_var == 1).all() for layer in settled)


def test_batches_of_pictures_count_alike_in_the_untaught_network(looks, monkeypatch):
    experiment, _, pictures = fresh(looks, SIX_LAYER)
    together = norms(sanity_checks._untaught(experiment, pictures[:6]))[0].running_mean
    monkeypatch.setattr(sanity_checks, "BATCH", 2)
    apart = norms(sanity_checks._untaught(experiment, pictures[:6]))[0].running_mean
    assert torch.allclose(together, apart, atol=1e-5)


def test_the_untaught_network_is_the_same_each_time(looks):
    experiment, _, pictures = fresh(looks, SIX_LAYER)
    once, again_ = (sanity_checks._untaught(experiment, pictures).state_dict() for _ in range(2))
    assert all(torch.equal(value, again_[key]) for key, value in once.items())


@pytest.mark.parametrize("name", [SIX_LAYER, RESIDUAL])
def test_signals_do_not_fade_in_the_untaught_network_as_in_a_fresh_one(looks, name):
    experiment, start, pictures = fresh(looks, name)
    with torch.no_grad():
        spread, faded = (
            network(seen(looks.rows.iloc[:7])).std(0).mean()
            for network in (sanity_checks._untaught(experiment, pictures), start.eval())
        )
    assert spread > 3 * faded


def test_of_photographs_nobody_knows_what_an_expression_changes(looks):
    photographs = again(looks, study=replace(looks.study, dataset="fer2013"))
    photographs.__dict__.pop("changed", None)
    assert photographs.changed is None


def test_in_drawn_people_half_of_all_change_lies_where_pictures_are_changed_most(looks):
    rows = looks.rows.iloc[looks.some]
    changes = expression_change(rows, len(looks.table), 0)
    assert looks.changed.shape == (FEW, 48, 48)
    for change, chosen in zip(changes, looks.changed, strict=True):
        assert chosen.any() == change.any()
        if change.any():
            assert change[chosen].min() >= change[~chosen].max()
            assert 0.5 <= change[chosen].sum() / change.sum() < 0.6


def test_names_of_files_hold_neither_spaces_nor_hyphens(looks):
    assert looks.stem("six-layer CNN", "Grad-CAM in place") == "six_layer_cnn_grad_cam_in_place"


def test_a_run_in_the_store_is_loaded_as_the_network_that_it_was(looks, tmp_path):
    experiment, network = looks.network(SIX_LAYER)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, tmp_path / "weights.safetensors")
    fresh = again(looks, _networks={}, _said={})
    settings = {name: list(v) if isinstance(v, tuple) else v for name, v in vars(experiment).items()}
    fresh.runs = {SIX_LAYER: SimpleNamespace(folder=tmp_path, experiment=settings)}
    assert fresh.network(SIX_LAYER)[0] == experiment
    assert fresh.said(SIX_LAYER).equals(looks.said(SIX_LAYER))
