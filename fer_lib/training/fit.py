"""`fit(experiment)`: load the finished run, go on with the interrupted one, or train.

Started by `torchrun`, the processes train together, on several devices or machines (Lightning Fabric).
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from lightning.fabric import Fabric
from safetensors.torch import save_file
from torch import nn

from fer_lib.data.splits import read_test, split_rows
from fer_lib.data.table import table_hash
from fer_lib.runs import CHECKPOINT, Run, RunStore
from fer_lib.training.experiment import Experiment
from fer_lib.training.inputs import Split
from fer_lib.training.loop import Training, predict
from fer_lib.training.starts import body_features, new_network, settle

READINGS = "test_readings.csv"
SAVE_EVERY = 20.0  # seconds that a killed training loses at most, beside the epoch it was in


def fit(experiment: Experiment, table: pd.DataFrame, store: RunStore) -> Run:
    """The run of `experiment` on the study table: loaded, resumed or trained.

    The epoch is chosen on the validation split, and the test split is judged by that epoch's weights alone. Under
    `torchrun` every process calls this: the first keeps the store, all train.

    Raises
    ------
    StudyError
        When the loss stops being a number, or the weights to start from cannot be had.
    """
    return stored(experiment, table_hash(table), store, partial(_train, experiment, table, store))


def stored(experiment: Experiment, data: str, store: RunStore, train: Callable[[Fabric, Path | None], None]) -> Run:
    """The run of `experiment` from the store, or the one that `train` makes.

    Parameters
    ----------
    data : hash of what is learnt from
    train : called in every process, with a folder for the run's files in the first alone
    """
    fabric = launch(experiment.precision)
    key = (experiment, data, experiment.code())
    if not fabric.is_global_zero:
        if fabric.broadcast(False):
            train(fabric, None)
        fabric.barrier()  # until the run has its name
        return Run(store.folder(*key))
    trained = []

    def make(folder: Path) -> None:
        trained.append(fabric.broadcast(True))
        train(fabric, folder)

    run = store.get(*key, make)
    if not trained:
        fabric.broadcast(False)
    fabric.barrier()
    return run


def launch(precision: str) -> Fabric:
    """Fabric on this process's device; together with the other processes where `torchrun` started several."""
    together, here = (int(os.environ.get(name, 1)) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    strategy = "ddp" if together > 1 else "auto"
    fabric = Fabric(devices=here, num_nodes=together // here, strategy=strategy, precision=precision)
    fabric.launch()
    return fabric


def _train(experiment: Experiment, table: pd.DataFrame, store: RunStore, fabric: Fabric, folder: Path | None) -> None:
    with deterministic():
        trained, load = _load(experiment, table, store, fabric)
        train_splits(experiment, fabric, trained, load, table, folder)


def _load(
    experiment: Experiment, table: pd.DataFrame, store: RunStore, fabric: Fabric
) -> tuple[nn.Module, Callable[[pd.DataFrame], Split]]:
    """What is trained, and how rows become what it sees: pictures, or the features of a frozen body."""
    network = new_network(experiment, store.root)
    cache = store.root.parent / "cache" / "features"
    if experiment.frozen and experiment.start == "random":
        train = Split.load(split_rows(table, "train"), experiment)
        settle(experiment, network, train.inputs, cache, fabric.device)

    def load(rows: pd.DataFrame) -> Split:
        split = Split.load(rows, experiment)
        if experiment.frozen:
            split = replace(split, inputs=body_features(experiment, network, split.inputs, cache, fabric.device))
        return split.to(fabric.device)

    return network.head if experiment.frozen else network, load


def train_splits(
    experiment: Experiment,
    fabric: Fabric,
    module: nn.Module,
    load: Callable[[pd.DataFrame], Split],
    table: pd.DataFrame,
    folder: Path | None,
) -> None:
    """Train in all processes; the first, which alone has a `folder`, judges and writes the run.

    Parameters
    ----------
    load : rows of the table → what the module sees of them, on the device
    """
    training = Training(experiment, fabric, module, load(split_rows(table, "train")))
    validation, watched = load(split_rows(table, "validation")), None
    if folder and experiment.watch_test:
        why = f"{experiment.name}: measured after every epoch, nothing is chosen by it"
        watched = load(read_test(table, why, folder / READINGS))
    checkpoint = folder / CHECKPOINT if folder else None
    training.resume(checkpoint)
    saved = time.perf_counter()
    while not training.finished:
        training.run_epoch(validation, watched)
        if checkpoint and time.perf_counter() - saved >= SAVE_EVERY:
            training.save(checkpoint)
            saved = time.perf_counter()
    if folder:
        training.judged.load_state_dict(training.best_weights)
        kept = [validation]
        if "test" in experiment.splits:
            kept.append(load(read_test(table, experiment.name, folder / READINGS)))
        _write(training, kept, folder)
    fabric.barrier()


def _write(training: Training, splits: list[Split], folder: Path) -> None:
    """The files of a finished run."""
    experiment = training.experiment
    for views in dict.fromkeys(("one", experiment.views)):
        name = "predictions.parquet" if views == "one" else "predictions_views.parquet"
        frames = [_frame(training, split, views) for split in splits]
        pd.concat(frames).to_parquet(folder / name, index=False)
    pd.DataFrame(training.history).to_csv(folder / "history.csv", index=False)
    weights = {name: value.cpu().contiguous() for name, value in training.best_weights.items()}
    save_file(weights, folder / "weights.safetensors", {"network": experiment.network})


def _frame(training: Training, split: Split, views: str) -> pd.DataFrame:
    logits = predict(training.judged, split.inputs, training.fabric, views)
    return scores_frame(logits, split.rows, training.experiment.classes)


def scores_frame(logits: torch.Tensor, rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Predictions: id, split and label of the rows, numbered from 0, then one probability per class."""
    scores = pd.DataFrame(logits.softmax(1).cpu().numpy(), columns=list(classes))
    return pd.concat([rows[["id", "split", "label"]], scores], axis=1)


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Deterministic kernels inside the block, and what was set before after it."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts; without it, products differ
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
