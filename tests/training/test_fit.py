import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import balanced_accuracy_score
from torch import nn

from fer_lib.data.splits import split_rows
from fer_lib.data.table import load_pictures, make_table, save_table
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.evaluation.metrics import predicted_labels
from fer_lib.models import networks
from fer_lib.models.scratch import SixLayerCNN
from fer_lib.runs import RunStore
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import fit, scores_frame
from fer_lib.training.loop import Training

SHORT = Experiment("six_layer/short", max_epochs=3, batch_size=70, augmentation="paper004")
REMEMBERING = {
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "schedule": "cosine",
    "averaging": 1.0,
    "mix": "mixup",
    "augmentation": "strong",
    "sharpness": 0.05,
    "balance": "batches",
    "loss": "weighted",
    "label_smoothing": 0.1,
    "views": "flip_shift",
}
KILLED = {"plain": SHORT, "all_that_has_state": replace(SHORT, **REMEMBERING)}
MOMENTS = ("epoch 1", "while saving", "epoch 3", "after training")
# One process that has imported everything, and from it one for each experiment and moment.
KILLED_TRAINING = """
import os, signal, torch
torch.set_num_threads(1)
from fer_lib.data.table import load_table
from fer_lib.runs import RunStore
from fer_lib.training import fit as module, loop
from fer_lib.training.experiment import Experiment
module.SAVE_EVERY = 0
save, read_test, write = loop.Training.save, module.read_test, torch.save
def train_until(moment, experiment, folder):
    def die(now):
        if now == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    def saving(training, checkpoint):
        save(training, checkpoint)
        die(f"epoch {{len(training.history)}}")
    def writing(state, path):
        if moment == "while saving" and len(state["history"]) == 2:
            path.write_bytes(b"half")
            die("while saving")
        write(state, path)
    def reading(*words):
        die("after training")
        return read_test(*words)
    loop.Training.save, torch.save, module.read_test = saving, writing, reading
    module.fit(experiment, load_table("{folder}/table.parquet"), RunStore(folder))
def forked(*words):
    child = os.fork()
    if child:
        return child
    try:
        train_until(*words)
    finally:
        os._exit(1)
for name, experiment in {experiments}.items():
    for child in [forked(moment, experiment, f"{folder}/{{name}}/{{moment}}") for moment in {moments}]:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def predictions_hash(run) -> int:
    return int(pd.util.hash_pandas_object(run.predictions).sum())


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """The killed trainings run side by side below; one thread each, and the same number everywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def half_table(toy_table):
    """Every second picture of the toy table: 140 to learn from, 35 to choose by, 35 to judge by."""
    return make_table(toy_table.iloc[::2], "toy")


@pytest.fixture(scope="module")
def finished(one_thread, half_table, tmp_path_factory):
    """The runs of `KILLED` that nobody killed."""
    store = RunStore(tmp_path_factory.mktemp("store"))
    return {name: fit(experiment, half_table, store) for name, experiment in KILLED.items()}


