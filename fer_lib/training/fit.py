"""`fit(experiment)`: load the finished run, go on with the interrupted one, or train."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from lightning.fabric import Fabric
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import cross_entropy

from fer_lib.data.splits import read_test, split_rows
from fer_lib.data.table import load_pictures, table_hash
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.files import atomic_write, code_version
from fer_lib.models.scratch import NETWORKS
from fer_lib.progress import progress
from fer_lib.runs import Run, RunStore
from fer_lib.training.augment import augmentation, centred, to_unit


@dataclass(frozen=True)
class Experiment:
    """Everything that one training needs. The defaults are those of paper 004, section 4.1.

    The learning rate falls by `decay` each epoch, and by `plateau_factor` after `plateau_patience` epochs without
    a lower validation loss. Training stops after `patience` epochs without a higher validation accuracy, and the
    weights of the best epoch are kept. The paper names no batch size and no patience: those are ours.
    """

    name: str
    network: str = "six_layer"
    classes: tuple[str, ...] = BASIC
    size: int = 48
    augmentation: str = "none"
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    decay: float = 0.9
    plateau_factor: float = 0.1
    plateau_patience: int = 5
    max_epochs: int = 60
    patience: int = 8
    seed: int = 0
    precision: str = "bf16-mixed"


def fit(experiment: Experiment, table: pd.DataFrame, store: RunStore) -> Run:
    """The run of `experiment` on the study table: loaded, resumed or trained.

    The epoch is chosen on the validation split; the test split is read once, after that choice.

    Raises
    ------
    StudyError
        When the loss stops being a number.
    """
    code = code_version("fer_lib.training.fit", "fer_lib.training.augment", "fer_lib.models.scratch")
    return store.get(experiment, table_hash(table), code, lambda folder: _train(experiment, table, folder))


class _Training:
    """Network, optimizer, schedules and history of one training; saved after every epoch."""

    def __init__(self, experiment: Experiment, fabric: Fabric, checkpoint: Path):
        self.experiment, self.fabric, self.checkpoint = experiment, fabric, checkpoint
        torch.manual_seed(experiment.seed)
        network = NETWORKS[experiment.network](len(experiment.classes)).to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(
            network.parameters(), experiment.learning_rate, weight_decay=experiment.weight_decay
        )
        self.network, self.optimizer = fabric.setup(network, optimizer)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, experiment.decay)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=experiment.plateau_factor, patience=experiment.plateau_patience
        )
        self.augment = augmentation(experiment.augmentation)
        self.history: list[dict] = []
        self.best_weights: dict[str, torch.Tensor] = {}

    @property
    def finished(self) -> bool:
        """Whether the last epoch is reached or the best one lies `patience` epochs back."""
        if not self.history:
            return False
        since_best = len(self.history) - 1 - self.best_epoch
        return len(self.history) >= self.experiment.max_epochs or since_best >= self.experiment.patience

    @property
    def best_epoch(self) -> int:
        """The first epoch with the highest validation accuracy."""
        return int(np.argmax([row["validation_accuracy"] for row in self.history]))

    def state(self) -> dict:
        """What a resumed training needs; random numbers are drawn anew from seed and epoch."""
        parts = {"network": self.network, "optimizer": self.optimizer}
        parts |= {"schedule": self.schedule, "plateau": self.plateau}
        states = {name: part.state_dict() for name, part in parts.items()}
        return {**states, "history": self.history, "best_weights": self.best_weights}

    def save(self) -> None:
        with atomic_write(self.checkpoint) as temporary:
            torch.save(self.state(), temporary)

    def resume(self) -> None:
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, map_location=self.fabric.device, weights_only=True)
        for name in ("network", "optimizer", "schedule", "plateau"):
            getattr(self, name).load_state_dict(state[name])
        self.history, self.best_weights = state["history"], state["best_weights"]

    def run_epoch(self, train: "_Split", validation: "_Split") -> None:
        """Train one epoch, look at the validation split, step the schedules, keep the best weights."""
        epoch, start = len(self.history), time.perf_counter()
        torch.manual_seed(self.experiment.seed * 100_003 + epoch)
        rate = self.optimizer.param_groups[0]["lr"]
        loss, accuracy = self._train_batches(train, epoch)
        scores = predict(self.network, validation)
        validation_loss = cross_entropy(scores, validation.targets).item()
        self.history.append(
            {
                "epoch": epoch + 1,
                "train_loss": loss,
                "train_accuracy": accuracy,
                "validation_loss": validation_loss,
                "validation_accuracy": (scores.argmax(1) == validation.targets).float().mean().item(),
                "learning_rate": rate,
                "seconds": time.perf_counter() - start,
            }
        )
        self.schedule.step()
        self.plateau.step(validation_loss)
        if self.best_epoch == epoch:
            self.best_weights = {name: value.clone() for name, value in self.network.state_dict().items()}

    def _train_batches(self, train: "_Split", epoch: int) -> tuple[float, float]:
        self.network.train()
        order = torch.randperm(len(train.targets)).to(self.fabric.device)
        loss_sum = torch.zeros((), device=self.fabric.device)
        correct = torch.zeros((), device=self.fabric.device)
        for rows in progress(_batches(order, self.experiment.batch_size), f"epoch {epoch + 1}", unit="batch"):
            targets = train.targets[rows]
            logits = self.network(centred(self.augment(to_unit(train.pictures[rows]))))
            loss = cross_entropy(logits.float(), targets)
            self.optimizer.zero_grad(set_to_none=True)
            self.fabric.backward(loss)
            self.optimizer.step()
            loss_sum += loss.detach() * len(rows)
            correct += (logits.argmax(1) == targets).sum()
        if not torch.isfinite(loss_sum):
            raise StudyError(
                f"experiment {self.experiment.name}: the loss is no number in epoch {epoch + 1}; lower learning_rate."
            )
        return loss_sum.item() / len(order), correct.item() / len(order)


@dataclass(frozen=True)
class _Split:
    """One split on the device: ids, uint8 pictures (N, 1, size, size), class numbers (N,)."""

    rows: pd.DataFrame
    pictures: torch.Tensor
    targets: torch.Tensor

    @classmethod
    def load(cls, rows: pd.DataFrame, experiment: Experiment, device: torch.device) -> "_Split":
        pictures = torch.from_numpy(load_pictures(rows, experiment.size))[:, None].to(device)
        targets = torch.tensor([experiment.classes.index(label) for label in rows["label"]], device=device)
        return cls(rows, pictures, targets)


@torch.no_grad()
def predict(network: nn.Module, split: _Split, batch_size: int = 512) -> torch.Tensor:
    """Logits, float32 (N, classes), of every picture of a split, without augmentation."""
    network.eval()
    parts = split.pictures.split(batch_size)
    return torch.cat([network(centred(to_unit(part))).float() for part in parts])


def _batches(order: torch.Tensor, batch_size: int) -> tuple[torch.Tensor, ...]:
    """Batches of nearly equal size, so that no batch is too small to normalise."""
    return order.tensor_split(-(-len(order) // batch_size))


def _train(experiment: Experiment, table: pd.DataFrame, folder: Path) -> None:
    with _deterministic():
        fabric = Fabric(accelerator="auto", devices=1, precision=experiment.precision)
        training = _Training(experiment, fabric, folder / "checkpoint.pt")
        training.resume()
        train, validation = (
            _Split.load(split_rows(table, split), experiment, fabric.device) for split in ("train", "validation")
        )
        while not training.finished:
            training.run_epoch(train, validation)
            training.save()
        training.network.load_state_dict(training.best_weights)
        log = folder / "test_readings.csv"
        test = _Split.load(read_test(table, experiment.name, log), experiment, fabric.device)
        frames = [_frame(training.network, split, experiment.classes) for split in (validation, test)]
    pd.concat(frames).to_parquet(folder / "predictions.parquet", index=False)
    pd.DataFrame(training.history).to_csv(folder / "history.csv", index=False)
    weights = {name: value.cpu().contiguous() for name, value in training.best_weights.items()}
    save_file(weights, folder / "weights.safetensors", {"network": experiment.network})
    training.checkpoint.unlink()


def _frame(network: nn.Module, split: _Split, classes: tuple[str, ...]) -> pd.DataFrame:
    scores = predict(network, split).softmax(1).cpu().numpy()
    ids = split.rows[["id", "split", "label"]]
    return pd.concat([ids, pd.DataFrame(scores, columns=list(classes))], axis=1)


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic kernels inside the block, and what was set before after it."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
