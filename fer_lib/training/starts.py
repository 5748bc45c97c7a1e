"""What a network knows before its training, and what its frozen body makes of the pictures."""

from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import load_file, save_file
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
def settle(
    experiment: Experiment, network: nn.Module, pictures: torch.Tensor, cache: Path, device: torch.device
) -> None:
    """Give a body of random numbers the means and spreads of its maps, averaged over batches of training pictures.

    A trained body brings those of its training. Without any, signals fade or grow from layer to layer, and the random
    control would be weaker than random numbers are.

    Parameters
    ----------
    pictures : uint8 (N, 1, size, size)
    cache : folder that keeps them by the hash of pictures and body
    """
    body = network.body.eval()
    norms = {name: layer for name, layer in body.named_modules() if isinstance(layer, nn.BatchNorm2d)}
    if not norms:
        return
    path = cache / f"{experiment.network}-norms-{_key(experiment, network, pictures)}.safetensors"
    if not path.exists():
        for norm in norms.values():
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(experiment.seed))
        _run_body(experiment, network, pictures[order], device)
        kept = {name: value.cpu() for name, value in body.named_buffers()}
        with atomic_write(path) as temporary:
            save_file(kept, temporary)
    body.load_state_dict(load_file(path), strict=False)
    body.eval()


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
    network.body.eval()
    path = cache / f"{experiment.network}-{_key(experiment, network, pictures)}.npy"
    if path.exists():
        return torch.from_numpy(np.load(path))
    features = _run_body(experiment, network, pictures, device)
    with atomic_write(path) as temporary:
        np.save(temporary, features.numpy())
    return features


def _run_body(experiment: Experiment, network: nn.Module, pictures: torch.Tensor, device: torch.device) -> torch.Tensor:
    body = network.body.to(device)
    batches = pictures.tensor_split(-(-len(pictures) // BATCH))  # of nearly equal size, so that none counts more
    parts = progress(batches, f"{experiment.network}: features", unit="batch")
    with torch.autocast(device.type, torch.bfloat16, enabled=experiment.precision == "bf16-mixed"):
        return torch.cat([body(centred(to_unit(part.to(device)))).float().cpu() for part in parts])


def _key(experiment: Experiment, network: nn.Module, pictures: torch.Tensor) -> str:
    """Hash of what decides the features: pictures, the body's weights, its program and precision."""
    weights = [_tensor_hash(value) for value in network.body.state_dict().values()]
    seen = ("fer_lib.training.augment:to_unit", "fer_lib.training.augment:centred")
    program = [code_version(__name__, get_network(experiment.network).code, *seen), torchvision.__version__]
    return content_hash([weights, program, experiment.precision, _tensor_hash(pictures)])


def _tensor_hash(values: torch.Tensor) -> str:
    import hashlib

    return hashlib.blake2b(values.cpu().contiguous().numpy().tobytes() + str(values.shape).encode()).hexdigest()
