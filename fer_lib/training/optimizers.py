"""Optimizers, and how their learning rate changes."""

from collections.abc import Iterable

from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from fer_lib.training.experiment import Experiment

WARM_UP = 0.1  # share of all steps in which the cosine schedule's rate rises


def optimizer(experiment: Experiment, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The experiment's optimizer over `parameters`."""
    rates = {"lr": experiment.learning_rate, "weight_decay": experiment.weight_decay}
    if experiment.optimizer == "adam":
        return Adam(parameters, **rates)
    return SGD(parameters, momentum=0.9, nesterov=True, **rates)


class Schedule:
    """The learning rate of an optimizer over a training.

    `exponential` multiplies it by `decay` each epoch; `plateau` by `plateau_factor` after `plateau_patience` epochs
    without a lower validation loss; `paper004` does both; `cosine` lets it rise for a tenth of all steps and fall to
    nothing along half a cosine; `constant` leaves it.
    """

    def __init__(self, experiment: Experiment, optimizer: Optimizer, steps_per_epoch: int):
        name = experiment.schedule
        self._by_step: LRScheduler | None = None
        self._by_epoch: LRScheduler | None = None
        self._by_loss: ReduceLROnPlateau | None = None
        if name == "cosine":
            steps = max(steps_per_epoch * experiment.max_epochs, 3)  # the fewest that rise and fall
            rise = max(WARM_UP, 2 / steps)
            self._by_step = OneCycleLR(optimizer, experiment.learning_rate, steps, pct_start=rise, cycle_momentum=False)
        if name in ("exponential", "paper004"):
            self._by_epoch = ExponentialLR(optimizer, experiment.decay)
        if name in ("plateau", "paper004"):
            self._by_loss = ReduceLROnPlateau(
                optimizer, factor=experiment.plateau_factor, patience=experiment.plateau_patience
            )

    def after_step(self) -> None:
        """One batch has been learnt."""
        if self._by_step:
            self._by_step.step()

    def after_epoch(self, validation_loss: float) -> None:
        """One epoch has been learnt."""
        if self._by_epoch:
            self._by_epoch.step()
        if self._by_loss:
            self._by_loss.step(validation_loss)

    def state_dict(self) -> dict:
        """What `load_state_dict` needs to go on from here."""
        return {name: part.state_dict() for name, part in vars(self).items() if part}

    def load_state_dict(self, state: dict) -> None:
        """Go on from a saved state."""
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)
