"""The README says what was measured."""

import re

import pandas as pd
import pytest

from fer_lib.evaluation.results import NO_TWIN, interval_text, pick
from fer_lib.files import ROOT

README = (ROOT / "README.md").read_text()


def test_the_result_table_is_that_of_the_committed_results():
    results = pd.read_csv(ROOT / "reports" / "fer2013" / "results.csv")
    table = README.partition("<!-- results")[2].partition("<!-- end")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "`" in line]
    assert len(rows) == results.query("source == 'ours'")["experiment"].nunique()
    for model, *shown in rows:
        name = re.search(r"`(.+)`", model)[1]
        measured = [interval_text(pick(results, name, m)) for m in ("accuracy", "mean class recall", "macro F1")]
        assert shown[:4] == [*measured, interval_text(pick(results, name, condition=NO_TWIN))], name


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_leads_to_a_file_of_the_project(target):
    assert (ROOT / target).exists()


def test_every_target_and_command_that_it_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.M)):
        assert re.search(rf"^{target}:", makefile, re.M), target
