import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from fer_lib.data.splits import split_rows
from fer_lib.data.table import load_pictures, save_table
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.evaluation.metrics import predicted_labels
from fer_lib.models.scratch import SixLayerCNN
from fer_lib.runs import RunStore
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.catalogue import experiment
from fer_lib.training.fit import Experiment, fit

SHORT = Experiment("six_layer/short", max_epochs=3, batch_size=70, augmentation="paper004")


MOMENTS = ("epoch 1", "epoch 3", "after training")
# One process that has imported everything, and from it one for each moment.
KILLED_TRAINING = """
import os, signal, torch
torch.set_num_threads(1)
from fer_lib.data.table import load_table
from fer_lib.runs import RunStore
from fer_lib.training import fit as module
save, read_test = module._Training.save, module.read_test
def train_until(moment):
    def die(now):
        if now == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    def saving(training):
        save(training)
        die(f"epoch {{len(training.history)}}")
    def reading(*words):
        die("after training")
        return read_test(*words)
    module._Training.save, module.read_test = saving, reading
    short = module.Experiment("six_layer/short", max_epochs=3, batch_size=70, augmentation="paper004")
    module.fit(short, load_table("{folder}/table.parquet"), RunStore(f"{folder}/{{moment}}"))
def forked(moment):
    child = os.fork()
    if child:
        return child
    try:
        train_until(moment)
    finally:
        os._exit(1)
for child in [forked(moment) for moment in {moments}]:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def predictions_hash(run) -> int:
    return int(pd.util.hash_pandas_object(run.predictions).sum())


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Three killed trainings run side by side below; one thread each, and the same number everywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def finished(one_thread, toy_table, tmp_path_factory):
    return fit(SHORT, toy_table, RunStore(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def killed(toy_table, tmp_path_factory):
    """Stores in which the training of `SHORT` was killed by SIGKILL, by the moment of its death."""
    folder = tmp_path_factory.mktemp("killed")
    save_table(toy_table, folder / "table.parquet")
    script = KILLED_TRAINING.format(folder=folder, moments=MOMENTS)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_easy_pictures_are_learnt(toy_table, tmp_path):
    run = fit(replace(SHORT, augmentation="none", max_epochs=6, batch_size=28), toy_table, RunStore(tmp_path))
    test = run.of_split("test")
    assert (predicted_labels(test, BASIC) == test["label"]).mean() > 0.8
    assert run.history["train_loss"].iloc[-1] < run.history["train_loss"].iloc[0]


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(toy_table, tmp_path, finished):
    assert predictions_hash(fit(SHORT, toy_table, RunStore(tmp_path))) == predictions_hash(finished)
    assert predictions_hash(fit(replace(SHORT, seed=1), toy_table, RunStore(tmp_path))) != predictions_hash(finished)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_any_moment_resumes_to_the_same_predictions(toy_table, killed, finished, moment):
    assert not list((killed / moment).glob("*/experiment.json"))
    resumed = fit(SHORT, toy_table, RunStore(killed / moment))
    assert predictions_hash(resumed) == predictions_hash(finished)
    assert resumed.history["validation_loss"].tolist() == finished.history["validation_loss"].tolist()


def test_the_kept_weights_are_those_of_the_best_validation_epoch(toy_table, finished):
    network = SixLayerCNN().eval()
    network.load_state_dict(load_file(finished.folder / "weights.safetensors"))
    validation = split_rows(toy_table, "validation")
    pictures = torch.from_numpy(load_pictures(validation))[:, None]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        classes = network(centred(to_unit(pictures))).argmax(1)
    right = [BASIC[k] == label for k, label in zip(classes, validation["label"], strict=True)]
    assert sum(right) / len(right) == pytest.approx(finished.history["validation_accuracy"].max(), abs=0.03)


def test_test_is_read_once_and_predictions_are_probabilities(finished):
    assert len(pd.read_csv(finished.folder / "test_readings.csv")) == 1
    assert finished.predictions[list(BASIC)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert finished.predictions["split"].value_counts().to_dict() == {"validation": 70, "test": 70}


def test_training_stops_when_validation_no_longer_improves(toy_table, tmp_path):
    run = fit(replace(SHORT, learning_rate=0.0, max_epochs=50, patience=2), toy_table, RunStore(tmp_path))
    best = int(run.history["validation_accuracy"].argmax())
    assert len(run.history) == best + 1 + 2


def test_the_rate_falls_each_epoch_as_in_the_paper(finished):
    assert finished.history["learning_rate"].tolist() == pytest.approx([1e-3, 0.9e-3, 0.81e-3])


def test_a_loss_that_is_no_number_is_told_with_epoch_and_setting(toy_table, tmp_path):
    with pytest.raises(StudyError, match="six_layer/short: the loss is no number in epoch 1; lower learning_rate"):
        fit(replace(SHORT, learning_rate=1e30), toy_table, RunStore(tmp_path))


def test_an_unknown_experiment_is_refused_with_the_known_ones():
    from fer_lib.profiles import get_profile

    with pytest.raises(StudyError, match="experiment 'vgg' is unknown; use one of six_layer/base, six_layer/augmented"):
        experiment("vgg", get_profile("smoke"), BASIC, 0)
