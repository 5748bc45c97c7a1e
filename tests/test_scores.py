import os

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from fer_lib import scores as module
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.faces.detect import look
from fer_lib.scores import NO_FACE, check_experiment, pictures_below, scores_of, write_scores
from fer_lib.show.mask_plots import drawn_faces
from fer_lib.training.catalogue import CATALOGUE
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import launch

pytestmark = pytest.mark.usefixtures("one_thread")

EXPERIMENT = Experiment("six_layer/tiny", precision="32-true")
UNREADABLE = "unreadable picture (not a readable picture)"


@pytest.fixture(scope="module")
def network():
    """Of one layer, which nobody taught; but its opinions differ."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(EXPERIMENT.size**2, len(BASIC)))


@pytest.fixture(scope="module")
def faces():
    """Two faces that fill their pictures, uint8 (160, 160, 3)."""
    return [face for _, face in drawn_faces(160, (0.0, 0.0))]


def framed(face, height, width, top, left):
    """The face in a larger grey picture."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[top : top + len(face), left : left + len(face)] = face
    return picture


@pytest.fixture
def folder(tmp_path, faces):
    """A face that fills its picture, a small one below, nothing, no picture, and what nobody asked for."""
    pictures = {
        "b.png": faces[0],
        "a/small.PNG": framed(faces[1], 320, 400, 100, 200),
        "a/empty.webp": np.full((60, 80, 3), 128, np.uint8),
    }
    (tmp_path / "in" / "a" / "album.jpg").mkdir(parents=True)
    for name, picture in pictures.items():
        Image.fromarray(picture).save(tmp_path / "in" / name)
    (tmp_path / "in" / "c.jpg").write_bytes(b"no picture")
    (tmp_path / "in" / "notes.txt").write_text("no picture either")
    return tmp_path / "in"


def by_hand(network, image, box=None):
    """Probabilities of a picture, or of a part (left, top, right, bottom) of it, without anything of the module."""
    seen = np.asarray(image.convert("L").crop(box or (0, 0, *image.size)).resize((48, 48), Image.Resampling.BICUBIC))
    with torch.no_grad():
        logits = network(torch.from_numpy(seen.copy())[None, None] / 127.5 - 1)
    return logits.softmax(1)[0].numpy()


def around_the_mesh(picture):
    """Left, top, right and bottom of a square a tenth wider than the mesh."""
    points = look(picture).landmarks[:, :2]
    middle, side = (points.min(0) + points.max(0)) / 2, 1.1 * np.ptp(points, axis=0).max()
    left, top = np.round(middle - side / 2).astype(int)
    return left, top, left + round(float(side)), top + round(float(side))


def table_of(out):
    return pd.read_csv(out, keep_default_na=False).set_index("filepath")


def test_every_picture_below_the_folder_is_a_row_with_probabilities_in_the_networks_order(folder, tmp_path, network):
    problems = write_scores(folder, tmp_path / "out" / "scores.csv", EXPERIMENT, network)
    lines = (tmp_path / "out" / "scores.csv").read_text().splitlines()
    assert lines[0] == ",".join(["filepath", *BASIC, "problem"])
    assert [line.split(",")[0] for line in lines[1:]] == ["a/empty.webp", "a/small.PNG", "b.png", "c.jpg"]
    assert [line.split(",")[-1] for line in lines[1:]] == [NO_FACE, "", "", UNREADABLE]
    judged = table_of(tmp_path / "out" / "scores.csv").drop("c.jpg")[list(BASIC)].astype(float)
    assert judged.sum(axis=1).to_numpy() == pytest.approx(1, abs=5e-4)
    assert judged.std(axis=0).max() > 0.01  # so that the tests below can tell pictures from each other
    assert problems.to_dict() == {"": 2, NO_FACE: 1, UNREADABLE: 1}


def test_a_file_that_is_no_picture_or_cannot_be_opened_has_no_scores(tmp_path, network, faces):
    Image.fromarray(faces[0]).save(tmp_path / "half.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "half.png").read_bytes()[:5000])
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "nothing.bmp").touch()
    write_scores(tmp_path, tmp_path / "scores.csv", EXPERIMENT, network)
    table = table_of(tmp_path / "scores.csv")
    assert (table[list(BASIC)] == "").all(axis=None)
    assert table["problem"].to_dict() == {
        "gone.jpg": "unreadable picture (No such file or directory)",
        "half.png": UNREADABLE,
        "nothing.bmp": UNREADABLE,
    }


def test_a_small_face_is_judged_by_the_square_around_it(folder, network):
    image = Image.open(folder / "a" / "small.PNG")
    box = around_the_mesh(np.asarray(image))
    assert np.abs(np.array(box) - (200, 100, 360, 260)).max() <= 20  # where the face was put
    said = scores_of([folder / "a" / "small.PNG"], EXPERIMENT, network, launch(EXPERIMENT.precision))
    assert said[list(BASIC)].to_numpy()[0] == pytest.approx(by_hand(network, image, box), abs=1e-5)
    assert by_hand(network, image) != pytest.approx(by_hand(network, image, box), abs=1e-2)


