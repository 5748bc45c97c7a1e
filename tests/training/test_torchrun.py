"""Two processes started by torchrun (gloo, on the CPU) train as one does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from fer_lib.__main__ import main
from fer_lib.data.table import load_table, save_table, table_hash
from fer_lib.emotions import BASIC
from fer_lib.models import networks
from fer_lib.runs import RunStore
from fer_lib.training import fit as module
from fer_lib.training.experiment import Experiment
from fer_lib.training.loop import Training

EPOCHS = 4


class Plain(nn.Module):
    """Without dropout and batch normalisation, in which each process would draw or measure its own."""

    def __init__(self, n_classes, side):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d((7, 1)), nn.Flatten())
        self.head = nn.Linear(56, n_classes)

    def forward(self, pictures):
        return self.head(self.body(pictures))


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.setitem(networks.NETWORKS, "plain", networks.Network(Plain, "fer_lib.models.scratch"))
    return plain_experiment()


def plain_experiment() -> Experiment:
    """280 train pictures make four batches of 70, of which two processes get 35 each."""
    momentum = {"optimizer": "sgd", "learning_rate": 0.05, "schedule": "cosine", "averaging": 1.0}
    return Experiment("plain", "plain", batch_size=70, max_epochs=EPOCHS, precision="32-true", **momentum)


def work(folder: Path) -> None:
    """What each process does: one whole training, and one that dies; started again, that one and the command line."""
    torch.set_num_threads(1)
    networks.NETWORKS["plain"] = networks.Network(Plain, "fer_lib.models.scratch")
    table = load_table(folder / "table.parquet")
    run_epoch, again = Training.run_epoch, os.environ["TORCHELASTIC_RESTART_COUNT"] == "1"

    def dies_in_epoch_3(training, *splits):
        if again and training.fabric.is_global_zero:
            with (folder / "epochs_after_the_death").open("a") as file:
                file.write(f"{len(training.history) + 1} ")
        if len(training.history) == 2 and training.fabric.global_rank == 1 and not again:
            os.kill(os.getpid(), signal.SIGKILL)
        run_epoch(training, *splits)

    if not again:
        run = module.fit(plain_experiment(), table, RunStore(folder / "whole"))
        assert len(run.history) == EPOCHS  # which every process can read
    module.SAVE_EVERY, Training.run_epoch = 0, dies_in_epoch_3
    module.fit(plain_experiment(), table, RunStore(folder / "killed"))
    Training.run_epoch = run_epoch
    place = ["--dataset", "folder", "--data-root", str(folder / "faces"), "--runs", str(folder / "runs")]
    main(["train", "six_layer/augmented", "--profile", "smoke", *place])


@pytest.fixture(scope="module")
def together(toy_table, tmp_path_factory):
    """(folder of stores, what torchrun's processes printed)"""
    folder = tmp_path_factory.mktemp("torchrun")
    save_table(toy_table, folder / "table.parquet")
    for row in toy_table.iloc[::2].itertuples():
        path = folder / "faces" / row.split / row.label / f"{row.id}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row.picture)
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
    # after a restart gloo would meet the addresses of the dead processes in the store that torchrun shares
    store = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    surroundings = os.environ | {"OMP_NUM_THREADS": "1", "FER_HEADLESS": "100"} | store
    words = [sys.executable, *start, __file__, str(folder)]
    done = subprocess.run(words, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done


def found(experiment, table, root):
    """The run that the two processes left: it has the same name as that of one process."""
    return RunStore(root).find(experiment, table_hash(table), experiment.code())


def assert_same_curve(run, other):
    columns = ["train_loss", "validation_loss"]
    assert len(run.history) == len(other.history) == EPOCHS
    assert run.history[columns].to_numpy() == pytest.approx(other.history[columns].to_numpy(), abs=1e-3)
    scores = run.predictions[list(BASIC)].to_numpy()
    assert scores == pytest.approx(other.predictions[list(BASIC)].to_numpy(), abs=1e-2)


def test_two_processes_learn_as_one_does_with_the_same_batches(toy_table, together, experiment, tmp_path):
    alone = module.fit(experiment, toy_table, RunStore(tmp_path))
    assert alone.history["train_loss"].iloc[-1] < alone.history["train_loss"].iloc[0] - 0.05
    assert_same_curve(found(experiment, toy_table, together[0] / "whole"), alone)


def test_when_one_of_two_processes_is_killed_both_go_on_later_to_the_same_curve(toy_table, together, experiment):
    folder, done = together
    assert "Signal 9 (SIGKILL)" in done.stderr or "exitcode: -9" in done.stderr
    assert (folder / "epochs_after_the_death").read_text() in ("2 3 4 ", "3 4 ")
    assert_same_curve(*(found(experiment, toy_table, folder / name) for name in ("killed", "whole")))


def test_the_command_line_trains_one_run_in_two_processes_and_tells_it_once(together):
    """A network with batch normalisation and dropout, on a folder of the toy table's pictures."""
    folder, done = together
    assert done.stdout.count("six_layer/augmented, seed 0:") == 1
    assert len(list((folder / "runs" / "store").glob("*/experiment.json"))) == 1
    assert not list((folder / "runs" / "store").glob("*.partial"))


if __name__ == "__main__":
    work(Path(sys.argv[1]))
