"""One split as tensors on the device."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from fer_lib.data.table import load_pictures
from fer_lib.emotions import EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.models.networks import get_network
from fer_lib.training.experiment import Experiment

REST = "rest"  # as last class of an experiment: whatever has another label


@dataclass(frozen=True)
class Split:
    """Rows of the study table with what a network sees of them.

    Attributes
    ----------
    inputs : uint8 pictures (N, channels, size, size), or float features (N, D) of a frozen body
    targets : class numbers, int64 (N,)
    soft_targets : shares of the annotators' votes, float (N, classes), or None
    """

    rows: pd.DataFrame
    inputs: torch.Tensor
    targets: torch.Tensor
    soft_targets: torch.Tensor | None

    @classmethod
    def load(cls, rows: pd.DataFrame, experiment: Experiment) -> "Split":
        """Read the pictures of `rows`, in main memory."""
        pictures = picture_tensor(rows, experiment)
        votes = _votes(rows, experiment) if experiment.targets == "votes" else None
        return cls(rows, pictures, class_numbers(rows, experiment.classes), votes)

    def to(self, device: torch.device) -> "Split":
        """The same split on `device`."""
        soft = None if self.soft_targets is None else self.soft_targets.to(device)
        return replace(self, inputs=self.inputs.to(device), targets=self.targets.to(device), soft_targets=soft)


def picture_tensor(rows: pd.DataFrame, experiment: Experiment) -> torch.Tensor:
    """The rows' pictures at the size and in the channels that the network sees, uint8 (N, channels, size, size)."""
    grey = get_network(experiment.network).channels == 1
    pictures = torch.from_numpy(load_pictures(rows, experiment.size, grey))
    return pictures[:, None] if grey else pictures.permute(0, 3, 1, 2).contiguous()


def class_numbers(rows: pd.DataFrame, classes: tuple[str, ...]) -> torch.Tensor:
    """The place of each row's label among the classes, int64 (N,)."""
    number = {name: k for k, name in enumerate(classes)}
    rest = number.get(REST)
    numbers = [number.get(label, rest) for label in rows["label"]]
    if None in numbers:
        raise StudyError(f"label {rows['label'].iloc[numbers.index(None)]!r} is none of {', '.join(classes)}.")
    return torch.tensor(numbers)


def _votes(rows: pd.DataFrame, experiment: Experiment) -> torch.Tensor:
    if rows["votes"].isna().any():
        raise StudyError(f"experiment {experiment.name} learns from votes, but the data have none; use labels.")
    votes = np.stack(rows["votes"].to_numpy())
    named = [EMOTIONS.index(name) for name in experiment.classes if name != REST]
    others = np.delete(votes, named, 1).sum(1)
    columns = [others if name == REST else votes[:, EMOTIONS.index(name)] for name in experiment.classes]
    chosen = np.stack(columns, 1)
    total = chosen.sum(1, keepdims=True)
    if not total.all():
        picture, known = rows["id"].iloc[int(total.argmin())], ", ".join(experiment.classes)
        raise StudyError(f"experiment {experiment.name}: picture {picture} has no vote for any of {known}; use labels.")
    return torch.from_numpy(chosen / total).float()
