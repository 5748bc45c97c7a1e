import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy

from fer_lib.models.face_resnet import FACE_RESNETS, FaceResNet, ResidualBlock, SqueezeExcite

# First two convolutions, three blocks (two convolutions, squeeze-and-excitation by an eighth, the way past them
# where the width changes; batch normalisation has two numbers a channel), seven logits.
STEM = 9 * 32 + 2 * 32 + 9 * 32 * 32 + 2 * 32
SQUEEZES = (2 * 64 * 8 + 8 + 64) + (2 * 128 * 16 + 16 + 128) + (2 * 256 * 32 + 32 + 256)
FIRST = 9 * 32 * 64 + 9 * 64 * 64 + 4 * 64 + 32 * 64 + 2 * 64
SECOND = 9 * 64 * 128 + 9 * 128 * 128 + 4 * 128 + 64 * 128 + 2 * 128
THIRD = 9 * 128 * 256 + 9 * 256 * 256 + 4 * 256 + 128 * 256 + 2 * 256
SMALL = STEM + FIRST + SECOND + THIRD + SQUEEZES + 256 * 7 + 7


def tiny(n_classes=7):
    torch.manual_seed(0)
    return FaceResNet(n_classes, widths=(8, 8, 16), blocks=2)


@pytest.mark.parametrize("size", [48, 64])
@pytest.mark.parametrize("classes", [7, 8])
@pytest.mark.parametrize("name", FACE_RESNETS)
def test_pictures_of_48_and_64_pixels_give_one_logit_per_class(name, classes, size):
    with torch.device("meta"):
        network = FACE_RESNETS[name](classes)
        assert network(torch.zeros(2, 1, size, size)).shape == (2, classes)
        assert network.body(torch.zeros(2, 1, size, size)).shape == (2, network.n_features)


def test_the_small_network_has_as_many_parameters_as_counted_by_hand():
    with torch.device("meta"):
        network = FACE_RESNETS["face_resnet_small"](7)
    assert sum(p.numel() for p in network.parameters()) == SMALL == 1_240_351


def test_the_strong_network_has_11_million_parameters():
    with torch.device("meta"):
        network = FACE_RESNETS["face_resnet"](7)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(11e6, rel=0.05)


def test_48_pixels_are_halved_once_before_the_first_block_and_once_a_stage_after_it():
    seen = []
    with torch.device("meta"):
        network = FACE_RESNETS["face_resnet"](7)
        for module in network.modules():
            if isinstance(module, ResidualBlock):
                module.register_forward_hook(lambda _, inputs, output: seen.append(output.shape[-1]))
        network(torch.zeros(1, 1, 48, 48))
    assert seen == [24, 24, 12, 12, 6, 6]


def test_the_gradient_reaches_every_parameter():
    torch.manual_seed(0)
    network = FACE_RESNETS["face_resnet_small"](7)
    cross_entropy(network(torch.randn(8, 1, 16, 16)), torch.arange(8) % 7).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_a_block_with_silenced_convolutions_passes_its_input_on():
    block = ResidualBlock(16, 16, 1).eval()
    nn.init.zeros_(block.convolve[4].weight)
    maps = torch.rand(2, 16, 6, 6)
    assert torch.equal(block(maps), maps)


def test_on_the_way_past_a_halving_block_no_pixel_is_skipped():
    """Average pooling of 5×5 maps keeps the odd row and column."""
    block = ResidualBlock(16, 16, 2).eval()
    nn.init.zeros_(block.convolve[4].weight)
    maps = torch.rand(1, 16, 5, 5)
    halved = block(maps)
    assert halved.shape == (1, 16, 3, 3)
    assert torch.allclose(halved[..., 0, 0], maps[..., :2, :2].mean((2, 3)))
    assert torch.allclose(halved[..., 2, 2], maps[..., 4, 4])


def test_channels_are_weighed_as_the_two_layers_say():
    torch.manual_seed(0)
    squeeze, maps = SqueezeExcite(16), torch.randn(2, 16, 4, 4)
    narrow, wide = squeeze.weigh[1], squeeze.weigh[3]
    hidden = (maps.mean((2, 3)) @ narrow.weight.flatten(1).T + narrow.bias).clamp(min=0)
    factors = torch.sigmoid(hidden @ wide.weight.flatten(1).T + wide.bias)
    assert torch.allclose(squeeze(maps), maps * factors[..., None, None], atol=1e-6)


def test_saved_and_loaded_weights_give_equal_outputs(tmp_path):
    network, pictures = tiny(), torch.randn(4, 1, 16, 16)
    network(pictures)
    expected = network.eval()(pictures)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    other = FaceResNet(7, widths=(8, 8, 16), blocks=2)
    other.load_state_dict(load_file(tmp_path / "w.safetensors"))
    assert torch.equal(other.eval()(pictures), expected)
