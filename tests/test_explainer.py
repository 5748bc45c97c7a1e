from copy import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax

from fer_lib import explainer as explainer_of
from fer_lib.data.table import crop, decode_picture, load_pictures, usable
from fer_lib.emotions import in_order
from fer_lib.errors import StudyError
from fer_lib.explain.action_units import AVERAGE_REST, OWN_REST
from fer_lib.explain.sentences import sentence
from fer_lib.explainer import ATTRIBUTES, RELIABLE, SURE_OF_PLACE, UNMASKED, Explainer
from fer_lib.faces.crops import squares_of
from fer_lib.multistream import Multistream
from fer_lib.study import open_study
from fer_lib.synthetic.places import PLACES
from fer_lib.training.fusion import FACE
from fer_lib.trainings import Trainings

pytestmark = pytest.mark.usefixtures("one_thread")
SPLITS = ("validation", "test")
LOST = 3  # a picture that cannot be used


@pytest.fixture(scope="module")
def safer(drawn_people, tmp_path_factory, one_thread):
    """SAFER on drawn people, one of whom cannot be used."""
    table = drawn_people.copy()
    table.attrs = dict(drawn_people.attrs)
    table.loc[LOST, "problem"] = "for the sake of the test"
    study = open_study("09_interpretability", "synthetic", "smoke", runs=tmp_path_factory.mktemp("runs"))
    return Multistream(study, table, Trainings(study, table))


@pytest.fixture(scope="module")
def explainers(safer):
    return {split: Explainer(safer, split) for split in SPLITS}


@pytest.fixture(scope="module")
def explainer(explainers):
    return explainers["test"]


def changed(explainer, forget=(), **known) -> Explainer:
    """The same where SAFER knows something else; what hangs on it, `forget`, is asked again."""
    other = copy(explainer)
    other.safer = copy(explainer.safer)
    other.safer.__dict__ |= known
    for name in forget:
        other.__dict__.pop(name, None)
    return other


def logs(frame, classes) -> np.ndarray:
    return np.log(np.clip(frame[classes].to_numpy(float), np.finfo(float).eps, None))


def test_explained_is_the_fusion_of_all_streams_with_the_first_seed(explainer):
    assert (explainer.run.experiment["name"], explainer.run.experiment["seed"]) == ("safer/F+B+P", 0)
    assert {stream for group in explainer.groups.values() for stream in group} == set(explainer.network.sizes)
    assert explainer.groups["face"] == FACE
    assert explainer.classes == in_order(explainer.safer.table["label"])


@pytest.mark.parametrize("split", SPLITS)
def test_the_rows_are_those_of_the_split_in_the_order_of_what_is_said(explainers, safer, split):
    known = usable(safer.table).query("split == @split").set_index("id")
    told = explainers[split]
    assert set(told.said["id"]) == set(known.index)
    assert told.rows["id"].tolist() == told.said["id"].tolist()
    assert told.rows["label"].tolist() == told.said["label"].tolist() == known.loc[told.said["id"], "label"].tolist()


@pytest.mark.parametrize("split", SPLITS)
def test_said_are_the_runs_predictions_of_the_split_with_one_temperature(explainers, split):
    told = explainers[split]
    own = told.run.predictions.set_index("id").loc[told.said["id"]]
    assert set(own["split"]) == {split}
    expected = softmax(logs(own, told.classes) / told.temperature, axis=1)
    assert told.said[told.classes].to_numpy() == pytest.approx(expected, abs=1e-6)
    named = [told.classes[k] for k in told.targets]
    assert named == own[told.classes].idxmax(axis=1).tolist()


@pytest.mark.parametrize("split", SPLITS)
def test_a_reading_of_test_is_written_down_and_none_of_validation(explainers, split, monkeypatch):
    asked = []
    monkeypatch.setattr(explainer_of, "read_test", lambda *told: asked.append(told))
    told = changed(explainers[split], ["rows"])
    assert len(told.rows) == len(told.at)
    if split == "validation":
        assert asked == []
    else:
        [(table, why, log)] = asked
        assert table is told.safer.table
        assert why == "notebook 09_interpretability, explanations"
        assert log.parent == told.safer.study.folder


