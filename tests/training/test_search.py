import multiprocessing
import os
import time
from collections import Counter
from dataclasses import fields, replace
from math import log10
from types import SimpleNamespace

import pandas as pd
import pytest

from fer_lib.__main__ import main
from fer_lib.errors import StudyError
from fer_lib.runs import RunStore
from fer_lib.training import search as module
from fer_lib.training.experiment import Experiment
from fer_lib.training.search import GRID_001, RATES, Range, best_settings, finished, grid_search, search

BASE = Experiment("six_layer/base", seed=3)
RATE = {"learning_rate": Range(1e-4, 1e-1, log=True)}
CHOICES = {"batch_size": (32, 64), "learning_rate": (1e-3, 1e-2), "loss": ("cross_entropy", "focal")}


class Trainings:
    """Stands for `fit`: accuracy is highest, .9, at a rate of .01; notes each name in a file that children share."""

    def __init__(self, log):
        self.log, self.seconds, self.interruption, self.after = log, 0.0, None, None

    def __call__(self, experiment, table, store):
        with self.log.open("a") as file:
            file.write(f"{os.getpid()} {experiment.name}\n")
        if len(self.names()) == self.after:
            self.interruption()
        time.sleep(self.seconds)
        accuracy = 0.9 - (log10(experiment.learning_rate) + 2) ** 2 / 10
        history = pd.DataFrame({"validation_accuracy": [accuracy - 0.1, accuracy, accuracy - 0.2]})
        return SimpleNamespace(history=history, environment={"seconds": 2.0})

    def names(self):
        return [line.split()[1] for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def processes(self):
        return {line.split()[0] for line in self.log.read_text().splitlines()}


@pytest.fixture
def trainings(monkeypatch, tmp_path):
    fake = Trainings(tmp_path / "trainings.txt")
    monkeypatch.setattr(module, "fit", fake)
    monkeypatch.setattr(module, "WAIT", 0.05)
    return fake


@pytest.fixture
def run(trainings, toy_table, tmp_path):
    def searched(space=RATE, trials=8, base=BASE, journal="toy.journal"):
        return search(base, space, trials, toy_table, RunStore(tmp_path / "store"), tmp_path / journal)

    return searched


@pytest.fixture
def run_grid(trainings, toy_table, tmp_path):
    return lambda space: grid_search(BASE, space, toy_table, RunStore(tmp_path / "store"), tmp_path / "toy.journal")


def killed(run, trainings, after):
    """Run in a child that dies, without any tidying up, in its training number `after`."""
    trainings.interruption, trainings.after = lambda: os._exit(9), after
    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    assert child.exitcode == 9
    trainings.after = None


def test_the_best_rate_is_found_near_the_top_of_a_parabola(run):
    assert best_settings(run(trials=25))["learning_rate"] == pytest.approx(0.01, rel=0.25)


def test_a_trial_is_worth_its_best_epoch_and_the_best_so_far_never_falls(run):
    frame = run(RATES)
    assert list(frame) == ["number", *RATES, "value", "best_so_far", "seconds"]
    expected = [0.9 - (log10(rate) + 2) ** 2 / 10 for rate in frame["learning_rate"]]
    assert frame["value"].tolist() == pytest.approx(expected)
    assert frame["best_so_far"].tolist() == frame["value"].cummax().tolist()
    assert frame["number"].tolist() == list(range(8))
    assert set(frame["seconds"]) == {2.0}


def test_the_best_settings_make_an_experiment(run):
    settings = best_settings(run(RATES))
    assert type(settings["batch_size"]) is int
    assert replace(BASE, **settings).weight_decay == settings["weight_decay"]


def test_a_range_between_whole_numbers_gives_whole_numbers(run):
    assert run({"max_epochs": Range(2, 5)})["max_epochs"].isin([2, 3, 4, 5]).all()


def test_the_grid_trains_every_combination_once(run_grid, trainings):
    frame = run_grid(CHOICES)
    assert len(frame) == len(frame.drop_duplicates(list(CHOICES))) == len(set(trainings.names())) == 8
    run_grid(CHOICES)
    assert len(trainings.names()) == 8


def test_a_grid_is_found_finished_later_and_not_mistaken_for_a_search(run_grid, toy_table, tmp_path):
    made = run_grid(CHOICES)
    where = (BASE, CHOICES, toy_table, RunStore(tmp_path / "store"), tmp_path / "toy.journal")
    pd.testing.assert_frame_equal(finished(*where, grid=True), made)
    assert finished(*where).empty
    shorter = (replace(BASE, batch_size=256), *where[1:])  # which the grid sets anyway
    pd.testing.assert_frame_equal(finished(*shorter, grid=True), made)


def test_looking_for_trials_writes_nothing(trainings, toy_table, tmp_path):
    journal = tmp_path / "search" / "toy.journal"
    assert finished(BASE, CHOICES, toy_table, RunStore(tmp_path / "store"), journal).empty
    assert not journal.parent.exists()


def test_a_killed_grid_still_trains_every_combination(run_grid, trainings):
    killed(lambda: run_grid(CHOICES), trainings, after=3)
    frame = run_grid(CHOICES)
    assert len(frame.drop_duplicates(list(CHOICES))) == len(frame) == 8
    assert sorted(Counter(trainings.names()).values()) == [1] * 7 + [2]


def test_the_grid_of_paper_001_has_its_72_combinations_and_they_are_experiments():
    combinations = 1
    for name, choices in GRID_001.items():
        combinations *= len(choices)
        assert [getattr(replace(BASE, **{name: choice}), name) for choice in choices] == list(choices)
    assert combinations == 72
    assert set(GRID_001) <= {field.name for field in fields(Experiment)}


def test_two_fresh_searches_with_one_seed_are_equal_and_another_seed_differs(run):
    first = run(RATES, 14)
    pd.testing.assert_frame_equal(run(RATES, 14, journal="again.journal"), first)
    assert not set(run(RATES, 14, replace(BASE, seed=4))["learning_rate"]) & set(first["learning_rate"])


def test_a_killed_search_trains_what_it_was_at_and_ends_like_an_unbroken_one(run, trainings):
    unbroken = run(RATES, 14, journal="unbroken.journal")
    trainings.log.unlink()
    killed(lambda: run(RATES, 14), trainings, after=6)
    resumed = run(RATES, 14)
    names = trainings.names()
    assert names[5] == names[6]
    assert len(names) == 15
    assert resumed["number"].tolist() == [0, 1, 2, 3, 4, *range(6, 15)]
    pd.testing.assert_frame_equal(resumed.drop(columns="number"), unbroken.drop(columns="number"))


def test_an_interrupted_search_goes_on_in_the_same_process(run, trainings):
    def interrupt():
        raise KeyboardInterrupt

    trainings.interruption, trainings.after = interrupt, 3
    with pytest.raises(KeyboardInterrupt):
        run()
    trainings.after = None
    assert len(run()) == 8
    assert trainings.names()[2] == trainings.names()[3]


def test_a_longer_search_keeps_the_shorter_one_and_a_shorter_one_is_its_beginning(run, trainings):
    short, long = run(trials=5), run(trials=9)
    pd.testing.assert_frame_equal(long.head(5), short)
    pd.testing.assert_frame_equal(run(trials=5), short)
    assert len(trainings.names()) == 9


def test_two_processes_share_the_trials_of_one_search(run, trainings):
    trainings.seconds = 0.05
    children = [multiprocessing.get_context("fork").Process(target=run, args=(RATES, 12)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert len(trainings.processes()) == 2
    assert len(trainings.names()) == len(set(trainings.names())) == 12
    assert run(RATES, 12)["number"].tolist() == list(range(12))
    assert len(trainings.names()) == 12


def test_other_settings_data_or_space_begin_another_search(run, trainings, toy_table, tmp_path):
    run(trials=2)
    run(trials=2, base=replace(BASE, decay=0.95))
    run({"learning_rate": Range(1e-4, 1e-2, log=True)}, 2)
    search(BASE, RATE, 2, toy_table.head(400), RunStore(tmp_path / "store"), tmp_path / "toy.journal")
    assert len(trainings.names()) == 8


def test_a_rate_at_which_the_loss_is_no_number_counts_as_a_trial_without_a_value(run, trainings, monkeypatch):
    def diverging(experiment, table, store):
        if experiment.learning_rate > 0.01:
            raise StudyError(f"experiment {experiment.name}: the loss is no number in epoch 1; lower learning_rate.")
        return trainings(experiment, table, store)

    monkeypatch.setattr(module, "fit", diverging)
    frame = run(trials=12)
    assert frame["value"].isna().equals(frame["learning_rate"] > 0.01)
    assert 0 < frame["value"].isna().sum() < 12
    assert best_settings(frame)["learning_rate"] <= 0.01


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"rate": (1,)}, "a search cannot vary 'rate'"),
        ({"splits": (("test",),)}, "a search cannot vary 'splits'"),
        ({"batch_size": ()}, "the search gives batch_size no choice"),
        ({"network": ("vgg",)}, "network 'vgg' is unknown"),
    ],
)
def test_a_space_that_is_none_is_refused(run, space, sentence):
    with pytest.raises(StudyError, match=sentence):
        run(space)


