import matplotlib.pyplot as plt
import pytest
from matplotlib.transforms import Bbox

from fer_lib.show.plots import use_style, wrap_titles

LONG = "A finding that takes many words, and many more, until it is surely wider than a figure of four inches"


@pytest.fixture(autouse=True)
def own_style():
    with plt.rc_context():
        use_style()
        yield
    plt.close("all")


def box_of(figure, text) -> Bbox:
    figure.draw_without_rendering()
    return text.get_window_extent()


@pytest.mark.parametrize("kind", ["of the figure", "of its axes"])
def test_a_long_title_is_broken_into_lines_within_the_figure(kind):
    figure, axis = plt.subplots(figsize=(4, 3))
    title = figure.suptitle(LONG, x=0.01, ha="left", weight="bold") if kind == "of the figure" else axis.set_title(LONG)
    assert box_of(figure, title).x1 > figure.bbox.x1
    before = box_of(figure, title).height
    wrap_titles(figure)
    assert box_of(figure, title).x1 <= figure.bbox.x1 + 1
    assert box_of(figure, title).height > 1.9 * before
    assert axis.get_window_extent().y1 < box_of(figure, title).y0


def test_a_title_that_fits_stays_on_its_line():
    figure, axis = plt.subplots(figsize=(4, 3))
    title = axis.set_title("Short")
    before = box_of(figure, title).height
    wrap_titles(figure)
    assert box_of(figure, title).height == before