def drawn(rng, classes, sureness) -> pd.DataFrame:
    """Labels drawn by known chances, and scores whose logits are those of the chances times `sureness`."""
    logits = rng.normal(0, 2, (3000, len(classes)))
    chances = softmax(logits, axis=1)
    labels = [rng.choice(classes, p=row) for row in chances]
    return pd.DataFrame(softmax(sureness * logits, axis=1), columns=classes).assign(label=labels)


def test_the_temperature_takes_back_what_validation_is_too_sure_of_whatever_test_says(explainer, rng):
    frames = {"validation": drawn(rng, explainer.classes, 3), "test": drawn(rng, explainer.classes, 0.4)}
    other = changed(explainer, ["temperature", "said"])
    other.run = SimpleNamespace(of_split=frames.get, experiment=explainer.run.experiment)
    assert other.temperature == pytest.approx(3, rel=0.08)
    expected = softmax(logs(frames["test"], explainer.classes) / other.temperature, axis=1)
    assert other.said[explainer.classes].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize("split", SPLITS)
def test_of_its_features_the_network_says_by_itself_what_the_run_has_said(explainers, split):
    told = explainers[split]
    with torch.no_grad():
        chances = (told.network(told.features) / told.temperature).softmax(1).numpy()
    assert chances == pytest.approx(told.said[told.classes].to_numpy(), abs=1e-5)
    assert len(np.unique(chances.round(5), axis=0)) == len(chances)


@pytest.mark.parametrize("split", SPLITS)
def test_what_streams_add_and_what_is_there_at_rest_are_the_probability_of_the_class_named(explainers, split):
    told = explainers[split]
    assert list(told.streams) == ["face", "background", "place", "at_rest"]
    highest = told.said[told.classes].to_numpy(float).max(1)
    assert told.streams.sum(axis=1).to_numpy() == pytest.approx(highest, abs=1e-5)
    assert (told.streams[["face", "background", "place"]].abs().max() > 0).all()


def test_at_rest_is_what_is_said_of_mean_features(explainer):
    means = torch.cat([stream.mean for stream in explainer.network.streams.values()])[None]
    with torch.no_grad():
        chances = (explainer.network(means) / explainer.temperature).softmax(1)[0].numpy()
    assert explainer.streams["at_rest"].to_numpy() == pytest.approx(chances[explainer.targets], abs=1e-6)


def test_evidence_holds_what_the_data_know_of_the_person_and_what_was_said(explainer, safer):
    known = safer.table.set_index("id")
    for number, name in enumerate(explainer.said["id"]):
        found = explainer.evidence(number)
        assert (found.age, found.gender) == (known.loc[name, "age"], known.loc[name, "gender"])
        assert found.scores.to_dict() == explainer.said[explainer.classes].iloc[number].to_dict()
        assert found.streams == explainer.streams[["face", "background", "place"]].iloc[number].to_dict()
        assert found.mask is bool(explainer.covered[number])
        assert found.ranked.index[0] == explainer.classes[explainer.targets[number]]


def test_evidence_has_the_units_that_the_reader_names_beside_which_face_at_rest(explainer):
    beside = explainer.reader.read(explainer.safer.rows, explainer._landmarks)
    for number, at in enumerate(explainer.at):
        found = explainer.evidence(number)
        assert found.units == beside["units"].iloc[at]
        assert found.against == (beside["against"].iloc[at] or AVERAGE_REST)
    assert set(beside["against"].dropna()) <= {OWN_REST, AVERAGE_REST}


def test_the_units_of_evidence_are_those_of_its_own_picture(explainer):
    """As a reader names them that knows each picture by its mesh."""
    known = {mesh: (k,) for k, mesh in enumerate(explainer._landmarks["landmarks"])}

    def read(rows, faces):
        return pd.DataFrame({"units": faces["landmarks"].map(known), "against": OWN_REST})

    other = changed(explainer, ["units"])
    other.__dict__["reader"] = SimpleNamespace(read=read)
    found = [other.evidence(number) for number in range(len(other.rows))]
    places = explainer.safer.rows["id"].tolist()
    assert [one.units for one in found] == [(places.index(name),) for name in other.said["id"]]
    assert {one.against for one in found} == {OWN_REST}


@pytest.fixture
def unmeshed(explainer):
    """In the second picture, no mesh was found."""
    other = changed(explainer, ["units"])
    faces = explainer._landmarks.copy()
    faces.at[explainer.at[1], "landmarks"] = None
    other.__dict__ |= {"_landmarks": faces, "reader": explainer.reader}
    return other


