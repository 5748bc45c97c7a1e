"""The README says what was measured."""

import re

import pandas as pd
import pytest

from fer_lib.evaluation.papers import bars_002, claims
from fer_lib.evaluation.results import interval_text, own_condition, pick, without_twins
from fer_lib.evaluation.tables import INTERVAL, comparison_table
from fer_lib.explain.regions import PLACES
from fer_lib.faces.patches import REGIONS
from fer_lib.files import ROOT

README = (ROOT / "README.md").read_text()
WAYS = ("bare", "one region covered")  # what the two networks of notebook 08 learnt from


@pytest.fixture(scope="module")
def results():
    """Our rows of the committed results."""
    return pd.read_csv(ROOT / "reports" / "fer2013" / "results.csv").query("source == 'ours'")


@pytest.fixture(scope="module")
def covered():
    """Our rows of the committed results on faces with covers."""
    return pd.read_csv(ROOT / "reports" / "fer2013-quick-07-08-09" / "results.csv").query("source == 'ours'")


@pytest.fixture(scope="module")
def shown():
    """The cells of the README's table behind the model, by experiment."""
    rows = table_rows("results")
    names = [code(model) for model, *_ in rows]
    assert len(set(names)) == len(names)
    return {name: cells for name, (_, *cells) in zip(names, rows, strict=True)}


def table_rows(name: str) -> list[list[str]]:
    """The cells of each row of the README's table between the comments `name` and `end of name`."""
    lines = README.partition(f"<!-- {name}")[2].partition(f"<!-- end of {name}")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert len(rows) > 2
    return rows[2:]


def code(text: str) -> str:
    return re.search(r"`(.+)`", text)[1]


def test_every_shown_row_is_one_of_the_committed_results(shown, results):
    """As one training's value with its interval, or as the mean over its seeds."""
    for name, cells in shown.items():
        means = comparison_table(results, [name], claims("fer2013")).iloc[0]
        mean_cells = [means[f"accuracy, % {INTERVAL}"], *means[["mean class recall", "macro F1", "without twins"]]]
        allowed = zip(one_training(results, name), mean_cells, strict=True)
        assert all(cell in texts for cell, texts in zip(cells[:4], allowed, strict=True)), name


def one_training(results: pd.DataFrame, name: str) -> list[str]:
    """Accuracy, mean class recall, macro F1, and accuracy without twins where there is such a row."""
    alone = without_twins(own_condition(results, name))
    cells = [interval_text(pick(results, name, metric)) for metric in ("accuracy", "mean class recall", "macro F1")]
    has_alone = ((results["experiment"] == name) & (results["test_condition"] == alone)).any()
    return [*cells, interval_text(pick(results, name, condition=alone)) if has_alone else "–"]


def test_every_family_of_experiments_has_a_row(shown, results):
    assert {name.split("/")[0] for name in results["experiment"]} == {name.split("/")[0] for name in shown}


def test_every_shown_row_of_masked_faces_is_one_of_the_committed_results(covered):
    rows = table_rows("masks")
    measured = covered[covered["experiment"].str.startswith("masked/")][["experiment", "train_condition"]]
    assert [(code(model), taught) for model, taught, *_ in rows] == list(
        measured.drop_duplicates().itertuples(index=False, name=None)
    )
    for model, taught, *cells in rows:
        tested = [pick(covered, code(model), condition=kind, taught=taught) for kind in ("bare", "masked")]
        assert cells == [interval_text(row) for row in tested], model


def test_every_shown_row_of_noise_bars_is_one_of_the_committed_results(covered):
    rows = table_rows("bars")
    assert [part for part, *_ in rows] == list(bars_002())
    for part, *cells, paper in rows:
        found = [pick(covered, f"{family}/{part}") for family in ("bars_scratch", "bars_random")]
        assert cells == [interval_text(row) for row in found], part
        assert paper == f"{100 * bars_002()[part]:.1f}"


def test_every_shown_row_of_covered_regions_is_one_of_the_committed_results(covered):
    rows = table_rows("regions")
    assert [region for region, *_ in rows] == ["nothing", *REGIONS]
    for region, *cells in rows:
        condition = "bare" if region == "nothing" else f"{region} covered"
        found = [pick(covered, "regions", "mean class recall", condition=condition, taught=taught) for taught in WAYS]
        texts = [interval_text(row) for row in found]
        alone = region != "nothing" and pick(covered, f"regions/alone/{region}", "mean class recall")
        assert cells == [*texts, "–" if alone is False else interval_text(alone)], region


def text(found: pd.DataFrame, sign: str = "") -> str:
    """The only row's value and interval in percent."""
    if found.empty:
        return "–"
    low, value, high = (f"{100 * number:{sign}.1f}" for number in found.iloc[0][["low", "value", "high"]])
    return f"{value} [{low}, {high}]"


def test_every_shown_map_is_one_of_the_committed_results(covered):
    rows = table_rows("maps")
    measured = covered[covered["experiment"].str.startswith("road/")]
    assert {f"road/{code(name)}" for name, *_ in rows} == set(measured["experiment"])
    for name, *cells in rows:
        own = measured[measured["experiment"] == f"road/{code(name)}"]
        found = [own[own["model"] == model] for model in ("six-layer CNN", "small residual network")]
        pairs = [
            (text(part[part["metric"] == "ROAD"]), text(part[part["metric"] == "gain over Gaussian"], "+"))
            for part in found
        ]
        assert cells == [cell for pair in pairs for cell in pair], name


def test_every_shown_share_of_heat_is_one_of_the_committed_results(covered):
    own = covered[covered["model"] == "small residual network"]
    for emotion, n, *cells in table_rows("heat"):
        places = [f"heat/{place.lower().replace(' ', '_')}" for place in PLACES]
        found = own[own["metric"] == f"share of heat[{emotion}]"].set_index("experiment")
        assert cells == [text(found.loc[[place]]) for place in places], emotion
        assert int(n) == found["n"].iloc[0]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_to_a_file_of_the_project(target):
    assert (ROOT / target).exists()


def test_every_target_and_command_that_it_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.M)):
        assert re.search(rf"^{target}:", makefile, re.M), target
