from itertools import pairwise

import pytest
import torch
from safetensors.torch import load_file, save_file

from fer_lib.models.scratch import SixLayerCNN


def test_the_parameters_are_those_of_the_papers_layers_counted_by_hand():
    widths = (1, 16, 32, 64, 128, 256, 256)
    convolutions = sum(a * b * 9 + b + 2 * b for a, b in pairwise(widths))
    full = 1024 * 512 + 512 + 512 * 7 + 7
    assert sum(p.numel() for p in SixLayerCNN().parameters()) == convolutions + full == 1_512_295


def test_the_last_map_is_256_channels_of_2_by_2():
    assert SixLayerCNN().features(torch.zeros(3, 1, 48, 48)).shape == (3, 256, 2, 2)


@pytest.mark.parametrize("classes", [3, 7, 8])
def test_there_is_one_logit_per_class(classes):
    assert SixLayerCNN(classes)(torch.zeros(2, 1, 48, 48)).shape == (2, classes)


def test_the_gradient_reaches_every_parameter():
    torch.manual_seed(0)
    network = SixLayerCNN()
    network(torch.randn(8, 1, 48, 48)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_saved_and_loaded_weights_give_equal_outputs(tmp_path):
    torch.manual_seed(0)
    first, second = SixLayerCNN().eval(), SixLayerCNN().eval()
    save_file(first.state_dict(), tmp_path / "w.safetensors")
    second.load_state_dict(load_file(tmp_path / "w.safetensors"))
    pictures = torch.randn(4, 1, 48, 48)
    assert torch.equal(first(pictures), second(pictures))
