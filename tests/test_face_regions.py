from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score
from torch import nn

from fer_lib import face_regions
from fer_lib.data.table import load_pictures
from fer_lib.errors import StudyError
from fer_lib.face_regions import PREPARED, UNPREPARED, FaceRegions, covered, rank_agreement
from fer_lib.faces.patches import REGIONS
from fer_lib.runs import Run
from fer_lib.study import open_study
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread")


class Guess(nn.Module):
    """Answers by chance that hangs on every pixel, so that each cover changes some of them."""

    def __init__(self, classes: int):
        super().__init__()
        drawn = torch.Generator().manual_seed(3)
        self.weights = nn.Parameter(torch.randn(48 * 48, classes, generator=drawn), requires_grad=False)

    def forward(self, pictures):
        return (pictures.flatten(1) - pictures.flatten(1).mean(1, keepdim=True)) @ self.weights


@pytest.fixture(scope="module")
def regions(drawn_people, tmp_path_factory, one_thread):
    """Drawn people, more of whom are tested than learnt from; one cannot be used."""
    table = drawn_people.copy()
    table.attrs = dict(drawn_people.attrs)
    moved = table["subject"].isin(table["subject"][table["split"] == "train"].unique()[::2])
    table.loc[moved, "split"] = "test"
    table.loc[table.index[table["split"] == "test"][0], "problem"] = "for the sake of the test"
    study = open_study("08_occluded_regions", "synthetic", "smoke", runs=tmp_path_factory.mktemp("runs"))
    return FaceRegions(study, table, Trainings(study, table))


@pytest.fixture(scope="module")
def guessing(regions):
    """The same with a network that answers by chance, and what covering regions does to it."""
    asked = FaceRegions(replace(regions.study, page=[], results=[]), regions.table, regions.trainings)
    experiment, _ = regions.networks[UNPREPARED]
    asked.networks = {UNPREPARED: (experiment, Guess(len(regions.classes)))}
    return asked, asked.lost(UNPREPARED)


@pytest.fixture(scope="module")
def swept(regions):
    asked = FaceRegions(replace(regions.study, page=[], results=[]), regions.table, regions.trainings)
    return asked.sweep(PREPARED, (0, 5, 64)), asked.study.rows(), asked


@pytest.fixture(scope="module")
def alone(regions):
    asked = FaceRegions(replace(regions.study, page=[], results=[]), regions.table, regions.trainings)
    return asked, asked.alone()


def said(frame, classes) -> np.ndarray:
    return frame[classes].idxmax(axis=1).to_numpy()


def recalls(regions, masks=None) -> np.ndarray:
    frame = regions.ask(UNPREPARED, masks)
    return recall_score(frame["label"], said(frame, regions.classes), labels=regions.classes, average=None)


def test_the_networks_are_the_strongest_pair_that_is_there(regions):
    assert regions.model == "small residual network"
    experiments = {learnt: experiment.name for learnt, (experiment, _) in regions.networks.items()}
    assert experiments == {"bare": "strong/small", "one region covered": "regions/strong"}
    kept = {item["experiment"] for item in regions.study.page if item["kind"] == "run"}
    assert kept >= set(experiments.values())


def test_a_pair_of_which_one_is_missing_is_passed_over_and_none_is_an_error(regions):
    there = SimpleNamespace(runs=lambda name: [] if name == "regions/strong" else ["a run"])
    assert replace(regions, trainings=there).model == "six-layer CNN"
    with pytest.raises(StudyError, match="train six_layer/base and regions/six_layer with"):
        _ = replace(regions, trainings=SimpleNamespace(runs=lambda name: [])).model


def test_the_faces_asked_about_are_the_usable_test_rows(regions):
    known = regions.table[(regions.table["split"] == "test") & regions.table["problem"].isna()]
    assert regions.rows["id"].tolist() == known["id"].tolist()
    assert np.array_equal(regions.pictures, load_pictures(known.reset_index(drop=True)))
    assert regions.ask(UNPREPARED)["id"].tolist() == known["id"].tolist()


def test_covers_are_equal_in_size_for_all_regions_and_faces(regions):
    sizes = {int(size) for masks in regions.masks.values() for size in masks.sum((1, 2))}
    assert list(regions.masks) == list(REGIONS)
    assert sizes == {160}
    heights = {name: (masks * np.arange(48)[:, None]).sum((1, 2)) / 160 for name, masks in regions.masks.items()}
    down = [heights[name] for name in ("brows", "eyes", "nose", "mouth", "chin")]
    assert all((above < below).all() for above, below in pairwise(down))


