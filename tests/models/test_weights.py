import hashlib
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import get_model, get_model_weights
from torchvision.models.vgg import cfgs, make_layers
from torchvision.transforms.functional import normalize

from fer_lib.errors import StudyError
from fer_lib.models.published import IMAGENET_MEAN, IMAGENET_STD, N_FEATURES, published
from fer_lib.models.weights import has_imagenet, imagenet, load_body


class Vgg11Features(nn.Module):
    """torchvision's vgg11 without its 124 million parameters of classifier, pooled as in paper 004."""

    def __init__(self):
        super().__init__()
        self.features = make_layers(cfgs["A"], batch_norm=False)

    def forward(self, pictures):
        return F.avg_pool2d(self.features[:-1](pictures), 2, 1).flatten(1)


def torchvisions(name):
    """torchvision's own network, with running statistics that keep its maps from vanishing."""
    torch.manual_seed(1)
    options = {"init_weights": False, "transform_input": True} if name == "googlenet" else {}
    network = Vgg11Features() if name == "vgg11" else get_model(name, weights=None, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    network(torch.randn(4, 3, 64, 64))
    return network.eval()


@torch.no_grad()
def features_of(network, pictures):
    """What reaches torchvision's own classifier for grey pictures in -1 to 1."""
    colour = normalize(((pictures + 1) / 2).expand(-1, 3, -1, -1), IMAGENET_MEAN, IMAGENET_STD)
    if isinstance(network, Vgg11Features):
        return network(colour)
    seen = []
    classifier = getattr(network, "classifier", None) or network.fc
    with classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])):
        network(colour)
    return seen[0]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no way out to a network."""

    def offline(*_, **__):
        raise URLError("no network here")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def put(cache, monkeypatch):
    """Put a state dict into the cache, under a name that carries its hash; the enum then names that file."""

    def put(name, state):
        torch.save(state, cache / "new")
        digest = hashlib.sha256((cache / "new").read_bytes()).hexdigest()
        path = (cache / "new").rename(cache / f"{name}-{digest[:8]}.pth")
        enum = get_model_weights(name).IMAGENET1K_V1
        monkeypatch.setattr(enum.value, "url", f"https://example.org/models/{path.name}")
        return path

    return put


@pytest.mark.parametrize("name", N_FEATURES)
def test_a_loaded_body_gives_the_features_of_torchvisions_own_network(name, put):
    own, network = torchvisions(name), published(name, 7).eval()
    put(name, own.state_dict())
    pictures = torch.rand(2, 1, 48, 48) * 2 - 1
    expected = features_of(own, pictures)
    with torch.no_grad():
        assert not torch.allclose(network.body(pictures), expected, rtol=0.1)
        load_body(network, name, imagenet(name))
        torch.testing.assert_close(network.body(pictures), expected, rtol=1e-3, atol=1e-3 * expected.std().item())


def test_the_head_stays_as_it_was(put):
    network = published("resnet18", 7)
    before = network.head[1].weight.clone()
    load_body(network, "resnet18", torchvisions("resnet18").state_dict())
    assert torch.equal(network.head[1].weight, before)


def test_a_missing_file_is_named_with_its_address_and_its_folder(cache):
    weights = get_model_weights("resnet18").IMAGENET1K_V1
    assert not has_imagenet("resnet18")
    with pytest.raises(StudyError) as error:
        imagenet("resnet18")
    for part in ("resnet18-f37072fd.pth", weights.url, str(cache), "no network here"):
        assert part in str(error.value)


def test_a_download_that_went_wrong_is_told(cache, monkeypatch):
    def damaged(*_, **__):
        raise RuntimeError('invalid hash value (expected "f37072fd", got "0")')

    monkeypatch.setattr(torch.hub, "download_url_to_file", damaged)
    with pytest.raises(StudyError, match="invalid hash value"):
        imagenet("resnet18")


def test_a_cached_file_needs_no_network(put):
    put("resnet18", {"some": torch.ones(3)})
    assert has_imagenet("resnet18")
    assert torch.equal(imagenet("resnet18")["some"], torch.ones(3))


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: data[:-1] + b"?", lambda data: b""])
def test_a_damaged_file_is_not_believed(put, damage):
    path = put("resnet18", {"some": torch.ones(300)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StudyError, match=f"{path.name} is damaged.*delete it"):
        imagenet("resnet18")


def test_an_old_file_that_counts_no_batches_is_taken():
    state = torchvisions("resnet18").state_dict()
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    network = published("resnet18", 7)
    load_body(network, "resnet18", old)
    assert torch.equal(network.body.network.layer4[1].conv2.weight, state["layer4.1.conv2.weight"])


def test_a_state_that_lacks_part_of_the_body_is_refused_and_changes_nothing():
    state = torchvisions("resnet18").state_dict()
    network = published("resnet18", 7)
    before = network.body.network.conv1.weight.clone()
    for wrong in ({**state, "layer4.1.conv2.weight": torch.zeros(1)}, {"conv1.weight": state["conv1.weight"]}):
        with pytest.raises(StudyError, match="resnet18 lack"):
            load_body(network, "resnet18", wrong)
    assert torch.equal(network.body.network.conv1.weight, before)


def test_an_unknown_network_is_named():
    with pytest.raises(StudyError, match="'vgg99' is unknown"):
        has_imagenet("vgg99")
