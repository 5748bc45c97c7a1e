import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fer_lib.explain import saliency
from fer_lib.explain.saliency import (
    convolution_maps,
    guided_backprop,
    integrated,
    integrated_gradients,
    occlusion,
    unit,
)
from fer_lib.models.networks import get_network
from fer_lib.models.scratch import SixLayerCNN


@pytest.fixture
def pictures():
    return torch.from_numpy(np.random.default_rng(3).integers(0, 256, (9, 1, 5, 5), np.uint8))


def two_hidden_layers(activation=nn.ReLU, inplace=False):
    torch.manual_seed(0)
    first, second, last = nn.Linear(25, 12), nn.Linear(12, 8), nn.Linear(8, 3)
    return nn.Sequential(nn.Flatten(), first, activation(inplace), second, activation(inplace), last)


def by_hand(network, pictures, targets, top=np.inf):
    """Guided gradients by numpy: back through an activation goes what is positive, where the activation is open."""
    (w1, b1), (w2, b2), (w3, _) = ([p.detach().numpy() for p in network[k].parameters()] for k in (1, 3, 5))
    x = pictures.numpy().reshape(len(pictures), -1) / 127.5 - 1
    h1 = x @ w1.T + b1
    h2 = np.clip(h1, 0, top) @ w2.T + b2
    back = w3[targets]
    back = back * (h2 > 0) * (h2 < top) * (back > 0)
    back = back @ w2
    back = back * (h1 > 0) * (h1 < top) * (back > 0)
    maps = np.abs(back @ w1).reshape(len(pictures), *pictures.shape[2:])
    return maps / np.maximum(maps.max((1, 2), keepdims=True), 1e-12)


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(("activation", "top"), [(nn.ReLU, np.inf), (nn.ReLU6, 6)])
def test_guided_gradients_are_those_by_hand(pictures, activation, top, inplace):
    network, targets = two_hidden_layers(activation, inplace), torch.arange(9) % 3
    with torch.no_grad():
        network[1].weight *= 8  # so that some of it is above 6
    maps = guided_backprop(network, pictures, targets)
    assert maps.numpy() == pytest.approx(by_hand(network, pictures, targets.numpy(), top), abs=1e-5)
    assert maps.shape == (9, 5, 5)


def test_maps_lie_between_0_and_1_and_the_largest_of_each_is_1(pictures):
    maps = guided_backprop(two_hidden_layers(), pictures, torch.zeros(9, dtype=torch.long))
    assert maps.min() >= 0
    assert maps.amax((1, 2)) == pytest.approx(torch.ones(9))


def test_where_nothing_speaks_for_the_class_the_map_is_empty(pictures):
    network = two_hidden_layers()
    with torch.no_grad():
        network[5].weight[1] = -1
    assert (guided_backprop(network, pictures, torch.ones(9, dtype=torch.long)) == 0).all()


def test_of_several_channels_the_strongest_counts():
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 1, bias=False))
    weights = torch.arange(-6.0, 6).reshape(3, 2, 2)
    with torch.no_grad():
        network[1].weight[:] = weights.flatten()
    maps = guided_backprop(network, torch.zeros(1, 3, 2, 2, dtype=torch.uint8), torch.tensor([0]))
    assert maps[0].numpy() == pytest.approx(weights.abs().amax(0).numpy() / 6)


def test_batches_do_not_change_the_maps(pictures, monkeypatch):
    network, targets = two_hidden_layers(), torch.arange(9) % 3
    whole = guided_backprop(network, pictures, targets)
    monkeypatch.setattr(saliency, "BATCH", 4)
    assert guided_backprop(network, pictures, targets) == pytest.approx(whole)


@pytest.mark.parametrize("name", ["six_layer", "mobilenet_v2_layers", "resnet18_linear", "face_resnet_small"])
def test_a_network_is_left_as_it_was(name):
    network = get_network(name).make(7, 48).eval()
    before = [getattr(module, "inplace", None) for module in network.modules()]
    shown = torch.randint(0, 256, (2, 1, 48, 48), dtype=torch.uint8)
    with torch.no_grad():
        logits = network(shown / 127.5 - 1)
    maps = guided_backprop(network, shown, torch.tensor([0, 3]))
    assert maps.shape == (2, 48, 48)
    assert [getattr(module, "inplace", None) for module in network.modules()] == before
    assert not any(module._backward_hooks or module._forward_hooks for module in network.modules())
    with torch.no_grad():
        assert network(shown / 127.5 - 1).numpy() == pytest.approx(logits.numpy(), abs=1e-5)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_fails_midway_leaves_the_network_too(pictures):
    network = two_hidden_layers(inplace=True)
    with pytest.raises(RuntimeError):
        guided_backprop(network, pictures, torch.full((9,), 3))
    assert network[2].inplace
    assert not any(module._backward_hooks for module in network.modules())


def plain_gradients(network, pictures, targets):
    seen = (pictures / 127.5 - 1).requires_grad_()
    torch.stack([scores[target] for scores, target in zip(network(seen), targets, strict=True)]).sum().backward()
    return seen.grad


def test_saliency_is_the_size_of_the_input_gradient(pictures):
    network, targets = two_hidden_layers(), torch.arange(9) % 3
    sizes = plain_gradients(network, pictures, targets).abs().amax(1)
    found = saliency.saliency(network, pictures, targets)
    assert found.numpy() == pytest.approx((sizes / sizes.amax((1, 2), keepdim=True)).numpy(), abs=1e-6)
    assert not found.requires_grad
    assert not np.allclose(found, guided_backprop(network, pictures, targets), atol=0.1)


