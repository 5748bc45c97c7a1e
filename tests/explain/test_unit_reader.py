import json

import numpy as np
import pandas as pd
import pytest

from fer_lib.errors import StudyError
from fer_lib.explain.action_units import (
    AVERAGE_REST,
    OWN_REST,
    UnitReader,
    _moves,
    agreement,
    aligned,
    true_intensities,
)
from fer_lib.faces.detect import N_LANDMARKS
from fer_lib.faces.geometry import EYES
from fer_lib.synthetic.action_units import ACTION_UNITS

SPLITS = ("train",) * 40 + ("validation",) * 20 + ("test",) * 10  # of subjects
PICTURES = 6  # of each subject, the first two at rest
STILL = 14  # a unit that moves nothing here
TOGETHER = (6, 12)  # units that nearly always come together


def moved(shape, units):
    """A shape with three landmarks of each unit's own lifted by up to 0.2 eye distances."""
    shape = shape.copy()
    for unit, intensity in units.items():
        first = 3 * ACTION_UNITS.index(unit)
        shape[first : first + 3, 1] -= 0 if unit == STILL else 0.2 * intensity
    return shape


def photographed(shape, rng):
    """The landmarks' bytes in a picture: anywhere, of any size, the head tilted, measured with a small error."""
    angle, size = rng.uniform(-0.4, 0.4), rng.uniform(20, 60)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mesh = np.zeros((N_LANDMARKS, 3), np.float32)
    mesh[:, :2] = size * (shape + rng.normal(0, 0.005, shape.shape)) @ turn + rng.uniform(0, 100, 2)
    return mesh.tobytes()


def random_units(rng):
    units = {unit: round(rng.uniform(0.3, 1), 2) for unit in ACTION_UNITS if rng.random() < 0.35}
    first, second = TOGETHER
    units.pop(first, None)
    return units | ({first: units[second]} if second in units and rng.random() < 0.9 else {})


def person(rng):
    """A face at rest in eye distances, its eyes level and far from what units move."""
    points = np.random.default_rng(5).uniform(-1, 1, (N_LANDMARKS, 2)) + rng.normal(0, 0.02, (N_LANDMARKS, 2))
    for side, corners in zip((0.5, -0.5), EYES, strict=True):
        points[list(corners)] = [[side - 0.1, 0], [side + 0.1, 0]]
    return points


@pytest.fixture(scope="module")
def study():
    """420 rows and their measurements, and the faces at rest of all subjects."""
    rng = np.random.default_rng(0)
    rows, meshes = [], []
    for number, split in enumerate(SPLITS):
        shape = person(rng)
        for picture in range(PICTURES):
            units = {} if picture < 2 else random_units(rng)
            told = {"id": f"{number}-{picture}", "subject": f"subject {number}", "split": split}
            rows.append(told | {"label": "neutral" if picture < 2 else "fear", "action_units": json.dumps(units)})
            meshes.append(photographed(moved(shape, units), rng))
    return pd.DataFrame(rows), pd.DataFrame({"landmarks": meshes})


@pytest.fixture(scope="module")
def reader(study):
    return UnitReader.fit(*study)


def part(study, chosen):
    return tuple(frame[np.asarray(chosen)].reset_index(drop=True) for frame in study)


def same(one, other):
    pairs = [(one.readings[name], other.readings[name]) for name in one.readings]
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for a, b in pairs for name in vars(a))


@pytest.fixture(scope="module")
def tested(study):
    return part(study, study[0]["split"] == "test")


@pytest.mark.parametrize("known", [True, False])
def test_what_is_named_is_driven_and_what_is_driven_is_named(reader, tested, known):
    rows, faces = tested
    rows = rows if known else rows.assign(subject=None)
    found = agreement(rows, reader.named(rows, faces)).loc["all"]
    assert found["n"] == 60
    assert found["agreement"] > 0.9
    assert found["recall"] > 0.9


@pytest.mark.parametrize("units", [{12: 0.8}, {6: 0.8}, {4: 0.7, 45: 0.9}, {}])
def test_a_unit_is_read_from_what_it_moves_and_not_from_its_company(reader, units):
    rng = np.random.default_rng(7)
    shape = person(rng)
    rows = pd.DataFrame({"id": ["a", "b"], "subject": "new", "label": ["neutral", "anger"]})
    faces = pd.DataFrame({"landmarks": [photographed(shape, rng), photographed(moved(shape, units), rng)]})
    assert reader.named(rows, faces)[1] == tuple(units)