def test_noise_lies_where_the_masks_are_and_nowhere_else(regions):
    masks = regions.masks["mouth"]
    changed = regions.covered_faces(masks) != regions.pictures
    assert not changed[~masks].any()
    assert changed[masks].mean() > 0.98


@pytest.mark.parametrize("region", REGIONS)
def test_what_is_lost_is_the_difference_of_recalls(guessing, region):
    regions, lost = guessing
    by_hand = recalls(regions, regions.masks[region]) - recalls(regions)
    found = lost[lost["region"] == region].set_index("emotion").loc[regions.classes]
    assert found["value"].tolist() == pytest.approx(by_hand.tolist())
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    told = [f"{100 * value:+.1f}" if abs(value) > 1e-9 else "+0.0" for value in by_hand]
    assert [points.split(" ")[0] for points in found["points"]] == told


def test_covers_change_something_and_n_of_each_emotion_is_its_number_of_faces(guessing):
    regions, lost = guessing
    assert lost["value"].abs().max() > 0
    counts = regions.rows["label"].value_counts()
    assert lost["n"].tolist() == counts.loc[lost["emotion"]].tolist()
    assert len(lost) == len(REGIONS) * len(regions.classes)


@pytest.mark.parametrize("condition", ["bare", "nose covered"])
def test_recall_of_every_emotion_is_recorded_under_its_name_and_all_together_as_regions(guessing, condition):
    regions, _ = guessing
    masks = None if condition == "bare" else regions.masks["nose"]
    rows = regions.study.rows().query("test_condition == @condition")
    recall = rows[rows["experiment"] != "regions"].set_index("experiment")
    assert recall["metric"].unique().tolist() == ["recall"]
    named = recall.loc[[f"regions/{emotion}" for emotion in regions.classes]]
    assert named["value"].tolist() == pytest.approx(recalls(regions, masks).tolist())
    assert named["n"].tolist() == regions.rows["label"].value_counts().loc[regions.classes].tolist()
    frame = regions.ask(UNPREPARED, masks)
    right = rows.query("experiment == 'regions' and metric == 'accuracy'")
    assert right["value"].tolist() == pytest.approx([accuracy_score(frame["label"], said(frame, regions.classes))])
    assert right["n"].tolist() == [len(regions.rows)]
    assert set(rows["train_condition"]) == {UNPREPARED}


def test_what_is_lost_is_told_by_emotion_and_region(guessing):
    regions, lost = guessing
    wide = regions.wide(lost)
    assert (list(wide.index), list(wide.columns)) == (regions.classes, list(REGIONS))
    one = lost[(lost["emotion"] == "fear") & (lost["region"] == "chin")]
    assert wide.loc["fear", "chin"] == one["value"].item()
    assert covered("chin") == "chin covered"


def test_a_sweep_starts_at_bare_faces_and_goes_on_in_shares_of_64_patches(regions, swept):
    frame, *_ = swept
    bare = regions.ask(PREPARED)
    expected = accuracy_score(bare["label"], said(bare, regions.classes))
    for name in ("at random", "where it looks"):
        part = frame[frame["name"] == name]
        assert part["x"].tolist() == pytest.approx([0, 100 * 5 / 64, 100])
        assert part["value"].iloc[0] == pytest.approx(expected)
        assert ((part["low"] <= part["value"]) & (part["value"] <= part["high"])).all()


def test_where_all_is_covered_it_does_not_matter_where_one_began(swept):
    frame, rows, _ = swept
    last = frame[frame["x"] == 100]
    assert last["value"].nunique() == 1
    right = rows[rows["metric"] == "accuracy"]
    ways = [f"{share} % covered {name}" for name in ("at random", "where it looks") for share in (8, 100)]
    assert right["test_condition"].tolist() == ways  # bare faces are recorded by `lost` alone
    assert right["value"].tolist() == frame[frame["x"] > 0]["value"].tolist()


