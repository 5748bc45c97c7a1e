import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fer_lib.evaluation.compare import Difference
from fer_lib.faces.geometry import AU_CENTRES
from fer_lib.show import face_plots


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def landmarks():
    return np.random.default_rng(0).uniform(20, 80, (478, 3))


def test_every_action_unit_stands_with_its_number_at_its_landmark(landmarks):
    figure = face_plots.au_points(np.zeros((100, 100, 3), np.uint8), landmarks, "Twelve centres")
    written = {text.get_text(): text.xy for text in figure.axes[1].texts}
    assert set(written) == {str(unit) for unit in AU_CENTRES}
    for unit, (_, _, index) in AU_CENTRES.items():
        assert written[str(unit)] == pytest.approx(landmarks[index, :2])


def test_the_way_of_a_picture_ends_in_a_bar_for_each_emotion(landmarks):
    views = {name: np.zeros((9, 9), np.uint8) for name in ("face", "maps", "scene")}
    places, scores = pd.Series({"beach": 0.7, "office": 0.3}), pd.Series({"anger": 0.1, "fear": 0.9})
    picture = np.zeros((100, 100, 3), np.uint8)
    figure = face_plots.way_of_a_picture(picture, (10, 10, 50, 60), landmarks, views, places, scores, "A way")
    assert [bar.get_width() for bar in figure.axes[7].patches] == pytest.approx([10, 90])
    assert [axis.get_title("left") or axis.get_title() for axis in figure.axes][3:6] == ["face", "maps", "scene"]
    assert figure.axes[0].patches[0].get_bbox().bounds == (10, 10, 50, 60)


def test_changes_lie_where_they_were_measured_in_points():
    groups = {"as they are": {"F+B": Difference(0.03, 0.01, 0.05, 0.01)}}
    groups["dealt anew"] = {"F+B": Difference(0.0, -0.01, 0.01, 1.0), "F+P": Difference(-0.02, -0.04, 0.0, 0.2)}
    axis = face_plots.changes(groups, "Context helps", "points").axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["F+B", "F+P"]
    measured = [line.get_xdata().tolist() for line in axis.lines if line.get_marker() == "o"]
    assert measured[0] == pytest.approx([3])
    assert measured[1] == pytest.approx([0, -2])
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["as they are", "dealt anew"]
