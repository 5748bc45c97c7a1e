"""What a network knows before its training, and what its frozen body makes of the pictures."""

from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from fer_lib.errors import StudyError
from fer_lib.files import atomic_write, code_version, content_hash
from fer_lib.models.networks import get_network
from fer_lib.progress import progress
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.experiment import Experiment

BATCH = 256


def new_network(experiment: Experiment, store: Path) -> nn.Module:
    """The experiment's network as it is before the first step, drawn from the experiment's seed.

    Parameters
    ----------
    store : folder of the run store, where the run named by `experiment.start` lies

    Raises
    ------
    StudyError
        When the weights to start from cannot be had, or a body is to be frozen and there is none.
    """
    torch.manual_seed(experiment.seed)
    network = get_network(experiment.network).make(len(experiment.classes), experiment.size)
    if experiment.frozen and not hasattr(network, "body"):
        raise StudyError(f"experiment {experiment.name}: {experiment.network!r} has no body to freeze.")
    if experiment.start == "imagenet":
        _take_imagenet(experiment, network)
    elif experiment.start != "random":
        _take_body(experiment, network, store / experiment.start / "weights.safetensors")
    return network.to(memory_format=torch.channels_last)


def _take_imagenet(experiment: Experiment, network: nn.Module) -> None:
    from fer_lib.models.weights import imagenet, load_body

    if not get_network(experiment.network).imagenet:
        raise StudyError(f"experiment {experiment.name}: no ImageNet weights exist for {experiment.network!r}.")
    architecture = experiment.network.rsplit("_", 1)[0]
    load_body(network, architecture, imagenet(architecture))


def _take_body(experiment: Experiment, network: nn.Module, path: Path) -> None:
    if not path.exists():
        raise StudyError(f"experiment {experiment.name}: {path} to start from is missing; train that run first.")
    body = {name.removeprefix("body."): value for name, value in load_file(path).items() if name.startswith("body.")}
    try:
        network.body.load_state_dict(body)
    except (RuntimeError, AttributeError) as error:
        raise StudyError(f"experiment {experiment.name}: {path} does not fit {experiment.network!r}.") from error


@torch.no_grad()
def body_features(
    experiment: Experiment, network: nn.Module, pictures: torch.Tensor, cache: Path, device: torch.device
) -> torch.Tensor:
    """What the frozen body makes of pictures without augmentation, float32 (N, features); computed once and cached.

    Parameters
    ----------
    pictures : uint8 (N, 1, size, size)
    cache : folder that keeps features by the hash of pictures and body, its weights and its program
    """
    body = network.body.eval()
    weights = [_tensor_hash(value) for value in body.state_dict().values()]
    seen = ("fer_lib.training.augment:to_unit", "fer_lib.training.augment:centred")
    program = [code_version(__name__, get_network(experiment.network).code, *seen), torchvision.__version__]
    path = cache / f"{experiment.network}-{content_hash([weights, program, _tensor_hash(pictures)])}.npy"
    if path.exists():
        return torch.from_numpy(np.load(path))
    body.to(device)
    parts = progress(pictures.split(BATCH), f"{experiment.network}: features", unit="batch")
    with torch.autocast(device.type, torch.bfloat16):
        features = torch.cat([body(centred(to_unit(part.to(device)))).float().cpu() for part in parts])
    with atomic_write(path) as temporary:
        np.save(temporary, features.numpy())
    return features


def _tensor_hash(values: torch.Tensor) -> str:
    import hashlib

    return hashlib.blake2b(values.cpu().contiguous().numpy().tobytes() + str(values.shape).encode()).hexdigest()