def test_a_range_without_numbers_and_a_grid_of_a_range_are_refused(run_grid):
    with pytest.raises(StudyError, match="holds no numbers"):
        Range(0, 1, log=True)
    with pytest.raises(StudyError, match="a grid needs choices, but learning_rate has a range"):
        run_grid(RATE)


def test_a_trial_reads_no_test_picture(toy_table, tmp_path):
    base = replace(BASE, max_epochs=1, batch_size=70, watch_test=True)
    store = RunStore(tmp_path / "store")
    frame = search(base, {"learning_rate": (1e-3,)}, 1, toy_table, store, tmp_path / "toy.journal")
    (folder,) = (path.parent for path in store.root.glob("*/experiment.json"))
    assert set(pd.read_parquet(folder / "predictions.parquet")["split"]) == {"validation"}
    assert not list(store.root.rglob("test_readings.csv"))
    assert "test_accuracy" not in pd.read_csv(folder / "history.csv")
    assert frame["value"].item() == pd.read_csv(folder / "history.csv")["validation_accuracy"].max()


def test_the_command_prints_the_best_settings_and_goes_on(trainings, toy_table, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("fer_lib.data.sources.load_dataset", lambda *words: toy_table)
    words = ["search", "six_layer/base", "--profile", "smoke", "--runs", str(tmp_path), "--trials"]
    assert main([*words, "3"]) == main([*words, "4"]) == 0
    assert "six_layer/base: 0." in capsys.readouterr().out.splitlines()[-1]
    assert len(trainings.names()) == 4
    assert (tmp_path / "search" / "toy.journal").exists()


def test_a_search_that_never_learned_has_no_best_settings():
    with pytest.raises(StudyError, match="no trial of the search has an accuracy"):
        best_settings(pd.DataFrame({"number": [0], "learning_rate": [1.0], "value": [None]}))


def test_the_splits_of_an_experiment_hold_validation():
    with pytest.raises(StudyError, match="keep validation, or validation and test"):
        replace(BASE, splits=("test",))
