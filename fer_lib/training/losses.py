"""What a training makes small."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from fer_lib.errors import StudyError

FOCAL_GAMMA = 2.0  # Lin et al. 2017, the best of their table 1b
Loss = Callable[[Tensor, Tensor], Tensor]


def loss_function(name: str, label_smoothing: float, class_counts: Tensor) -> Loss:
    """The loss called `name`, averaged over a batch.

    | name | loss |
    | --- | --- |
    | cross_entropy | torch's own |
    | nll | negative log likelihood of the log-softmax (paper 004, section 4.2): the same number as cross_entropy |
    | weighted | cross entropy with class weights N / (K · N of the class) |
    | focal | Lin et al. 2017, equation 4: cross entropy in which sure and right answers count less |

    Like torch's, the weighted loss divides by the sum of the weights for class numbers, by N for probabilities.

    Parameters
    ----------
    label_smoothing : 0-1, share of each target that is spread evenly over all classes
    class_counts : (K,), train pictures of each class

    Returns
    -------
    function of logits (N, K) float32 and targets, class numbers (N,) int64 or probabilities (N, K) float; a scalar

    Raises
    ------
    StudyError
        For another name.
    """
    if name not in LOSSES:
        raise StudyError(f"loss {name!r} is unknown; use one of {', '.join(LOSSES)}.")
    return LOSSES[name](label_smoothing, class_counts)


def _cross_entropy(label_smoothing: float, class_counts: Tensor) -> Loss:
    return partial(cross_entropy, label_smoothing=label_smoothing)


def _nll(label_smoothing: float, class_counts: Tensor) -> Loss:
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        shares = _shares(targets, logits, label_smoothing)
        return -(shares * logits.log_softmax(1)).sum(1).mean()

    return loss


def _weighted(label_smoothing: float, class_counts: Tensor) -> Loss:
    counts = class_counts.float()
    weights = counts.sum() / (len(counts) * counts.clamp(min=1))  # an absent class needs no infinite weight

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(logits, targets, weights.to(logits.device), label_smoothing=label_smoothing)

    return loss


def _focal(label_smoothing: float, class_counts: Tensor) -> Loss:
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        shares, logs = _shares(targets, logits, label_smoothing), logits.log_softmax(1)
        return -(shares * (1 - logs.exp()) ** FOCAL_GAMMA * logs).sum(1).mean()

    return loss


def _shares(targets: Tensor, logits: Tensor, label_smoothing: float) -> Tensor:
    """Targets as smoothed probabilities (N, K) of the logits' type."""
    classes = logits.shape[1]
    shares = one_hot(targets, classes) if targets.ndim == 1 else targets
    return torch.lerp(shares.to(logits.dtype), logits.new_tensor(1 / classes), label_smoothing)


LOSSES = {"cross_entropy": _cross_entropy, "nll": _nll, "weighted": _weighted, "focal": _focal}
