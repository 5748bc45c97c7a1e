"""Heat maps against one way there and back through the network, and filled holes against a package that fills them."""

from collections.abc import Callable

import numpy as np
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from scipy.ndimage import gaussian_filter

from fer_lib.explain.cams import grad_cam
from fer_lib.explain.faithfulness import REMOVED, ranks
from fer_lib.explain.filling import fill_in
from fer_lib.models.networks import get_network
from fer_lib.training.augment import centred, to_unit

PICTURES = 512
HOLES = 64
SMOOTH = 5  # pixels


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


def filling() -> tuple[Callable[[], None], Callable[[], None]]:
    """The filling of ROAD's holes by `fill_in`, and by the package grad-cam; holes as smooth as Grad-CAM's."""
    rng = np.random.default_rng(0)
    pictures = torch.from_numpy(rng.uniform(-1, 1, (HOLES, 1, 48, 48)).astype(np.float32))
    order = ranks(gaussian_filter(rng.random((HOLES, 48, 48)), (0, SMOOTH, SMOOTH)))
    keep = torch.from_numpy(order < 1 - np.resize(REMOVED, HOLES)[:, None, None])
    package = NoisyLinearImputer()
    singly = list(zip(pictures, keep.float(), strict=True))

    def by_package() -> None:
        for pair in singly:
            package(*pair)

    return lambda: fill_in(pictures, keep), by_package
