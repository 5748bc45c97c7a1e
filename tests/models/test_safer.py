from itertools import chain, combinations

import numpy as np
import pytest
import torch

from fer_lib.models.safer import HIDDEN, Safer, Stream

SIZES = {"au": 6, "visible": 4, "deep": 5, "background": 3, "place": 2}
SUBSETS = list(chain.from_iterable(combinations(SIZES, n) for n in range(1, 6)))
NOTHING = torch.nan


def rows(n, size, seed=0):
    return torch.randn(n, size, generator=torch.Generator().manual_seed(seed)) * 3 + 7


def kept_streams(network, n):
    """Which streams reach the layers for n training pictures whose features are all 1, bool (n, streams)."""
    seen = []
    network.layers.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.ones(n, sum(network.sizes.values())))
    parts = seen[0].split(list(network.sizes.values()), 1)
    assert all(((part == 0).all(1) | (part == 1).all(1)).all() for part in parts)  # whole streams
    return torch.stack([part[:, 0] == 1 for part in parts], 1)


def test_features_are_given_mean_and_spread_of_train_alone():
    train, other = rows(50, 4), rows(20, 4, seed=1) * 2
    stream = Stream(4)
    stream.measure(train)
    expected = (other.numpy() - train.numpy().mean(0)) / train.numpy().std(0, ddof=1)
    assert stream(other).numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("unknown", [NOTHING, torch.inf])
def test_rows_in_which_the_stream_saw_nothing_become_zeros_and_do_not_move_the_statistics(unknown):
    train, with_gaps = rows(30, 4), rows(40, 4)
    with_gaps[:30], with_gaps[30:35], with_gaps[35:, 1] = train, unknown, unknown
    whole, gappy = Stream(4), Stream(4)
    whole.measure(train)
    gappy.measure(with_gaps)
    assert torch.equal(gappy.mean, whole.mean)
    assert torch.equal(gappy.spread, whole.spread)
    assert (gappy(with_gaps)[30:] == 0).all()
    assert (gappy(with_gaps)[:30] != 0).all()


def test_a_feature_that_never_moved_in_train_says_nothing_whatever_it_is_later():
    """As the dead units of a small network, of which a strange picture may wake one."""
    train = rows(40, 3)
    train[:, 1], train[:, 2] = 0.0, 7.3e5
    stream = Stream(3)
    stream.measure(train)
    seen = stream(torch.tensor([[7.0, 5.0, 9e5], [7.0, -5.0, 0.0]]))
    assert (seen[:, 1:] == 0).all()
    assert (stream(train)[:, 0].std() - 1).abs() < 1e-5


@pytest.mark.parametrize("seen", [0, 1])
def test_a_stream_that_saw_next_to_nothing_in_train_stays_finite(seen):
    train = torch.full((10, 4), NOTHING)
    train[:seen] = 3.0
    stream = Stream(4)
    stream.measure(train)
    assert stream(rows(5, 4)).isfinite().all()
    assert (stream(torch.full((5, 4), NOTHING)) == 0).all()


def test_without_normalisation_features_keep_their_scale():
    train = rows(30, 4) * 1000
    train[3] = NOTHING
    stream = Stream(4, normalised=False)
    stream.measure(train)
    assert torch.equal(stream(train[:3]), train[:3])
    assert (stream(train[3:4]) == 0).all()


@torch.no_grad()
@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
def test_any_subset_of_streams_gives_logits_even_where_every_stream_is_blind(names):
    sizes = {name: SIZES[name] for name in names}
    network, features = Safer(sizes, 7).eval(), rows(9, sum(sizes.values()))
    features[4:] = NOTHING
    network.measure(features)
    logits = network(features)
    assert logits.shape == (9, 7)
    assert logits.isfinite().all()
    assert torch.equal(logits[4], logits[8])


def test_two_layers_are_all_that_learns():
    network = Safer(SIZES, 7)
    weights = (sum(SIZES.values()) + 1) * HIDDEN + (HIDDEN + 1) * 7
    assert sum(parameter.numel() for parameter in network.parameters()) == weights


@torch.no_grad()
def test_the_logits_are_those_of_streams_and_layers_written_out():
    torch.manual_seed(0)
    train, other = rows(30, 8), rows(5, 8, seed=1)
    other[1, 6:] = NOTHING
    network = Safer({"au": 6, "place": 2}, 7).eval()
    network.measure(train)
    first, first_bias, second, second_bias = (p.numpy() for p in network.parameters())
    seen = np.nan_to_num((other.numpy() - train.numpy().mean(0)) / train.numpy().std(0, ddof=1))
    expected = np.maximum(seen @ first.T + first_bias, 0) @ second.T + second_bias
    assert network(other).numpy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_stream_dropout_leaves_out_about_the_share_that_is_asked_for_and_never_all(share):
    """Where all of k streams would go one stays, so that each goes in p - p^k / k of the pictures."""
    torch.manual_seed(0)
    network = Safer({"au": 6, "deep": 5, "place": 2}, 7, normalised=False, stream_dropout=share)
    kept = kept_streams(network.train(), 20_000)
    assert kept.any(1).all()
    assert 1 - kept.float().mean(0).numpy() == pytest.approx(share - share**3 / 3, abs=0.015)


def test_a_single_stream_is_never_left_out():
    assert kept_streams(Safer({"au": 6}, 7, normalised=False, stream_dropout=0.9).train(), 500).all()


def test_stream_dropout_is_off_when_pictures_are_judged():
    assert kept_streams(Safer(SIZES, 7, normalised=False, stream_dropout=0.9).eval(), 500).all()


def test_what_was_measured_is_kept_with_the_weights():
    torch.manual_seed(0)
    first, second = Safer(SIZES, 7).eval(), Safer(SIZES, 7).eval()
    first.measure(rows(30, 20))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(rows(5, 20, seed=1)), second(rows(5, 20, seed=1)))


def test_the_gradient_reaches_every_parameter_although_rows_lack_streams():
    torch.manual_seed(0)
    network, features = Safer(SIZES, 7), rows(30, 20)
    features[::2, :6] = NOTHING
    network.measure(features)
    network(features).square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in network.parameters())
