"""Heat maps against what they cannot do without: one way of the same pictures through the network and back."""

from collections.abc import Callable

import numpy as np
import torch

from fer_lib.explain.cams import grad_cam
from fer_lib.models.networks import get_network
from fer_lib.training.augment import centred, to_unit

PICTURES = 512


def heating(name: str = "six_layer") -> tuple[int, Callable[[], None], Callable[[], None]]:
    """How many pictures there are, Grad-CAM of all of them, and the network's way to logits and back alone."""
    torch.manual_seed(0)
    network = get_network(name).make(7, 48).eval()
    pictures = torch.randint(0, 256, (PICTURES, 1, 48, 48), dtype=torch.uint8)

    def ours() -> None:
        grad_cam(network, pictures, np.zeros(PICTURES, int))

    def there_and_back() -> None:
        for part in pictures.split(128):
            network.zero_grad()
            network(centred(to_unit(part)))[:, 0].sum().backward()

    return PICTURES, ours, there_and_back