@pytest.mark.parametrize(("activation", "off"), [(nn.Softplus, 1e-4), (nn.ReLU, 0.05)])
def test_integrated_gradients_add_up_to_what_the_logit_gained_over_grey(pictures, activation, off):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(25, 12), activation(), nn.Linear(12, 3))
    seen, targets = pictures / 127.5 - 1, torch.arange(9) % 3
    with torch.no_grad():
        gained = (network(seen) - network(torch.zeros_like(seen)))[range(9), targets]
    found = integrated(network, seen, targets)
    assert found.shape == seen.shape
    assert found.sum((1, 2, 3)).detach().numpy() == pytest.approx(gained.numpy(), abs=off)
    assert gained.abs().max() > 0.2


def test_of_a_linear_network_integrated_gradients_are_weight_times_pixel_where_that_is_positive(pictures):
    network = nn.Sequential(nn.Flatten(), nn.Linear(25, 3))
    gain = (network[1].weight[1].detach().reshape(5, 5) * (pictures[:, 0] / 127.5 - 1)).clamp_min(0)
    found = integrated_gradients(network, pictures, torch.ones(9, dtype=torch.long))
    assert found.numpy() == pytest.approx((gain / gain.amax((1, 2), keepdim=True)).numpy(), abs=0.01)  # bfloat16


class OnePixel(nn.Module):
    """Class 0 is the brightness of one pixel, class 1 its darkness, class 2 always the same."""

    def __init__(self, row, column):
        super().__init__()
        self.at, self.strength = (row, column), nn.Parameter(torch.tensor([3.0, -3.0, 0.0]))

    def forward(self, pictures):
        return pictures[:, 0, self.at[0], self.at[1], None] * self.strength


@pytest.mark.parametrize("at", [(20, 31), (0, 47), (5, 8)])
def test_occlusion_is_hottest_on_the_one_pixel_that_counts_and_nothing_beyond_a_window(at):
    white = torch.full((3, 1, 48, 48), 255, dtype=torch.uint8)
    found = occlusion(OnePixel(*at), white, torch.tensor([0, 1, 2]))
    assert found[0][at] == found.max() == 1
    away = (torch.arange(48) - at[0]).abs()[:, None].maximum((torch.arange(48) - at[1]).abs()[None])
    assert (found[0][away >= 8] == 0).all()
    assert (found[0] == 1).sum() < 8 * 8  # half of a window wide where windows overlap
    assert (found[1:] == 0).all()  # the logit rises or stays when the white is hidden


def test_maps_of_nothing_or_with_a_nan_become_0_and_others_reach_1(rng):
    maps = torch.from_numpy(rng.random((4, 3, 3)))
    maps[1], maps[2, 0, 1], maps[3] = 0, float("nan"), 1e-9 * maps[3]
    found = unit(maps)
    assert found[1:3].eq(0).all()
    assert found[0].numpy() == pytest.approx((maps[0] / maps[0].max()).numpy())
    assert found[3].max() == 1
    broken = torch.full((1, 2, 2), float("inf"))
    assert unit(broken).eq(0).all()


@pytest.mark.parametrize("ask", [saliency.saliency, guided_backprop, integrated_gradients, occlusion])
@pytest.mark.parametrize("damage", [float("nan"), 0.0])
def test_a_network_of_broken_or_no_weights_has_an_empty_map(pictures, ask, damage):
    network = two_hidden_layers()
    with torch.no_grad():
        for parameter in network.parameters() if damage else [network[5].weight]:
            parameter[:] = damage
    assert ask(network, pictures, torch.zeros(9, dtype=torch.long)).eq(0).all()


@pytest.mark.parametrize("ask", [saliency.saliency, integrated_gradients, occlusion])
def test_batches_do_not_change_the_other_maps_and_no_gradient_stays(pictures, monkeypatch, ask):
    network, targets = two_hidden_layers(), torch.arange(9) % 3
    whole = ask(network, pictures, targets)
    monkeypatch.setattr(saliency, "BATCH", 4)
    assert ask(network, pictures, targets).numpy() == pytest.approx(whole.numpy(), abs=1e-5)
    assert (whole.shape, whole.min() >= 0, whole.max()) == ((9, 5, 5), True, 1)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_numbered_maps_are_what_those_convolutions_make():
    torch.manual_seed(1)
    network, picture = SixLayerCNN().eval(), torch.randint(0, 256, (1, 48, 48), dtype=torch.uint8)
    layers = network.features
    with torch.no_grad():
        first = F.conv2d(picture[None] / 127.5 - 1, layers[0].weight, layers[0].bias)
        second = layers[3](torch.relu(layers[1](first)))
        sixth = layers[19](layers[:19](picture[None] / 127.5 - 1))
    found = convolution_maps(network, picture, [6, 2, 1])
    assert list(found) == [6, 2, 1]
    for layer, wanted in ((1, first), (2, second), (6, sixth)):
        assert found[layer].numpy() == pytest.approx(wanted[0].numpy(), abs=1e-5)
    assert not any(module._forward_hooks for module in network.modules())


def test_convolutions_are_numbered_in_the_order_of_their_use():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.later, self.sooner = nn.Conv2d(2, 5, 1), nn.Conv2d(1, 2, 1)

        def forward(self, pictures):
            return self.later(self.sooner(pictures))

    found = convolution_maps(Backwards(), torch.zeros(1, 4, 4, dtype=torch.uint8), [1, 2])
    assert {layer: maps.shape for layer, maps in found.items()} == {1: (2, 4, 4), 2: (5, 4, 4)}


def test_an_activation_in_place_does_not_change_the_map_before_it():
    torch.manual_seed(2)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True))
    picture = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    with torch.no_grad():
        wanted = network[0](picture[None] / 127.5 - 1)[0]
    assert (wanted < 0).any()
    assert convolution_maps(network, picture, [1])[1].numpy() == pytest.approx(wanted.numpy(), abs=1e-6)
