import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fer_lib.show import model_plots
from fer_lib.show.plots import PAPER

TITLE = "What the numbers say"


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def bins():
    gap = {"confidence": [np.nan, 0.4, 0.9], "accuracy": [np.nan, 0.5, 0.7]}
    return pd.DataFrame({"low": [0, 1 / 3, 2 / 3], "high": [1 / 3, 2 / 3, 1], "n": [0, 50, 150], **gap})


@pytest.fixture
def named():
    rows = pd.DataFrame({"name": ["b", "a"], "value": [0.6, 0.5], "low": [0.55, np.nan], "high": [0.62, np.nan]})
    return rows.assign(paper=[0.57, np.nan])


@pytest.fixture
def history():
    splits = {"validation_accuracy": [0.3, 0.6, 0.5], "test_accuracy": [0.3, 0.5, 0.55]}
    return pd.DataFrame({"epoch": [1, 2, 3], **splits})


@pytest.fixture
def costs():
    columns = {"gmacs": [0.01, 1.0, 1.02], "accuracy": [0.5, 0.6, 0.601], "parameters": [1e5, 1e7, 1e8]}
    frame = pd.DataFrame(columns, index=["small", "large", "huge"])
    return frame.assign(low=frame["accuracy"] - 0.02, high=frame["accuracy"] + 0.02)


@pytest.fixture
def search():
    return pd.DataFrame({"number": [0, 1, 2], "value": [0.5, np.nan, 0.6], "best_so_far": [0.5, 0.5, 0.6]})


@pytest.fixture
def grid():
    return pd.DataFrame([[0.5, np.nan], [0.6, 0.4]], index=[8, 16], columns=[0.1, 0.2])


def shown(figure: Figure) -> list[str]:
    """The titles of a figure."""
    return [figure.get_suptitle(), *(axis.get_title("left") or axis.get_title() for axis in figure.axes)]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_every_plot_is_a_figure_with_its_finding_as_title(bins, named, history, costs, search, grid):
    figures = (
        model_plots.reliability(bins, bins, TITLE),
        model_plots.variants(named, TITLE, "accuracy [%]"),
        model_plots.seeds({"a": [0.5, 0.6], "b": [0.7]}, TITLE),
        model_plots.epoch_lesson(history, TITLE),
        model_plots.cost_against_accuracy(costs, TITLE),
        model_plots.trials(search, TITLE),
        model_plots.heat_grid(grid, TITLE, "rate", "batch"),
    )
    for figure in figures:
        assert isinstance(figure, Figure)
        assert TITLE in shown(figure)


def test_reliability_tells_the_mean_gap_weighted_by_pictures(bins):
    before, after = model_plots.reliability(bins, bins.assign(accuracy=bins["confidence"]), TITLE).axes[:2]
    assert "off by 17.5 points" in before.get_title("left") + before.get_title()  # (50 · 10 + 150 · 20) / 200
    assert "off by 0.0 points" in after.get_title("left") + after.get_title()


def test_variants_stand_in_the_given_order_from_the_top(named):
    axis = model_plots.variants(named, TITLE, "accuracy [%]").axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b", "a"]
    assert axis.yaxis_inverted()


def test_a_papers_claim_is_a_hollow_marker_and_without_claims_there_is_no_legend(named):
    claims = model_plots.variants(named, TITLE, "").axes[0].collections[-1]
    assert len(claims.get_facecolor()) == 0
    assert plt.matplotlib.colors.to_hex(claims.get_edgecolor()[0]) == PAPER.lower()
    assert model_plots.variants(named.drop(columns="paper"), TITLE, "").axes[0].get_legend() is None


def test_what_the_largest_class_gives_is_a_line_across_all_variants(named):
    axis = model_plots.variants(named.drop(columns="paper"), TITLE, "", largest=0.25).axes[0]
    assert [list(line.get_xdata()) for line in axis.lines if line.get_linestyle() == ":"] == [[25, 25]]
    assert "always the largest class" in [text.get_text() for text in axis.get_legend().get_texts()]


def test_seeds_say_mean_and_spread(named):
    texts = [text.get_text() for text in model_plots.seeds({"a": [0.5, 0.6], "b": [0.7]}, TITLE).axes[0].texts]
    assert texts == ["55.0 ± 7.1 %", "70.0 %"]


def test_the_lesson_names_both_epochs_and_what_each_gives_on_test(history):
    assert legend(model_plots.epoch_lesson(history, TITLE))[2:] == [
        "validation picks epoch 2:\n50.0 % on test",
        "test would pick epoch 3:\n55.0 % on test",
    ]


def test_names_of_networks_that_lie_close_do_not_cover_each_other(costs):
    figure = model_plots.cost_against_accuracy(costs, TITLE)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_a_search_tells_its_best_trial(search):
    assert legend(model_plots.trials(search, TITLE))[-1] == "best: trial 2, 60.0 %"


def test_the_best_cell_of_a_grid_is_framed(grid):
    assert model_plots.heat_grid(grid, TITLE, "rate", "batch").axes[0].patches[-1].get_xy() == (0, 1)
