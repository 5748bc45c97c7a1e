"""ImageNet weights, through torchvision's own enums and torch.hub's cache (TORCH_HOME)."""

import hashlib
from pathlib import Path

import torch
from torchvision.models import WeightsEnum, get_model_weights

from fer_lib.errors import StudyError
from fer_lib.models.published import TwoPart, known_network


def imagenet(name: str) -> dict[str, torch.Tensor]:
    """torchvision's state dict (IMAGENET1K_V1, on the CPU) of a network in `published.N_FEATURES`.

    Taken from the cache, else downloaded into it.

    Raises
    ------
    StudyError
        When the name is unknown, or the file is damaged, or neither cached nor to be had.
    """
    weights = _enum(name)
    path = _cached(weights)
    if path.exists():
        _check(path, weights)
    try:
        return weights.get_state_dict(progress=False, check_hash=True, weights_only=True, map_location="cpu")
    except (OSError, RuntimeError) as error:
        raise StudyError(
            f"{path.name}, the ImageNet weights of {name}, is not cached and cannot be downloaded ({error}); "
            f"get it from {weights.url} and put it into {path.parent}."
        ) from error


def has_imagenet(name: str) -> bool:
    """Whether the file lies in the cache; asks no network, and does not read the file.

    Raises
    ------
    StudyError
        When the name is unknown.
    """
    return _cached(_enum(name)).is_file()


def load_body(network: TwoPart, name: str, state: dict[str, torch.Tensor]) -> None:
    """Put torchvision's state dict of network `name` into the body; its classifiers are ignored.

    Raises
    ------
    StudyError
        When a tensor of the body is missing or has another shape; the body is then as it was.
    """
    module = network.body.network
    own = module.state_dict()
    wrong = [key for key, tensor in own.items() if not _fits(key, tensor, state)]
    if wrong:
        raise StudyError(
            f"the weights given for {name} lack {len(wrong)} of {len(own)} tensors of its body in the right shape, "
            f"the first {wrong[0]}; use those of imagenet({name!r})."
        )
    module.load_state_dict({key: state[key] for key in own if key in state})


def _fits(key: str, tensor: torch.Tensor, state: dict[str, torch.Tensor]) -> bool:
    # Files older than PyTorch 0.4.1 count no batches; batch normalisation then keeps its own count.
    if key not in state:
        return key.endswith(".num_batches_tracked")
    return state[key].shape == tensor.shape


def _enum(name: str) -> WeightsEnum:
    return get_model_weights(known_network(name)).IMAGENET1K_V1


def _cached(weights: WeightsEnum) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[-1]


def _check(path: Path, weights: WeightsEnum) -> None:
    """Compare the file with the hash in its name: torch.hub does so after a download only."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(path.stem.rsplit("-", 1)[-1]):
        raise StudyError(
            f"{path} is damaged, for its sha256 {digest[:8]}… is not that in its name; delete it, and have it "
            f"downloaded again or get it from {weights.url}."
        )
