import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import get_model_weights

from fer_lib.errors import StudyError
from fer_lib.models.published import HEADS, IMAGENET_MEAN, IMAGENET_STD, N_FEATURES, make_head, published

# torchvision's own classifiers, counted by hand; its counts of whole networks stand in its enums.
VGG_CLASSIFIER = (25088 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000
CLASSIFIERS = {
    "mobilenet_v2": 1281 * 1000,
    "googlenet": 1025 * 1000,
    "vgg11": VGG_CLASSIFIER,
    "resnet18": 513 * 1000,
    "resnet50": 2049 * 1000,
}
PAPER_HEAD = (2048 + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * 7


def n_parameters(module):
    return sum(p.numel() for p in module.parameters())


def unsized(name, classes=7, **options):
    with torch.device("meta"):
        return published(name, classes, **options)


@pytest.fixture(scope="module", params=N_FEATURES)
def network(request):
    torch.manual_seed(0)
    return published(request.param, 7)


def test_grey_is_normalised_as_the_weights_were_trained():
    transforms = [get_model_weights(name).IMAGENET1K_V1.transforms() for name in N_FEATURES]
    assert {tuple(t.mean) for t in transforms} == {IMAGENET_MEAN}
    assert {tuple(t.std) for t in transforms} == {IMAGENET_STD}


@pytest.mark.parametrize("name", N_FEATURES)
def test_the_body_has_torchvisions_parameters_without_its_classifier(name):
    whole = get_model_weights(name).IMAGENET1K_V1.meta["num_params"]
    assert n_parameters(unsized(name).body) == whole - CLASSIFIERS[name]


@pytest.mark.parametrize("name", N_FEATURES)
def test_the_heads_have_the_layers_counted_by_hand(name):
    linear = (N_FEATURES[name] + 1) * 7
    assert n_parameters(make_head(name, 7, "linear")) == linear
    assert n_parameters(make_head(name, 7, "layers")) == (PAPER_HEAD if name == "vgg11" else linear)


@pytest.mark.parametrize("classes", [6, 7, 8])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", N_FEATURES)
def test_a_head_gives_one_logit_per_class(name, head, classes):
    assert make_head(name, classes, head)(torch.zeros(2, N_FEATURES[name])).shape == (2, classes)


@pytest.mark.parametrize("name", N_FEATURES)
def test_every_size_from_the_smallest_gives_the_same_features(name):
    smallest = 48 if name == "vgg11" else 32
    network = unsized(name, size=smallest)
    for size in (smallest, 64, 97, 224):
        features = network.body(torch.zeros(2, 1, size, size, device="meta"))
        assert features.shape == (2, network.n_features) == (2, N_FEATURES[name])
    with pytest.raises(StudyError, match=f"{name} needs {smallest} or more"):
        published(name, 7, size=smallest - 1)


def test_unknown_names_are_named_with_the_known():
    with pytest.raises(StudyError, match="'vgg99' is unknown; use one of mobilenet_v2"):
        published("vgg99", 7)
    with pytest.raises(StudyError, match="'deep' is unknown; use one of layers, linear"):
        make_head("vgg11", 7, "deep")


def test_logits_are_the_heads_of_the_bodys_features(network):
    pictures = torch.randn(2, 1, 48, 48)
    network.eval()
    assert torch.equal(network(pictures), network.head(network.body(pictures)))


def test_the_gradient_reaches_every_weight(network):
    network.train()
    network(torch.randn(4, 1, 48, 48)).square().sum().backward()
    weights = {name: p for name, p in network.named_parameters() if not name.endswith("bias")}
    assert [name for name, p in weights.items() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_saved_and_loaded_weights_give_equal_outputs(network, tmp_path):
    pictures = torch.randn(2, 1, 48, 48)
    expected = network.eval()(pictures)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    for p in network.parameters():
        nn.init.zeros_(p)
    assert not torch.equal(network(pictures), expected)
    network.load_state_dict(load_file(tmp_path / "w.safetensors"))
    assert torch.equal(network(pictures), expected)


def test_googlenet_sees_the_grey_picture_itself_as_its_weights_expect():
    seen = []
    network = published("googlenet", 7)
    network.body.network.conv1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    pictures = torch.rand(2, 1, 32, 32) * 2 - 1
    network.eval()(pictures)
    assert torch.allclose(seen[0], pictures.expand(-1, 3, -1, -1), atol=1e-5)
