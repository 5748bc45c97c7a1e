import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet

from fer_lib.emotions import PALETTE
from fer_lib.faces.detect import look
from fer_lib.faces.fabric import COVERS
from fer_lib.show import mask_plots
from fer_lib.show.people import people_and_emotions, portrait

GREY = np.full((9, 9), 128, np.uint8)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def faces():
    return mask_plots.drawn_faces()


@pytest.fixture
def cells():
    """Two models, the first of them taught in two ways; fractions."""
    ways = [("CNN", "bare", "bare", 0.6), ("CNN", "bare", "masked", 0.3), ("CNN", "masked", "bare", 0.4)]
    ways += [("CNN", "masked", "masked", 0.5), ("SVM", "bare", "bare", 0.2), ("SVM", "bare", "masked", 0.1)]
    frame = pd.DataFrame(ways, columns=["model", "taught", "tested", "value"])
    return frame.assign(low=frame["value"] - 0.02, high=frame["value"] + 0.05)


def panel_outlines(axis) -> list[np.ndarray]:
    """The corners of every outline in a panel, float (K, 2) of x and y."""
    contours = [shown for shown in axis.collections if isinstance(shown, ContourSet)]
    return [path.vertices for shown in contours for path in shown.get_paths()]


def legend_of(axis) -> list[str]:
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_a_mesh_is_found_in_every_drawn_face(faces):
    assert len(faces) == len(mask_plots.TURNS)
    assert {(face.shape, face.dtype) for _, face in faces} == {((160, 160, 3), np.dtype(np.uint8))}
    assert all(look(face).landmarks is not None for _, face in faces)
    pairs = zip(faces, faces[1:] + faces[:1], strict=True)
    assert not any(np.array_equal(face, other) for (_, face), (_, other) in pairs)


def test_drawn_faces_come_with_the_emotion_that_they_show(faces):
    cards = people_and_emotions(2 * len(faces), seed=4)
    for (emotion, face), turn in zip(faces, mask_plots.TURNS, strict=True):
        again = [
            portrait(card.person, card.expression.units, 160, yaw=turn) for card in cards if card.emotion == emotion
        ]
        assert any(np.array_equal(face, drawn) for drawn in again)


def test_drawn_faces_are_turned_by_their_degrees(faces):
    """The nose's tip stands on the side to which a face is turned, seen from between the eyes' outer corners."""
    sides = []
    for _, face in faces:
        mesh = look(face).landmarks
        sides.append((mesh[1, 0] - mesh[[33, 263], 0].mean()) / np.ptp(mesh[[33, 263], 0]))
    left, right = np.mean(sides[:2]), np.mean(sides[4:])
    ahead = np.mean(sides[2:4])
    assert min(left, right) < ahead < max(left, right)
    assert abs(ahead) < 0.1 < min(abs(left), abs(right))


def test_the_gallery_of_covers_has_a_row_for_every_kind_and_leaves_out_what_has_no_mesh(faces):
    blank = np.full((160, 160, 3), 90, np.uint8)
    figure = mask_plots.cover_gallery([faces[2], ("fear", blank), faces[3]], "Covers")
    axes = np.reshape(figure.axes, (1 + len(COVERS), 2))
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["bare", *COVERS]
    shown = np.array([[axis.images[0].get_array() for axis in line] for line in axes])
    assert np.array_equal(shown[0, 0], faces[2][1])
    assert np.array_equal(shown[0, 1], faces[3][1])
    assert (shown[1:] != shown[0]).any((2, 3, 4)).all()


def test_every_model_and_teaching_has_a_row_with_both_accuracies_and_their_intervals(cells):
    axis = mask_plots.two_by_two(cells, "Masks cost", 0.25).axes[0]
    rows = [label.get_text() for label in axis.get_yticklabels()]
    assert rows == ["CNN, taught on bare", "CNN, taught on masked", "SVM, taught on bare"]
    for container, tested in zip(axis.containers, ("bare", "masked"), strict=True):
        points, _, (bars,) = container
        part = cells[cells["tested"] == tested]
        assert points.get_xdata() == pytest.approx(100 * part["value"].to_numpy())
        assert points.get_ydata().tolist() == [0, 1, 2]
        ends = [[segment[0, 0], segment[1, 0]] for segment in bars.get_segments()]
        assert np.array(ends) == pytest.approx(100 * part[["low", "high"]].to_numpy())
    assert legend_of(axis) == ["always the largest class", "tested on bare faces", "tested on masked faces"]
    chance = [line for line in axis.lines if line.get_label() == "always the largest class"]
    assert [list(line.get_xdata()) for line in chance] == [[25, 25]]


