import json
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fer_lib.emotions import BASIC
from fer_lib.evaluation.results import BARE, BARE_SIX
from fer_lib.runs import Run
from fer_lib.show.report import _copy
from fer_lib.study import open_study
from fer_lib.trainings import Trainings

WRONG = {0: 7, 1: 21}  # of 70 test pictures by seed: accuracies of 90 and 70 %


@pytest.fixture
def trainings(tmp_path, toy_table):
    """Networks that are found and never trained: `found` holds the runs by experiment."""
    trainings = Trainings(open_study("04_cnn_variants", "synthetic", "smoke", runs=tmp_path), toy_table)
    gatherer = SimpleNamespace(found={}, left_out={}, task=lambda name, table: (table, list(BASIC)))
    gatherer.runs = lambda name, table, seeds: gatherer.found.get(name, [])[:seeds]
    trainings.__dict__["gatherer"] = gatherer
    return trainings


def predictions(table: pd.DataFrame, wrong: int) -> pd.DataFrame:
    """Sure and right on validation and test, but for the first so many test pictures, which get the next class."""
    rows = table[table["split"] != "train"].sort_values("split").reset_index(drop=True)
    true = rows["label"].map(BASIC.index).to_numpy()
    named = np.where(rows.index < wrong, (true + 1) % 7, true)  # test comes before validation
    scores = pd.DataFrame(np.full((len(rows), 7), 0.05) + 0.65 * np.eye(7)[named], columns=list(BASIC))
    return pd.concat([rows[["id", "split", "label"]], scores], axis=1)


def add_run(trainings, name: str, seed: int, views: str = "one", start: str = "random") -> Run:
    table, folder = trainings.table, trainings.study.store.root / f"{name.replace('/', '-')}-{seed}"
    folder.mkdir(parents=True)
    settings = {"name": name, "seed": seed, "views": views, "start": start}
    (folder / "experiment.json").write_text(json.dumps({"experiment": settings}))
    predictions(table, WRONG[seed]).to_parquet(folder / "predictions.parquet")
    if views != "one":
        predictions(table, 0).to_parquet(folder / "predictions_views.parquet")
    run = Run(folder)
    trainings.gatherer.found.setdefault(name, []).append(run)
    return run


def accuracies(trainings, experiment: str, condition: str = BARE) -> dict:
    """Test accuracy by seed; `mean` where a row has none."""
    rows = trainings.study.rows().query("experiment == @experiment and metric == 'accuracy' and split == 'test'")
    rows = rows[rows["test_condition"] == condition]
    seeds = ["mean" if np.isnan(seed) else int(seed) for seed in rows["seed"]]
    return dict(zip(seeds, rows["value"], strict=True))


def kept(trainings) -> list[dict]:
    return json.loads((trainings.study.folder / "pages" / "04_cnn_variants.json").read_text())


def test_each_seed_is_recorded_and_then_their_mean(trainings):
    runs = [add_run(trainings, "six_layer/base", seed) for seed in WRONG]
    assert trainings.measure("six_layer/base", "six-layer CNN", seeds=2) == runs
    assert accuracies(trainings, "six_layer/base") == pytest.approx({0: 0.9, 1: 0.7, "mean": 0.8})
    assert set(trainings.study.rows()["model"]) == {"six-layer CNN"}
    assert trainings.measured == {"six_layer/base": runs}


def test_one_seed_has_no_mean(trainings):
    add_run(trainings, "six_layer/base", 0)
    trainings.measure("six_layer/base", "six-layer CNN")
    assert accuracies(trainings, "six_layer/base") == pytest.approx({0: 0.9})


def test_the_mean_of_one_experiment_leaves_the_others_out(trainings):
    for seed in WRONG:
        add_run(trainings, "six_layer/base", seed)
    add_run(trainings, "six_layer/focal", 1)
    trainings.measure("six_layer/focal", "six-layer CNN")
    trainings.measure("six_layer/base", "six-layer CNN", seeds=2)
    assert accuracies(trainings, "six_layer/focal") == pytest.approx({1: 0.7})
    assert accuracies(trainings, "six_layer/base")["mean"] == pytest.approx(0.8)


def test_several_views_have_rows_of_their_own_and_a_mean_too(trainings):
    for seed in WRONG:
        add_run(trainings, "strong/small", seed, views="flip_shift")
    trainings.measure("strong/small", "small network", seeds=2)
    assert accuracies(trainings, "strong/small") == pytest.approx({0: 0.9, 1: 0.7, "mean": 0.8})
    assert accuracies(trainings, "strong/small_tta") == {0: 1.0, 1: 1.0, "mean": 1.0}
    names = trainings.study.rows().groupby("experiment")["model"].unique().map(list).to_dict()
    assert names == {"strong/small": ["small network"], "strong/small_tta": ["small network, test views"]}


def test_what_is_nowhere_has_no_rows_and_spoils_no_others(trainings):
    add_run(trainings, "six_layer/base", 0)
    trainings.measure("six_layer/base", "six-layer CNN")
    before = len(trainings.study.rows())
    assert trainings.measure("strong/single", "residual network", seeds=2) == []
    assert len(trainings.study.rows()) == before
    assert trainings.measured["strong/single"] == []


def test_the_table_of_what_is_left_out_is_never_made(trainings):
    """It may need faces to be drawn, or be a task that the data do not allow."""
    trainings.gatherer.task = lambda name, table: pytest.fail("made")
    assert trainings.measure("six_layer/drawn_faces", "six-layer CNN") == []


