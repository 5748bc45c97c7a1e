"""The loop that every network is trained by: epochs, batches, the judgement after each, and its checkpoint."""

import time
from pathlib import Path

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchmetrics.functional.classification import multiclass_recall

from fer_lib.errors import StudyError
from fer_lib.files import atomic_write
from fer_lib.progress import progress
from fer_lib.training.augment import augmentation, centred, to_unit
from fer_lib.training.balance import sample_order
from fer_lib.training.experiment import Experiment
from fer_lib.training.inputs import Split
from fer_lib.training.losses import loss_function
from fer_lib.training.mix import mix
from fer_lib.training.optimizers import Schedule, optimizer
from fer_lib.training.sharpness import climbed
from fer_lib.training.views import VIEWS

BATCH = 512  # pictures judged at once


class Training:
    """Network, optimizer, schedule and history of one training, which `fit` saves between epochs."""

    def __init__(self, experiment: Experiment, fabric: Fabric, module: nn.Module, train: Split):
        self.experiment, self.fabric, self.module, self.train = experiment, fabric, module, train
        self.network, self.optimizer = fabric.setup(module, optimizer(experiment, module.parameters()))
        steps = len(self._batches(train.targets))
        self.schedule = Schedule(experiment, self.optimizer.optimizer, steps)
        self.average = _average(module, experiment.averaging * steps) if experiment.averaging else None
        self.augment = augmentation(experiment.augmentation)
        self.mix = mix(experiment.mix, len(experiment.classes))
        counts = torch.bincount(train.targets, minlength=len(experiment.classes))
        self.loss = loss_function(experiment.loss, experiment.label_smoothing, counts)
        self.history: list[dict] = []
        self.best_weights: dict[str, torch.Tensor] = {}

    @property
    def judged(self) -> nn.Module:
        """The network whose predictions count: the moving average where there is one."""
        return self.average.module if self.average else self.module

    @property
    def finished(self) -> bool:
        """Whether the last epoch is reached or the best one lies `patience` epochs back."""
        if not self.history:
            return False
        since_best = len(self.history) - 1 - self.best_epoch
        return len(self.history) >= self.experiment.max_epochs or since_best >= self.experiment.patience

    @property
    def best_epoch(self) -> int:
        """The first epoch that validation says is best."""
        return int(np.argmax([row[f"validation_{self.experiment.chosen_by}"] for row in self.history]))

    def save(self, checkpoint: Path) -> None:
        """Leave all that a resumed training needs; random numbers are drawn anew from seed and epoch."""
        states = {name: part.state_dict() for name, part in self._parts().items()}
        with atomic_write(checkpoint) as temporary:
            torch.save({**states, "history": self.history, "best_weights": self.best_weights}, temporary)

    def resume(self, checkpoint: Path | None) -> None:
        """Go on from the checkpoint, if the first process has one."""
        exists = checkpoint is not None and checkpoint.exists()
        state = torch.load(checkpoint, map_location="cpu", weights_only=True) if exists else None
        state = self.fabric.broadcast(state)
        if state is None:
            return
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.history, self.best_weights = state["history"], state["best_weights"]

    def run_epoch(self, validation: Split, test: Split | None) -> None:
        """Learn one epoch, look at the validation split, lower the learning rate, keep the best weights."""
        epoch, start = len(self.history), time.perf_counter()
        rate = self.optimizer.param_groups[0]["lr"]
        loss, accuracy = self._learn(epoch)
        measured = self._judge(validation, test) if self.fabric.is_global_zero else None
        row = {"epoch": epoch + 1, "train_loss": loss, "train_accuracy": accuracy, **self.fabric.broadcast(measured)}
        self.history.append({**row, "learning_rate": rate, "seconds": time.perf_counter() - start})
        self.schedule.after_epoch(row["validation_loss"])
        if self.best_epoch == epoch:
            self.best_weights = {name: value.clone() for name, value in self.judged.state_dict().items()}

    def _parts(self) -> dict:
        parts = {"network": self.module, "optimizer": self.optimizer, "schedule": self.schedule}
        return parts | ({"average": self.average} if self.average else {})

    def _judge(self, validation: Split, test: Split | None) -> dict[str, float]:
        scores = predict(self.judged, validation.inputs, self.fabric)
        measured = {"validation_loss": cross_entropy(scores, validation.targets).item()}
        measured["validation_accuracy"] = (scores.argmax(1) == validation.targets).float().mean().item()
        if self.experiment.chosen_by == "recall":
            recall = multiclass_recall(scores, validation.targets, len(self.experiment.classes), average="macro")
            measured["validation_recall"] = recall.item()
        if test is not None:
            scores = predict(self.judged, test.inputs, self.fabric)
            measured["test_accuracy"] = (scores.argmax(1) == test.targets).float().mean().item()
        return measured

    def _learn(self, epoch: int) -> tuple[float, float]:
        """Train on every batch once; mean loss and accuracy, over all processes."""
        self.network.train()
        torch.manual_seed(self.experiment.seed * 100_003 + epoch)
        order = sample_order(self.experiment.balance, self.train.targets.cpu(), len(self.experiment.classes))
        if self.fabric.global_rank:  # the same order everywhere, but other draws of augmentation and dropout
            torch.manual_seed((self.experiment.seed * 100_003 + epoch) * 1_009 + self.fabric.global_rank)
        sums = torch.zeros(2, device=self.fabric.device)
        mixing = epoch < self.experiment.mix_until * self.experiment.max_epochs
        batches = self._batches(order.to(self.fabric.device))
        for batch in progress(batches, f"epoch {epoch + 1}", unit="batch"):
            sums += self._step(batch, mixing)
        sums = self.fabric.all_reduce(sums, reduce_op="sum")
        if not torch.isfinite(sums[0]):
            raise StudyError(
                f"experiment {self.experiment.name}: the loss is no number in epoch {epoch + 1}; lower learning_rate."
            )
        loss, correct = sums.tolist()
        return loss / len(order), correct / len(order)

    def _batches(self, order: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Batches of nearly equal size, so that none is too small to normalise."""
        return order.tensor_split(-(-len(order) // self.experiment.batch_size))

    def _step(self, batch: torch.Tensor, mixing: bool) -> torch.Tensor:
        """One step of the optimizer on this process's share of a batch; summed loss and number of right answers."""
        world = self.fabric.world_size
        rows = batch.tensor_split(world)[self.fabric.global_rank]
        inputs, targets = self._drawn(rows, mixing)

        def backward() -> tuple[torch.Tensor, torch.Tensor]:
            logits = self.network(inputs).float()
            loss = self.loss(logits, targets)
            self.fabric.backward(loss if world == 1 else loss * (len(rows) * world / len(batch)))
            return logits, loss.detach()

        self.optimizer.zero_grad(set_to_none=True)
        logits, loss = backward()
        if self.experiment.sharpness:
            with climbed(self.module, self.experiment.sharpness):
                backward()
        self.optimizer.step()
        self.schedule.after_step()
        if self.average:
            self.average.update_parameters(self.module)
        correct = (logits.argmax(1) == (targets.argmax(1) if targets.ndim == 2 else targets)).sum()
        return torch.stack([loss * len(rows), correct])

    def _drawn(self, rows: torch.Tensor, mixing: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network learns from: these rows, augmented and mixed anew."""
        soft, inputs = self.train.soft_targets, self.train.inputs[rows]
        targets = self.train.targets[rows] if soft is None else soft[rows]
        if inputs.dtype == torch.uint8:
            inputs = self.augment(to_unit(inputs))
        if mixing:
            inputs, targets = self.mix(inputs, targets)
        return _seen(inputs), targets


def _average(module: nn.Module, steps: float) -> AveragedModel:
    """The exponential moving average over about so many steps, running averages of normalisation included."""
    return AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(max(0.0, 1 - 1 / steps)), use_buffers=True)


@torch.no_grad()
def predict(network: nn.Module, inputs: torch.Tensor, fabric: Fabric, views: str = "one") -> torch.Tensor:
    """Logits, float32 (N, classes), of uint8 pictures (N, 1, H, W), or of features (N, D), without augmentation.

    With several views of each picture, the logarithm of the mean of their probabilities.
    """
    network.eval()
    parts = [_judge_part(network, part, fabric, views) for part in inputs.split(BATCH)]
    return torch.cat(parts)


def _judge_part(network: nn.Module, part: torch.Tensor, fabric: Fabric, views: str) -> torch.Tensor:
    seen = VIEWS[views](to_unit(part)) if part.dtype == torch.uint8 else [part]
    with fabric.autocast():
        scores = [network(_seen(view)).float() for view in seen]
    return scores[0] if len(scores) == 1 else torch.stack(scores).softmax(2).mean(0).log()


def _seen(inputs: torch.Tensor) -> torch.Tensor:
    return centred(inputs) if inputs.ndim == 4 else inputs
