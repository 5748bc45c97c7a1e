import pickle
from collections import OrderedDict
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchvision import transforms
from torchvision.models import alexnet, resnet18

from fer_lib.errors import StudyError
from fer_lib.files import sha256_file
from fer_lib.models.places365 import (
    ATTRIBUTE_FILES,
    FILES,
    PLACE_FILES,
    has_attributes,
    has_places365,
    load_places365,
    places_folder,
)

ALEXNET, CATEGORIES, OUTDOORS = PLACE_FILES
RESNET, MATRIX, LABELS = ATTRIBUTE_FILES
ATTRIBUTES = ("no horizon", "man-made", "natural light", "enclosed area")


class Python2Pickler(pickle._Pickler):
    """Writes text and ordered dictionaries as Python 2 did, and tensors as PyTorch 0.2 did."""

    def save_str(self, text):
        self.write(pickle.SHORT_BINSTRING + bytes([len(text)]) + text.encode("latin1"))
        self.memoize(text)

    dispatch = {**pickle._Pickler.dispatch, str: save_str}  # noqa: RUF012

    def reducer_override(self, value):
        if isinstance(value, OrderedDict):
            return OrderedDict, ([list(item) for item in value.items()],)
        if isinstance(value, torch.Tensor):
            parts = value._typed_storage(), value.storage_offset(), tuple(value.shape), value.stride()
            return torch._utils._rebuild_tensor, parts
        return NotImplemented


class Python2:
    """What torch.save needs of a pickle module."""

    Pickler = Python2Pickler

    @staticmethod
    def dump(value, file, protocol):
        Python2Pickler(file, protocol).dump(value)


def save_checkpoint(state, path, architecture="alexnet"):
    """Save a state dict as the authors' training script did, in Python 2 and with PyTorch 0.2, on a GPU."""
    checkpoint = {"epoch": 90, "arch": architecture, "state_dict": OrderedDict(state), "best_prec1": 53.2}
    torch.save(checkpoint, path, pickle_module=Python2, _use_new_zipfile_serialization=False)
    data = path.read_bytes().replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    path.write_bytes(data.replace(b"U\x03cpu", b"U\x06cuda:0"))


def torchvisions_alexnet():
    """torchvision's AlexNet for 365 categories; repeated rows keep its file small."""
    torch.manual_seed(1)
    state = alexnet(num_classes=365).state_dict()
    for name in ("classifier.1.weight", "classifier.4.weight"):
        state[name] = state[name][:1].clone().expand_as(state[name])
    state["classifier.6.bias"] = torch.randn(365)
    return state


def torchvisions_resnet():
    torch.manual_seed(2)
    state = resnet18(num_classes=365).state_dict()
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with small files in the authors' formats."""
    folder = tmp_path_factory.mktemp("authors")
    state = torchvisions_alexnet()
    parallel = {name.replace("features.", "features.module."): tensor for name, tensor in state.items()}
    save_checkpoint(parallel, folder / ALEXNET)
    save_checkpoint({f"module.{k}": v for k, v in torchvisions_resnet().items()}, folder / RESNET)
    names = ["/a/airfield", "/a/arena/hockey", *(f"/p/place_{k}" for k in range(2, 365))]
    (folder / CATEGORIES).write_text("\n".join(f"{name} {k}" for k, name in enumerate(names)))
    (folder / OUTDOORS).write_text("".join(f"{name} {1 + (k % 3 == 0)}\n" for k, name in enumerate(names)))
    (folder / LABELS).write_text("".join(f"{name}\n" for name in ATTRIBUTES))
    np.save(folder / MATRIX, np.random.default_rng(3).normal(size=(len(ATTRIBUTES), 512)))
    return folder


@pytest.fixture
def folder(saved, tmp_path, monkeypatch):
    """Those files in their place, none of them with a published hash, and no way out to a network."""

    def offline(*_, **__):
        raise URLError("no network here")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    for name, file in FILES.items():
        monkeypatch.setitem(FILES, name, file._replace(sha256=None))
    folder = places_folder()
    folder.mkdir(parents=True)
    for path in saved.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def replace(path, data):
    path.unlink()
    path.write_bytes(data)


