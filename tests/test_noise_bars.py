from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fer_lib import bar_heats, noise_bars
from fer_lib.data.sources import synthetic
from fer_lib.data.table import usable
from fer_lib.data.tasks import THREE
from fer_lib.faces.patches import BARS
from fer_lib.noise_bars import LEARNT, NOTHING, PAPERS, SCRATCH, NoiseBars, barred, fitted, in_size, papers_family
from fer_lib.study import open_study
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread")
BARE = "bare, three emotions"
FAMILIES = {
    PAPERS: {part: f"bars/googlenet/random/{part}" for part in LEARNT},
    SCRATCH: {part: f"bars_scratch/{part}" for part in LEARNT},
}
ROWS = {"eyes": slice(10, 20), "nose": slice(20, 30), "mouth": slice(30, 40)}  # paper 002, Methods


def test_papers_numbers_stand_beside_a_network_with_its_own_start_alone():
    assert [papers_family(start) for start in ("imagenet", "random")] == ["bars", "bars_random"]


def opened(table, runs) -> NoiseBars:
    study = open_study("08_occluded_regions", "synthetic", "smoke", runs=runs)
    return NoiseBars(study, table, Trainings(study, table))


@pytest.fixture(scope="module")
def bars(tmp_path_factory, one_thread):
    """Both families, and every set of pictures that a network was asked about."""
    people = synthetic.read(140, 0)
    some = people[people["label"].isin(THREE) | (people.index < 20)].reset_index(drop=True)
    some.attrs = dict(people.attrs)
    measured, judge = opened(some, tmp_path_factory.mktemp("runs")), noise_bars.judge
    measured.asked = []

    def watched(experiment, network, rows, pictures):
        measured.asked.append((network, pictures))
        return judge(experiment, network, rows, pictures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise_bars, "judge", watched)
        for family, experiments in FAMILIES.items():
            measured.measure(family, experiments, f"network of {family}")
            measured.ask_unprepared(family)
    return measured


def accuracy(frame, classes) -> float:
    tested = frame[frame["split"] == "test"]
    return float((tested[classes].idxmax(axis=1) == tested["label"]).mean())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_network_is_tested_on_the_same_faces_of_three_emotions_under_every_condition(bars, family):
    cells = {key: frame.query("split == 'test'") for key, frame in bars.predictions.items() if key[0] == family}
    assert len(cells) == 4 + 3 + 3  # learnt with it, and two kinds of covers never seen before
    for frame in cells.values():
        assert frame["id"].tolist() == bars.rows["id"].tolist()
        assert frame["label"].tolist() == bars.rows["label"].tolist()
    known = usable(bars.table).set_index("id")["label"]
    assert known.loc[bars.rows["id"]].tolist() == bars.rows["label"].tolist()
    assert set(bars.rows["label"]) == set(THREE)


def test_all_results_have_the_same_n_and_tell_what_was_learnt_and_tested(bars):
    rows = bars.study.rows().query("split == 'test' and metric == 'accuracy'")
    rows = rows[~rows["test_condition"].str.endswith("no twin in train")]
    assert set(rows["n"]) == {len(bars.rows)}
    keys = rows[["experiment", "train_condition", "test_condition"]].itertuples(index=False, name=None)
    assert sorted(keys) == sorted((f"{f}/{learnt}", barred(learnt), tested) for f, learnt, tested in bars.predictions)
    assert set(rows["model"]) == {f"network of {family}" for family in FAMILIES}


@pytest.mark.parametrize("part", LEARNT)
def test_under_its_own_bar_a_network_says_what_its_run_says(bars, part):
    for family in FAMILIES:
        run = bars.trainings.runs(FAMILIES[family][part])[0]
        said = bars.predictions[family, part, barred(part)]
        assert said.equals(run.predictions)
        assert bars.accuracy(family, part) == pytest.approx(accuracy(run.predictions, bars.classes))


def test_conditions_are_named_by_the_cover_and_its_part():
    assert [barred(part) for part in (NOTHING, "nose")] == [BARE, "bar over the nose, three emotions"]
    assert fitted("nose") == "fitted cover of the nose, three emotions"


