import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr

from fer_lib import look_tables
from fer_lib.data.table import usable
from fer_lib.emotions import in_order
from fer_lib.evaluation.compare import Difference
from fer_lib.evaluation.results import COLUMNS
from fer_lib.explain.claims import ENOUGH
from fer_lib.explain.methods import CONTROLS, GAUSSIAN, RANDOM
from fer_lib.explain.regions import PLACES
from fer_lib.explain.sentences import Evidence
from fer_lib.look_tables import (
    alike_between_emotions,
    claims_table,
    faithful_table,
    nothing_table,
    record_streams,
    region_texts,
    regions_table,
    sentence_agreement,
    truest,
    truth_table,
    unproven,
    wide_regions,
)
from fer_lib.study import open_study

NAME, N, RESAMPLES = "a network", 40, 200
NAMED = np.array(["fear", "anger", "happiness", "surprise"])[np.arange(N) % 4]
BY_CHANCE = "by chance"
WAYS = ("Grad-CAM", "integrated gradients")


@pytest.fixture
def study(tmp_path):
    opened = open_study("09_interpretability", "synthetic", "smoke", runs=tmp_path)
    return replace(opened, seed=3, profile=replace(opened.profile, resamples=RESAMPLES))


def dealt(rng) -> pd.DataFrame:
    return pd.DataFrame(rng.dirichlet(np.ones(len(PLACES)), N), columns=list(PLACES))


@pytest.fixture
def looks(study, rng):
    """A network that was asked, of which every second test picture was read."""
    shares = {way: dealt(rng) for way in WAYS}
    shares["integrated gradients"].iloc[[0, 5]] = np.nan
    named = np.full(2 * N, "neutral", object)
    named[::2] = NAMED
    return SimpleNamespace(
        study=study,
        read=np.arange(0, 2 * N, 2),
        expected=dealt(rng),
        named=lambda name: named,
        shares=lambda name, way: shares[way],
        ways=lambda name: list(WAYS),
    )


def as_recorded(study) -> pd.DataFrame:
    """Results as they were written, by hand."""
    return pd.read_csv(study.folder / "results" / "09_interpretability.csv", dtype={"notebook": str})


def test_rows_have_all_columns_and_tell_where_they_come_from(looks):
    regions_table(looks, NAME, "Grad-CAM")
    rows = as_recorded(looks.study)
    assert list(rows) == list(COLUMNS)
    told = {"notebook": "09", "model": NAME, "split": "test", "seed": 3, "source": "ours", "note": "Grad-CAM"}
    told |= {"train_condition": "bare", "test_condition": "bare", "selection": "epoch on validation"}
    assert {name: rows[name].unique().tolist() for name in told} == {name: [value] for name, value in told.items()}


def test_heat_is_recorded_for_every_place_as_the_mean_share_over_pictures_that_have_one(looks):
    regions_table(looks, NAME, "integrated gradients")
    rows, shares = as_recorded(looks.study), looks.shares(NAME, "integrated gradients")
    assert set(rows["experiment"]) == {f"heat/{place.replace(' ', '_')}" for place in PLACES}
    for place in PLACES:
        own = rows[rows["experiment"] == f"heat/{place.replace(' ', '_')}"].set_index("metric")
        often = {e for e in set(NAMED) if shares[place][e == NAMED].notna().sum() >= ENOUGH}
        gain = (shares[place] - looks.expected[place]).mean()
        assert own.loc["gain over Gaussian", "value"] == pytest.approx(gain)
        assert set(own.index) == {
            "share of heat",
            "gain over Gaussian",
            *(f"share of heat[{emotion}]" for emotion in often),
        }
        assert own.loc["share of heat", "value"] == pytest.approx(np.nanmean(shares[place]))
        assert own.loc["share of heat", "n"] == N - 2
        for emotion in often:
            part = shares[place][emotion == NAMED].dropna()
            assert own.loc[f"share of heat[{emotion}]", "value"] == pytest.approx(part.mean())
            assert own.loc[f"share of heat[{emotion}]", "n"] == len(part)
        assert ((own["low"] <= own["value"]) & (own["value"] <= own["high"])).all()


def test_an_emotion_none_of_whose_pictures_has_a_share_is_neither_recorded_nor_told(looks):
    looks.shares(NAME, "Grad-CAM")[NAMED == "fear"] = np.nan
    found = regions_table(looks, NAME, "Grad-CAM")
    assert not as_recorded(looks.study)["metric"].str.contains("fear").any()
    share, above = wide_regions(found)
    assert list(share.index) == list(above.index) == ["anger", "happiness", "surprise"]
    assert "fear" not in region_texts(found).reset_index()["emotion"].tolist()