def test_a_picture_that_its_face_fills_and_one_without_a_face_are_judged_whole(folder, network):
    paths = [folder / "b.png", folder / "a" / "empty.webp"]
    said = scores_of(paths, EXPERIMENT, network, launch(EXPERIMENT.precision))
    for row, path in zip(said[list(BASIC)].to_numpy(), paths, strict=True):
        assert row == pytest.approx(by_hand(network, Image.open(path)), abs=1e-5)
    assert said["problem"].tolist() == [None, NO_FACE]


def test_an_oblong_picture_is_not_squeezed_though_its_face_is_as_high_as_it(tmp_path, network, faces):
    picture = framed(faces[0], 160, 320, 0, 80)
    Image.fromarray(picture).save(tmp_path / "wide.png")
    said = scores_of([tmp_path / "wide.png"], EXPERIMENT, network, launch(EXPERIMENT.precision))
    cut = by_hand(network, Image.fromarray(picture), around_the_mesh(picture))
    assert said[list(BASIC)].to_numpy()[0] == pytest.approx(cut, abs=1e-5)


def test_pictures_are_read_in_batches_whose_size_does_not_change_the_scores(folder, tmp_path, network, monkeypatch):
    measure, sizes = module.measure, []
    monkeypatch.setattr(module, "measure", lambda table: sizes.append(len(table)) or measure(table))
    for size in (64, 3, 1):
        monkeypatch.setattr(module, "BATCH", size)
        write_scores(folder, tmp_path / f"{size}.csv", EXPERIMENT, network)
    assert sizes == [4, 3, 1, 1, 1, 1, 1]
    assert len({(tmp_path / f"{size}.csv").read_text() for size in (64, 3, 1)}) == 1


def test_an_interrupted_call_leaves_what_was_there_and_nothing_else(folder, tmp_path, network, monkeypatch):
    predict, called = module.predict, []

    def interrupted(*given):
        called.append(given)
        if len(called) > 1:
            raise KeyboardInterrupt
        return predict(*given)

    monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr(module, "predict", interrupted)
    out = tmp_path / "out" / "scores.csv"
    out.parent.mkdir()
    out.write_text("of yesterday")
    with pytest.raises(KeyboardInterrupt):
        write_scores(folder, out, EXPERIMENT, network)
    assert [path.name for path in out.parent.iterdir()] == ["scores.csv"]
    assert out.read_text() == "of yesterday"


def test_the_device_is_asked_for_once_however_many_batches_there_are(folder, tmp_path, network, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 1)
    fabrics = [launch(EXPERIMENT.precision)]
    monkeypatch.setattr(module, "launch", lambda precision: fabrics.pop())
    write_scores(folder, tmp_path / "scores.csv", EXPERIMENT, network)
    assert fabrics == []


def test_names_with_commas_and_bytes_of_another_alphabet_are_written_as_they_are(tmp_path, network):
    for name in (b"a, b.png", b"caf\xe9.png"):
        Image.new("RGB", (20, 20)).save(tmp_path / "plain.png")
        os.rename(os.fsencode(tmp_path / "plain.png"), os.path.join(os.fsencode(tmp_path), name))
    write_scores(tmp_path, tmp_path / "scores.csv", EXPERIMENT, network)
    lines = (tmp_path / "scores.csv").read_bytes().splitlines()
    assert lines[1].startswith(b'"a, b.png",')
    assert lines[2].startswith(b"caf\xe9.png,")


@pytest.mark.parametrize(
    ("name", "sentence"), [("missing", "is no folder"), ("full", "is no folder"), ("empty", "no pictures in it")]
)
def test_a_folder_without_pictures_is_refused(tmp_path, name, sentence):
    (tmp_path / "empty" / "below").mkdir(parents=True)
    (tmp_path / "empty" / "notes.txt").touch()
    (tmp_path / "full").touch()
    with pytest.raises(StudyError, match=f"{name}.* {sentence}"):
        pictures_below(tmp_path / name)


def test_a_folder_cannot_be_the_file_that_is_written(folder, network):
    with pytest.raises(StudyError, match=r"is a folder; name a file in it, such as .*scores\.csv"):
        write_scores(folder, folder, EXPERIMENT, network)


@pytest.mark.parametrize(
    "name",
    [
        "safer/place",
        "safer/background",
        "one_against_rest/fear",
        "bars_scratch/eyes",
        "regions/strong",
        "six_layer/random_labels",
        "vgg",
    ],
)
def test_what_sees_no_faces_or_knows_no_emotions_is_refused_with_what_may_be_used(name):
    with pytest.raises(StudyError, match=r"is no network from faces to emotions; use one of six_layer/base") as error:
        check_experiment(name)
    offered = str(error.value).rstrip(".").split("use one of ")[1].split(", ")
    assert name not in offered
    assert {"safer/deep", "gimefive/15_bn", "masked/six_layer/masked"} < set(offered) < set(CATALOGUE)
    for other in offered:
        check_experiment(other)
