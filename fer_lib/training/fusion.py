"""SAFER's last step: features of streams, each computed once, and the layers that join them (paper 000, 4.6)."""

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning.fabric import Fabric
from safetensors.torch import load_file

from fer_lib.data.splits import read_test, split_rows
from fer_lib.errors import StudyError
from fer_lib.models.safer import Safer
from fer_lib.runs import Run, RunStore
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import deterministic, launch, scores_frame, stored, train_splits
from fer_lib.training.inputs import Split, class_numbers
from fer_lib.training.loop import predict

FACE, SCENE = ("au", "visible", "deep"), ("background", "place")
STREAMS = FACE + SCENE


@dataclass(frozen=True)
class Fusion(Experiment):
    """A training of SAFER's layers on features of its streams; the rest is as in `Experiment`.

    Attributes
    ----------
    streams : which are joined, of `STREAMS`
    normalised, stream_dropout : see `models.safer.Safer`
    """

    network: str = "safer"
    streams: tuple[str, ...] = STREAMS
    normalised: bool = True
    stream_dropout: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if not self.streams or len(set(self.streams)) < len(self.streams) or not set(STREAMS).issuperset(self.streams):
            names = ", ".join(STREAMS)
            raise StudyError(f"experiment {self.name}: streams {self.streams}; name some of {names}, each once.")

    def network_program(self) -> tuple[str, ...]:
        parts = ("_train", "_network", "Features")
        return ("fer_lib.models.safer", *(f"fer_lib.training.fusion:{part}" for part in parts))


@dataclass(frozen=True, eq=False)
class Features:
    """What the streams make of the usable rows of a study table.

    Attributes
    ----------
    rows : id, label, split and problem of the study table, and whatever else is of use, numbered from 0
    streams : {name: float32 (N, D)}; rows of NaN where a stream saw nothing
    """

    rows: pd.DataFrame
    streams: Mapping[str, np.ndarray]

    def sizes(self, names: Collection[str]) -> dict[str, int]:
        """How many features each of the named streams has."""
        return {name: self.streams[name].shape[1] for name in names}

    def hash(self, names: Collection[str]) -> str:
        """Hash of all that a fusion of the named streams can see; 16 hexadecimal digits."""
        rows = self.rows[["id", "label", "split", "problem"]].astype(str)
        seen = hashlib.sha256(pd.util.hash_pandas_object(rows).to_numpy().tobytes())
        for name in names:
            seen.update(name.encode())
            seen.update(np.ascontiguousarray(self.streams[name]).data)
        return seen.hexdigest()[:16]

    def split(self, rows: pd.DataFrame, experiment: Fusion) -> Split:
        """The features of these rows, which still carry the column `row`, beside each other."""
        parts = [self.streams[name][rows["row"].to_numpy()] for name in experiment.streams]
        inputs = torch.from_numpy(np.concatenate(parts, 1).astype(np.float32))
        return Split(rows, inputs, class_numbers(rows, experiment.classes), None)

    def without(self, names: Collection[str]) -> "Features":
        """The same, but these streams see nothing."""
        blind = {name: np.full_like(values, np.nan) for name, values in self.streams.items() if name in names}
        return replace(self, streams={**self.streams, **blind})

    def with_scenes_of_others(self, seed: int) -> "Features":
        """The same faces, but every picture has the scene of another picture of its split, whatever it shows."""
        order = strangers(self.rows["split"], seed)
        moved = {name: values[order] for name, values in self.streams.items() if name in SCENE}
        return replace(self, streams={**self.streams, **moved})


def strangers(splits: pd.Series, seed: int) -> np.ndarray:
    """For every row another row of its split, each once, int (N,): who gets whose scene."""
    rng, order = np.random.default_rng(seed), np.arange(len(splits))
    for split in splits.unique():
        members = rng.permutation(np.flatnonzero((splits == split).to_numpy()))
        order[members] = np.roll(members, 1)
    return order


def fit_fusion(experiment: Fusion, features: Features, store: RunStore) -> Run:
    """The run of a fusion: loaded, resumed or trained. Epoch chosen on validation; see `training.fit.fit`."""
    data = features.hash(experiment.streams)
    return stored(experiment, data, store, partial(_train, experiment, features))


def _train(experiment: Fusion, features: Features, fabric: Fabric, folder: Path | None) -> None:
    table = features.rows.assign(row=np.arange(len(features.rows)))
    with deterministic(), one_thread():
        network = _network(experiment, features)
        network.measure(features.split(split_rows(table, "train"), experiment).inputs)

        def load(rows: pd.DataFrame) -> Split:
            return features.split(rows, experiment).to(fabric.device)

        train_splits(experiment, fabric, network, load, table, folder)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread inside the block: these layers are so small that threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def judge_fusion(run: Run, features: Features, reader: str) -> pd.DataFrame:
    """What a trained fusion says of the test pictures when the streams see other things than in its training.

    Parameters
    ----------
    reader : who reads the test split, and what for; written down beside the run's own readings

    Returns
    -------
    columns id, split, label, then one score per class
    """
    experiment = experiment_of(run, Fusion)
    table = features.rows.assign(row=np.arange(len(features.rows)))
    fabric = launch(experiment.precision)
    network = _network(experiment, features)
    network.load_state_dict(load_file(run.folder / "weights.safetensors"))
    rows = read_test(table, reader, run.folder.parent / "fusion_test_readings.csv")
    split = features.split(rows, experiment).to(fabric.device)
    return scores_frame(predict(network.to(fabric.device), split.inputs, fabric), rows, experiment.classes)


def experiment_of(run: Run, kind: type[Experiment] = Experiment) -> Experiment:
    """The settings of a stored run as the dataclass that they were."""
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in run.experiment.items()})


def _network(experiment: Fusion, features: Features) -> Safer:
    torch.manual_seed(experiment.seed)
    sizes = features.sizes(experiment.streams)
    return Safer(sizes, len(experiment.classes), experiment.normalised, experiment.stream_dropout)