def test_emotions_named_in_too_few_pictures_with_a_mesh_are_told_nowhere(looks):
    assert N // 4 == ENOUGH
    looks.shares(NAME, "Grad-CAM").iloc[np.flatnonzero(NAMED == "fear")[:1]] = np.nan
    found = regions_table(looks, NAME, "Grad-CAM")
    share, above = wide_regions(found)
    assert list(share.index) == list(above.index) == ["anger", "happiness", "surprise"]
    assert set(region_texts(found).index.get_level_values("emotion")) == {"anger", "happiness", "surprise"}


def test_where_every_emotion_is_named_in_too_few_pictures_nothing_stands_wide(looks):
    looks.shares(NAME, "Grad-CAM").iloc[:4] = np.nan
    for frame in wide_regions(regions_table(looks, NAME, "Grad-CAM")):
        assert len(frame) == 0
        assert list(frame) == list(PLACES)


def test_regions_stand_wide_in_percent_and_in_points_above_what_a_bell_puts_there(looks):
    found = regions_table(looks, NAME, "Grad-CAM")
    share, above = wide_regions(found)
    shares = looks.shares(NAME, "Grad-CAM")
    assert list(share.index) == in_order(pd.Series(NAMED))
    assert list(share) == list(above) == list(PLACES)
    for emotion in share.index:
        means, bell = (frame[emotion == NAMED].mean() for frame in (shares, looks.expected))
        assert share.loc[emotion].tolist() == pytest.approx((100 * means).tolist())
        assert above.loc[emotion].tolist() == pytest.approx((100 * (means - bell)).tolist())


def test_mean_maps_of_emotions_are_alike_by_the_mean_of_scipys_correlations(rng):
    maps = dict(zip(("anger", "fear", "neutral"), rng.random((3, 6, 6)), strict=True))
    pairs = [("anger", "fear"), ("anger", "neutral"), ("fear", "neutral")]
    expected = np.mean([pearsonr(maps[one].ravel(), maps[other].ravel()).statistic for one, other in pairs])
    same = {"anger": maps["fear"], "fear": 3 * maps["fear"] + 1}
    found = alike_between_emotions({"one": maps, "other": same, "alone": {"all": maps["fear"]}})
    assert found == pytest.approx({"one": expected, "other": 1})


def test_texts_of_regions_tell_share_and_interval_in_percent_and_how_many_pictures(looks):
    found = regions_table(looks, NAME, "integrated gradients")
    texts = region_texts(found)
    emotion, n = texts.index[0]
    row = found[(found["emotion"] == emotion) & (found["place"] == "mouth")].iloc[0]
    assert n == row["n"] >= ENOUGH
    told = f"{100 * row['value']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
    assert texts.loc[(emotion, n), "mouth"] == told
    assert list(texts) == list(PLACES)


def test_every_claim_is_judged_by_every_way_of_reading(looks):
    for way in WAYS:
        looks.shares(NAME, way).loc[NAMED == "anger"] = np.where(np.isin(PLACES, ["brows", "eyes"]), 0.5, 0.0)
    table = claims_table(looks, NAME)
    assert set(table.index) == set(WAYS)
    assert table.index.value_counts().nunique() == 1
    anger = table[table["claim"].str.startswith("anger")]
    assert anger["verdict"].tolist() == ["holds"] * len(WAYS)
    assert table.notna().all(axis=None)


def scores(rng) -> dict[str, pd.DataFrame]:
    """How true some methods' maps are: one surely more so than the bell, one hardly, one surely less."""
    bell = rng.random(N) / 10
    gains = {"surely": 0.2 + bell, "hardly": rng.normal(0, 0.5, N) - bell, "worse": -0.3 - bell}
    columns = {name: 0.5 + bell + gain for name, gain in gains.items()}
    columns |= {GAUSSIAN: 0.5 + bell, RANDOM: 0.5 + bell - 0.4}
    return {"ROAD": pd.DataFrame(columns), "insertion": pd.DataFrame(columns) / 2}