def test_another_task_is_recorded_under_its_own_condition(trainings):
    add_run(trainings, "gimefive/13_bn", 0)
    trainings.measure("gimefive/13_bn", "GiMeFive")
    assert accuracies(trainings, "gimefive/13_bn", BARE_SIX) == pytest.approx({0: 0.9})
    assert accuracies(trainings, "gimefive/13_bn") == {}


def test_what_is_recorded_lies_on_disk_for_the_report(trainings):
    run = add_run(trainings, "six_layer/base", 0)
    trainings.measure("six_layer/base", "six-layer CNN")
    measured = trainings.study.rows().astype({"value": float})
    pd.testing.assert_frame_equal(trainings.study.all_results(), measured, check_dtype=False)
    assert {"kind": "run", "name": run.folder.name, "experiment": "six_layer/base"} in kept(trainings)


def test_a_pool_is_recorded_without_a_seed_and_its_test_predictions_are_published(trainings, tmp_path):
    trainings.record_pool("strong/ensemble", "2 networks", predictions(trainings.table, 7), [])
    assert accuracies(trainings, "strong/ensemble") == pytest.approx({"mean": 0.9})
    (item,) = kept(trainings)
    _copy(item, trainings.study.folder, tmp_path)
    published = pd.read_parquet(tmp_path / "predictions" / "strong-ensemble.parquet")
    expected = predictions(trainings.table, 7).query("split == 'test'").reset_index(drop=True)
    pd.testing.assert_frame_equal(published, expected)


def test_the_runs_behind_a_pool_go_into_the_manifest(trainings):
    members = [add_run(trainings, f"one_against_rest/{emotion}", 0) for emotion in ("anger", "fear")]
    trainings.record_pool("one_against_rest", "2 networks", predictions(trainings.table, 7), members)
    assert {item["name"] for item in kept(trainings) if item["kind"] == "run"} == {run.folder.name for run in members}


def test_the_run_that_another_began_from_goes_into_the_manifest_once(trainings):
    start = add_run(trainings, "start/vgg11", 0)
    for part in ("frozen", "head"):
        add_run(trainings, f"transfer/vgg11/drawn/{part}", 0, start=start.folder.name)
        trainings.measure(f"transfer/vgg11/drawn/{part}", "VGG11")
    names = [item["name"] for item in kept(trainings) if item["kind"] == "run"]
    assert names.count(start.folder.name) == 1


def test_a_runs_test_predictions_are_published_by_seed_and_its_views_beside_them(trainings, tmp_path):
    add_run(trainings, "strong/small", 1, views="flip_shift")
    trainings.measure("strong/small", "small network")
    for item in kept(trainings):
        _copy(item, trainings.study.folder, tmp_path)
    files = {path.name: pd.read_parquet(path) for path in (tmp_path / "predictions").iterdir()}
    assert set(files) == {"strong-small-seed1.parquet", "strong-small-seed1-views.parquet"}
    assert all(set(frame["split"]) == {"test"} for frame in files.values())
    right = {name: (frame[list(BASIC)].idxmax(axis=1) == frame["label"]).mean() for name, frame in files.items()}
    assert right == pytest.approx({"strong-small-seed1.parquet": 0.7, "strong-small-seed1-views.parquet": 1.0})


def test_what_is_left_out_is_said_by_reason_and_family_and_said_once(trainings):
    reasons = {"gimefive/10": "no GPU", "transfer/vgg11/imagenet/full": "no weights", "gimefive/17_bn": "no GPU"}
    trainings.gatherer.left_out.update(reasons | {"search": "no GPU"})
    trainings.say_left_out()
    first, second = (item["text"] for item in kept(trainings))
    assert first.startswith("**Left out here:** `gimefive/{10,17_bn}`, `search`: no GPU.")
    assert second.startswith("**Left out here:** `transfer/vgg11/imagenet/full`: no weights.")
    trainings.say_left_out()
    assert len(kept(trainings)) == 2


def test_all_combinations_of_what_is_left_out_are_said_as_such(trainings):
    names = [f"transfer/{network}/{start}/full" for network in ("vgg11", "resnet50") for start in ("drawn", "random")]
    trainings.gatherer.left_out.update(dict.fromkeys(names, "no GPU"))
    trainings.say_left_out()
    trainings.gatherer.left_out.update(dict.fromkeys(names[:3], "no GPU"))
    trainings.say_left_out()
    whole, some = (item["text"] for item in kept(trainings))
    assert "`transfer/{vgg11,resnet50}/{drawn,random}/full`" in whole
    assert "`transfer/{vgg11/drawn/full,vgg11/random/full,resnet50/drawn/full}`" in some


def test_what_is_said_and_shown_outside_a_notebook_is_kept_too(trainings, capsys):
    trainings.study.say("Something was measured.")
    trainings.study.show_table(pd.DataFrame({"a": [1]}), "t", "One table")
    figure, _ = plt.subplots(figsize=(1, 1))
    trainings.study.show_figure(figure, "f", "One figure")
    assert capsys.readouterr().err == ""
    assert [item["kind"] for item in kept(trainings)] == ["finding", "table", "figure"]
    assert kept(trainings)[0]["text"] == "Something was measured."
    assert (trainings.study.folder / "tables" / "04_t.csv").exists()
    assert (trainings.study.folder / "figures" / "04_f.png").exists()
