import json
from dataclasses import dataclass

import pandas as pd
import pytest

from fer_lib.errors import StudyError
from fer_lib.runs import RunStore


@dataclass(frozen=True)
class Toy:
    name: str = "toy/one"
    value: int = 1


def make(folder):
    pd.DataFrame({"epoch": [1]}).to_csv(folder / "history.csv", index=False)


def never(folder):
    pytest.fail("made again")


def test_a_finished_run_is_loaded_and_not_made_again(tmp_path):
    store = RunStore(tmp_path)
    first = store.get(Toy(), "data", "code", make)
    again = store.get(Toy(), "data", "code", never)
    assert again.folder == first.folder
    assert again.history["epoch"].tolist() == [1]
    assert again.experiment == {"name": "toy/one", "value": 1}


@pytest.mark.parametrize(
    ("experiment", "data", "code"), [(Toy(value=2), "d", "c"), (Toy(), "e", "c"), (Toy(), "d", "b")]
)
def test_another_setting_other_data_or_other_code_is_another_run(tmp_path, experiment, data, code):
    store = RunStore(tmp_path)
    first = store.get(Toy(), "d", "c", make)
    assert store.get(experiment, data, code, make).folder != first.folder


def test_an_interrupted_run_is_not_believed_and_is_given_back_to_go_on(tmp_path):
    store = RunStore(tmp_path)

    def stop(folder):
        (folder / "checkpoint").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.get(Toy(), "data", "code", stop)
    assert not list(tmp_path.glob("*/experiment.json"))
    seen = []
    store.get(Toy(), "data", "code", lambda folder: (seen.append((folder / "checkpoint").read_text()), make(folder)))
    assert seen == ["half"]


def test_a_run_stopped_just_before_its_folder_got_its_name_is_finished_by_the_next_call(tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    monkeypatch.setattr("fer_lib.runs.os.replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        store.get(Toy(), "data", "code", make)
    monkeypatch.undo()
    assert store.get(Toy(), "data", "code", make).history["epoch"].tolist() == [1]


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_a_damaged_run_is_refused_by_file(tmp_path, harm):
    store = RunStore(tmp_path)
    history = store.get(Toy(), "data", "code", make).folder / "history.csv"
    history.write_text("epoch\n9\n") if harm == "change" else history.unlink()
    with pytest.raises(StudyError, match=r"history\.csv is damaged or missing; delete the folder toy-one-"):
        store.get(Toy(), "data", "code", never)


def test_the_record_says_what_determined_the_run_and_where_it_ran(tmp_path):
    folder = RunStore(tmp_path).get(Toy(), "data", "code", make).folder
    record = json.loads((folder / "experiment.json").read_text())
    assert (record["data"], record["code"]) == ("data", "code")
    environment = json.loads((folder / "environment.json").read_text())
    assert {"git_commit", "git_dirty", "packages", "cores", "seconds", "peak_memory_gb"} <= set(environment)


def test_find_gives_nothing_before_a_run_is_finished_and_the_run_after(tmp_path):
    store = RunStore(tmp_path)

    def stop(folder):
        make(folder)
        raise KeyboardInterrupt

    assert store.find(Toy(), "data", "code") is None
    with pytest.raises(KeyboardInterrupt):
        store.get(Toy(), "data", "code", stop)
    assert store.find(Toy(), "data", "code") is None
    run = store.get(Toy(), "data", "code", make)
    assert store.find(Toy(), "data", "code") == run
    assert store.find(Toy(value=2), "data", "code") is None


def test_a_damaged_run_is_refused_when_it_is_found(tmp_path):
    store = RunStore(tmp_path)
    (store.get(Toy(), "data", "code", make).folder / "history.csv").write_text("epoch\n9\n")
    with pytest.raises(StudyError, match=r"history\.csv is damaged or missing"):
        store.find(Toy(), "data", "code")


def test_whether_an_experiment_was_trained_on_some_data_is_known_without_the_data(tmp_path):
    store = RunStore(tmp_path)
    store.get(Toy(), "data", "code", make)
    assert store.has(Toy())
    assert not store.has(Toy(value=2))


def test_a_setting_that_came_after_a_run_was_at_its_default_then(tmp_path):
    store = RunStore(tmp_path)
    record = store.get(Toy(), "data", "code", make).folder / "experiment.json"
    record.write_text(record.read_text().replace('"value": 1', '"name": "toy/one"'))
    assert "value" not in json.loads(record.read_text())["experiment"]
    assert store.has(Toy())
    assert not store.has(Toy(value=2))