def test_how_true_maps_are_is_told_and_recorded_beside_their_gain_over_the_bell(looks, rng):
    found = scores(rng)
    looks.faithfulness = lambda name: found
    texts, gains = faithful_table(looks, NAME)
    rows = as_recorded(looks.study)
    ids = {f"{score}/{method}" for score in ("road", "insertion") for method in ("surely", "hardly", "worse")}
    ids |= {f"{score}/{control.replace(' ', '_')}" for score in ("road", "insertion") for control in CONTROLS}
    ids = {one.lower() for one in ids}
    assert set(rows["experiment"]) == ids
    assert set(rows["n"]) == {N}
    for score, values in found.items():
        assert set(gains[score]) == set(values) - {GAUSSIAN}
        for method in values:
            own = rows[rows["experiment"] == f"{score.lower()}/{method.lower().replace(' ', '_')}"].set_index("metric")
            mean = values[method].mean()
            assert own.loc[score, "value"] == pytest.approx(mean)
            assert texts.loc[method, score].split(" ")[0] == f"{100 * mean:.1f}"
            told = own.drop(index=score)["value"].to_dict()
            assert told == (
                {} if method == GAUSSIAN else {"gain over Gaussian": pytest.approx(gains[score][method].value)}
            )
            if method != GAUSSIAN:
                assert gains[score][method].value == pytest.approx(np.mean(values[method] - values[GAUSSIAN]))


def test_a_gain_is_that_of_the_same_pictures(looks, rng):
    """Pictures differ far more than methods: were they not paired, no gain could be sure."""
    easy = 100 * rng.random(N)
    looks.faithfulness = lambda name: {"ROAD": pd.DataFrame({"own": easy + 0.1, GAUSSIAN: easy})}
    _, gains = faithful_table(looks, NAME)
    assert (gains["ROAD"]["own"].low, gains["ROAD"]["own"].high) == pytest.approx((0.1, 0.1))


def test_unproven_are_exactly_the_methods_whose_interval_reaches_nothing(looks, rng):
    looks.faithfulness = lambda name: scores(rng)
    _, gains = faithful_table(looks, NAME)
    assert unproven(gains) == {"ROAD": ["hardly", "worse"], "insertion": ["hardly", "worse"]}
    by_hand = {"above": (0.3, 0.001, 0.5), "at": (0.3, 0.0, 0.5), "below": (0.3, -0.1, 0.5), "unknown": (np.nan,) * 3}
    gains = {name: Difference(*ends) for name, ends in by_hand.items()} | {RANDOM: Difference(-1, -2, 0)}
    assert unproven({"ROAD": gains}) == {"ROAD": ["at", "below", "unknown"]}


def test_the_truest_is_the_highest_of_those_that_surely_beat_the_bell():
    gains = {
        "sure": Difference(0.2, 0.1, 0.3),
        "less": Difference(0.15, 0.12, 0.18),
        "high but unsure": Difference(0.4, -0.1, 0.9),
        "at nothing": Difference(0.3, 0.0, 0.6),
        "unknown": Difference(np.nan, np.nan, np.nan),
        RANDOM: Difference(0.5, 0.4, 0.6),
    }
    assert truest(gains) == "sure"
    assert truest({name: gain for name, gain in gains.items() if name != "sure"}) == "less"


@pytest.mark.parametrize("gains", [{}, {RANDOM: Difference(0.5, 0.4, 0.6)}, {"unsure": Difference(0.4, 0.0, 0.9)}])
def test_none_is_the_truest_where_none_surely_beats_the_bell(gains):
    assert truest(gains) is None


def test_what_has_no_map_of_nothing_is_told_and_neither_recorded_nor_alike(looks, monkeypatch):
    none, known = Difference(*[np.nan] * 3), Difference(0.1, -0.02, 0.2)
    frame = pd.DataFrame({"random weights": [none, none], "random labels": [known, none]}, ["one map", "other"])
    monkeypatch.setattr(look_tables, "against_nothing", lambda looks, name: frame)
    looks.some = np.arange(7)
    texts, alike = nothing_table(looks, NAME)
    assert alike == []
    assert texts.loc["one map"].tolist() == ["no map", "0.10 [-0.02, 0.20]"]
    assert texts.loc["other"].tolist() == ["no map", "no map"]
    rows = as_recorded(looks.study)
    assert rows[["experiment", "metric"]].to_numpy().tolist() == [["sanity/one_map", "rank correlation, random labels"]]