def test_models_are_parted_by_a_line_and_other_conditions_are_not_shown(cells):
    more = pd.concat([cells, cells.iloc[:1].assign(tested="sunglasses", value=0.9)])
    axis = mask_plots.two_by_two(more, "Masks cost", 0.25).axes[0]
    parting = [line for line in axis.lines if list(line.get_xdata()) == [0, 1] and len(set(line.get_ydata())) == 1]
    assert [line.get_ydata()[0] for line in parting] == [1.5]
    shown = np.concatenate([container[0].get_xdata() for container in axis.containers])
    assert shown.max() == pytest.approx(60)


def test_heat_lies_over_its_picture_on_one_scale_for_all(rng):
    pictures = {name: rng.integers(0, 256, (9, 9), np.uint8) for name in ("anger", "fear", "neutral")}
    heats = {row: {name: rng.random((9, 9)) for name in pictures} for row in ("bar: none", "bar: eyes")}
    heats["bar: eyes"]["fear"][4, 4] = 3.5
    *axes, bar = mask_plots.heat_maps(pictures, heats, {}, "Heat", "mean heat").axes
    panels = np.reshape(axes, (2, 3))
    assert bar.get_ylabel() == "mean heat"
    assert [axis.get_ylabel() for axis in panels[:, 0]] == list(heats)
    assert [axis.get_title() for axis in panels[0]] == list(pictures)
    for row, line in zip(heats, panels, strict=True):
        for name, axis in zip(pictures, line, strict=True):
            assert np.array_equal(axis.images[0].get_array(), pictures[name])
            assert np.array_equal(axis.images[1].get_array(), heats[row][name])
            assert axis.images[1].get_clim() == (0, 3.5)


def test_heat_is_outlined_where_its_row_has_something_to_outline():
    eyes = np.zeros((9, 9), bool)
    eyes[3:5] = True
    heats = {row: {"fear": np.eye(9)} for row in ("bar: none", "bar: eyes")}
    none, under, _ = mask_plots.heat_maps({"fear": GREY}, heats, {"bar: eyes": eyes}, "Heat", "mean heat").axes
    assert panel_outlines(none) == []
    y = np.concatenate(panel_outlines(under))[:, 1]
    assert sorted(set(y.tolist())) == [2.5, 4.5]  # between the last row outside and the first inside


def test_rows_of_maps_have_their_name_beside_them_and_each_map_its_own_above():
    rows = {"bare": {"picture": GREY, "taught on bare": GREY}, "masked": {"picture": GREY, "taught on masked": GREY}}
    axes = np.reshape(mask_plots.map_rows(rows, "Maps").axes, (2, 2))
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["bare", "masked"]
    assert [axis.get_title() for axis in axes[1]] == ["picture", "taught on masked"]
    assert all(len(axis.images) == 1 for axis in axes.flat)


def test_each_name_has_one_curve_in_percent_with_its_interval_around_it():
    x, value = [0, 10, 20], np.array([0.6, 0.5, 0.2])
    frame = pd.DataFrame({"name": "at random", "x": x, "value": value, "low": value - 0.1, "high": value + 0.05})
    frame = pd.concat([frame, frame.assign(name="where it looks", value=value / 2)])
    axis = mask_plots.curves(frame, "Covered", "share [%]").axes[0]
    assert legend_of(axis) == ["at random", "where it looks"]
    assert [line.get_ydata().tolist() for line in axis.lines] == [pytest.approx(100 * v) for v in (value, value / 2)]
    assert [line.get_xdata().tolist() for line in axis.lines] == [x, x]
    assert axis.lines[0].get_color() != axis.lines[1].get_color()
    corners = axis.collections[0].get_paths()[0].vertices
    assert sorted({round(y) for at, y in corners if at == 10}) == [40, 55]


def test_every_pair_of_emotion_and_region_is_a_dot_at_what_was_planted_and_measured(rng):
    planted = pd.DataFrame(rng.uniform(1, 20, (2, 3)), ["fear", "anger"], ["eyes", "nose", "mouth"])
    measured = pd.DataFrame(rng.random((3, 3)), ["anger", "neutral", "fear"], ["eyes", "nose", "mouth"])
    axis = mask_plots.agreement(planted, measured, "True", "planted", "measured").axes[0]
    written = [(text.get_text(), text.xy) for text in axis.texts]
    expected = [(r, (planted.loc[e, r], measured.loc[e, r])) for e in planted.index for r in planted.columns]
    assert written == expected
    dots = np.concatenate([dots.get_offsets() for dots in axis.collections])
    assert np.allclose(dots, [place for _, place in expected])
    assert [to_hex(dots.get_facecolor()[0]) for dots in axis.collections] == [
        to_hex(PALETTE[emotion]) for emotion in planted.index
    ]
    assert (legend_of(axis), axis.get_xscale()) == (["fear", "anger"], "log")