@pytest.fixture
def pictures(rng):
    return rng.integers(0, 256, (3, 224, 224, 3)).astype(np.uint8)


def prepared(pictures):
    """What the authors' scripts make of a picture."""
    prepare = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    )
    return torch.stack([prepare(picture) for picture in pictures])


def test_features_and_probabilities_are_those_of_torchvisions_own_network(folder, pictures):
    network = alexnet(num_classes=365).eval()
    network.load_state_dict(torchvisions_alexnet())
    places = load_places365()
    with torch.no_grad():
        maps = network.features(prepared(pictures))
        probabilities = network(prepared(pictures)).softmax(1)
    features = places.features(pictures)
    assert (features.shape, features.dtype) == ((3, 9216), np.float32)
    np.testing.assert_allclose(features, maps.flatten(1), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(places.probabilities(pictures), probabilities, rtol=1e-3, atol=1e-6)


def test_categories_are_named_and_all_their_probabilities_sum_to_one(folder, pictures):
    places = load_places365()
    assert places.names[:2] == ("airfield", "arena/hockey")
    assert len(places.names) == 365
    for row in places.categories(pictures, top=365):
        shares = [share for _, share in row]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert shares == sorted(shares, reverse=True)
    best = places.probabilities(pictures).argmax(1)
    assert [row[0][0] for row in places.categories(pictures)] == [places.names[k] for k in best]


def test_the_ten_most_probable_categories_vote_on_outdoors(folder, pictures):
    places = load_places365()
    assert places.outdoors.tolist() == [k % 3 == 0 for k in range(365)]
    votes = [[places.outdoors[places.names.index(name)] for name, _ in row] for row in places.categories(pictures, 10)]
    assert places.outdoor(pictures).tolist() == [sum(row) >= 5 for row in votes]


def test_attributes_are_read_from_the_authors_wider_resnet(folder, pictures):
    network = resnet18(num_classes=365).eval()
    network.load_state_dict(torchvisions_resnet())
    with torch.no_grad():
        maps = F.relu(network.bn1(network.conv1(prepared(pictures))))
        for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
            maps = layer(maps)
        features = F.avg_pool2d(maps, 14).flatten(1).numpy()
    expected = [[ATTRIBUTES[k] for k in np.argsort(np.load(folder / MATRIX).dot(row))[::-1]] for row in features]
    places = load_places365()
    assert places.attributes(pictures, top=4) == expected
    assert places.attributes(pictures, top=1) == [row[:1] for row in expected]


def test_every_file_read_is_stated_with_its_own_hash(folder, pictures):
    places = load_places365()
    assert places.files == {name: sha256_file(folder / name) for name in PLACE_FILES}
    places.attributes(pictures)
    assert places.files == {name: sha256_file(folder / name) for name in FILES}


def test_no_pictures_have_no_features(folder, pictures):
    assert load_places365().features(pictures[:0]).shape == (0, 9216)


def test_pictures_of_another_form_are_refused(folder, pictures):
    places = load_places365()
    for wrong in (pictures[:, :200], pictures / 255, pictures.transpose(0, 3, 1, 2)):
        with pytest.raises(StudyError, match=r"needs uint8 \(N, 224, 224, 3\)"):
            places.features(wrong)


@pytest.mark.parametrize("name", [ALEXNET, CATEGORIES, OUTDOORS])
def test_a_missing_file_is_named_with_its_address_and_its_folder(name, folder):
    assert has_places365()
    (folder / name).unlink()
    assert not has_places365()
    with pytest.raises(StudyError) as error:
        load_places365()
    for part in (name, FILES[name].address, str(folder), "no network here"):
        assert part in str(error.value)


@pytest.mark.parametrize("name", [RESNET, MATRIX, LABELS])
def test_without_the_files_of_attributes_all_else_works(name, folder, pictures):
    assert has_attributes()
    (folder / name).unlink()
    assert not has_attributes()
    places = load_places365()
    assert len(places.categories(pictures)) == 3
    with pytest.raises(StudyError, match=name):
        places.attributes(pictures)


def test_a_missing_file_is_downloaded_where_there_is_a_network(folder, saved, monkeypatch):
    def download(address, path, hash_prefix, progress):
        assert address.endswith("/places365/8a953ed56438726dc98bdef3796d042e7f1f171e/IO_places365.txt")
        (folder / OUTDOORS).write_bytes((saved / OUTDOORS).read_bytes())

    (folder / OUTDOORS).unlink()
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert load_places365().outdoors[0]


@pytest.mark.parametrize("data", [b"", b"<html>404</html>", pickle.dumps({"state_dict": 1}), "part"])
def test_a_damaged_checkpoint_is_not_believed(data, folder, saved):
    replace(folder / ALEXNET, (saved / ALEXNET).read_bytes()[:-100] if data == "part" else data)
    with pytest.raises(StudyError, match=rf"{ALEXNET} is damaged.*delete it.*http://places2"):
        load_places365()


def test_code_in_a_checkpoint_is_not_run(folder, tmp_path):
    class Harm:
        def __reduce__(self):
            return open, (str(tmp_path / "harm"), "w")

    (folder / ALEXNET).unlink()
    torch.save({"state_dict": {"features.module.0.bias": Harm()}}, folder / ALEXNET)
    with pytest.raises(StudyError, match="UnpicklingError"):
        load_places365()
    assert not (tmp_path / "harm").exists()


def test_text_that_is_not_utf8_does_not_hinder_a_checkpoint_of_python_2(folder, saved):
    places = load_places365()
    (folder / ALEXNET).unlink()
    save_checkpoint(torchvisions_alexnet(), folder / ALEXNET, "réseau")
    assert load_places365().names == places.names


@pytest.mark.parametrize("name", [CATEGORIES, OUTDOORS])
def test_a_wrong_number_of_categories_is_told(name, folder, saved):
    replace(folder / name, (saved / name).read_bytes().rstrip().rsplit(b"\n", 1)[0])
    with pytest.raises(StudyError, match=f"{name} is damaged, for it has 364 lines instead of 365"):
        load_places365()


def test_a_network_of_other_categories_is_told(folder):
    (folder / ALEXNET).unlink()
    save_checkpoint({"classifier.6.bias": torch.zeros(1000)}, folder / ALEXNET)
    with pytest.raises(StudyError, match="holds no AlexNet of 365 categories"):
        load_places365()


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY\x01\x00", "pickled", "other"])
def test_a_damaged_matrix_is_not_believed(data, folder, pictures):
    (folder / MATRIX).unlink()
    if data == "pickled":
        np.save(folder / MATRIX, np.array([{}], object))
    elif data == "other":
        np.save(folder / MATRIX, np.zeros((3, 512)))
    else:
        (folder / MATRIX).write_bytes(data)
    with pytest.raises(StudyError, match=f"{MATRIX} is damaged"):
        load_places365().attributes(pictures)


def test_a_file_with_another_hash_than_the_published_one_is_not_believed(folder, monkeypatch):
    monkeypatch.setitem(FILES, CATEGORIES, FILES[CATEGORIES]._replace(sha256="0" * 64))
    with pytest.raises(StudyError, match=f"{CATEGORIES} is damaged, for its sha256 .* is not 00000000…; delete it"):
        load_places365()


def test_files_come_from_the_authors_own_places():
    assert {file.address.rsplit("/", 1)[0] for file in FILES.values()} == {
        "http://places2.csail.mit.edu/models_places365",
        "https://raw.githubusercontent.com/CSAILVision/places365/8a953ed56438726dc98bdef3796d042e7f1f171e",
    }
