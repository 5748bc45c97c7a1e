import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fer_lib.explain import saliency
from fer_lib.explain.saliency import convolution_maps, guided_backprop
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
        assert torch.equal(network(shown / 127.5 - 1), logits)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_fails_midway_leaves_the_network_too(pictures):
    network = two_hidden_layers(inplace=True)
    with pytest.raises(RuntimeError):
        guided_backprop(network, pictures, torch.full((9,), 3))
    assert network[2].inplace
    assert not any(module._backward_hooks for module in network.modules())


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
