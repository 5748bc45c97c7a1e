import re
from dataclasses import replace
from functools import cache

import pytest

from fer_lib import files
from fer_lib.emotions import BASIC, EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.models.networks import get_network
from fer_lib.profiles import PROFILES, get_profile
from fer_lib.training.catalogue import CATALOGUE, UNMASKED, experiment, matching
from fer_lib.training.experiment import SCHEDULES
from fer_lib.training.inputs import REST
from fer_lib.training.losses import LOSSES

# The ids of the study's result table, which stay.
DESIGNED = (
    *(f"six_layer/{name}" for name in ("base", "augmented", "balanced", "balanced_augmented")),
    *(f"gimefive/{name}" for name in ("10", "13_bn", "15_bn", "16_bn_se", "17_bn")),
    "strong/single",
)
TRANSFER = r"transfer/(mobilenet_v2|googlenet|vgg11|resnet18|resnet50|face_resnet_small)/(random|imagenet|drawn)/"


def test_the_designed_experiments_are_there():
    assert set(DESIGNED) <= set(CATALOGUE)


def test_names_are_lower_case_words_between_slashes():
    assert [name for name in CATALOGUE if not re.fullmatch(r"[a-z0-9_]+(/[a-z0-9_]+)+", name)] == []


def test_transfer_is_named_by_network_start_and_trained_part():
    names = [name for name in CATALOGUE if name.startswith("transfer/")]
    assert [name for name in names if not re.fullmatch(TRANSFER + "(frozen|head|full)", name)] == []
    assert len(names) == 5 * 3 * 3 + 3
    for name in names:
        _, network, start, part = name.split("/")
        made = experiment(name, get_profile("full"), BASIC, 0)
        assert made.network.startswith(network)
        assert (made.start, made.frozen) == (start, part != "full")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_name_makes_an_experiment_of_its_name_and_seed_in_every_profile(profile):
    for name in CATALOGUE:
        made = experiment(name, get_profile(profile), BASIC, 3)
        assert (made.name, made.seed) == (name, 3)
        assert made.classes == BASIC or name.startswith("one_against_rest/")
        assert made.max_epochs >= 1
        assert made.patience >= 1
        assert made.schedule in SCHEDULES
        assert made.loss in LOSSES


def test_the_program_behind_every_experiment_is_found(monkeypatch):
    """Each program is read once here, although many experiments use it."""
    monkeypatch.setattr(files, "_program", cache(files._program))
    hashes = {name: experiment(name, get_profile("smoke"), BASIC, 0).code() for name in CATALOGUE}
    assert all(re.fullmatch("[0-9a-f]{16}", value) for value in hashes.values())
    assert hashes["six_layer/base"] != hashes["strong/small"]


def test_the_base_experiment_is_the_default_of_every_setting():
    from fer_lib.training.experiment import Experiment

    profile = get_profile("full")
    limits = {"max_epochs": profile.max_epochs, "patience": profile.patience}
    assert experiment("six_layer/base", profile, BASIC, 0) == Experiment("six_layer/base", **limits)


@pytest.mark.parametrize("name", EMOTIONS)
def test_one_against_rest_has_two_classes_equally_often(name):
    made = experiment(f"one_against_rest/{name}", get_profile("full"), BASIC, 0)
    assert (made.classes, made.balance) == ((name, REST), "batches")


@pytest.mark.parametrize("profile", PROFILES)
def test_safers_streams_learn_faces_in_grey_and_scenes_in_colour_at_one_size(profile):
    profile = get_profile(profile)
    made = {name: experiment(name, profile, BASIC, 0) for name in CATALOGUE if name.startswith("safer/")}
    seen = {name.removeprefix("safer/"): get_network(one.network).channels for name, one in made.items()}
    resnets = dict.fromkeys(("resnet50/random/frozen", "resnet50/imagenet/frozen"), 1)
    assert seen == {"deep": 1, "background": 3, "background_redealt": 3, "place": 3, **resnets}
    assert {one.size for one in made.values()} == {profile.stream_size}
    assert {one.start for one in made.values() if one.frozen} == {"random", "imagenet"}
    plain = {(one.augmentation, one.max_epochs) for one in made.values() if not one.frozen}
    assert plain == {("paper000", profile.stream_epochs)}


def test_a_pattern_names_experiments_in_the_catalogues_order():
    names = matching(["strong/single", "six_layer/ba*"])
    assert names == ["six_layer/base", "six_layer/balanced", "six_layer/balanced_augmented", "strong/single"]


@pytest.mark.parametrize(
    "ask", [lambda name: experiment(name, get_profile("smoke"), BASIC, 0), lambda n: matching([n])]
)
def test_an_unknown_experiment_is_refused_with_the_known_ones(ask):
    with pytest.raises(StudyError, match="experiment 'vgg' is unknown; use one of six_layer/base, six_layer/augmented"):
        ask("vgg")


MASKED = [f"masked/{name}" for name in ("six_layer", "strong", "mobilenet_v2/random", "mobilenet_v2/imagenet")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", [name for name in MASKED if name != "masked/strong"])
def test_both_kinds_of_faces_are_twice_the_pictures_and_get_half_the_epochs(name, profile):
    masked, both = (experiment(f"{name}/{faces}", get_profile(profile), BASIC, 0) for faces in ("masked", "both"))
    assert both.max_epochs == max(1, masked.max_epochs // 2)
    assert replace(both, name=masked.name, max_epochs=masked.max_epochs) == masked


@pytest.mark.parametrize("profile", PROFILES)
def test_what_goes_on_from_bare_faces_gets_all_epochs_for_both_kinds(profile):
    masked, both = (
        experiment(f"masked/strong/{faces}", get_profile(profile), BASIC, 0) for faces in ("masked", "both")
    )
    assert replace(both, name=masked.name) == masked


def test_every_masked_network_is_taught_bare_faces_too_but_that_of_notebook_04():
    taught = [f"{name}/{faces}" for name in MASKED for faces in ("bare", "masked", "both")]
    assert {name for name in CATALOGUE if name.startswith("masked/")} == set(taught) - {"masked/six_layer/bare"}


@pytest.mark.parametrize("name", MASKED[1:])
def test_bare_and_masked_faces_are_taught_alike(name):
    bare, masked = (experiment(f"{name}/{faces}", get_profile("full"), BASIC, 0) for faces in ("bare", "masked"))
    assert replace(bare, name=masked.name) == masked


@pytest.mark.parametrize("profile", PROFILES)
def test_the_strong_network_goes_on_from_bare_faces_more_slowly_and_for_a_shorter_time(profile):
    bare, masked = (
        experiment(name, get_profile(profile), BASIC, 0) for name in ("strong/small", "masked/strong/masked")
    )
    assert masked.start == UNMASKED
    assert (masked.network, masked.size) == (bare.network, bare.size)
    assert masked.learning_rate == pytest.approx(bare.learning_rate / 10)
    assert masked.max_epochs == min(10, bare.max_epochs // 2)


@pytest.mark.parametrize("part", ["none", "eyes", "nose", "mouth"])
@pytest.mark.parametrize("start", ["random", "imagenet"])
def test_paper_002s_network_is_frozen_and_one_layer_is_trained(part, start):
    made = experiment(f"bars/googlenet/{start}/{part}", get_profile("full"), ("anger", "happiness", "neutral"), 0)
    assert (made.network, made.start, made.frozen) == ("googlenet_linear", start, True)
