from itertools import combinations
from math import factorial

import cv2
import numpy as np
import pytest
import torch

from fer_lib.errors import StudyError
from fer_lib.explain.methods import CONTROLS, GAUSSIAN
from fer_lib.explain.streams import OneStream, contributions, stream_heat
from fer_lib.models.networks import get_network
from fer_lib.models.regular import N_FEATURES
from fer_lib.models.safer import HIDDEN, Safer

pytestmark = pytest.mark.usefixtures("one_thread")
SIZES = {"au": 3, "deep": N_FEATURES, "place": 5}
GROUPS = {"face": ("au", "deep"), "scene": ("place",)}
EACH = {name: (name,) for name in SIZES}
SIDE = 24
OWN = slice(3, 3 + N_FEATURES)


def made(sizes=SIZES, seed=0, classes=4):
    """A fusion that has measured its streams."""
    torch.manual_seed(seed)
    fusion = Safer(sizes, classes).eval()
    fusion.measure(torch.randn(200, sum(sizes.values())) * 2 + 1)
    with torch.no_grad():
        fusion.layers[0].weight[:] *= 3
        fusion.layers[3].weight[:] *= 3
    return fusion


@pytest.fixture
def network():
    torch.manual_seed(1)
    return get_network("regular_stream").make(4, SIDE).eval()


@pytest.fixture
def pictures():
    return torch.from_numpy(np.random.default_rng(3).integers(0, 256, (6, 1, SIDE, SIDE), np.uint8))


@pytest.fixture
def features(network, pictures):
    """Of all streams; those of `deep` are what its network makes of the pictures."""
    torch.manual_seed(2)
    found = torch.randn(6, sum(SIZES.values())) * 2 + 1
    with torch.no_grad():
        found[:, OWN] = network.body(pictures / 127.5 - 1)
    return found


def gated(open_at=1.0):
    """A fusion whose logits are the sum of deep's features, as long as the first of `au` is above 0."""
    fusion = Safer(SIZES, 4, normalised=False).eval()
    with torch.no_grad():
        for parameter in fusion.parameters():
            parameter[:] = 0
        fusion.layers[0].weight[0, OWN] = open_at
        fusion.layers[0].weight[0, 0] = 1000
        fusion.layers[3].weight[:, 0] = torch.tensor([1.0, 2.0, -1.0, 0.0])
    return fusion


def grad_cam_by_hand(fusion, network, features, picture, target, side):
    """Grad-CAM of one picture by autograd alone, from deep's maps to the fusion's logit."""
    layers = network.body[0].features
    maps = layers[:-1](picture[None] / 127.5 - 1).detach().requires_grad_()
    deep = torch.relu(network.body[0].classifier(layers[-1](maps)))
    fusion(torch.cat([features[None, :3], deep, features[None, OWN.stop :]], 1))[0, target].backward()
    heat = (maps.grad.mean((2, 3), keepdim=True) * maps).sum(1)[0].clamp_min(0).detach().numpy()
    heat = (heat - heat.min()) / max(np.ptp(heat), 1e-12)
    heat = cv2.resize(heat, (side, side))
    return (heat - heat.min()) / max(np.ptp(heat), 1e-12)


def test_the_logits_of_one_stream_are_the_fusions_on_what_its_body_makes_of_the_pictures(network, pictures, features):
    fusion = made()
    stale = features.clone()
    stale[:, OWN] = 99  # which must not count
    joined = OneStream(fusion, "deep", network, stale).eval()
    with torch.no_grad():
        assert joined(pictures / 127.5 - 1).numpy() == pytest.approx(fusion(features).numpy(), abs=1e-5)
        first = joined(pictures[:2] / 127.5 - 1)
        assert first.numpy() == pytest.approx(fusion(features[:2]).numpy(), abs=1e-5)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_stream_may_lie_first_last_or_between_the_others(network, pictures, place):
    names = ["au", "place"]
    names.insert(place, "deep")
    fusion = made({name: SIZES[name] for name in names})
    with torch.no_grad():
        deep = network.body(pictures / 127.5 - 1)
        parts = {"au": torch.randn(6, 3), "deep": deep, "place": torch.randn(6, 5)}
        whole = torch.cat([parts[name] for name in names], 1)
        joined = OneStream(fusion, "deep", network, whole)
        assert joined(pictures / 127.5 - 1).numpy() == pytest.approx(fusion(whole).numpy(), abs=1e-5)