def torn(evidence) -> str:
    """The sentence, were all emotions as likely as each other."""
    return sentence(replace(evidence, scores=evidence.scores * 0 + 1 / len(evidence.scores)))


def test_evidence_knows_whether_a_mesh_was_found_in_its_own_picture(explainer, unmeshed):
    before = explainer._landmarks["landmarks"].notna()[explainer.at].tolist()
    assert [explainer.evidence(number).mesh for number in range(len(before))] == before
    assert [unmeshed.evidence(number).mesh for number in range(len(before))] == [before[0], False, *before[2:]]
    assert unmeshed.evidence(1).units is None
    assert "no mesh of the face was found" in torn(unmeshed.evidence(1))
    assert before[0]
    assert "mesh" not in torn(unmeshed.evidence(0))


def test_landmarks_are_those_of_the_usable_rows(explainer, safer):
    assert explainer._landmarks["id"].tolist() == safer.rows["id"].tolist()
    assert safer.table["id"].iloc[LOST] not in explainer._landmarks["id"].tolist()


@pytest.fixture
def placed(explainer):
    """The place network is sure of the first picture, just sure enough of the second, and has not seen the third."""
    run = explainer.safer.trainings.runs("safer/place")[0]
    names = run.experiment["classes"]
    ids = explainer.rows["id"].tolist()
    told = pd.DataFrame(0.0, ids, names)
    told.loc[ids[0], ["beach", "office"]] = 0.9, 0.1
    told.loc[ids[1], ["office", "library"]] = SURE_OF_PLACE, 1 - SURE_OF_PLACE - 0.01
    told.loc[ids[3:], "library"] = SURE_OF_PLACE - 0.01
    told = told.drop(index=ids[2]).iloc[::-1].rename_axis("id").reset_index()
    stub = SimpleNamespace(experiment=run.experiment, predictions=told)
    return changed(explainer, ["places"], trainings=SimpleNamespace(runs=lambda name: {"safer/place": [stub]}[name]))


def test_a_place_is_told_only_where_its_probability_is_high_enough(placed):
    sure, enough, unknown, *rest = [placed.evidence(number) for number in range(len(placed.rows))]
    assert (sure.place, sure.place_probability) == ("beach", 0.9)
    assert (enough.place, enough.place_probability) == ("office", SURE_OF_PLACE)
    for found in (unknown, *rest):
        assert (found.place, found.place_probability, found.place_attributes) == (None, None, None)
    assert "a beach (90 % sure)" in sentence(sure)
    assert "the place looks like" not in sentence(rest[0]).lower()


def test_a_place_is_told_with_its_first_attributes(placed):
    told = list(placed.evidence(0).place_attributes)
    assert told == list(PLACES["beach"].attributes[:ATTRIBUTES])
    assert len(told) == ATTRIBUTES


def test_places_are_those_that_the_place_network_said_of_the_same_picture(explainer):
    run = explainer.safer.trainings.runs("safer/place")[0]
    said = run.predictions.set_index("id")[run.experiment["classes"]].loc[explainer.rows["id"]]
    sure = said.max(axis=1).to_numpy() >= SURE_OF_PLACE
    assert explainer.places["place"].notna().to_numpy().tolist() == sure.tolist()
    assert explainer.places["place"][sure].tolist() == said.idxmax(axis=1)[sure].tolist()


def test_places365_tells_the_places_where_its_files_are(explainer, monkeypatch):
    n = len(explainer.rows)
    categories = [[("bazaar/outdoor", 0.8)], [("attic", 0.3)], *[[("attic", 0.6)]] * (n - 2)]
    known = SimpleNamespace(categories=lambda shown, most: categories, attributes=lambda shown, most: [("dark",)] * n)
    monkeypatch.setattr(explainer_of, "has_places365", lambda: True)
    monkeypatch.setattr(explainer_of, "has_attributes", lambda: True)
    monkeypatch.setattr(explainer_of, "load_places365", lambda: known)
    found = changed(explainer, ["places"], scenes=lambda: explainer.safer.rows)
    assert found.evidence(0).place == "bazaar/outdoor"
    assert found.evidence(0).place_attributes == ("dark",)
    assert (found.evidence(1).place, found.evidence(1).place_probability) == (None, None)
    assert found.evidence(2).place_probability == 0.6
    with pytest.raises(StudyError, match="'place' is no network of this study"):
        found.heat("place", np.arange(2))