def test_only_the_networks_that_learnt_bare_faces_are_asked_unprepared(bars):
    asked = [network for network, _ in bars.asked]
    bare = [bars.network(family, NOTHING)[1] for family in FAMILIES]
    assert len(asked) == 2 * 6
    assert all(network is bare[number // 6] for number, network in enumerate(asked))


def test_what_an_unprepared_network_says_is_not_what_it_says_of_bare_faces(bars):
    for family in FAMILIES:
        bare = bars.predictions[family, NOTHING, BARE].query("split == 'test'")[bars.classes]
        for part in BARS:
            for condition in (barred(part), fitted(part)):
                assert not np.allclose(bars.predictions[family, NOTHING, condition][bars.classes], bare, atol=1e-5)


@pytest.mark.parametrize(("number", "part"), enumerate(BARS))
def test_an_unknown_bar_lies_over_the_rows_of_its_part(bars, number, part):
    shown = bars.asked[6 + 2 * number][1].numpy()[:, 0]  # of the network that sees 48×48
    changed = shown != bars.tested(NOTHING)
    assert not np.delete(changed, np.r_[ROWS[part]], axis=1).any()
    assert changed[:, ROWS[part]].mean() > 0.98
    assert np.array_equal(shown, bars.tested(part))


@pytest.mark.parametrize(("number", "part"), enumerate(BARS))
def test_a_fitted_cover_hides_as_many_pixels_as_a_bar_in_every_face(bars, number, part):
    shown = bars.asked[7 + 2 * number][1].numpy()[:, 0]
    masks = bars._fitted(part)
    assert (masks.sum((1, 2)) == 10 * 48).all()
    assert not ((shown != bars.tested(NOTHING)) & ~masks).any()
    assert (shown != bars.tested(NOTHING))[masks].mean() > 0.98
    assert any(not np.array_equal(mask, masks[0]) for mask in masks)  # it follows the face


def test_a_fitted_cover_of_the_mouth_lies_lower_than_one_of_the_eyes(bars):
    heights = {part: (bars._fitted(part) * np.arange(48)[:, None]).sum((1, 2)) / 480 for part in BARS}
    assert (heights["eyes"] < heights["nose"]).all()
    assert (heights["nose"] < heights["mouth"]).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_cost_is_the_difference_of_accuracies_from_bare_faces(bars, family):
    before = accuracy(bars.predictions[family, NOTHING, BARE], bars.classes)
    cells = [(part, barred(part)) for part in BARS] + [
        (NOTHING, way(part)) for part in BARS for way in (barred, fitted)
    ]
    for learnt, tested in cells:
        after = accuracy(bars.predictions[family, learnt, tested], bars.classes)
        assert bars.cost(family, learnt, tested).value == pytest.approx(after - before)


@pytest.mark.parametrize("part", BARS)
def test_what_learning_under_a_bar_is_worth_is_the_difference_from_the_network_that_never_saw_it(bars, part):
    never, learnt = (accuracy(bars.predictions[SCRATCH, kind, barred(part)], bars.classes) for kind in (NOTHING, part))
    assert bars.worth(SCRATCH, part).value == pytest.approx(learnt - never)


def test_always_saying_the_largest_class_of_train_is_right_for_its_share_of_test_faces(bars):
    task, _ = bars.trainings.gatherer.task("bars_scratch/none", bars.table)
    largest = task[task["problem"].isna() & (task["split"] == "train")]["label"].mode()[0]
    assert bars.largest == (bars.rows["label"] == largest).mean()


def test_the_table_of_the_unfamiliar_has_three_covers_a_network_and_their_accuracies(bars):
    shown = bars.unfamiliar_table()
    assert shown.index.tolist() == [f"network of {family}" for family in FAMILIES for _ in range(3)]
    assert set(shown["N"]) == {str(len(bars.rows))}
    new = shown[shown["cover"] == "fitted cover, never seen before"].loc[f"network of {PAPERS}"]
    nose = accuracy(bars.predictions[PAPERS, NOTHING, fitted("nose")], bars.classes)
    assert new["nose"].startswith(f"{100 * nose:.1f} [")
    bare = shown[NOTHING].groupby(level=0).nunique()
    assert (bare == 1).all()


def test_a_family_of_which_one_training_is_missing_is_left_out_whole(bars):
    there = {part: bars.runs[SCRATCH, part] for part in LEARNT}
    some = SimpleNamespace(runs=lambda name: [] if name == "mouth" else [there[name]])
    study = replace(bars.study, page=[], results=[])
    left = NoiseBars(study, bars.table, some)
    left.measure(SCRATCH, {part: part for part in LEARNT}, "a network")
    assert (left.names, left.runs, left.predictions) == ({}, {}, {})
    assert (study.page, study.results) == ([], [])


def test_heat_is_asked_of_the_test_faces_that_show_the_emotion_under_the_bar_that_was_learnt(bars, monkeypatch):
    seen = []
    monkeypatch.setattr(bar_heats, "placed_grad_cam", lambda *asked: seen.append(asked))
    bar_heats.heat_of(bars, SCRATCH, "nose", "happiness")
    network, shown, targets = seen[0]
    happy = (bars.rows["label"] == "happiness").to_numpy()
    assert network is bars.network(SCRATCH, "nose")[1]
    assert np.array_equal(shown.numpy()[:, 0], bars.tested("nose")[happy])
    assert targets.tolist() == [bars.classes.index("happiness")] * happy.sum()
    monkeypatch.setattr(bar_heats, "MOST", 2)
    bar_heats.heat_of(bars, SCRATCH, "nose", "happiness")
    assert len(seen[1][1]) == len(seen[1][2]) == 2


def test_data_that_cannot_be_divided_are_told_so_and_those_that_can_lack_nothing(bars, drawn_people, tmp_path):
    assert bars.lack is None
    assert "too few to divide" in opened(drawn_people, tmp_path).lack
    calm = drawn_people[drawn_people["label"] != "neutral"].reset_index(drop=True)
    calm.attrs = dict(drawn_people.attrs)
    assert opened(calm, tmp_path).lack.startswith("the data show no neutral")


def test_pictures_are_shown_in_the_size_of_the_network(rng):
    pictures = rng.integers(0, 256, (3, 48, 48), np.uint8)
    assert np.array_equal(in_size(pictures, 48).numpy(), pictures[:, None])
    larger = in_size(np.full((2, 48, 48), 77, np.uint8), 96)
    assert larger.shape == (2, 1, 96, 96)
    assert (larger == 77).all()


def test_a_network_that_hardly_says_an_emotion_is_said_to_have_learnt_no_such_task(bars):
    wanted = bars.predictions[SCRATCH, NOTHING, barred(NOTHING)]
    blind = wanted.assign(**{name: float(name == "anger") for name in bars.classes})
    deaf = replace(bars, predictions={(SCRATCH, NOTHING, barred(NOTHING)): blind})
    told = deaf.learnt_text(SCRATCH)
    assert "anger 100 %, happiness 0 %, neutral 0 %" in told
    assert "hardly ever says happiness or neutral" in told
