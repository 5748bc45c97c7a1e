import pytest
import torch
from torch import nn

from fer_lib.training.sharpness import climbed


class Bowl(nn.Module):
    """w₁² + w₂² / 2 at (1.5, 4), whose gradient there is (3, 4) and 5 long; the two weights lie in two tensors."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.tensor([1.5]))
        self.second = nn.Parameter(torch.tensor([[4.0]]))
        self.unused = nn.Parameter(torch.tensor([7.0]))

    def forward(self):
        return (self.first**2).sum() + (self.second**2).sum() / 2


def values(bowl):
    return [bowl.first.item(), bowl.second.item(), bowl.unused.item()]


def test_the_gradient_inside_is_that_of_the_point_so_far_up_the_slope():
    """Half a unit along (3, 4) / 5 from (1.5, 4) lies (1.8, 4.4), where the gradient is (3.6, 4.4)."""
    bowl = Bowl()
    bowl().backward()
    with climbed(bowl, 0.5):
        assert values(bowl) == pytest.approx([1.8, 4.4, 7.0])
        bowl().backward()
    assert [bowl.first.grad.item(), bowl.second.grad.item()] == pytest.approx([3.6, 4.4])
    assert bowl.unused.grad is None


def test_the_weights_come_back_to_the_last_bit_even_after_an_error():
    bowl = Bowl()
    before = [parameter.clone() for parameter in bowl.parameters()]
    bowl().backward()
    with pytest.raises(RuntimeError), climbed(bowl, 1 / 3):
        raise RuntimeError
    assert all(torch.equal(old, new) for old, new in zip(before, bowl.parameters(), strict=True))


def test_where_the_slope_is_level_nothing_moves():
    bowl = Bowl()
    (0 * bowl()).backward()
    with climbed(bowl, 0.5):
        assert values(bowl) == [1.5, 4.0, 7.0]


def test_running_averages_do_not_move_inside_and_do_after():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, momentum=0.3), nn.Flatten(), nn.LazyLinear(1))
    pictures = torch.randn(4, 1, 8, 8)
    network(pictures).sum().backward()
    averages = [network[1].running_mean, network[1].running_var]
    before = [average.clone() for average in averages]
    with climbed(network, 0.5):
        network(pictures + 3).sum().backward()
    assert all(torch.equal(old, new) for old, new in zip(before, averages, strict=True))
    network(pictures + 3)
    assert not any(torch.equal(old, new) for old, new in zip(before, averages, strict=True))
    assert network[1].momentum == 0.3
