import shutil
from dataclasses import replace
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import BatchNorm2d

from fer_lib.errors import StudyError
from fer_lib.models.face_resnet import FACE_RESNETS
from fer_lib.runs import RunStore
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import fit
from fer_lib.training.starts import body_features, new_network, settle

SMALL = Experiment("small", "face_resnet_small")
LINEAR = Experiment("linear", "resnet18_linear", frozen=True, size=32, max_epochs=2, learning_rate=0.01)
CPU = torch.device("cpu")


@pytest.fixture
def pictures():
    return torch.randint(0, 256, (5, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store in which `earlier` has learnt something else, so that all its weights are its own."""
    root = tmp_path_factory.mktemp("store")
    (root / "earlier").mkdir()
    torch.manual_seed(99)
    save_file(FACE_RESNETS["face_resnet_small"](7).state_dict(), root / "earlier" / "weights.safetensors")
    return root


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_the_same_seed_draws_the_same_network_and_another_seed_another(tmp_path):
    torch.manual_seed(5)
    first = new_network(SMALL, tmp_path)
    torch.manual_seed(6)
    assert same(new_network(SMALL, tmp_path), first)
    assert not same(new_network(replace(SMALL, seed=1), tmp_path), first)


def test_a_run_gives_its_body_and_the_head_stays_as_it_was_drawn(store):
    network, drawn = new_network(replace(SMALL, start="earlier"), store), new_network(SMALL, store)
    earlier = load_file(store / "earlier" / "weights.safetensors")
    assert all(torch.equal(value, earlier["body." + name]) for name, value in network.body.state_dict().items())
    assert same(network.head, drawn.head)
    assert not torch.equal(network.head[1].weight, earlier["head.1.weight"])


def test_the_run_may_have_had_other_classes(store):
    network = new_network(replace(SMALL, start="earlier", classes=("anger", "rest")), store)
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 2)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"start": "gone"}, r"experiment small: .*gone/weights\.safetensors to start from is missing; train that run"),
        ({"start": "earlier", "network": "face_resnet"}, r"weights\.safetensors does not fit 'face_resnet'"),
        ({"start": "earlier", "network": "six_layer"}, r"weights\.safetensors does not fit 'six_layer'"),
        ({"start": "imagenet"}, "experiment small: no ImageNet weights exist for 'face_resnet_small'"),
        ({"network": "six_layer", "frozen": True}, "experiment small: 'six_layer' has no body to freeze"),
    ],
)
def test_a_start_that_cannot_be_had_is_one_sentence(store, settings, sentence):
    with pytest.raises(StudyError, match=sentence):
        new_network(replace(SMALL, **settings), store)


def test_imagenet_without_its_weights_is_an_error_and_no_random_start(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise URLError("no network here")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(StudyError, match=r"resnet18-.*\.pth, the ImageNet weights of resnet18, is not cached"):
        new_network(replace(LINEAR, start="imagenet"), tmp_path)


@torch.no_grad()
def test_features_are_what_the_body_itself_makes_of_the_pictures(pictures, tmp_path):
    network = new_network(SMALL, tmp_path)
    found = body_features(SMALL, network, pictures, tmp_path, CPU)
    own = network.body.eval()(pictures / 127.5 - 1)
    assert found.dtype == torch.float32
    assert torch.allclose(found, own, rtol=0.05, atol=0.02 * own.abs().max().item())  # of bfloat16's 8 bits


def test_features_are_made_once_and_again_for_other_weights_pictures_or_program(pictures, tmp_path, monkeypatch):
    network, calls = new_network(SMALL, tmp_path), []
    network.body.register_forward_hook(lambda *_: calls.append(1))
    first = body_features(SMALL, network, pictures, tmp_path, CPU)
    assert torch.equal(body_features(SMALL, network, pictures, tmp_path, CPU), first)
    assert len(calls) == 1
    body_features(SMALL, network, 255 - pictures, tmp_path, CPU)
    assert len(calls) == 2
    with torch.no_grad():
        network.body[0].weight[0, 0, 0, 0] += 1
    assert not torch.equal(body_features(SMALL, network, pictures, tmp_path, CPU), first)
    assert len(calls) == 3
    monkeypatch.setattr("fer_lib.training.starts.code_version", lambda *_: "another program")
    body_features(SMALL, network, pictures, tmp_path, CPU)
    assert len(calls) == 4


@torch.no_grad()
def test_a_random_body_is_settled_on_the_mean_and_spread_of_its_own_maps(pictures, tmp_path):
    plain = replace(SMALL, precision="32-true")
    network = new_network(plain, tmp_path)
    first, norm = network.body[0], next(layer for layer in network.body.modules() if isinstance(layer, BatchNorm2d))
    settle(plain, network, pictures, tmp_path, CPU)
    maps = first(pictures / 127.5 - 1)
    assert torch.allclose(norm.running_mean, maps.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(norm.running_var, maps.var((0, 2, 3)), rtol=1e-4)
    again, calls = new_network(plain, tmp_path), []
    handle = again.body.register_forward_hook(lambda *_: calls.append(1))
    settle(plain, again, pictures, tmp_path, CPU)  # from the cache
    assert not calls
    handle.remove()
    assert torch.equal(again.body(pictures / 127.5 - 1), network.body(pictures / 127.5 - 1))


@torch.no_grad()
def test_every_picture_counts_about_the_same_when_a_random_body_is_settled(tmp_path, monkeypatch):
    """Nine pictures in batches of at most four: three batches of three, whichever picture comes last."""
    monkeypatch.setattr("fer_lib.training.starts.BATCH", 4)
    plain = replace(SMALL, precision="32-true")
    pictures = torch.cat([torch.zeros(8, 1, 16, 16), torch.full((1, 1, 16, 16), 255)]).to(torch.uint8)
    network = new_network(plain, tmp_path)
    first, norm = network.body[0], next(layer for layer in network.body.modules() if isinstance(layer, BatchNorm2d))
    settle(plain, network, pictures, tmp_path, CPU)
    assert torch.allclose(norm.running_mean, first(pictures / 127.5 - 1).mean((0, 2, 3)), atol=1e-5)


@pytest.mark.parametrize(("start", "settled"), [("random", 1), ("earlier", 0)])
def test_only_a_random_body_is_settled_before_its_head_learns(toy_table, tmp_path, store, start, settled):
    shutil.copytree(store, tmp_path / "store")
    frozen = Experiment("frozen", "face_resnet_small", start=start, frozen=True, max_epochs=1)
    fit(frozen, toy_table, RunStore(tmp_path / "store"))
    assert len(list((tmp_path / "cache" / "features").glob("*-norms-*.safetensors"))) == settled


def test_the_features_of_a_deep_random_body_tell_pictures_apart_once_it_is_settled(pictures, tmp_path):
    """Unsettled, those of MobileNetV2 fade to some 10⁻⁹."""
    deep = Experiment("deep", "mobilenet_v2_linear", size=32, frozen=True)
    network = new_network(deep, tmp_path)
    large = pictures.repeat_interleave(2, 2).repeat_interleave(2, 3)
    faded = body_features(deep, network, large, tmp_path, CPU).std(0).mean()
    settle(deep, network, large, tmp_path, CPU)
    assert faded < 1e-6
    assert body_features(deep, network, large, tmp_path, CPU).std(0).mean() > 0.01


def test_a_network_with_a_frozen_body_trains_and_keeps_its_head_alone(toy_table, tmp_path):
    run = fit(LINEAR, toy_table, RunStore(tmp_path / "store"))
    drawn = new_network(LINEAR, tmp_path)
    kept = load_file(run.folder / "weights.safetensors")
    assert {name: tuple(value.shape) for name, value in kept.items()} == {"weight": (7, 512), "bias": (7,)}
    assert not torch.equal(kept["weight"], drawn.head.weight)
    assert len(list((tmp_path / "cache" / "features").glob("resnet18_linear-*.npy"))) == 3
    assert run.history["train_loss"].iloc[1] < run.history["train_loss"].iloc[0]


def test_runs_that_share_a_body_share_its_features(toy_table, tmp_path, monkeypatch):
    """The second one differs in its learning rate; it never runs the body."""
    short = replace(LINEAR, max_epochs=1)
    fit(short, toy_table, RunStore(tmp_path / "store"))
    monkeypatch.setattr("fer_lib.models.published.Body.forward", lambda *_: pytest.fail("the body ran again"))
    fit(replace(short, learning_rate=0.1), toy_table, RunStore(tmp_path / "store"))
