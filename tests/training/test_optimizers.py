import numpy as np
import pytest
import torch
from torch import nn

from fer_lib.training.experiment import Experiment
from fer_lib.training.optimizers import Schedule, optimizer

LOSSES = [1.0, 0.9, 0.95, 0.91, 0.92, 0.8, 0.81, 0.82, 0.83, 0.84]


def weight(value=1.0):
    return nn.Parameter(torch.tensor([value]))


def rates(experiment, steps_per_epoch=1, losses=(0.0,) * 10):
    """The rate of every step, with one loss an epoch."""
    found, moved = [], optimizer(experiment, [weight()])
    schedule = Schedule(experiment, moved, steps_per_epoch)
    for loss in losses:
        for _ in range(steps_per_epoch):
            found.append(moved.param_groups[0]["lr"])
            moved.step()
            schedule.after_step()
        schedule.after_epoch(loss)
    return np.array(found)


def test_a_constant_rate_stays():
    assert rates(Experiment("a", schedule="constant"), 2, LOSSES) == pytest.approx(1e-3)


def test_an_exponential_rate_is_a_power_of_its_decay_in_every_epoch():
    found = rates(Experiment("a", schedule="exponential", decay=0.8), 3)
    assert found == pytest.approx(np.repeat(1e-3 * 0.8 ** np.arange(10), 3))


def test_the_cosine_rises_for_a_tenth_of_all_steps_and_falls_to_nothing_along_half_a_cosine():
    """40 steps: the fourth has the full rate, the last none; between them cos from 0 to π."""
    experiment = Experiment("a", schedule="cosine", learning_rate=0.1, max_epochs=10)
    found = rates(experiment, steps_per_epoch=4)
    assert (np.diff(found[:4]) > 0).all()
    assert found[3] == pytest.approx(0.1)
    assert found[3:] == pytest.approx(0.05 * (1 + np.cos(np.pi * np.arange(37) / 36)), abs=1e-6)


@pytest.mark.parametrize("steps", range(1, 25))
def test_the_cosine_reaches_its_rate_however_short_the_training_is(steps):
    found = rates(Experiment("a", schedule="cosine", learning_rate=0.1, max_epochs=steps), 1, (0.0,) * steps)
    assert len(found) == steps
    assert found.max() == pytest.approx(0.1, rel=0.02) or steps == 1  # its peak may lie between two steps
    assert (np.diff(np.sign(np.diff(found))) <= 0).all()  # it rises, then falls


def test_a_plateau_lowers_the_rate_after_more_epochs_without_a_lower_loss_than_its_patience():
    """Epochs 3-5 are no better than the second: the sixth is slower. Then 7-9 than the sixth: so is the tenth."""
    settings = {"schedule": "plateau", "plateau_factor": 0.5, "plateau_patience": 2}
    found = rates(Experiment("a", learning_rate=1.0, **settings), 1, LOSSES)
    assert found.tolist() == [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_paper_004_is_the_exponential_and_the_plateau_together():
    settings = {"learning_rate": 1.0, "plateau_factor": 0.5, "plateau_patience": 2}
    plateau, exponential, both = (
        rates(Experiment("a", schedule=name, **settings), 1, LOSSES) for name in ("plateau", "exponential", "paper004")
    )
    assert both == pytest.approx(plateau * exponential)


@pytest.mark.parametrize("schedule", ["constant", "exponential", "plateau", "paper004", "cosine"])
@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_saved_state_goes_on_as_if_nothing_had_happened(schedule, name, tmp_path):
    experiment = Experiment("a", optimizer=name, schedule=schedule, plateau_patience=1, max_epochs=10)

    def start():
        moved = weight()
        descent = optimizer(experiment, [moved])
        return moved, descent, Schedule(experiment, descent, 2)

    def learn(moved, descent, change, losses):
        seen = []
        for loss in losses:
            for _ in range(2):
                moved.grad = moved.detach() ** 2
                descent.step()
                change.after_step()
                seen.append((moved.item(), descent.param_groups[0]["lr"]))
            change.after_epoch(loss)
        return seen

    whole = learn(*start(), LOSSES)
    first = start()
    assert learn(*first, LOSSES[:5]) == whole[:10]
    torch.save([first[0].data, first[1].state_dict(), first[2].state_dict()], tmp_path / "state.pt")
    second = start()
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    second[0].data.copy_(saved[0])
    second[1].load_state_dict(saved[1])
    second[2].load_state_dict(saved[2])
    assert learn(*second, LOSSES[5:]) == whole[10:]


def test_sgd_steps_as_nesterov_wrote_it():
    """Sutskever et al. 2013: v ← 0.9 v + g, w ← w − rate (g + 0.9 v), with weight decay part of g."""
    moved = weight(2.0)
    descent = optimizer(Experiment("a", optimizer="sgd", learning_rate=0.1, weight_decay=0.5), [moved])
    value, speed = 2.0, 0.0
    for gradient in (1.0, -0.5, 2.0):
        moved.grad = torch.tensor([gradient])
        descent.step()
        pull = gradient + 0.5 * value
        speed = 0.9 * speed + pull
        value -= 0.1 * (pull + 0.9 * speed)
        assert moved.item() == pytest.approx(value)


def test_the_first_step_of_adam_is_the_rate_itself_against_the_gradients_sign():
    for gradient in (-300.0, 1e-2):
        moved = weight(0.0)
        descent = optimizer(Experiment("a", learning_rate=0.1, weight_decay=0.0), [moved])
        moved.grad = torch.tensor([gradient])
        descent.step()
        assert moved.item() == pytest.approx(-0.1 * np.sign(gradient), rel=1e-4)
