"""In which order, and how often, the train pictures are seen."""

import torch
from torch import Tensor

from fer_lib.errors import StudyError

ORDERS = ("none", "batches")


def sample_order(name: str, targets: Tensor, n_classes: int) -> Tensor:
    """The train pictures of one epoch, in the order in which they are seen; from torch's global generator.

    "none" is a permutation. "batches" are paper 004's balanced batches (section 4.2): pictures are drawn with
    replacement and with weight N / N of their class, so that a batch has about as many of each class.

    Parameters
    ----------
    targets : (N,) int64, class numbers below `n_classes`; a class may be absent

    Returns
    -------
    (N,) int64 on the CPU, row numbers

    Raises
    ------
    StudyError
        For another name.
    """
    if name not in ORDERS:
        raise StudyError(f"balance {name!r} is unknown; use one of {', '.join(ORDERS)}.")
    if name == "none":
        return torch.randperm(len(targets))
    targets = targets.cpu()
    weights = len(targets) / torch.bincount(targets, minlength=n_classes).double()
    return torch.multinomial(weights[targets], len(targets), replacement=True)