def test_for_data_without_action_units_there_is_no_reader_and_evidence_has_no_units(explainer):
    forgotten = ("reader", "units", "rows")
    blind = changed(explainer, forgotten, rows=explainer.safer.rows.assign(action_units=None))
    assert blind.reader is None
    for number in range(len(blind.rows)):
        found = blind.evidence(number)
        assert found.units is None
        assert found.against == AVERAGE_REST
        assert found.mesh is True
        assert "mesh" not in sentence(found)
        assert "mesh" not in torn(found)


@pytest.mark.parametrize(
    ("name", "lost"), [("action_units", "train"), ("action_units", "validation"), ("label", "train")]
)
def test_there_is_no_reader_where_too_little_is_known_to_fit_one(explainer, name, lost):
    known = explainer.safer.rows
    other = {"action_units": None, "label": "fear"}[name]
    rows = known.assign(**{name: known[name].mask(known["split"] == lost, other)})
    assert changed(explainer, ["reader"], rows=rows).reader is None
    assert changed(explainer, ["reader"]).reader is not None


@pytest.mark.parametrize("stream", ["au", "visible", "face", "anything"])
def test_heat_of_a_stream_that_sees_no_picture_is_an_error(explainer, stream):
    with pytest.raises(StudyError, match=f"'{stream}' is no network of this study; ask for deep or background"):
        explainer.heat(stream, np.arange(2))


def test_heat_of_a_stream_that_was_not_trained_is_an_error(explainer):
    faces_alone = changed(explainer, trainings=SimpleNamespace(runs=lambda name: []), has_scenes=False)
    with pytest.raises(StudyError, match="'background' is no network of this study"):
        faces_alone.heat("background", np.arange(2))


def test_heat_of_the_deep_stream_has_the_faces_that_it_is_shown(explainer, safer):
    some = np.array([4, 1])
    shown, heats = explainer.heat("deep", some)
    size = safer.trainings.runs("safer/deep")[0].experiment["size"]
    assert (shown.shape, shown.dtype) == ((2, size, size), np.uint8)
    assert (heats.shape, heats.dtype) == ((2, 48, 48), np.float32)
    assert heats.min() >= 0
    assert heats.max() <= 1
    rows = explainer.rows.iloc[some]
    faces = safer.faces.set_index("id").loc[rows["id"]]
    boxed = rows.assign(box=pd.Series(squares_of(faces), rows.index, dtype=object))
    assert np.array_equal(shown, load_pictures(boxed, size))
    for picture, square, face in zip(shown, boxed["box"], rows["picture"], strict=True):
        whole = crop(decode_picture(face), square)
        assert abs(picture.mean() - whole.mean()) < 12  # the same part of the picture, grey and smaller


def test_heat_of_scenes_has_the_scenes_without_people_in_colour(explainer, safer):
    some = np.array([0, 3])
    for stream in ("background", "place"):
        size = safer.trainings.runs(f"safer/{stream}")[0].experiment["size"]
        shown, heats = explainer.heat(stream, some)
        scenes = safer.scenes().set_index("id").loc[explainer.rows["id"].iloc[some]]
        assert shown.shape == (2, size, size, 3)
        assert np.array_equal(shown, load_pictures(scenes.reset_index(), size, grey=False))
        assert heats.shape == (2, 48, 48)


def test_heat_of_a_stream_is_asked_for_the_class_that_all_streams_name_of_these_pictures(explainer, monkeypatch):
    asked = []
    monkeypatch.setattr(explainer_of, "stream_heat", lambda *told: asked.append(told))
    some = np.array([4, 1])
    explainer.heat("deep", some, "saliency")
    [(network, stream, _, pictures, features, targets, method)] = asked
    assert (network, stream, method) == (explainer.network, "deep", "saliency")
    assert torch.equal(features, explainer.features[some])
    assert targets.tolist() == explainer.targets[some].tolist()
    assert len(pictures) == 2


def test_the_heat_of_a_picture_is_the_same_in_whatever_company(explainer):
    _, all_heats = explainer.heat("deep", np.arange(len(explainer.rows)))
    _, heats = explainer.heat("deep", np.array([4, 1]))
    assert np.allclose(heats, all_heats[[4, 1]], atol=1e-3)