def test_pictures_without_a_mesh_have_none_and_those_of_faces_at_rest_nothing(reader, tested):
    rows, faces = tested
    read = reader.read(rows, faces.assign(landmarks=[None, *faces["landmarks"][1:]]))
    assert read.loc[0].tolist() == [None, None]
    assert read["units"][6] == read["units"][12] == ()


def test_nothing_comes_of_no_picture(reader, tested):
    rows, faces = (frame.iloc[:0] for frame in tested)
    assert reader.named(rows, faces) == []


def test_test_rows_change_nothing(study, reader):
    rows, faces = study
    tests = (rows["split"] == "test").to_numpy()
    truth = rows["action_units"].mask(tests, json.dumps({"1": 1.0}))
    meshes = [faces["landmarks"][0] if test else mesh for mesh, test in zip(faces["landmarks"], tests, strict=True)]
    assert same(reader, UnitReader.fit(rows.assign(action_units=truth), faces.assign(landmarks=meshes)))
    assert same(reader, UnitReader.fit(*part(study, ~tests)))


def without(truth, unit):
    return json.dumps({name: value for name, value in json.loads(truth).items() if name != str(unit)})


@pytest.mark.parametrize("beside", [OWN_REST, AVERAGE_REST])
def test_validation_alone_decides_what_is_named(study, reader, tested, beside):
    rows, faces = study
    validation = (rows["split"] == "validation").to_numpy()
    truth = [without(text, 4) if v else text for text, v in zip(rows["action_units"], validation, strict=True)]
    other = UnitReader.fit(rows.assign(action_units=truth), faces)
    at = ACTION_UNITS.index(4)
    before, after = (np.delete(each.readings[beside].thresholds, at) for each in (reader, other))
    assert np.array_equal(before, after)
    assert 4 not in reader.never[beside]
    assert 4 in other.never[beside]
    assert not any(4 in units for units in other.named(*tested))
    assert any(4 in units for units in reader.named(*tested))


def test_a_unit_that_moves_nothing_is_never_named(reader):
    assert reader.never == {OWN_REST: (STILL,), AVERAGE_REST: (STILL,)}


def test_faces_are_compared_with_their_own_rest_but_none_with_itself(reader, tested):
    rows, faces = tested
    assert set(reader.read(rows, faces)["against"]) == {OWN_REST}
    only_one = part(tested, ~rows["id"].str.endswith("-1"))
    against = reader.read(*only_one)["against"]
    resting = only_one[0]["label"] == "neutral"
    assert set(against[resting]) == {AVERAGE_REST}
    assert set(against[~resting]) == {OWN_REST}
    assert set(reader.read(rows.assign(subject=None), faces)["against"]) == {AVERAGE_REST}


def test_own_rest_is_the_mean_of_the_others():
    shapes = np.array([[1.0, 5], [4, 5], [7, 8], [9, 9], [np.nan, np.nan]], np.float32)
    rows = pd.DataFrame({"subject": "a", "label": ["neutral", "neutral", "neutral", "fear", "neutral"]})
    own = _moves(shapes, rows, np.zeros(2, np.float32))[OWN_REST]
    wanted = [[1 - 5.5, 5 - 6.5], [4 - 4, 5 - 6.5], [7 - 2.5, 8 - 5], [9 - 4, 9 - 6]]
    assert own[:4] == pytest.approx(np.array(wanted), abs=1e-5)
    assert np.isnan(own[4]).all()


def test_without_subjects_faces_are_compared_with_the_average_alone(study):
    rows, faces = study
    reader = UnitReader.fit(rows.assign(subject=None), faces)
    assert list(reader.readings) == [AVERAGE_REST]


def test_place_size_and_tilt_do_not_matter(rng):
    shape, exact = person(rng), np.zeros((N_LANDMARKS, 3), np.float32)
    exact[:, :2] = shape
    turned = exact @ np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]], np.float32) * 37 + 11
    found = aligned(pd.Series([exact.tobytes(), turned.tobytes(), None]))
    assert found[:2] == pytest.approx(np.stack([shape.ravel()] * 2), abs=1e-3)
    assert np.isnan(found[2]).all()


def of(study, split, **wanted) -> pd.Series:
    """Which rows are of a split, and of a label if wanted."""
    rows = study[0]
    return (rows["split"] == split) & (rows["label"] == wanted.get("label", rows["label"]))


