"""What a finished run says of other pictures than those of its training: covered ones, or bare ones."""

from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file
from torch import nn

from fer_lib.data.splits import read_test, split_rows
from fer_lib.runs import Run, RunStore
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import launch, scores_frame
from fer_lib.training.fusion import experiment_of
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.loop import predict
from fer_lib.training.starts import new_network, settle
from fer_lib.training.streams import trained_network


def whole_network(run: Run, table: pd.DataFrame, store: RunStore) -> tuple[Experiment, nn.Module]:
    """The network of a run from pictures to logits, also where its body was frozen, and its settings.

    Parameters
    ----------
    table : that the run learnt from; a random body that was frozen is settled on its train pictures
    """
    experiment = experiment_of(run)
    if not experiment.frozen:
        return trained_network(run)
    network = new_network(experiment, store.root)
    if experiment.start == "random":
        pictures = picture_tensor(split_rows(table, "train"), experiment)
        device = launch(experiment.precision).device
        settle(experiment, network, pictures, store.root.parent / "cache" / "features", device)
    network.head.load_state_dict(load_file(run.folder / "weights.safetensors"))
    return experiment, network.eval()


def asked_rows(table: pd.DataFrame, reader: str, log: Path) -> pd.DataFrame:
    """The usable rows of validation and test; the reading of test is written down.

    Parameters
    ----------
    reader, log : see `data.splits.read_test`
    """
    return pd.concat([split_rows(table, "validation"), read_test(table, reader, log)], ignore_index=True)


def judge(
    experiment: Experiment, network: nn.Module, rows: pd.DataFrame, pictures: torch.Tensor | None = None
) -> pd.DataFrame:
    """The network's predictions of rows: id, split, label, then one probability per class.

    Parameters
    ----------
    pictures : uint8 (N, channels, size, size), shown in place of the rows' own where given
    """
    fabric = launch(experiment.precision)
    shown = picture_tensor(rows, experiment) if pictures is None else pictures
    logits = predict(network.to(fabric.device), shown.to(fabric.device), fabric)
    return scores_frame(logits, rows, experiment.classes)
