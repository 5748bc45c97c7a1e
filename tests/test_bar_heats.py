import numpy as np

from fer_lib.bar_heats import heat_claims, heat_shares
from fer_lib.faces.patches import BARS
from fer_lib.training.covers import NOTHING

EMOTIONS = ("anger", "happiness", "neutral")
ROWS = {"eyes": slice(10, 20), "nose": slice(20, 30), "mouth": slice(30, 40)}  # paper 002, Methods


def heats_in(*rows) -> np.ndarray:
    """One heat map for each of some rows of bars, all of whose heat lies there; a bar of None has none."""
    maps = np.zeros((len(rows), 48, 48), np.float32)
    for heat, part in zip(maps, rows, strict=True):
        if part is not None:
            heat[ROWS[part]] = 0.5
    return maps


def test_a_claim_holds_where_heat_rises_into_the_rows_and_not_where_it_leaves_them():
    spread = np.full((8, 48, 48), 0.1, np.float32)
    where = {NOTHING: spread, "eyes": heats_in(*["eyes"] * 8), "nose": heats_in(*["mouth"] * 8)}
    where["mouth"] = heats_in("mouth", *[None] * 7)
    heats = {(part, emotion): maps for part, maps in where.items() for emotion in EMOTIONS}
    eyes, nose, mouth = heat_claims(heats)
    assert "“With the eyes covered, the network looks at the eyes” holds" in eyes
    assert "by +79.2 [+79.2, +79.2] points, to 100.0 [100.0, 100.0] %, where the rows are 21 %" in eyes
    assert "(N 24;" in eyes
    assert "“With the nose covered, the network looks at the eyes” does not hold" in nose
    assert "by -20.8 [-20.8, -20.8] points, to 0.0 [0.0, 0.0] %" in nose
    assert mouth.endswith("cannot be judged: 88 % have no heat under one network or the other.")


def test_a_claim_needs_more_heat_than_the_rows_share_of_the_picture():
    none, little = np.zeros((6, 48, 48), np.float32), np.zeros((6, 48, 48), np.float32)
    none[:, 40:] = 1
    little[:, 40:], little[:, ROWS["eyes"]] = 1, 0.1  # 1 of 9 parts: more than nothing, less than the rows' 21 %
    kinds = {NOTHING: none, "eyes": little, "nose": none, "mouth": none}
    heats = {(part, emotion): maps for part, maps in kinds.items() for emotion in EMOTIONS}
    eyes, *others = heat_claims(heats)
    assert "does not hold: the share of heat in those rows changes by +11.1" in eyes
    assert all("does not hold: the share of heat in those rows changes by +0.0" in claim for claim in others)


def test_shares_of_heat_are_those_of_each_bars_rows_and_pictures_without_heat_do_not_count():
    half = heats_in("nose") + heats_in("mouth")
    heats = {("eyes", "anger"): heats_in("eyes", "eyes", None), (NOTHING, "neutral"): half}
    shares = heat_shares(heats)
    assert shares.index.tolist() == ["eyes", NOTHING]
    assert shares["emotion"].tolist() == ["anger", "neutral"]
    assert shares["with any heat"].tolist() == ["2 of 3", "1 of 1"]
    on = [f"on the {part}" for part in BARS]
    assert shares.loc["eyes", on].tolist() == ["100.0 [100.0, 100.0]", "0.0 [0.0, 0.0]", "0.0 [0.0, 0.0]"]
    assert shares.loc[NOTHING, on].tolist() == ["0.0 [0.0, 0.0]", "50.0 [50.0, 50.0]", "50.0 [50.0, 50.0]"]