def test_methods_are_too_like_nothing_where_an_interval_lies_above_the_limit(looks, monkeypatch):
    surely, perhaps, low = Difference(0.7, 0.6, 0.8), Difference(0.55, 0.45, 0.65), Difference(0.1, -0.02, 0.2)
    frame = pd.DataFrame(
        {"random weights": [low, perhaps, low], "random labels": [surely, low, low]}, ["one map", "other", "last"]
    )
    monkeypatch.setattr(look_tables, "against_nothing", lambda looks, name: frame)
    looks.some = np.arange(7)
    texts, alike = nothing_table(looks, NAME)
    assert alike == ["one map"]
    assert texts.loc["one map"].tolist() == ["0.10 [-0.02, 0.20]", "0.70 [0.60, 0.80]"]
    rows = as_recorded(looks.study)
    assert set(rows["experiment"]) == {"sanity/one_map", "sanity/other", "sanity/last"}
    found = rows.query("experiment == 'sanity/one_map'").set_index("metric")["value"].to_dict()
    assert found == {"rank correlation, random weights": 0.1, "rank correlation, random labels": 0.7}
    assert set(rows["n"]) == {7}


@pytest.fixture
def pointed(looks, monkeypatch):
    """Five pictures; in two the emotion is in the upper left quarter, in two nowhere, and the last is named wrongly."""
    quarter = np.zeros((5, 8, 8), bool)
    quarter[[0, 1, 4], :4, :4] = True
    hot = np.zeros((5, 8, 8), np.float32)
    hot[:4, :4, :4] = 0.5  # the half overlaps
    hot[0, 1, 1], hot[1, 7, 7] = 1, 1
    hot[4, 6:, 6:] = 1
    cold = np.zeros((5, 8, 8), np.float32)
    cold[:, 6:, 6:] = 1
    maps = {"points": hot, GAUSSIAN: cold, RANDOM: np.zeros_like(hot)}
    looks.some = np.array([9, 0, 3, 5, 7])
    looks.rows = pd.DataFrame({"label": ["fear"] * 12})
    said = np.full(12, "anger", object)
    said[looks.some[:4]] = "fear"
    looks.named = lambda name: said
    looks.facs = np.zeros((12, 8, 8), bool)
    looks.facs[looks.some] = quarter
    looks.changed = None
    looks.network = lambda name: (None, name)
    monkeypatch.setattr(look_tables, "fitting", {NAME: ["points"]}.get)
    looks.heat = lambda name, method, some: maps[method] if some is looks.some else pytest.fail("other pictures")
    return looks


def test_pointing_is_recorded_for_the_methods_put_to_the_test_and_both_controls(pointed):
    table = truth_table(pointed, NAME)
    assert list(table.index) == ["points", *CONTROLS, BY_CHANCE]
    rows = as_recorded(pointed.study)
    assert set(rows["experiment"]) == {"pointing/points", "pointing/centred_gaussian"}
    own = rows.query("experiment == 'pointing/points'").set_index("metric")
    # 15 or 16 of the 16 hottest pixels of each picture lie in its true quarter
    overlaps = (1.0, 15 / 17)
    assert own["value"].to_dict() == pytest.approx(
        {"hit, action units": 0.5, "overlap, action units": np.mean(overlaps)}
    )
    assert set(own["n"]) == {2}
    assert table.loc["points", "hit, action units, % (of N 2)"].startswith("50.0 [")


def test_by_chance_a_map_hits_as_often_as_the_place_is_large(pointed):
    table = truth_table(pointed, NAME)
    assert table.loc[BY_CHANCE].to_dict() == {
        "hit, action units, % (of N 2)": "25.0",
        "overlap, action units, % (of N 2)": "–",
    }


def test_of_a_picture_that_is_named_wrongly_nothing_counts(pointed):
    """Its map would miss; were it named rightly, it would be the third that counts."""
    counted = truth_table(pointed, NAME)
    pointed.named(NAME)[pointed.some[4]] = "fear"
    more = truth_table(pointed, NAME)
    assert counted.loc["points", "hit, action units, % (of N 2)"].startswith("50.0 [")
    assert more.loc["points", "hit, action units, % (of N 3)"].startswith("33.3 [")


def test_where_no_picture_is_named_rightly_nothing_is_known(pointed):
    pointed.named(NAME)[:] = "anger"
    table = truth_table(pointed, NAME)
    assert set(table) == {"hit, action units, % (of N 0)", "overlap, action units, % (of N 0)"}
    assert (table == "–").all(axis=None)
    assert pointed.study.results == []


