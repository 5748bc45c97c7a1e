import copy
from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from fer_lib.errors import StudyError
from fer_lib.explain import methods
from fer_lib.explain.methods import (
    CONTROLS,
    GAUSSIAN,
    IN_PLACE,
    METHODS,
    RANDOM,
    fitting,
    heat,
    is_empty,
    kept_heat,
    targets_of,
)
from fer_lib.models.networks import get_network

pytestmark = pytest.mark.usefixtures("one_thread")
LEFT_OUT = {  # network: methods that it cannot be asked by
    "face_resnet_small": {IN_PLACE},
    "six_layer": {"CAM"},
    "resnet18_linear": {IN_PLACE},
    "vgg11_layers": {"CAM", IN_PLACE},
    "gimefive_13_bn": {"CAM", IN_PLACE},
    "regular": {"CAM", IN_PLACE},
    "regular_stream_colour": {"CAM", IN_PLACE},
}


@cache
def untrained(name):
    torch.manual_seed(3)
    return get_network(name).make(7, 48).eval()


@pytest.fixture(scope="module")
def networks():
    return {name: untrained(name) for name in ("six_layer", "face_resnet_small")}


@pytest.fixture(scope="module")
def pictures():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 1, 48, 48), np.uint8))


TARGETS = np.array([0, 6, 2, 3])


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_network_is_asked_by_all_methods_but_those_whose_layers_it_lacks(name):
    assert fitting(untrained(name)) == [method for method in METHODS if method not in LEFT_OUT[name]]


@pytest.mark.parametrize("side", [48, 30])
@pytest.mark.parametrize(
    ("name", "method"),
    [(name, one) for name in ("six_layer", "face_resnet_small") for one in METHODS if one not in LEFT_OUT[name]],
)
def test_every_fitting_method_gives_maps_of_the_size_asked_from_0_to_1(networks, pictures, name, method, side):
    heats = heat(method, networks[name], pictures[:2], TARGETS[:2], side)
    assert (heats.shape, heats.dtype) == ((2, side, side), np.float32)
    assert np.isfinite(heats).all()
    assert (heats.min() >= 0, heats.max() <= 1 + 1e-6) == (True, True)
    assert heats.max() > 0.2


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_does_not_fit_is_refused_in_one_sentence(pictures, method):
    for name, left_out in LEFT_OUT.items():
        if method in left_out and name != "regular_stream_colour":
            with pytest.raises(StudyError, match=r"use Grad-CAM\.$"):
                heat(method, untrained(name), pictures[:1], TARGETS[:1])


@pytest.mark.parametrize("method", METHODS | CONTROLS)
def test_the_same_picture_gets_the_same_map_and_the_network_stays_as_it_was(networks, pictures, method):
    network = networks["six_layer" if method == IN_PLACE else "face_resnet_small"]
    with torch.no_grad():
        before = network(pictures / 127.5 - 1)
    found = heat(method, network, pictures[[0, 2, 0]], np.array([2, 2, 2]))
    assert np.allclose(found[0], found[2], atol=1e-5) == (method != RANDOM)
    if method != "occlusion":  # whose small differences an untrained network's half precision swallows
        assert np.allclose(found[0], found[1], atol=1e-2) == (method == GAUSSIAN)
    assert heat(method, network, pictures[[0, 2, 0]], np.array([2, 2, 2])) == pytest.approx(found, abs=1e-4)
    with torch.no_grad():
        assert network(pictures / 127.5 - 1).numpy() == pytest.approx(before.numpy(), abs=1e-5)