NO_REST = "no neutral face of train has a mesh;"
NO_TRAIN, NO_VALIDATION = (f"no face of {split} has a mesh and action_units;" for split in ("train", "validation"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": "fear"}, NO_REST),
        ({"action_units": None}, NO_TRAIN),
        ({"split": "train"}, NO_VALIDATION),
        ({"split": "validation"}, NO_REST),
    ],
)
def test_data_that_cannot_teach_are_refused(study, change, told):
    with pytest.raises(StudyError, match=f"^{told} fit the reader on the embedded data.$"):
        UnitReader.fit(study[0].assign(**change), study[1])


@pytest.mark.parametrize(("split", "told"), [("train", NO_TRAIN), ("validation", NO_VALIDATION)])
def test_a_split_whose_units_nobody_knows_is_refused(study, split, told):
    rows, faces = study
    with pytest.raises(StudyError, match=f"^{told}"):
        UnitReader.fit(rows.assign(action_units=rows["action_units"].mask(of(study, split), None)), faces)


@pytest.mark.parametrize(
    ("split", "more", "told"),
    [
        ("train", {"label": "neutral"}, NO_REST),
        ("train", {"label": "fear"}, None),
        ("validation", {}, NO_VALIDATION),
        ("test", {}, None),
    ],
)
def test_faces_that_teach_must_have_a_mesh(study, split, more, told):
    rows, faces = study
    unseen = faces.assign(landmarks=faces["landmarks"].mask(of(study, split, **more), None))
    if told:
        with pytest.raises(StudyError, match=f"^{told}"):
            UnitReader.fit(rows, unseen)
    else:
        assert UnitReader.fit(rows, unseen).readings


def test_nobody_needs_to_know_the_units_of_faces_at_rest(study, reader, tested):
    """As in CK+, where only the last frame of a sequence is coded."""
    rows, faces = study
    coded = UnitReader.fit(rows.assign(action_units=rows["action_units"].mask(rows["label"] == "neutral", None)), faces)
    assert np.array_equal(coded.average, reader.average)
    assert set(coded.readings) == {OWN_REST, AVERAGE_REST}
    found = agreement(tested[0], coded.named(*tested)).loc["all"]
    assert found["agreement"] > 0.9
    assert found["recall"] > 0.9


def test_true_intensities_are_0_where_untold_and_unknown_where_null():
    truth = true_intensities(pd.DataFrame({"action_units": ['{"1": 0.5, "45": null, "11": 1}', None]}))
    assert truth[0, :3].tolist() == [0.5, 0, 0]
    assert np.isnan(truth[0, -1])
    assert np.isnan(truth[1]).all()


def test_agreement_and_recall_are_those_counted_by_hand():
    told = ['{"1": 0.6, "2": 0.05}', '{"1": 0.2, "4": 0.9}', '{"4": 0.5}', '{"1": null}', None, '{"1": 1}']
    named = [(1, 2), (1,), (), (1, 4), (1, 2, 4), None]
    found = agreement(pd.DataFrame({"action_units": told}), named)
    assert found.loc["all", ["n", "named", "strong"]].tolist() == [4, 5, 3]
    assert found.loc["all", ["agreement", "recall"]].tolist() == pytest.approx([3 / 5, 1 / 3])
    assert found["agreement"].dropna().to_dict() == {"all": 0.6, 1: 1, 2: 0, 4: 0}
    assert found.loc[[1, 4], "recall"].tolist() == [1, 0]
    assert found.loc[1, ["low", "high"]].tolist() == [1, 1]
    assert np.isnan(found.loc[26, ["agreement", "low", "high", "recall"]].tolist()).all()


def test_the_interval_is_that_of_the_central_limit():
    told = ['{"1": 1}'] * 320 + ["{}"] * 80
    found = agreement(pd.DataFrame({"action_units": told}), [(1,)] * 400).loc["all"]
    assert found["low"] == pytest.approx(0.8 - 1.96 * np.sqrt(0.16 / 400), abs=0.006)
    assert found["high"] == pytest.approx(0.8 + 1.96 * np.sqrt(0.16 / 400), abs=0.006)


def test_of_no_picture_at_all_nothing_is_known():
    found = agreement(pd.DataFrame({"action_units": [None]}), [(1,)])
    assert found.loc["all", "n"] == found.loc["all", "named"] == 0
    assert found[["agreement", "low", "high", "recall"]].isna().all(axis=None)
