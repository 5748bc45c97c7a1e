import csv

import numpy as np
import pandas as pd
import pytest

from fer_lib.data.splits import split_rows
from fer_lib.data.table import encode_picture, load_pictures, make_table, usable
from fer_lib.emotions import BASIC
from fer_lib.evaluation.metrics import rightly
from fer_lib.models import region_svm
from fer_lib.models.region_svm import GREY, decisions, fit_alone
from fer_lib.models.svm import Classical, pipeline
from fer_lib.runs import RunStore

ALONE = Classical("regions/alone/toy", components=20)
MEASURED = {"height": 48, "width": 48, "landmarks": None, "face_box": None}


@pytest.fixture(scope="module")
def table(toy_table):
    """Every second toy picture, every thirteenth of them broken."""
    table = make_table(toy_table.iloc[::2].reset_index(drop=True), "toy")
    table.loc[::13, "problem"] = "broken"
    return table


@pytest.fixture(scope="module")
def tested(table):
    known = usable(table)
    return known[known["split"] == "test"].reset_index(drop=True)


@pytest.fixture(scope="module")
def faces(table):
    """No face was found in any picture."""
    return pd.DataFrame([MEASURED] * len(table), index=pd.Index(table["id"], name="id"), dtype=object)


@pytest.fixture
def seen(monkeypatch):
    """Say what is seen of every picture, in place of a region of its face."""

    def say(place):
        monkeypatch.setattr(region_svm, "region_masks", lambda meshes, *_: np.repeat(place[None], len(meshes), 0))

    return say


@pytest.fixture
def fitted(table, faces, seen, tmp_path):
    def fit(place, shown=table):
        seen(place)
        return fit_alone(ALONE, shown, "nose", faces, RunStore(tmp_path / str(place.sum())))

    return fit


def columns(first, last):
    place = np.zeros((48, 48), bool)
    place[:, first:last] = True
    return place


def test_who_sees_everything_is_the_same_machine_on_whole_pictures(fitted, table, tested):
    run, train = fitted(np.ones((48, 48), bool)), split_rows(table, "train")
    flat = [load_pictures(rows).reshape(len(rows), -1).astype(np.float32) / 255 for rows in (train, tested)]
    model = pipeline(ALONE).fit(flat[0], train["label"])
    values = pd.DataFrame(model.decision_function(flat[1]), columns=model.classes_)[list(BASIC)]
    assert run.predictions[["id", "split", "label"]].equals(tested[["id", "split", "label"]])
    assert run.predictions[list(BASIC)].to_numpy() == pytest.approx(values.to_numpy(), abs=1e-6)
    assert rightly(run.predictions, BASIC).mean() > 0.8


def test_who_sees_only_where_no_bar_is_does_no_better_than_chance(fitted):
    right = rightly(fitted(columns(44, 48)).predictions, BASIC)
    assert right.mean() < 1 / 7 + 3 * np.sqrt(1 / 7 * 6 / 7 / len(right))


def test_what_is_not_seen_does_not_count(fitted, table):
    middle = columns(16, 32)
    first = fitted(middle).predictions
    changed = load_pictures(table)
    changed[:, ~middle] = np.random.default_rng(0).integers(0, 256, (len(table), (~middle).sum()))
    hashes = [f"other-{number}" for number in range(len(table))]
    other = table.assign(picture=[encode_picture(picture) for picture in changed], picture_hash=hashes)
    again = fitted(middle, other).predictions
    assert again[list(BASIC)].to_numpy() == pytest.approx(first[list(BASIC)].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("region", ["eyes", "mouth"])
def test_a_region_of_160_pixels_is_seen_and_all_else_is_grey(table, faces, tmp_path, monkeypatch, region):
    given = []
    monkeypatch.setitem(region_svm.FEATURES, "pixels", lambda shown: given.append(shown) or shown.reshape(-1, 48 * 48))
    fit_alone(ALONE, table, region, faces, RunStore(tmp_path))
    train = load_pictures(split_rows(table, "train"))
    shown = (given[0] != GREY).any(0)
    assert shown.sum() == 160
    assert (given[0][:, shown] == train[:, shown]).all()
    middle = np.flatnonzero(shown.any(1)).mean()
    assert middle > 27 if region == "mouth" else middle < 24


def test_test_is_read_once_and_that_is_written_down(fitted, tested):
    with (fitted(columns(16, 32)).folder / "test_readings.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["reader"], line["pictures"]) for line in lines] == [(ALONE.name, str(len(tested)))]


def test_a_fitted_machine_is_loaded_and_another_region_or_place_is_another_run(table, faces, tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    run = fit_alone(ALONE, table, "nose", faces, store)
    moved = faces.assign(face_box=[np.array([1.0, 2, 30, 30])] * len(faces))
    others = [fit_alone(ALONE, table, *told, store) for told in (("mouth", faces), ("nose", moved))]
    assert len({one.folder for one in (run, *others)}) == 3
    monkeypatch.setattr(region_svm, "pipeline", lambda *_: pytest.fail("fitted again"))
    assert fit_alone(ALONE, table, "nose", faces.copy(), store).folder == run.folder


@pytest.mark.parametrize("n", [2, 3])
def test_two_classes_have_a_decision_value_each_as_more_have(rng, n):
    features, labels = rng.normal(size=(60, 30)), np.arange(60) % n
    features[:, :n] += 5 * np.eye(n)[labels]
    values = decisions(pipeline(Classical("toy", components=8)).fit(features, labels), features)
    assert values.shape == (60, n)
    assert (values.argmax(1) == labels).mean() > 0.9