def test_heat_is_grad_cam_through_fusion_and_stream_by_hand(network, pictures, features):
    fusion, targets = made(), np.array([0, 1, 2, 3, 0, 1])
    found = stream_heat(fusion, "deep", network, pictures, features, targets, side=SIDE)
    expected = [
        grad_cam_by_hand(fusion, network, *one, SIDE) for one in zip(features, pictures, targets.tolist(), strict=True)
    ]
    assert (found.shape, found.dtype) == ((6, SIDE, SIDE), np.float32)
    assert found == pytest.approx(np.stack(expected), abs=1e-3)
    assert (found.max((1, 2)) > 0.9).sum() >= 3


def test_the_other_streams_decide_whether_this_one_is_heard(network, pictures, features):
    targets, heard, unheard = np.zeros(6, int), features.clone(), features.clone()
    heard[:, 0], unheard[:, 0] = 1, -1
    open_, closed = (stream_heat(gated(), "deep", network, pictures, one, targets) for one in (heard, unheard))
    assert (open_.max((1, 2)) > 0.5).all()
    assert (closed == 0).all()
    against = stream_heat(gated(), "deep", network, pictures, heard, targets + 2)
    assert not np.allclose(open_, against, atol=0.1)
    mixed = torch.where(torch.arange(6)[:, None] % 2 == 0, heard, unheard)
    alternating = stream_heat(gated(), "deep", network, pictures, mixed, targets)
    assert alternating[::2] == pytest.approx(open_[::2], abs=1e-4)
    assert (alternating[1::2] == 0).all()


def test_streams_of_which_the_layers_take_no_notice_do_not_change_the_heat(network, pictures, features):
    targets, heard, other = np.zeros(6, int), features.clone(), features.clone()
    heard[:, 0], other[:, 0] = 1, 1
    other[:, OWN.stop :] += 50
    maps = [stream_heat(gated(), "deep", network, pictures, one, targets) for one in (heard, other)]
    assert maps[0] == pytest.approx(maps[1], abs=1e-4)


def test_a_stream_that_saw_nothing_has_no_heat_and_another_that_saw_nothing_does_not_hinder(
    network, pictures, features
):
    blind, targets = features.clone(), np.array([0, 1, 2, 3, 0, 1])
    blind[1, OWN], blind[2, :3] = float("nan"), float("nan")
    found = stream_heat(made(), "deep", network, pictures, blind, targets, side=SIDE)
    assert (found[1] == 0).all()
    assert np.isfinite(found).all()
    others = stream_heat(made(), "deep", network, pictures, features, targets, side=SIDE)
    assert found[[0, 3, 4, 5]] == pytest.approx(others[[0, 3, 4, 5]], abs=1e-4)
    means = features.clone()
    means[2, :3] = made().streams["au"].mean  # what nothing stands for
    assert stream_heat(made(), "deep", network, pictures, means, targets, side=SIDE)[2] == pytest.approx(
        found[2], abs=1e-4
    )


def test_batches_do_not_change_the_heat_and_the_fusion_is_left_in_peace(network, pictures, features, monkeypatch):
    fusion, targets = made(), np.array([0, 1, 2, 3, 0, 1])
    before = {name: value.clone() for name, value in fusion.state_dict().items()}
    whole = stream_heat(fusion, "deep", network, pictures, features, targets)
    monkeypatch.setattr("fer_lib.explain.streams.BATCH", 4)
    assert stream_heat(fusion, "deep", network, pictures, features, targets) == pytest.approx(whole, abs=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in fusion.state_dict().items())
    assert all(p.requires_grad for p in (*fusion.parameters(), *network.parameters()))


@pytest.mark.parametrize("method", ["Grad-CAM++", "saliency", "guided backprop", "occlusion", GAUSSIAN])
def test_other_methods_ask_one_stream_too(network, pictures, features, method):
    found = stream_heat(made(), "deep", network, pictures, features, np.zeros(6, int), method, SIDE)
    assert found.shape == (6, SIDE, SIDE)
    assert (np.isfinite(found).all(), found.min() >= 0, found.max() <= 1 + 1e-6) == (True, True, True)
    if method in CONTROLS:
        assert np.array_equal(found, CONTROLS[method](None, pictures, None, SIDE))


def test_a_method_that_repeats_pictures_is_refused(network, pictures, features):
    with pytest.raises(StudyError, match="integrated gradients cannot be asked of one stream; use Grad-CAM"):
        stream_heat(made(), "deep", network, pictures, features, np.zeros(6, int), "integrated gradients", SIDE)