def test_the_sentence_of_every_picture_tells_its_emotion_or_that_it_is_unsure(explainers):
    for told in explainers.values():
        for number, k in enumerate(told.targets):
            text = sentence(told.evidence(number))
            assert {"neutral": "a neutral face"}.get(told.classes[k], told.classes[k]) in text
            assert text.endswith(".")


def faces_of(safer, split) -> np.ndarray:
    """What the deep stream is shown of a split's usable pictures, by hand."""
    rows = safer.rows.assign(box=pd.Series(squares_of(safer.faces), dtype=object))
    size = safer.trainings.runs("safer/deep")[0].experiment["size"]
    return load_pictures(rows[rows["split"] == split].reset_index(drop=True), size)


def test_what_a_mask_looks_like_is_learnt_from_train_faces_bare_and_masked_and_its_limit_is_set_on_validation(
    explainer, safer, monkeypatch
):
    asked = []
    monkeypatch.setattr(explainer_of.MaskNotice, "fit", lambda *told: asked.append(told))
    _ = changed(explainer, ["_notice"])._notice
    [(bare, masked, validation, kept)] = asked
    train = {picture.tobytes() for picture in faces_of(safer, "train")}
    assert {picture.numpy().tobytes() for picture in bare[:, 0]} == train
    assert np.array_equal(validation[:, 0], faces_of(safer, "validation"))
    assert kept == UNMASKED
    moved = (bare[:, 0].float() - masked[:, 0].float()).abs().mean(0).numpy()
    half = len(moved) // 2
    assert moved[half:].mean() > 3 * moved[:half].mean()  # the same faces, and the lower half of each is covered
    assert (bare[:, 0, half:] != masked[:, 0, half:]).any(-1).any(-1).all()


def test_masks_are_noticed_in_more_pictures_on_which_they_are_laid_than_in_bare_ones(explainer):
    bare = explainer._notice.noticed(explainer._seen(explainer._faces.iloc[explainer.at]))
    noticed = explainer.noticed("test")
    assert noticed.shape == bare.shape == (len(explainer.rows),)
    assert noticed.dtype == bool
    assert noticed.sum() > bare.sum()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("most", [2, 100])
def test_masks_are_tried_on_so_many_pictures_of_the_split(explainer, safer, monkeypatch, split, most):
    tried, laid = [], explainer._masked

    def masked(rows):
        tried.extend(rows["id"])
        return laid(rows)

    other = changed(explainer)
    other._masked = masked
    monkeypatch.setattr(explainer_of, "TRIED_MASKS", most)
    found = other.noticed(split)
    own = safer.rows.loc[safer.rows["split"] == split, "id"]
    assert len(set(tried)) == len(tried) == min(most, len(own))
    assert set(tried) <= set(own)
    assert len(found) == len(tried)


@pytest.mark.parametrize(("of_ten", "tells"), [(0, False), (7, False), (8, True), (10, True)])
def test_masks_are_told_only_where_enough_of_those_laid_on_validation_faces_are_noticed(explainer, of_ten, tells):
    assert RELIABLE == 0.8
    other, asked = changed(explainer, ["covered"]), []
    worn = np.arange(len(explainer.rows)) % 2 == 0
    other.__dict__["_notice"] = SimpleNamespace(noticed=lambda shown: worn if len(shown) == len(worn) else None)

    def noticed(split):
        asked.append(split)
        return np.arange(10) < of_ten

    other.noticed = noticed
    masks = [other.evidence(number).mask for number in range(len(worn))]
    assert masks == (worn.tolist() if tells else [None] * len(worn))
    assert (other.covered is None) == (not tells)
    assert asked == ["validation"]
    assert ("mask" in torn(other.evidence(0))) == tells
    assert "mask" not in torn(other.evidence(1))


def test_pictures_of_faces_alone_are_told_by_the_parts_of_the_face(explainer):
    forgotten = ("groups", "places")
    faces = changed(explainer, forgotten, has_scenes=False)
    assert {stream for group in faces.groups.values() for stream in group} == set(FACE)
    assert "background" not in faces.groups
    found = faces.evidence(0)
    assert (found.streams, found.place, found.place_attributes) == (None, None, None)