def test_dots_lie_at_their_names_whatever_the_order_of_regions(rng):
    planted = pd.DataFrame(rng.uniform(1, 20, (1, 3)), ["fear"], ["eyes", "nose", "mouth"])
    measured = pd.DataFrame(rng.random((1, 3)), ["fear"], ["mouth", "eyes", "nose"])
    axis = mask_plots.agreement(planted, measured, "True", "planted", "measured").axes[0]
    assert np.allclose(axis.collections[0].get_offsets(), [text.xy for text in axis.texts])


def test_tables_of_regions_stand_side_by_side_with_their_numbers_written_and_changes_white_at_nothing():
    areas = pd.DataFrame([[0.5, 0.75], [0.25, 1.0]], ["anger", "fear"], ["eyes", "mouth"])
    lost = pd.DataFrame([[-30.0, 5.0], [0.0, 10.0]], areas.index, areas.columns)
    figure = mask_plots.region_heatmaps({"area": areas, "points": lost}, "Regions", (".2f", "+.0f"))
    first, second = figure.axes
    assert [text.get_text() for text in first.texts] == ["0.50", "0.75", "0.25", "1.00"]
    assert [text.get_text() for text in second.texts] == ["-30", "+5", "+0", "+10"]
    assert [axis.get_title("left") or axis.get_title() for axis in (first, second)] == ["area", "points"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["anger", "fear"]
    assert [label.get_text() for label in second.get_xticklabels()] == ["eyes", "mouth"]
    assert second.collections[0].get_clim() == (-30, 30)
    assert first.collections[0].get_clim() == (0.25, 1)


def test_heat_by_row_is_shown_as_shares_of_the_rows_own_hottest_place(rng):
    pictures = {"anger": GREY, "fear": GREY}
    heats = {"weak": {name: 0.1 * rng.random((9, 9)) for name in pictures}}
    heats |= {"strong": {name: 7 * rng.random((9, 9)) for name in pictures}}
    heats |= {"none": {name: np.zeros((9, 9)) for name in pictures}}
    *axes, _ = mask_plots.heat_maps(pictures, heats, {}, "Heat", "share of the hottest", by_row=True).axes
    for row, line in zip(heats, np.reshape(axes, (3, 2)), strict=True):
        most = max(heats[row][name].max() for name in pictures) or 1
        for name, axis in zip(pictures, line, strict=True):
            shown = axis.images[1]
            assert shown.get_clim() == pytest.approx((0, 1))
            assert np.asarray(shown.get_array()) == pytest.approx(heats[row][name] / most)
    assert heats["strong"]["anger"].max() > 1  # what is given stays as it is


def test_tables_with_a_common_bar_are_on_one_colour_scale_from_the_least_to_the_most_of_all():
    before = pd.DataFrame([[10.0, 20.0], [30.0, 40.0]], ["anger", "fear"], ["eyes", "mouth"])
    figure = mask_plots.region_heatmaps({"before": before, "after": 2 * before}, "Regions", (".0f",) * 2, "share [%]")
    first, second, bar = figure.axes
    assert first.collections[0].get_clim() == second.collections[0].get_clim() == (10, 80)
    assert bar.get_ylabel() == "share [%]"
    assert np.allclose(first.collections[0].to_rgba([40.0]), second.collections[0].to_rgba([40.0]))


def test_a_common_bar_is_white_at_nothing_where_any_table_falls_below_it():
    rise = pd.DataFrame([[5.0, 20.0]], ["anger"], ["eyes", "mouth"])
    figure = mask_plots.region_heatmaps({"rise": rise, "fall": -2 * rise}, "Regions", ("+.0f",) * 2, "points")
    assert [axis.collections[0].get_clim() for axis in figure.axes[:2]] == [(-40, 40)] * 2


def test_without_a_common_bar_each_table_keeps_its_own_scale_and_none_is_drawn():
    small = pd.DataFrame([[0.0, 1.0]], ["anger"], ["eyes", "mouth"])
    figure = mask_plots.region_heatmaps({"small": small, "large": 50 * small}, "Regions", (".0f",) * 2)
    assert [axis.collections[0].get_clim() for axis in figure.axes] == [(0, 1), (0, 50)]