@pytest.fixture(scope="module")
def killed(half_table, tmp_path_factory):
    """Folder of stores in which the trainings of `KILLED` were killed by SIGKILL, by name and moment of death."""
    folder = tmp_path_factory.mktemp("killed")
    save_table(half_table, folder / "table.parquet")
    script = KILLED_TRAINING.format(folder=folder, moments=MOMENTS, experiments=KILLED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_easy_pictures_are_learnt(toy_table, tmp_path):
    run = fit(replace(SHORT, augmentation="none", max_epochs=6, batch_size=28), toy_table, RunStore(tmp_path))
    test = run.of_split("test")
    assert (predicted_labels(test, BASIC) == test["label"]).mean() > 0.8
    assert run.history["train_loss"].iloc[-1] < run.history["train_loss"].iloc[0]


def test_the_same_seed_gives_the_same_predictions_and_another_seed_others(half_table, tmp_path, finished):
    store, first = RunStore(tmp_path), predictions_hash(finished["plain"])
    assert predictions_hash(fit(SHORT, half_table, store)) == first
    assert predictions_hash(fit(replace(SHORT, seed=1), half_table, store)) != first


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", KILLED)
def test_a_run_killed_at_any_moment_resumes_to_the_same_predictions(half_table, killed, finished, name, moment):
    root = killed / name / moment
    assert not list(root.glob("*/experiment.json"))
    assert list(root.glob("*.partial/checkpoint.pt"))
    resumed = fit(KILLED[name], half_table, RunStore(root))
    assert predictions_hash(resumed) == predictions_hash(finished[name])
    assert resumed.view_predictions.equals(finished[name].view_predictions)
    assert resumed.history.drop(columns="seconds").equals(finished[name].history.drop(columns="seconds"))


def test_an_interrupted_run_goes_on_from_its_checkpoint_and_does_not_start_again(half_table, tmp_path, monkeypatch):
    """Epoch 3 is interrupted; the call after it learns that epoch alone."""
    from fer_lib.training.loop import Training

    learn, epochs = Training._learn, []

    def interrupted(training, epoch):
        epochs.append(epoch)
        if epochs == [0, 1, 2]:
            raise KeyboardInterrupt
        return learn(training, epoch)

    monkeypatch.setattr("fer_lib.training.fit.SAVE_EVERY", 0)
    monkeypatch.setattr(Training, "_learn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(SHORT, half_table, RunStore(tmp_path))
    fit(SHORT, half_table, RunStore(tmp_path))
    assert epochs == [0, 1, 2, 2]


def test_a_finished_run_holds_no_checkpoint_and_its_record_names_every_file(finished):
    for run in finished.values():
        files = {path.name for path in run.folder.iterdir()}
        assert not any(name.startswith((".", "checkpoint")) for name in files)
        assert {"history.csv", "predictions.parquet", "weights.safetensors", "test_readings.csv"} <= files


@pytest.mark.parametrize("chosen_by", ["accuracy", "recall"])
def test_the_kept_weights_are_those_of_the_best_validation_epoch(half_table, tmp_path, monkeypatch, chosen_by):
    """Validation is made to say that the second of three epochs was best, by one measure and not by the other."""
    after, judge = [], Training._judge
    said = {"accuracy": [0.5, 0.4, 0.3], "recall": [0.5, 0.4, 0.3], chosen_by: [0.2, 0.9, 0.3]}

    def judged(training, validation, test):
        after.append({name: value.clone() for name, value in training.judged.state_dict().items()})
        told = {f"validation_{name}": values[len(after) - 1] for name, values in said.items()}
        return judge(training, validation, test) | told

    monkeypatch.setattr(Training, "_judge", judged)
    run = fit(replace(SHORT, chosen_by=chosen_by), half_table, RunStore(tmp_path))
    kept = load_file(run.folder / "weights.safetensors")
    assert [all(torch.equal(kept[name], epoch[name]) for name in kept) for epoch in after] == [False, True, False]
    network = SixLayerCNN().eval()
    network.load_state_dict(kept)
    validation = split_rows(half_table, "validation")
    pictures = torch.from_numpy(load_pictures(validation))[:, None]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        scores = network(centred(to_unit(pictures))).float().softmax(1)
    assert torch.allclose(scores, torch.tensor(run.of_split("validation")[list(BASIC)].to_numpy()), atol=1e-3)


def test_mean_class_recall_of_validation_is_scikit_learns(half_table, tmp_path):
    run = fit(replace(SHORT, max_epochs=1, chosen_by="recall"), half_table, RunStore(tmp_path))
    validation = run.of_split("validation")
    theirs = balanced_accuracy_score(validation["label"], validation[list(BASIC)].idxmax(axis=1))
    assert run.history["validation_recall"].iloc[0] == pytest.approx(theirs)


def test_test_is_read_once_and_predictions_are_probabilities(finished):
    run = finished["plain"]
    assert len(pd.read_csv(run.folder / "test_readings.csv")) == 1
    assert run.predictions[list(BASIC)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert run.predictions["split"].value_counts().to_dict() == {"validation": 35, "test": 35}


def test_predictions_are_the_softmax_of_logits_beside_their_rows(half_table):
    logits = torch.tensor([[0.0, 2.0], [1.0, 1.0], [-3.0, 0.5]])
    rows = split_rows(half_table, "train").iloc[:3]
    frame = scores_frame(logits, rows, ("fear", "anger"))
    shares = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    assert frame.columns.tolist() == ["id", "split", "label", "fear", "anger"]
    assert frame["id"].equals(rows["id"])
    assert frame[["fear", "anger"]].to_numpy() == pytest.approx(shares.numpy())


def test_an_experiment_that_keeps_validation_alone_never_reads_test(half_table, tmp_path):
    run = fit(replace(SHORT, max_epochs=1, splits=("validation",)), half_table, RunStore(tmp_path))
    assert set(run.predictions["split"]) == {"validation"}
    assert not (run.folder / "test_readings.csv").exists()


def test_watching_test_writes_the_reading_down_and_chooses_nothing_by_it(half_table, tmp_path, finished):
    run = fit(replace(SHORT, watch_test=True), half_table, RunStore(tmp_path))
    readers = pd.read_csv(run.folder / "test_readings.csv")["reader"].tolist()
    assert readers == ["six_layer/short: measured after every epoch, nothing is chosen by it", "six_layer/short"]
    assert run.history["test_accuracy"].between(0, 1).all()
    assert predictions_hash(run) == predictions_hash(finished["plain"])


def test_several_views_are_kept_beside_the_single_one_and_are_probabilities_too(finished):
    run = finished["all_that_has_state"]
    assert run.view_predictions[list(BASIC)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    assert run.view_predictions["id"].equals(run.predictions["id"])
    assert not run.view_predictions.equals(run.predictions)
    assert finished["plain"].view_predictions.equals(finished["plain"].predictions)


def test_training_stops_when_validation_no_longer_improves(half_table, tmp_path):
    """Without a learning rate only the running averages of batch normalisation move."""
    run = fit(replace(SHORT, learning_rate=0.0, max_epochs=50, patience=2), half_table, RunStore(tmp_path))
    best = int(run.history["validation_accuracy"].argmax())
    assert len(run.history) == best + 1 + 2


def test_the_rate_falls_each_epoch_as_in_the_paper(finished):
    assert finished["plain"].history["learning_rate"].tolist() == pytest.approx([1e-3, 0.9e-3, 0.81e-3])


class Mean(nn.Module):
    """Logits of the mean grey value alone: one weight and one bias a class, no randomness, no running averages."""

    def __init__(self, n_classes, side):
        super().__init__()
        self.head = nn.Linear(1, n_classes)

    def forward(self, pictures):
        return self.head(pictures.mean((2, 3)))


def test_the_moving_average_is_the_recurrence_of_its_definition(half_table, tmp_path, monkeypatch):
    """The weights after each step are written down as they come, and averaged here in float64."""
    monkeypatch.setitem(networks.NETWORKS, "mean", networks.Network(Mean, "fer_lib.models.scratch"))
    options = {"optimizer": "sgd", "schedule": "constant", "weight_decay": 0.0, "precision": "32-true"}
    settings = Experiment("mean", "mean", batch_size=70, max_epochs=2, learning_rate=0.5, **options)
    weights = []

    def remember(average, module):
        weights.append({name: value.clone().double() for name, value in module.state_dict().items()})
        return update(average, module)

    from torch.optim.swa_utils import AveragedModel

    update = AveragedModel.update_parameters
    monkeypatch.setattr(AveragedModel, "update_parameters", remember)
    run = fit(replace(settings, averaging=2.0, patience=9), half_table, RunStore(tmp_path))
    kept = load_file(run.folder / "weights.safetensors")
    judged = 2 * (1 + int(run.history["validation_accuracy"].argmax()))  # steps, two an epoch
    decay = 1 - 1 / (2 * 2)
    expected = weights[0]
    for now in weights[1:judged]:
        expected = {name: decay * value + (1 - decay) * now[name] for name, value in expected.items()}
    assert len(weights) == 4
    for name, value in expected.items():
        assert kept[name].double().numpy() == pytest.approx(value.numpy(), abs=1e-6)


def test_a_loss_that_is_no_number_is_told_with_epoch_and_setting(half_table, tmp_path):
    with pytest.raises(StudyError, match="six_layer/short: the loss is no number in epoch 1; lower learning_rate"):
        fit(replace(SHORT, learning_rate=1e30), half_table, RunStore(tmp_path))
