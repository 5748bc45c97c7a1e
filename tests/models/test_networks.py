import importlib.util

import pytest
import torch

from fer_lib.errors import StudyError
from fer_lib.models.networks import NETWORKS, get_network
from fer_lib.models.published import N_FEATURES

SIZES = {"gimefive_17_bn": 64}  # the others see 48 pixels


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_makes_finite_logits_of_grey_pictures(name):
    side = SIZES.get(name, 48)
    logits = get_network(name).make(5, side).eval()(torch.randn(2, 1, side, side))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_code_that_names_its_runs_is_the_module_that_defines_it(name):
    with torch.device("meta"):
        network = get_network(name).make(7, SIZES.get(name, 48))
    assert type(network).__module__ == get_network(name).code
    assert importlib.util.find_spec(get_network(name).code)


def test_imagenet_has_weights_for_torchvisions_networks_and_no_other():
    assert {name.rsplit("_", 1)[0] for name, network in NETWORKS.items() if network.imagenet} == set(N_FEATURES)


def test_the_six_layer_network_refuses_other_sizes_than_48():
    with pytest.raises(StudyError, match="takes pictures of 48 pixels, not 64; set size to 48"):
        get_network("six_layer").make(7, 64)


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(StudyError, match="network 'alexnet' is unknown; use one of six_layer, regular, gimefive_10"):
        get_network("alexnet")
