import importlib.util

import pytest
import torch

from fer_lib.errors import StudyError
from fer_lib.models.networks import NETWORKS, get_network
from fer_lib.models.published import N_FEATURES

SIZES = {"gimefive_17_bn": 64}  # the others see 48 pixels


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_makes_finite_logits_of_pictures_in_its_channels(name):
    side, channels = SIZES.get(name, 48), get_network(name).channels
    logits = get_network(name).make(5, side).eval()(torch.randn(2, channels, side, side))
    assert logits.shape == (2, 5)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_code_that_names_its_runs_is_the_module_that_defines_it(name):
    with torch.device("meta"):
        network = get_network(name).make(7, SIZES.get(name, 48))
    assert type(network).__module__ == get_network(name).code
    assert importlib.util.find_spec(get_network(name).code)


def test_only_the_streams_of_scenes_see_colour():
    assert [name for name, network in NETWORKS.items() if network.channels == 3] == ["regular_stream_colour"]


def test_what_decides_a_network_is_its_module_and_the_function_that_makes_it():
    here = "fer_lib.models.networks"
    assert get_network("six_layer").program == ("fer_lib.models.scratch", f"{here}:_six_layer")
    assert get_network("regular_stream").program == ("fer_lib.models.regular",)
    assert get_network("regular_stream_colour").program == ("fer_lib.models.regular", f"{here}:_in_colour")
    assert get_network("face_resnet").program == ("fer_lib.models.face_resnet", f"{here}:_any_size")
    assert get_network("vgg11_linear").program == ("fer_lib.models.published", f"{here}:_published")


def test_imagenet_has_weights_for_torchvisions_networks_and_no_other():
    assert {name.rsplit("_", 1)[0] for name, network in NETWORKS.items() if network.imagenet} == set(N_FEATURES)


def test_the_six_layer_network_refuses_other_sizes_than_48():
    with pytest.raises(StudyError, match="takes pictures of 48 pixels, not 64; set size to 48"):
        get_network("six_layer").make(7, 64)


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(
        StudyError, match="network 'alexnet' is unknown; use one of six_layer, regular, regular_stream, "
    ):
        get_network("alexnet")
