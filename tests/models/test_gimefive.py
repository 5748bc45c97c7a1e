import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fer_lib.models.gimefive import GIMEFIVE, GiMeFive, SqueezeExcite

PAPER = {
    "gimefive_10": 10_474_118,
    "gimefive_13_bn": 2_606_086,
    "gimefive_15_bn": 10_478_086,
    "gimefive_16_bn_se": 10_478_598,
    "gimefive_17_bn": 41_950_726,
}
SMALL = {
    "plain": {"batch_norm": False},
    "normalised": {},
    "squeezed": {"squeeze_excite": True},
    "residual": {"residual": True},
    "residual_plain": {"residual": True, "batch_norm": False},
    "dropout": {"dropout": 0.2},
}


def n_parameters(network):
    return sum(p.numel() for p in network.parameters())


def unsized(name, classes=6):
    with torch.device("meta"):
        return GIMEFIVE[name](classes)


@pytest.fixture(params=SMALL)
def small(request):
    torch.manual_seed(0)
    return GiMeFive(widths=(32, 16, 8), **SMALL[request.param])


@pytest.mark.parametrize("name", PAPER)
def test_the_parameters_are_as_many_as_table_1_says(name):
    assert n_parameters(unsized(name)) == PAPER[name]


@pytest.mark.parametrize("name", PAPER)
def test_the_number_in_the_name_is_the_papers_count_of_layers(name):
    counted = (nn.Conv2d, nn.BatchNorm2d, SqueezeExcite)
    layers = [m for m in unsized(name).modules() if isinstance(m, counted)]
    full, pooling, dropout = 3, 1, 1
    assert f"_{len(layers) + full + pooling + dropout}" in name


def test_dropout_adds_no_parameter_and_a_shortcut_adds_its_1_by_1_convolution():
    shortcuts = sum(a * b + b for a, b in [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1024)])
    assert n_parameters(unsized("gimefive_15_bn_dropout")) == PAPER["gimefive_15_bn"]
    assert n_parameters(unsized("gimefive_15_bn_residual")) == PAPER["gimefive_15_bn"] + shortcuts


@pytest.mark.parametrize("classes", [6, 7, 8])
@pytest.mark.parametrize("name", GIMEFIVE)
def test_64_pixels_give_one_logit_per_class(name, classes):
    assert unsized(name, classes)(torch.zeros(2, 1, 64, 64, device="meta")).shape == (2, classes)


def test_20_percent_are_dropped_after_blocks_1_to_4_alone():
    kinds = [m.p if isinstance(m, nn.Dropout) else "block" for m in unsized("gimefive_15_bn_dropout").features]
    assert kinds == ["block", 0.2] * 4 + ["block"]


def test_the_deepest_member_needs_all_64_pixels():
    features = unsized("gimefive_17_bn").features
    assert features(torch.zeros(2, 3, 64, 64, device="meta")).shape == (2, 2048, 1, 1)
    with pytest.raises(RuntimeError, match="too small"):
        features(torch.zeros(2, 3, 32, 32, device="meta"))


def test_the_gradient_reaches_every_weight(small):
    small(torch.randn(8, 1, 16, 16)).square().sum().backward()
    # Batch normalisation takes the mean away, so a convolution's bias may have no gradient.
    weights = {name: p for name, p in small.named_parameters() if not name.endswith("bias")}
    assert [name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_a_shortcut_carries_the_picture_past_a_silenced_convolution():
    torch.manual_seed(0)
    network = GiMeFive(widths=(8,), residual=True).eval()
    nn.init.zeros_(network.features[0].convolution.weight)
    one, other = network(torch.randn(2, 1, 8, 8))
    assert not torch.allclose(one, other)


def test_the_squeezed_channels_are_weighed_as_the_two_layers_say():
    torch.manual_seed(0)
    block, maps = SqueezeExcite(32), torch.randn(2, 32, 4, 4)
    first, second = block.parameters()
    factors = torch.sigmoid((maps.mean((2, 3)) @ first.T).clamp(min=0) @ second.T)
    assert torch.allclose(block(maps), maps * factors[..., None, None])


def test_saved_and_loaded_weights_give_equal_outputs(small, tmp_path):
    pictures = torch.randn(4, 1, 16, 16)
    small(pictures)
    expected = small.eval()(pictures)
    save_file(small.state_dict(), tmp_path / "w.safetensors")
    for p in small.parameters():
        nn.init.zeros_(p)
    small.load_state_dict(load_file(tmp_path / "w.safetensors"))
    assert torch.equal(small(pictures), expected)
