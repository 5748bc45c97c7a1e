"""The README says what was measured."""

import re

import pandas as pd
import pytest

from fer_lib.evaluation.papers import claims
from fer_lib.evaluation.results import interval_text, own_condition, pick, without_twins
from fer_lib.evaluation.tables import INTERVAL, comparison_table
from fer_lib.files import ROOT

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def results():
    """Our rows of the committed results."""
    return pd.read_csv(ROOT / "reports" / "fer2013" / "results.csv").query("source == 'ours'")


@pytest.fixture(scope="module")
def shown():
    """The cells of the README's table behind the model, by experiment."""
    table = README.partition("<!-- results")[2].partition("<!-- end")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "`" in line]
    names = [re.search(r"`(.+)`", model)[1] for model, *_ in rows]
    assert len(set(names)) == len(names)
    return {name: cells for name, (_, *cells) in zip(names, rows, strict=True)}


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


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_to_a_file_of_the_project(target):
    assert (ROOT / target).exists()


def test_every_target_and_command_that_it_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.M)):
        assert re.search(rf"^{target}:", makefile, re.M), target
