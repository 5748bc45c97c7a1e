"""Every network of the study by name: how it is made, and which code decides what it is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from fer_lib.errors import StudyError
from fer_lib.models import face_resnet, gimefive, published, regular, scratch


@dataclass(frozen=True)
class Network:
    """One architecture.

    Attributes
    ----------
    make : (number of classes, side of the pictures in pixels) → module that takes float pictures (N, channels, side,
        side) in -1 to 1 and gives logits
    code : module whose program decides what the network is; part of a run's name
    imagenet : whether weights trained on ImageNet exist for its body
    channels : 1 for grey pictures, 3 for pictures in colour
    """

    make: Callable[[int, int], nn.Module]
    code: str
    imagenet: bool = False
    channels: int = 1

    @property
    def program(self) -> tuple[str, ...]:
        """What decides the network: its module, and the function here that makes it, if there is one."""
        maker = getattr(self.make, "func", self.make)
        return (self.code, f"{__name__}:{maker.__name__}") if maker.__module__ == __name__ else (self.code,)


def _networks() -> dict[str, Network]:
    networks = {
        "six_layer": Network(_six_layer, scratch.__name__),
        "regular": Network(regular.RegularCNN, regular.__name__),
        "regular_stream": Network(regular.RegularStream, regular.__name__),
        "regular_stream_colour": Network(_in_colour, regular.__name__, channels=3),
    }
    for module, makers in ((gimefive, gimefive.GIMEFIVE), (face_resnet, face_resnet.FACE_RESNETS)):
        for name, make in makers.items():
            networks[name] = Network(partial(_any_size, make), module.__name__)
    for name in published.N_FEATURES:
        for head in published.HEADS:
            make = partial(_published, name, head)
            networks[f"{name}_{head}"] = Network(make, published.__name__, imagenet=True)
    return networks


def _six_layer(n_classes: int, side: int) -> nn.Module:
    if side != 48:
        raise StudyError(f"the six-layer network takes pictures of 48 pixels, not {side}; set size to 48.")
    return scratch.SixLayerCNN(n_classes)


def _in_colour(n_classes: int, side: int) -> nn.Module:
    return regular.RegularStream(n_classes, side, channels=3)


def _any_size(make: Callable[[int], nn.Module], n_classes: int, side: int) -> nn.Module:
    return make(n_classes)


def _published(name: str, head: str, n_classes: int, side: int) -> nn.Module:
    return published.published(name, n_classes, head, side)


NETWORKS = _networks()


def get_network(name: str) -> Network:
    """The network called `name`.

    Raises
    ------
    StudyError
        When there is none of that name.
    """
    if name not in NETWORKS:
        raise StudyError(f"network {name!r} is unknown; use one of {', '.join(NETWORKS)}.")
    return NETWORKS[name]
