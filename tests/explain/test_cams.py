import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fer_lib.errors import StudyError
from fer_lib.explain import cams
from fer_lib.explain.cams import grad_cam, last_maps, map_means, mean_interval, shares_in
from fer_lib.models.networks import get_network

MAPS = {  # network: size of its pictures, shape of its last maps
    "six_layer": (48, (256, 5, 5)),
    "face_resnet_small": (48, (256, 6, 6)),
    "resnet18_linear": (48, (512, 2, 2)),
    "googlenet_linear": (96, (1024, 3, 3)),
    "mobilenet_v2_layers": (96, (1280, 3, 3)),
}


class Small(nn.Module):
    """One convolution whose maps are as large as the picture, and one layer on them."""

    def __init__(self, side=12):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU())
        self.last = nn.Linear(6 * side * side, 4)

    def forward(self, pictures):
        return self.last(self.features(pictures).flatten(1))


@pytest.fixture
def small():
    torch.manual_seed(4)
    return Small().eval()


@pytest.fixture
def pictures():
    return torch.from_numpy(np.random.default_rng(3).integers(0, 256, (7, 1, 12, 12), np.uint8))


@torch.no_grad()
def by_hand(network, pictures, targets):
    """Grad-CAM where the logits are linear in the maps, whose gradients are then the last layer's weights."""
    maps = network.features(pictures / 127.5 - 1).numpy()
    weights = network.last.weight.numpy()[targets].reshape(maps.shape).mean((2, 3))
    heats = np.maximum(np.einsum("nc,nchw->nhw", weights, maps), 0)
    heats = heats - heats.min((1, 2), keepdims=True)
    return heats / np.maximum(heats.max((1, 2), keepdims=True), 1e-12)


def test_heat_is_the_positive_sum_of_maps_weighed_by_their_mean_gradient(small, pictures):
    targets = np.array([0, 1, 2, 3, 0, 1, 2])
    heats = grad_cam(small, pictures, targets, side=12)
    assert heats == pytest.approx(by_hand(small, pictures, targets), abs=1e-4)
    assert not np.allclose(heats, by_hand(small, pictures, (targets + 1) % 4), atol=0.1)


def test_batches_do_not_change_the_heat(small, pictures, monkeypatch):
    targets = np.array([0, 1, 2, 3, 0, 1, 2])
    whole = grad_cam(small, pictures, targets)
    monkeypatch.setattr(cams, "BATCH", 3)
    assert grad_cam(small, pictures, targets) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("name", MAPS)
def test_the_last_maps_are_those_that_features_are_pooled_from(name):
    size, shape = MAPS[name]
    network = get_network(name).make(3, size).eval()
    made = []
    hook = last_maps(network).register_forward_hook(lambda module, inputs, maps: made.append(maps))
    with torch.no_grad():
        shown = torch.rand(2, 1, size, size) * 2 - 1
        logits = network(shown)
        pooled = F.max_pool2d(made[0], 2).flatten(1) if name == "six_layer" else made[0].mean((2, 3))
        end = network.classifier if name == "six_layer" else network.head
        assert made[0].shape == (2, *shape)
        assert end(pooled).numpy() == pytest.approx(logits.numpy(), abs=1e-4)
    hook.remove()


def test_a_network_without_known_layers_is_refused():
    with pytest.raises(StudyError, match="Linear has no layer that Grad-CAM is known to work on"):
        last_maps(nn.Linear(3, 2))


@pytest.mark.parametrize("name", ["six_layer", "face_resnet_small", "resnet18_linear"])
def test_every_picture_gets_heat_of_its_size_and_the_network_stays_as_it_was(name):
    torch.manual_seed(0)
    network = get_network(name).make(7, 48).eval()
    list(network.parameters())[1].requires_grad_(False)
    asked = [parameter.requires_grad for parameter in network.parameters()]
    weights = [parameter.clone() for parameter in network.parameters()]
    heats = grad_cam(network, torch.randint(0, 256, (3, 1, 48, 48), dtype=torch.uint8), np.array([0, 3, 6]))
    assert (heats.shape, heats.dtype) == ((3, 48, 48), np.float32)
    assert heats.min() >= 0
    assert heats.max() <= 1
    assert [parameter.requires_grad for parameter in network.parameters()] == asked
    assert all(torch.equal(*pair) for pair in zip(network.parameters(), weights, strict=True))
    assert not any(module._forward_hooks or module._backward_hooks for module in network.modules())


def test_a_class_that_the_network_does_not_have_is_an_error_and_no_heat(small, pictures):
    with pytest.raises(IndexError):
        grad_cam(small, pictures, np.full(7, 4))
    assert all(parameter.requires_grad for parameter in small.parameters())


def test_the_shares_of_places_that_divide_the_picture_add_up_to_1(rng):
    heats, part = rng.random((6, 8, 8)), rng.integers(0, 3, (8, 8))
    shares = np.array([shares_in(heats, part == number) for number in range(3)])
    assert shares.sum(0) == pytest.approx(np.ones(6))
    assert shares[1, 2] == pytest.approx(heats[2][part == 1].sum() / heats[2].sum())


def test_without_heat_there_is_no_share(rng):
    heats = rng.random((3, 8, 8))
    heats[1] = 0
    shares = shares_in(heats, np.ones((8, 8), bool))
    assert np.isnan(shares).tolist() == [False, True, False]
    assert shares[[0, 2]] == pytest.approx([1, 1])


def test_a_mean_is_numpys_with_the_interval_of_the_central_limit(rng):
    values = rng.random(800)
    found = mean_interval(values)
    error = 1.96 * values.std() / np.sqrt(800)
    assert found.value == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.003)
    assert found.p is None


def test_pictures_without_a_value_do_not_count(rng):
    values = rng.random(50)
    assert mean_interval(np.r_[values, np.nan, np.nan]) == mean_interval(values)
    assert mean_interval(np.full(9, 0.25)).low == mean_interval(np.full(9, 0.25)).high == 0.25


def test_of_no_value_at_all_nothing_is_known():
    found = mean_interval(np.full(3, np.nan))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.verdict == "does not surely change"


def test_means_of_the_last_maps_are_those_of_the_maps_by_hand_and_leave_no_hook(small, pictures):
    maps = small.features(pictures / 127.5 - 1).detach().numpy()
    assert map_means(small, pictures) == pytest.approx(maps.mean((2, 3)), abs=1e-5)
    assert not any(module._forward_hooks for module in small.modules())
