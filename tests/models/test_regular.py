import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from fer_lib.errors import StudyError
from fer_lib.models.regular import N_FEATURES, RegularCNN, RegularStream


def test_the_papers_size_ends_as_64_maps_of_27_by_27():
    assert RegularCNN().features(torch.zeros(1, 1, 226, 226)).shape == (1, 64, 27, 27)


def test_the_parameters_are_those_of_the_layers_counted_by_hand():
    convolutions = (4 + 1) * 16 + (16 * 4 + 1) * 32 + (32 * 4 + 1) * 64
    assert sum(p.numel() for p in RegularCNN(7).parameters()) == convolutions + (64 * 27 * 27 + 1) * 7


@pytest.mark.parametrize("classes", [6, 7, 8])
@pytest.mark.parametrize("size", [16, 17, 48, 63, 226])
def test_any_size_gives_one_logit_per_class(size, classes):
    assert RegularCNN(classes, size)(torch.zeros(2, 1, size, size)).shape == (2, classes)


def test_a_size_that_leaves_nothing_to_see_is_named():
    with pytest.raises(StudyError, match="size is 15 pixels"):
        RegularCNN(size=15)


def test_the_logits_are_those_of_the_layers_written_out():
    torch.manual_seed(0)
    network, maps = RegularCNN(7, 24), torch.randn(2, 1, 24, 24)
    expected, parameters = maps, list(network.parameters())
    for weight, bias in zip(parameters[:6:2], parameters[1:6:2], strict=True):
        expected = F.max_pool2d(F.conv2d(expected, weight, bias).relu(), 2)
    assert torch.allclose(network(maps), expected.flatten(1) @ parameters[6].T + parameters[7], atol=1e-6)


def test_the_gradient_reaches_every_parameter():
    torch.manual_seed(0)
    network = RegularCNN(size=24)
    network(torch.randn(8, 1, 24, 24)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_saved_and_loaded_weights_give_equal_outputs(tmp_path):
    torch.manual_seed(0)
    first, second = RegularCNN(size=24), RegularCNN(size=24)
    save_file(first.state_dict(), tmp_path / "w.safetensors")
    second.load_state_dict(load_file(tmp_path / "w.safetensors"))
    pictures = torch.randn(4, 1, 24, 24)
    assert torch.equal(first(pictures), second(pictures))


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 3])
def test_a_stream_is_the_regular_cnns_features_and_one_layer_on_them(channels):
    torch.manual_seed(0)
    stream, maps = RegularStream(5, 24, channels).eval(), torch.randn(2, channels, 24, 24)
    regular, layer = stream.body[0], stream.head[1]
    features = regular(maps).relu()
    assert isinstance(regular, RegularCNN)
    assert torch.equal(stream.body(maps), features)
    assert features.shape == (2, N_FEATURES)
    assert torch.allclose(stream(maps), features @ layer.weight.T + layer.bias, atol=1e-6)


def test_a_stream_in_colour_differs_in_its_first_convolution_alone():
    grey, colour = (dict(RegularStream(7, 48, channels).named_parameters()) for channels in (1, 3))
    assert [name for name in grey if grey[name].shape != colour[name].shape] == ["body.0.features.0.weight"]
