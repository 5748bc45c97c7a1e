import pytest
from torch import nn

from fer_lib.evaluation import cost as module
from fer_lib.evaluation.cost import cost, cost_table


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.01)


@pytest.fixture
def network():
    """A 3×3 convolution of 2 to 5 channels on 8×8 (36 places), normalised, then 180 to 4."""
    return nn.Sequential(nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(180, 4))


def test_counts_are_those_worked_out_by_hand(network):
    counts = cost(network, 8, channels=2)
    assert counts["parameters"] == (2 * 9 * 5 + 5) + (5 + 5) + (180 * 4 + 4)
    assert counts["gmacs"] * 1e9 == pytest.approx(36 * 2 * 9 * 5 + 180 * 4)
    assert counts["ms"] > 0


def test_each_layer_keeps_its_mode_even_when_the_network_fails(network):
    network.train()
    network[1].eval()
    cost(network, 8, channels=2)
    with pytest.raises(RuntimeError):
        cost(network, 8, channels=3)
    assert [layer.training for layer in network] == [True, False, True, True, True]


def test_measuring_moves_no_running_statistics(network):
    before = network[1].running_mean.clone()
    cost(network, 8, channels=2)
    assert network[1].running_mean.equal(before)


def test_the_table_has_a_row_for_each_network(network):
    linear = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    table = cost_table({"conv": (network, 8, 2), "linear": (linear, 4)})
    assert table.index.tolist() == ["conv", "linear"]
    assert table["parameters"].tolist() == [829, 51]
    assert table.loc["linear", "gmacs"] * 1e9 == pytest.approx(48)