def probabilities(fusion, shown, targets, temperature):
    with torch.no_grad():
        scores = torch.log_softmax(fusion(shown) / temperature, 1).exp().numpy()
    return scores[np.arange(len(targets)), targets]


def shapley(fusion, features, targets, groups, temperature=1.0):
    """Every group's mean gain over all coalitions of the others, {group: (N,)}; NaN in features and absence: means."""
    means = torch.cat([stream.mean for stream in fusion.streams.values()]).expand_as(features)
    start = dict(zip(fusion.sizes, np.cumsum([0, *fusion.sizes.values()])[:-1], strict=True))

    def worth(coalition):
        shown = means.clone()
        for name in (stream for group in coalition for stream in groups[group]):
            at = slice(start[name], start[name] + fusion.sizes[name])
            shown[:, at] = torch.where(features[:, at].isnan(), means[:, at], features[:, at])
        return probabilities(fusion, shown, targets, temperature)

    found = {}
    for group in groups:
        rest = [other for other in groups if other != group]
        found[group] = sum(
            factorial(size)
            * factorial(len(rest) - size)
            / factorial(len(groups))
            * (worth((*some, group)) - worth(some))
            for size in range(len(rest) + 1)
            for some in combinations(rest, size)
        )
    return found


@pytest.fixture
def measured():
    torch.manual_seed(7)
    return torch.randn(9, sum(SIZES.values())) * 3 + 1


TARGETS = np.array([0, 1, 2, 3, 0, 1, 2, 3, 0])


@pytest.mark.parametrize("temperature", [1.0, 0.4, 3.0])
@pytest.mark.parametrize("groups", [EACH, GROUPS, {"scene": ("place",), "au": ("au",), "deep": ("deep",)}])
def test_contributions_are_shapley_values_over_all_coalitions(measured, groups, temperature):
    fusion = made()
    found = contributions(fusion, measured, TARGETS, groups, temperature)
    expected = shapley(fusion, measured, TARGETS, groups, temperature)
    assert list(found.columns) == [*groups, "at_rest"]
    for name in groups:
        assert found[name].to_numpy() == pytest.approx(expected[name], abs=1e-5)
    assert found[list(groups)].abs().to_numpy().max() > 0.05


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_contributions_add_up_to_what_the_class_gained_over_a_picture_at_rest(measured, temperature):
    fusion = made()
    found = contributions(fusion, measured, TARGETS, GROUPS, temperature)
    means = torch.cat([stream.mean for stream in fusion.streams.values()])
    rest = probabilities(fusion, means.repeat(9, 1), TARGETS, temperature)
    assert found["at_rest"].to_numpy() == pytest.approx(rest, abs=1e-6)
    gained = probabilities(fusion, measured, TARGETS, temperature) - rest
    assert found[list(GROUPS)].sum(axis=1).to_numpy() == pytest.approx(gained, abs=1e-5)


def test_a_stream_that_the_layers_ignore_contributes_nothing(measured):
    fusion = made()
    with torch.no_grad():
        fusion.layers[0].weight[:, OWN] = 0
    found = contributions(fusion, measured, TARGETS, EACH)
    assert found["deep"].to_numpy() == pytest.approx(np.zeros(9), abs=1e-6)
    assert found[["au", "place"]].abs().to_numpy().max() > 0.01


def test_a_stream_that_saw_nothing_contributes_nothing_and_all_blind_pictures_are_at_rest(measured):
    fusion, blind = made(), measured.clone()
    blind[3, :3], blind[5] = float("nan"), float("nan")
    found = contributions(fusion, blind, TARGETS, EACH)
    assert found.loc[3, "au"] == pytest.approx(0, abs=1e-6)
    assert found.loc[5, list(EACH)].tolist() == pytest.approx([0] * 3, abs=1e-6)
    for name, expected in shapley(fusion, blind, TARGETS, EACH).items():
        assert found[name].to_numpy() == pytest.approx(expected, abs=1e-5)
    seen = contributions(fusion, measured, TARGETS, EACH)
    rows = [0, 1, 2, 4, 6, 7, 8]
    assert found.iloc[rows].to_numpy() == pytest.approx(seen.iloc[rows].to_numpy(), abs=1e-6)


def test_dropout_is_off_and_nothing_is_learnt(measured):
    fusion = made().train()
    first, again = (contributions(fusion, measured, TARGETS, EACH) for _ in range(2))
    assert first.equals(again)
    assert all(parameter.grad is None for parameter in fusion.parameters())
    assert fusion.layers[0].out_features == HIDDEN
