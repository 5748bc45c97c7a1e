import csv

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax

from fer_lib.data.table import make_table, usable
from fer_lib.emotions import BASIC
from fer_lib.runs import RunStore
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import fit
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.judge import asked_rows, judge, whole_network

SHORT = {"max_epochs": 5, "batch_size": 10, "precision": "32-true"}
EXPERIMENTS = {
    "whole": Experiment("six_layer/tiny", **SHORT),
    "frozen": Experiment("transfer/tiny", network="resnet18_linear", frozen=True, size=32, **SHORT),
}


@pytest.fixture(scope="module")
def table(toy_table):
    """Every third toy picture, and of them the eleventh broken."""
    table = make_table(toy_table.iloc[::3].reset_index(drop=True), "toy")
    table.loc[::11, "problem"] = "broken"
    return table


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return RunStore(tmp_path_factory.mktemp("study") / "store")


@pytest.fixture(scope="module")
def trained(one_thread, table, store):
    return {kind: fit(experiment, table, store) for kind, experiment in EXPERIMENTS.items()}


@pytest.fixture
def rows(table, tmp_path):
    return asked_rows(table, "somebody", tmp_path / "readings.csv")


@pytest.fixture(params=list(EXPERIMENTS))
def kind(request):
    return request.param


@pytest.fixture
def loaded(kind, trained, table, store):
    return whole_network(trained[kind], table, store)


def test_a_run_says_of_its_own_pictures_what_it_said_before(kind, loaded, trained, rows):
    said = judge(*loaded, rows)
    stored = trained[kind].predictions.reset_index(drop=True)
    assert said[["id", "split", "label"]].equals(stored[["id", "split", "label"]])
    assert said[list(BASIC)].to_numpy() == pytest.approx(stored[list(BASIC)].to_numpy(), abs=1e-3)


def test_a_whole_network_goes_from_pictures_to_logits_and_is_ready_to_judge(kind, loaded, rows):
    experiment, network = loaded
    assert experiment == EXPERIMENTS[kind]
    assert not any(module.training for module in network.modules())
    with torch.no_grad():
        logits = network(picture_tensor(rows, experiment) / 127.5 - 1)
    said = judge(experiment, network, rows)
    assert softmax(logits.numpy(), 1) == pytest.approx(said[list(BASIC)].to_numpy(), abs=1e-4)


def test_pictures_that_are_given_are_judged_in_place_of_the_rows_own(loaded, rows):
    own = picture_tensor(rows, loaded[0])
    said, turned = judge(*loaded, rows), judge(*loaded, rows, own.flip(0))
    assert turned[["id", "split", "label"]].equals(said[["id", "split", "label"]])
    assert turned[list(BASIC)].to_numpy() == pytest.approx(said[list(BASIC)].to_numpy()[::-1], abs=1e-4)
    assert not np.allclose(turned[list(BASIC)], said[list(BASIC)], atol=1e-3)


def test_the_rows_asked_about_are_validation_and_then_test(rows, table):
    known = usable(table)
    wanted = [known[known["split"] == split] for split in ("validation", "test")]
    assert rows["id"].tolist() == pd.concat(wanted)["id"].tolist()
    assert rows.index.tolist() == list(range(len(rows)))


def test_asking_writes_one_line_about_test(table, tmp_path):
    log = tmp_path / "log.csv"
    tested = (usable(table)["split"] == "test").sum()
    for reader in ("one", "another"):
        asked_rows(table, reader, log)
    with log.open(newline="") as file:
        lines = [(line["reader"], line["pictures"]) for line in csv.DictReader(file)]
    assert lines == [("one", str(tested)), ("another", str(tested))]
