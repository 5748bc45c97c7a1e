"""Two pictures of a batch mixed into one, and their targets with them."""

from collections.abc import Callable

from torch import Tensor
from torchvision.transforms import v2

from fer_lib.errors import StudyError

MIXUP_ALPHA = 0.2  # Zhang et al. 2018 advise 0.1-0.4 on ImageNet
CUTMIX_ALPHA = 1.0  # Yun et al. 2019
Mix = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def mix(name: str, n_classes: int) -> Mix:
    """How a batch is mixed: "none", "mixup", "cutmix", or "mixup_cutmix" (one of both at random for each batch).

    Each picture is mixed with its neighbour in the batch, so the batch must be shuffled. Random numbers come from
    torch's global generator on the CPU, wherever the batch lies.

    Parameters
    ----------
    n_classes : K

    Returns
    -------
    function of float pictures (N, C, H, W) and targets, class numbers (N,) int64 or probabilities (N, K) float; it
    returns pictures of the same shape and probabilities (N, K) float32. "none" returns both as they are.

    Raises
    ------
    StudyError
        For another name.
    """
    if name not in MIXES:
        raise StudyError(f"mix {name!r} is unknown; use one of {', '.join(MIXES)}.")
    return MIXES[name](n_classes)


def _none(n_classes: int) -> Mix:
    return lambda pictures, targets: (pictures, targets)


def _mixup(n_classes: int) -> Mix:
    return _with_float_targets(v2.MixUp(alpha=MIXUP_ALPHA, num_classes=n_classes))


def _cutmix(n_classes: int) -> Mix:
    return _with_float_targets(v2.CutMix(alpha=CUTMIX_ALPHA, num_classes=n_classes))


def _mixup_cutmix(n_classes: int) -> Mix:
    return v2.RandomChoice([_mixup(n_classes), _cutmix(n_classes)])


def _with_float_targets(transform: v2.Transform) -> Mix:
    """The transform, with probabilities of any precision made float32, as it makes class numbers itself."""
    return lambda pictures, targets: transform(pictures, targets.float() if targets.ndim == 2 else targets)


MIXES = {"none": _none, "mixup": _mixup, "cutmix": _cutmix, "mixup_cutmix": _mixup_cutmix}
