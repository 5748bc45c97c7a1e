"""torchvision's networks in two parts: a body that can start from ImageNet, and a new head (papers 000, 002-004)."""

import torch
from torch import nn
from torchvision.models import get_model

from fer_lib.errors import StudyError

N_FEATURES = {"mobilenet_v2": 1280, "googlenet": 1024, "vgg11": 2048, "resnet18": 512, "resnet50": 2048}
HEADS = ("layers", "linear")
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# torchvision scales GoogLeNet's input once more when it starts from ImageNet: its weights expect -1 to 1.
_OPTIONS = {"googlenet": {"aux_logits": False, "init_weights": False, "transform_input": True}}


class Body(nn.Module):
    """A torchvision network without its classifier.

    Input: float (N, 1, S, S), grey in -1 to 1; repeated to 3 channels and normalised as ImageNet's pictures were.
    Output: features (N, D). `network` is torchvision's module, its parameters named as in torchvision's files.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None], persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.network(((pictures + 1) / 2 - self.mean) / self.std)


class TwoPart(nn.Module):
    """A body and a head, so that one can be frozen, or its features kept, while the other learns.

    `body`: pictures (N, 1, S, S) in -1 to 1 → features (N, n_features). `head`: features → logits (N, n_classes).
    """

    def __init__(self, body: nn.Module, head: nn.Module, n_features: int):
        super().__init__()
        self.body, self.head, self.n_features = body, head, n_features

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(pictures))


def published(name: str, n_classes: int, head: str = "layers", size: int = 48) -> TwoPart:
    """A network of `N_FEATURES` with random weights; `weights.load_body` gives its body those of ImageNet.

    VGG11 is that of paper 004, section 4.5: the last max-pool and torchvision's average pool after it become one
    average pool, kernel 2, stride 1. That leaves 512×2×2 at 48 pixels; larger pictures are averaged down to it.

    size : side of the pictures it will be given, in pixels; the network itself does not depend on it

    Raises
    ------
    StudyError
        When the name or the kind of head is unknown, or pictures of that size leave no map to average.
    """
    head_part = make_head(known_network(name), n_classes, head)
    smallest = 48 if name == "vgg11" else 32
    if size < smallest:
        raise StudyError(f"size is {size} pixels; {name} needs {smallest} or more.")
    return TwoPart(_body(name), head_part, N_FEATURES[name])


def make_head(network: str, n_classes: int, kind: str) -> nn.Sequential | nn.Linear:
    """New layers from features (N, D) to logits (N, n_classes).

    "layers" on VGG11 are those of paper 004, section 4.5: 2048-1024-512-classes with 30 % dropout between the first
    two; the activation is not named there, and is ReLU here. The papers name no layers for the other networks, so
    these get torchvision's usual ones, 20 % dropout and one linear layer. "linear" is one linear layer alone
    (paper 002, Method).

    network : a name in `N_FEATURES`, whose value is D

    Raises
    ------
    StudyError
        When the name or the kind is unknown.
    """
    if kind not in HEADS:
        raise StudyError(f"head {kind!r} is unknown; use one of {', '.join(HEADS)}.")
    n_features = N_FEATURES[known_network(network)]
    if kind == "linear":
        return nn.Linear(n_features, n_classes)
    if network != "vgg11":
        return nn.Sequential(nn.Dropout(0.2), nn.Linear(n_features, n_classes))
    return nn.Sequential(
        nn.Linear(n_features, 1024),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(1024, 512),
        nn.ReLU(),
        nn.Linear(512, n_classes),
    )


def known_network(name: str) -> str:
    """The name itself, if it is one of `N_FEATURES`; else StudyError."""
    if name not in N_FEATURES:
        raise StudyError(f"network {name!r} is unknown; use one of {', '.join(N_FEATURES)}.")
    return name


def _body(name: str) -> Body:
    network = get_model(name, weights=None, **_OPTIONS.get(name, {}))
    if name == "vgg11":
        network.features[-1] = nn.AvgPool2d(2, stride=1)
        network.avgpool = nn.AdaptiveAvgPool2d(2)
    if name == "googlenet":
        network.dropout = nn.Identity()
    setattr(network, "classifier" if hasattr(network, "classifier") else "fc", nn.Identity())
    return Body(network)
