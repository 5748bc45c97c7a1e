"""Which stream of SAFER carried a decision, and where one stream looks while the others stay fixed (paper 000)."""

from collections.abc import Mapping, Sequence
from copy import deepcopy

import numpy as np
import pandas as pd
import torch
from captum.attr import ShapleyValues
from torch import nn

from fer_lib.errors import StudyError
from fer_lib.explain.cams import BATCH
from fer_lib.explain.methods import heat
from fer_lib.models.safer import Safer

REPEATING = "integrated gradients"  # which shows each picture many times at once


class OneStream(nn.Module):
    """SAFER as a function of what one stream is shown; the features of all other streams stay as they are.

    Parameters
    ----------
    fusion : the layers that join the streams
    stream : the name of the one that sees pictures
    network : that learnt this stream alone; its `body` makes the features
    features : float (M, sum of sizes), of all streams, M ≥ N; those of `stream` are replaced

    Input: the first N of those pictures, float (N, C, S, S) in -1 to 1. Output: logits (N, n_classes).
    """

    def __init__(self, fusion: Safer, stream: str, network: nn.Module, features: torch.Tensor):
        super().__init__()
        self.fusion, self.stream_network = fusion, network
        names = list(fusion.sizes)
        at = names.index(stream)
        widths = [sum(fusion.sizes[name] for name in part) for part in (names[:at], [stream], names[at + 1 :])]
        self.before, _, self.after = features.split(widths, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        n = len(pictures)
        return self.fusion(torch.cat([self.before[:n], self.stream_network.body(pictures), self.after[:n]], 1))


def stream_heat(
    fusion: Safer,
    stream: str,
    network: nn.Module,
    pictures: torch.Tensor,
    features: torch.Tensor,
    targets: np.ndarray,
    method: str = "Grad-CAM",
    side: int = 48,
) -> np.ndarray:
    """Where one stream looks for a class that all streams together decide on.

    Parameters
    ----------
    network : that learnt the stream alone; its `body` makes the features
    pictures : uint8 (N, C, S, S), what the stream is shown
    features : float (N, sum of sizes), of all streams; where this stream's are NaN it saw nothing
    targets : int (N,)

    Returns
    -------
    float32 (N, side, side), 0 to 1; 0 everywhere in pictures of which the stream saw nothing

    Raises
    ------
    StudyError
        For `REPEATING`, whose copies of a picture would meet other pictures' features.
    """
    if method == REPEATING:
        raise StudyError(f"{method} cannot be asked of one stream; use Grad-CAM, saliency or guided backprop.")
    names = list(fusion.sizes)
    own = features.split(list(fusion.sizes.values()), 1)[names.index(stream)]
    found = np.zeros((len(pictures), side, side), np.float32)
    device = next(network.parameters()).device
    layers = deepcopy(fusion).to(device).eval()
    for start in range(0, len(pictures), BATCH):
        part = slice(start, start + BATCH)
        joined = OneStream(layers, stream, network, features[part].to(device)).eval()
        found[part] = heat(method, joined, pictures[part], targets[part], side)
    found[~own.isfinite().all(1).numpy()] = 0
    return found


@torch.no_grad()
def contributions(
    fusion: Safer,
    features: torch.Tensor,
    targets: np.ndarray,
    groups: Mapping[str, Sequence[str]],
    temperature: float = 1.0,
) -> pd.DataFrame:
    """How much each group of streams adds to the probability of a class: exact Shapley values, by Captum.

    A stream that is taken away shows its mean over train. The values of a picture add up to what it has above
    `at_rest`, a picture all of whose streams are such.

    Parameters
    ----------
    features : float (N, sum of sizes), NaN where a stream saw nothing
    targets : int (N,)
    groups : {name: streams}; every stream of the fusion in one of them
    temperature : that calibrates the probabilities, see `evaluation.calibration`

    Returns
    -------
    one row a picture, one column a group, and the column at_rest; probabilities
    """
    means = torch.cat([stream.mean for stream in fusion.streams.values()])[None]
    known = torch.where(features.isfinite(), features, means)
    of_stream = {stream: k for k, group in enumerate(groups.values()) for stream in group}
    numbers = torch.cat([torch.full((size,), of_stream[name]) for name, size in fusion.sizes.items()])

    def probability(shown: torch.Tensor) -> torch.Tensor:
        return (fusion.eval()(shown) / temperature).softmax(1)

    wanted = torch.from_numpy(np.asarray(targets, np.int64))
    values = ShapleyValues(probability).attribute(known, means, target=wanted, feature_mask=numbers[None])
    first = {name: int((numbers == k).nonzero()[0]) for k, name in enumerate(groups)}
    frame = pd.DataFrame({name: values[:, at].numpy() for name, at in first.items()})
    return frame.assign(at_rest=probability(means)[0, wanted].numpy())
