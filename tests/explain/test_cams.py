import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fer_lib.errors import StudyError
from fer_lib.explain import cams
from fer_lib.explain.cams import (
    cam,
    class_weights,
    field_of_cells,
    grad_cam,
    grad_cam_in_place,
    grad_cam_plus_plus,
    last_maps,
    map_means,
    shares_in,
)
from fer_lib.explain.methods import is_empty
from fer_lib.models.networks import NETWORKS, get_network
from fer_lib.models.scratch import SixLayerCNN

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


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_study_has_last_maps_after_which_nothing_is_convolved(name):
    torch.manual_seed(2)
    size = 64 if name == "gimefive_17_bn" else 48
    network, channels, ran = get_network(name).make(7, size).eval(), get_network(name).channels, []
    last = last_maps(network)
    watched = [last] + [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [module.register_forward_hook(lambda *told: ran.append((told[0], told[2].shape))) for module in watched]
    pictures = torch.randint(0, 256, (1, channels, size, size), dtype=torch.uint8).repeat(7, 1, 1, 1)
    heats = grad_cam(network, pictures, np.arange(7), side=20)
    assert ran[-1][0] is last
    assert (len(ran[-1][1]), min(ran[-1][1][2:]) > 1) == (4, True)
    assert heats.shape == (7, 20, 20)
    assert (heats.min(), heats.max()) == (0, pytest.approx(1, abs=0.3))  # the top may be averaged with its neighbours
    assert heats.max() <= 1
    for hook in hooks:
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


@torch.no_grad()
def weighed_maps(network, pictures, targets):
    """CAM of a small residual network by its definition, stretched by torch."""
    maps = network.body[:-2](pictures / 127.5 - 1)
    heats = torch.einsum("nc,nchw->nhw", network.head[1].weight[targets], maps).clamp_min(0)
    heats = heats - heats.amin((1, 2), keepdim=True)
    stretched = F.interpolate((heats / heats.amax((1, 2), keepdim=True).clamp_min(1e-12))[:, None], 48, mode="bilinear")
    lifted = stretched[:, 0] - stretched[:, 0].amin((1, 2), keepdim=True)
    return (lifted / lifted.amax((1, 2), keepdim=True).clamp_min(1e-12)).numpy()


def untrained(name, side=48, n=4):
    torch.manual_seed(5)
    return get_network(name).make(7, side).eval(), torch.randint(0, 256, (n, 1, side, side), dtype=torch.uint8)


def test_cam_is_the_sum_of_maps_weighed_by_the_last_layer():
    network, pictures = untrained("face_resnet_small")
    targets = np.array([0, 6, 3, 1])
    found = cam(network, pictures, targets)
    assert found == pytest.approx(weighed_maps(network, pictures, targets), abs=1e-3)
    assert not np.allclose(found, weighed_maps(network, pictures, targets[::-1].copy()), atol=0.1)
    assert class_weights(network).shape == (7, 256)


@pytest.mark.parametrize("name", ["face_resnet_small", "resnet18_linear", "googlenet_linear", "mobilenet_v2_layers"])
def test_cam_and_grad_cam_are_one_where_an_average_and_one_linear_layer_follow(name):
    network, pictures = untrained(name, MAPS[name][0])
    with torch.no_grad():
        class_weights(network)[:] *= 1000  # so that the package's 1e-7 beneath each fraction does not matter
    targets = np.array([0, 6, 3, 1])
    found = cam(network, pictures, targets)
    assert not is_empty(found).all()
    assert found == pytest.approx(grad_cam(network, pictures, targets), abs=1e-3)


@pytest.mark.parametrize("name", ["six_layer", "vgg11_linear", "gimefive_13_bn", "regular_stream"])
def test_cam_refuses_networks_that_do_more_with_their_maps_in_one_sentence(name):
    network, pictures = untrained(name)
    told = f"{type(network).__name__} has no CAM: that needs an average over the last maps and one linear layer"
    for ask in (lambda: class_weights(network), lambda: cam(network, pictures, np.zeros(4, int))):
        with pytest.raises(StudyError, match=f"^{re.escape(told)} after it; use Grad-CAM.$"):
            ask()


def test_grad_cam_plus_plus_is_its_formula_on_a_network_whose_logits_are_linear_in_its_maps(small, pictures):
    """Equations 10 and 19 of Chattopadhay et al. 2018, with gradients that are the last layer's weights."""
    targets = np.array([0, 1, 2, 3, 0, 1, 2])
    maps = small.features(pictures / 127.5 - 1).detach().numpy()
    slope = small.last.weight.detach().numpy()[targets].reshape(maps.shape)
    alpha = slope**2 / (2 * slope**2 + maps.sum((2, 3), keepdims=True) * slope**3 + 1e-6)
    weights = (np.maximum(slope, 0) * np.where(slope != 0, alpha, 0)).sum((2, 3))
    heats = np.maximum(np.einsum("nc,nchw->nhw", weights, maps), 0)
    heats = heats - heats.min((1, 2), keepdims=True)
    expected = heats / heats.max((1, 2), keepdims=True)
    assert grad_cam_plus_plus(small, pictures, targets, side=12) == pytest.approx(expected, abs=1e-3)


def equal_weights():
    """A six-layer network that adds up what it sees, and never closes an activation for pictures above grey."""
    network = SixLayerCNN().eval()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight[:], layer.bias[:] = 1 / layer.weight[0].numel(), 0
    return network


@pytest.mark.parametrize("cell", [(0, 0), (2, 2), (4, 1)])
def test_a_cell_of_the_six_layer_network_sees_what_its_gradient_reaches(cell):
    torch.manual_seed(1)
    seen = torch.rand(150, 1, 48, 48, requires_grad=True)  # each chooses at random which pixels max-pooling passes on
    network, (row, column) = equal_weights(), cell
    maps = network.features[:-2](seen)
    assert maps.shape[2:] == (5, 5)
    reached = torch.autograd.grad(maps[:, 0, row, column].sum(), seen)[0].sum((0, 1)).numpy()
    first, step, cells, spread = field_of_cells(network)
    assert (first, step, cells) == (15.5, 4, 5)
    for profile, number in ((reached.sum(1), row), (reached.sum(0), column)):
        centre = np.average(np.arange(48), weights=profile)
        assert centre == pytest.approx(first + step * number, abs=0.25)
        assert np.average((np.arange(48) - centre) ** 2, weights=profile) ** 0.5 == pytest.approx(spread, rel=0.03)


def test_the_spread_of_a_cell_is_that_of_its_smoothing_steps_one_after_the_other():
    """Each convolution averages 3 places, each pooling takes one of 2, at distances of 1, 2 and 4 pixels."""
    bell = np.ones(1)
    for apart, width in ((1, 3), (1, 3), (1, 2), (2, 3), (2, 3), (2, 2), (4, 3), (4, 3)):
        kernel = np.zeros(apart * (width - 1) + 1)
        kernel[::apart] = 1 / width
        bell = np.convolve(bell, kernel)
    pixels = np.arange(len(bell))
    assert field_of_cells(SixLayerCNN())[0] == (len(bell) - 1) / 2  # the first cell's field begins at the edge
    assert field_of_cells(SixLayerCNN())[3] == pytest.approx(
        np.average((pixels - (len(bell) - 1) / 2) ** 2, weights=bell) ** 0.5
    )


def spotted(cells):
    """Black pictures with one white spot, and a six-layer network of which one cell alone sees it."""
    network, pictures = SixLayerCNN().eval(), torch.zeros(len(cells), 1, 48, 48, dtype=torch.uint8)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight[:], layer.bias[:] = 0, 0
                layer.weight[:, :, 1, 1] = 1 / layer.in_channels
            if isinstance(layer, nn.Linear):
                layer.weight[:], layer.bias[:] = 1, 0
    for picture, (row, column) in zip(pictures, cells, strict=True):
        picture[0, 14 + 4 * row : 18 + 4 * row, 14 + 4 * column : 18 + 4 * column] = 255
    return network, pictures


@pytest.mark.parametrize("side", [48, 96])
def test_in_place_the_heat_lies_on_the_spot_that_the_network_sees_and_stretched_it_does_not(side):
    cells = [(0, 0), (0, 3), (2, 1), (3, 3)]
    network, pictures = spotted(cells)
    middles = (np.array([(15.5 + 4 * row, 15.5 + 4 * column) for row, column in cells]) + 0.5) * side / 48 - 0.5
    there, stretched = (ask(network, pictures, np.zeros(4, int), side) for ask in (grad_cam_in_place, grad_cam))
    assert (there.shape, there.dtype) == ((4, side, side), np.float32)
    assert there.max((1, 2)).tolist() == [1] * 4
    assert centres(there) == pytest.approx(middles, abs=0.1 * side / 48)
    assert np.abs(centres(stretched)[0] - middles[0]).min() > 5 * side / 48  # laid into the corner


def centres(heats):
    """Row and column around which the hottest pixels of each map lie, (N, 2)."""
    return np.array([np.argwhere(heat >= 0.99 * heat.max()).mean(0) for heat in heats])


def test_in_place_heat_falls_off_as_the_cells_field_does():
    network, pictures = spotted([(2, 2)])
    (found,) = grad_cam_in_place(network, pictures, np.zeros(1, int))
    away = np.arange(48) - 23.5
    bell = np.exp(-(away**2) / (2 * field_of_cells(network)[3] ** 2))
    wanted = np.outer(bell, bell)
    assert found == pytest.approx(wanted / wanted.max(), abs=1e-4)


@pytest.mark.parametrize("name", ["face_resnet_small", "gimefive_13_bn", "regular"])
def test_networks_whose_maps_reach_the_edges_are_not_asked_in_place(name):
    network, pictures = untrained(name, n=1)
    told = f"the maps of {type(network).__name__} reach the picture's edges; use Grad-CAM"
    for ask in (lambda: field_of_cells(network), lambda: grad_cam_in_place(network, pictures, np.zeros(1, int))):
        with pytest.raises(StudyError, match=told):
            ask()


@pytest.mark.parametrize("ask", [cam, grad_cam, grad_cam_plus_plus, grad_cam_in_place])
@pytest.mark.parametrize("damage", [float("nan"), 0.0])
def test_without_weights_or_with_broken_ones_the_map_is_empty_and_never_nan(ask, damage):
    network, pictures = untrained("six_layer" if ask is grad_cam_in_place else "face_resnet_small")
    with torch.no_grad():
        for parameter in network.parameters() if np.isnan(damage) else [list(network.modules())[-1].weight]:
            parameter[:] = damage
    heats = ask(network, pictures, np.array([0, 1, 2, 6]))
    assert (heats == 0).all()
    assert is_empty(heats).tolist() == [True] * 4


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


def test_means_of_the_last_maps_are_those_of_the_maps_by_hand_and_leave_no_hook(small, pictures):
    maps = small.features(pictures / 127.5 - 1).detach().numpy()
    assert map_means(small, pictures) == pytest.approx(maps.mean((2, 3)), abs=1e-5)
    assert not any(module._forward_hooks for module in small.modules())