def test_drawn_people_are_also_held_against_what_their_expression_changes(pointed):
    pointed.changed = np.zeros((5, 8, 8), bool)
    pointed.changed[:, 6:, 6:] = True
    table = truth_table(pointed, NAME)
    rows = as_recorded(pointed.study).query("metric == 'hit, changed pixels'").set_index("experiment")
    assert rows.loc["pointing/centred_gaussian", "value"] == 1
    assert rows.loc["pointing/points", "value"] == 0.25  # of the four named rightly, only the second is hottest there
    assert set(rows["n"]) == {4}
    assert table.loc[BY_CHANCE, "hit, changed pixels, % (of N 4)"] == f"{100 * 4 / 64:.1f}"


def test_what_streams_add_is_recorded_under_their_names(looks):
    record_streams(looks, {"face": Difference(0.3, 0.2, 0.4), "visible features": Difference(-0.1, -0.2, 0.0)}, 11)
    rows = as_recorded(looks.study)
    assert rows["experiment"].tolist() == ["streams/face", "streams/visible_features"]
    assert rows[["value", "low", "high"]].to_numpy().tolist() == [[0.3, 0.2, 0.4], [-0.1, -0.2, 0.0]]
    assert set(rows["model"]) == {"SAFER"}
    assert set(rows["n"]) == {11}


def test_sentences_are_not_checked_where_nobody_knows_action_units(looks):
    assert sentence_agreement(looks, SimpleNamespace(reader=None)) is None
    assert looks.study.results == []


def explained(rows, named, masks=()) -> SimpleNamespace:
    """What an explainer says of pictures, some of which may show a mask."""

    def evidence(number):
        return Evidence(pd.Series({"fear": 1.0}), units=named[number], mask=number in masks)

    return SimpleNamespace(reader=object(), rows=rows, units=pd.DataFrame({"units": named}), evidence=evidence)


def test_named_units_are_held_against_those_that_are_driven(looks):
    told = [{"12": 0.9, "6": 0.6}, {"12": 0.05}, {"4": 0.8}, {"12": 0.7}, {}]
    rows = pd.DataFrame({"action_units": [json.dumps(units) for units in told]})
    table = sentence_agreement(looks, explained(rows, [(12,), (12,), (4, 12), None, ()]))
    assert table["named"].to_dict() == {"all": 4, "4 brows lowered": 1, "12 lip corners raised": 3}
    shares = table["of these driven, %"].str.split(" ").str[0].to_dict()
    assert shares == {"all": "50.0", "4 brows lowered": "100.0", "12 lip corners raised": "33.3"}
    assert table.loc["all", "strong ones found, %"] == "67"  # of 12, 6 and 4
    rows = as_recorded(looks.study).set_index("metric")
    assert set(rows["experiment"]) == {"sentence/action_units"}
    assert rows.loc["named and driven", "value"] == 0.5
    assert rows.loc["strongly driven and named", "value"] == pytest.approx(2 / 3)
    assert set(rows["n"]) == {4}


def test_units_that_a_mask_covers_are_not_told_and_do_not_count(looks):
    rows = pd.DataFrame({"action_units": [json.dumps({"4": 0.8}), json.dumps({"12": 0.9})]})
    named = [(4, 12), (4, 12)]
    bare = sentence_agreement(looks, explained(rows, named))
    assert bare["named"].to_dict() == {"all": 4, "4 brows lowered": 2, "12 lip corners raised": 2}
    masked = sentence_agreement(looks, explained(rows, named, masks=[0]))
    assert masked["named"].to_dict() == {"all": 3, "4 brows lowered": 2, "12 lip corners raised": 1}
    assert masked.loc["12 lip corners raised", "of these driven, %"].startswith("100.0")
    assert masked.loc["all", "of these driven, %"].startswith("66.7")


def test_the_truth_itself_agrees_wholly(looks, drawn_people):
    rows = usable(drawn_people)
    named = [
        tuple(int(unit) for unit, strength in json.loads(told).items() if strength >= 0.1)
        for told in rows["action_units"]
    ]
    table = sentence_agreement(looks, explained(rows, named))
    assert set(table["of these driven, %"]) == {"100.0 [100.0, 100.0]"}
    assert table.loc["all", "strong ones found, %"] == "100"
    assert table.loc["all", "named"] == table["named"].iloc[1:].sum() == sum(map(len, named))


def test_names_in_results_have_no_blanks():
    assert look_tables._slug("Outside the Face") == "outside_the_face"