def test_aiming_changes_what_both_ends_of_a_sweep_show_and_nothing_where_all_is_covered(swept):
    frame, _, asked = swept
    found = frame[frame["x"].between(1, 99)].set_index("name")["value"]
    assert asked.aimed(PREPARED, 5).value == pytest.approx(found["where it looks"] - found["at random"])
    assert asked.aimed(PREPARED, 64).points == "+0.0 [+0.0, +0.0]"


def test_a_sweep_covers_as_many_patches_as_it_says_at_random_or_where_the_predicted_class_is_hottest(
    regions, monkeypatch
):
    covers, targets, heat = [], [], np.zeros(regions.pictures.shape, np.float32)
    heat[:, 6:12, 12:30] = 1  # three patches
    monkeypatch.setattr(face_regions, "placed_grad_cam", lambda network, shown, wanted: targets.append(wanted) or heat)

    def watched(self, learnt, masks=None):
        covers.append(masks)
        return ask(self, learnt, masks)

    ask = FaceRegions.ask
    monkeypatch.setattr(FaceRegions, "ask", watched)
    replace(regions, study=replace(regions.study, page=[], results=[])).sweep(PREPARED, (3,))
    bare, by_chance, looked_at = covers
    assert bare is None
    assert set(by_chance.sum((1, 2)).tolist()) == {3 * 36}
    assert np.array_equal(looked_at, heat == 1)
    assert not np.array_equal(by_chance, looked_at)
    names = np.array(regions.classes)[targets[0]]
    assert names.tolist() == said(regions.ask(PREPARED), regions.classes).tolist()


@pytest.mark.parametrize("region", REGIONS)
def test_how_well_a_region_alone_tells_an_emotion_is_the_area_of_its_runs_scores(alone, region):
    regions, found = alone
    [name] = [item["name"] for item in regions.study.page if item.get("experiment") == f"regions/alone/{region}"]
    predictions = Run(regions.study.store.root / name).predictions
    assert predictions["id"].tolist() == regions.rows["id"].tolist()
    own = found[found["region"] == region].set_index("emotion")["value"]
    expected = [roc_auc_score(predictions["label"] == name, predictions[name]) for name in regions.classes]
    assert own.loc[regions.classes].tolist() == pytest.approx(expected)


def test_what_regions_tell_alone_is_recorded_for_each_by_its_name(alone):
    regions, found = alone
    rows = regions.study.rows()
    assert set(rows["experiment"]) == {f"regions/alone/{region}" for region in REGIONS}
    one = rows.query("experiment == 'regions/alone/mouth' and metric == 'AUC[happiness]'")
    mouth = found[(found["region"] == "mouth") & (found["emotion"] == "happiness")]
    assert one["value"].tolist() == mouth["value"].tolist()
    assert set(rows["test_condition"]) == {f"{region} alone" for region in REGIONS}
    assert set(rows["n"]) == {len(regions.rows)}


def test_what_was_planted_is_known_of_drawn_people_and_of_no_other_data(regions):
    planted = regions.planted()
    assert list(planted.columns) == list(REGIONS)
    assert set(planted.index) == set(regions.classes) - {"neutral"}
    assert (planted >= 0).all(axis=None)
    assert planted.loc["happiness"].idxmax() == "mouth"  # which a smile changes most
    assert planted.loc["surprise", "brows"] > planted.loc["happiness", "brows"]  # which surprise raises
    assert replace(regions, study=replace(regions.study, dataset="fer2013")).planted() is None


def test_ranks_agree_wholly_where_one_rises_with_the_other_and_are_turned_where_it_falls(rng):
    planted = pd.DataFrame(rng.random((6, 6)), list("abcdef"), list(REGIONS))
    assert rank_agreement(planted, np.exp(planted))[0] == pytest.approx(1)
    assert rank_agreement(planted, 5 + 2 * planted) == pytest.approx((1, 1))
    assert rank_agreement(planted, -planted) == pytest.approx((-1, -1))


def test_agreement_in_rank_is_spearmans_of_the_same_pairs_whatever_their_order(rng):
    planted, measured = (pd.DataFrame(rng.random((3, 6)), list("abc"), list(REGIONS)) for _ in range(2))
    more = pd.concat([measured, pd.DataFrame(9.0, ["neutral"], list(REGIONS))]).iloc[::-1, ::-1]
    pairs = spearmanr(planted.stack(), measured.stack()).statistic
    means = spearmanr(planted.mean(), measured.mean()).statistic
    assert rank_agreement(planted, more) == pytest.approx((pairs, means))