def test_an_unknown_method_is_named_with_all_that_are_known(networks, pictures):
    with pytest.raises(StudyError, match=r"method 'Score-CAM' is unknown; use one of CAM, Grad-CAM, .*random map"):
        heat("Score-CAM", networks["six_layer"], pictures, TARGETS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("wrong", [7, -1, 99])
def test_a_class_number_that_the_network_lacks_is_named(networks, pictures, method, wrong):
    told = f"class number {wrong} does not exist; this network has classes 0 to 6"
    with pytest.raises(StudyError, match=told):
        heat(method, networks["face_resnet_small"], pictures, np.array([0, 1, wrong, 3]))


def test_classes_are_numbered_by_name_and_an_unknown_one_is_named():
    classes = ("anger", "fear", "neutral")
    assert targets_of(["neutral", "anger", "neutral"], classes).tolist() == [2, 0, 2]
    assert targets_of([], classes).tolist() == []
    with pytest.raises(StudyError, match="class 'joy' is none of this network's: anger, fear, neutral"):
        targets_of(["fear", "joy", "rage"], classes)


@pytest.mark.parametrize("name", ["six_layer", "face_resnet_small"])
def test_guided_grad_cam_is_guided_backpropagation_times_grad_cam_and_nothing_where_that_is_0(networks, pictures, name):
    guided, coarse, both = (
        heat(method, networks[name], pictures, TARGETS) for method in ("guided backprop", "Grad-CAM", "guided Grad-CAM")
    )
    product = guided * coarse
    tops = product.max((1, 2), keepdims=True)
    assert (coarse == 0).any()
    assert (both[coarse == 0] == 0).all()
    assert both == pytest.approx(product / np.where(tops > 0, tops, 1), abs=1e-6)


@pytest.mark.parametrize("control", CONTROLS)
def test_controls_ask_the_network_nothing(networks, pictures, control):
    asked = heat(control, networks["six_layer"], pictures, TARGETS, 30)
    assert np.array_equal(CONTROLS[control](None, 255 - pictures, TARGETS[::-1], 30), asked)
    assert np.array_equal(heat(control, networks["face_resnet_small"], pictures, TARGETS, 30), asked)
    assert (asked.shape, asked.dtype) == ((4, 30, 30), np.float32)


@pytest.mark.parametrize("side", [48, 49])
def test_the_gaussian_is_the_same_for_all_and_falls_off_from_the_middle_as_a_normal_density(pictures, side):
    found = CONTROLS[GAUSSIAN](None, pictures, TARGETS, side)
    middle = (side - 1) / 2
    assert all(np.array_equal(one, found[0]) for one in found)
    assert found[0].max() == 1
    assert np.argwhere(found[0] == 1).mean(0).tolist() == [middle, middle]
    pixels = np.arange(side)
    density = norm.pdf(pixels, middle, side / 4)
    wanted = np.outer(density, density)
    assert found[0] == pytest.approx(wanted / wanted.max(), abs=0.02)  # a pixel counts as its middle, or as its place


def test_random_maps_differ_from_picture_to_picture_and_are_as_coarse_as_grad_cam(pictures):
    found = CONTROLS[RANDOM](None, pictures, TARGETS, 48)
    assert np.corrcoef(found.reshape(4, -1))[np.triu_indices(4, 1)] == pytest.approx(np.zeros(6), abs=0.5)
    neighbours, far = (np.corrcoef(found[:, :-k].ravel(), found[:, k:].ravel())[0, 1] for k in (1, 16))
    assert neighbours > 0.97 > 0.4 > abs(far)
    assert (found.min() >= 0, found.max() <= 1) == (True, True)


@pytest.mark.parametrize("method", [one for one in METHODS if one not in ("occlusion", "CAM")])
def test_of_a_network_with_broken_weights_every_map_is_empty(networks, pictures, method):
    broken = copy.deepcopy(networks["six_layer"])
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter[:] = float("nan")
    heats = heat(method, broken, pictures[:2], TARGETS[:2])
    assert (heats == 0).all()
    assert is_empty(heats).all()


def test_maps_without_heat_are_empty_and_those_with_a_single_hot_pixel_are_not():
    heats = np.zeros((3, 4, 4), np.float32)
    heats[1, 3, 2] = 1e-6
    assert is_empty(heats).tolist() == [True, False, True]
    assert is_empty(heats[:0]).tolist() == []


@pytest.fixture
def counted(monkeypatch):
    """How often a method is asked; its maps count on."""
    asked = []

    def ask(network, pictures, targets, side):
        asked.append(len(pictures))
        return np.full((len(pictures), side, side), len(asked), np.float32)

    for method in ("Grad-CAM", "saliency"):
        monkeypatch.setitem(methods.METHODS, method, ask)
    return asked


class Nothing(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(7))

    def forward(self, pictures):
        return self.weight.expand(len(pictures), 7)


def test_heat_is_computed_once_and_then_read(tmp_path, pictures, counted):
    first, again = (kept_heat(tmp_path / "kept", "run", "Grad-CAM", Nothing(), pictures, TARGETS) for _ in range(2))
    assert counted == [4]
    assert np.array_equal(first, again)
    assert (again.dtype, again.shape) == (np.float32, (4, 48, 48))
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_another_key_method_side_target_or_pixel_is_computed_anew(tmp_path, pictures, counted, monkeypatch):
    other, moved = pictures.clone(), TARGETS.copy()
    other[3, 0, 47, 47] ^= 1
    moved[3] = 4
    ways = [
        ("run", "Grad-CAM", pictures, TARGETS, 48),
        ("another run", "Grad-CAM", pictures, TARGETS, 48),
        ("run", "saliency", pictures, TARGETS, 48),
        ("run", "Grad-CAM", other, TARGETS, 48),
        ("run", "Grad-CAM", pictures, moved, 48),
        ("run", "Grad-CAM", pictures, TARGETS, 24),
        ("run", "Grad-CAM", pictures[:3], TARGETS[:3], 48),
        ("run", "Grad-CAM", pictures.reshape(4, 1, 96, 24), TARGETS, 48),
    ]
    for _ in range(2):
        found = [kept_heat(tmp_path, key, how, Nothing(), shown, at, side) for key, how, shown, at, side in ways]
    assert len(counted) == len(ways)
    assert [heats.max() for heats in found] == list(range(1, 9))
    monkeypatch.setattr(methods, "code_version", lambda *modules: "another program")
    kept_heat(tmp_path, "run", "Grad-CAM", Nothing(), pictures, TARGETS)
    assert len(counted) == len(ways) + 1


def test_what_is_kept_is_what_the_method_gives(tmp_path, networks, pictures):
    told = "Grad-CAM", networks["six_layer"], pictures, TARGETS, 30
    assert kept_heat(tmp_path, "run", *told) == pytest.approx(heat(*told), abs=1e-4)
    assert kept_heat(tmp_path, "run", *told) == pytest.approx(heat(*told), abs=1e-4)


def test_a_write_that_breaks_leaves_nothing_and_the_next_one_succeeds(tmp_path, pictures, counted, monkeypatch):
    def half(file, heats):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(np, "save", half)
        with pytest.raises(KeyboardInterrupt):
            kept_heat(tmp_path, "run", "Grad-CAM", Nothing(), pictures, TARGETS)
    assert list(tmp_path.iterdir()) == []
    kept_heat(tmp_path, "run", "Grad-CAM", Nothing(), pictures, TARGETS)
    assert len(counted) == 2


def test_a_class_that_does_not_exist_is_not_kept(tmp_path, networks, pictures):
    with pytest.raises(StudyError, match="class number 9"):
        kept_heat(tmp_path, "run", "Grad-CAM", networks["six_layer"], pictures, np.full(4, 9))
    assert list(tmp_path.iterdir()) == []
