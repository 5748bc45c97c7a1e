import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy, nll_loss, one_hot
from torchvision.ops import sigmoid_focal_loss

from fer_lib.errors import StudyError
from fer_lib.training.losses import LOSSES, loss_function

COUNTS = torch.tensor([40, 10, 50])


@pytest.fixture
def logits():
    return torch.randn(16, 3, generator=torch.Generator().manual_seed(0)) * 3


@pytest.fixture
def targets():
    return torch.arange(16) % 3


def test_cross_entropy_without_smoothing_is_torchs_to_the_last_bit(logits, targets):
    assert torch.equal(loss_function("cross_entropy", 0, COUNTS)(logits, targets), cross_entropy(logits, targets))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_nll_is_the_same_number_as_cross_entropy(logits, targets, smoothing):
    loss = loss_function("nll", smoothing, COUNTS)(logits, targets)
    assert loss.item() == pytest.approx(cross_entropy(logits, targets, label_smoothing=smoothing).item())
    if not smoothing:
        assert loss.item() == pytest.approx(nll_loss(logits.log_softmax(1), targets).item())


def test_class_weights_are_those_scikit_learn_calls_balanced(logits, targets):
    labels = np.repeat(np.arange(3), COUNTS)
    weights = torch.tensor(compute_class_weight("balanced", classes=np.arange(3), y=labels), dtype=torch.float32)
    loss = loss_function("weighted", 0.1, COUNTS)(logits, targets)
    assert loss.item() == pytest.approx(cross_entropy(logits, targets, weights, label_smoothing=0.1).item())


def test_a_class_without_pictures_gets_no_infinite_weight(logits):
    targets = torch.arange(16) % 2
    for given in (targets, one_hot(targets, 3).float()):
        assert loss_function("weighted", 0.1, torch.tensor([5, 5, 0]))(logits, given).isfinite()


def test_focal_loss_by_hand():
    """Probabilities .5 and .25 of the right class: (.5² · ln 2 + .75² · ln 4) / 2."""
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.25, 0.25, 0.5]]))
    expected = (0.25 * np.log(2) + 0.5625 * np.log(4)) / 2
    assert loss_function("focal", 0, COUNTS)(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)


def test_focal_loss_of_two_classes_is_torchvisions_sigmoid_one():
    difference = torch.tensor([-3.0, -0.5, 0.2, 4.0])
    targets = torch.tensor([0, 1, 1, 0])
    ours = loss_function("focal", 0, COUNTS[:2])(torch.stack([torch.zeros(4), difference], 1), targets)
    theirs = sigmoid_focal_loss(difference, targets.float(), alpha=-1, gamma=2, reduction="mean")
    assert ours.item() == pytest.approx(theirs.item())


@pytest.mark.parametrize("name", ["cross_entropy", "nll", "focal"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_class_numbers_and_their_probabilities_cost_the_same(name, smoothing, logits, targets):
    loss = loss_function(name, smoothing, COUNTS)
    assert loss(logits, targets).item() == pytest.approx(loss(logits, one_hot(targets, 3).float()).item())


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_is_a_scalar_with_a_gradient_for_mixed_targets(name, logits):
    logits = (100 * logits).requires_grad_()  # so sure that some probabilities are 0
    mixed = torch.rand(16, 3).softmax(1)
    loss = loss_function(name, 0.1, COUNTS)(logits, mixed)
    loss.backward()
    assert loss.shape == ()
    assert logits.grad.isfinite().all()


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(StudyError, match="loss 'hinge' is unknown; use one of cross_entropy, nll, weighted, focal"):
        loss_function("hinge", 0, COUNTS)
