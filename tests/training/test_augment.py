import torch

from fer_lib.training.augment import augmentation, centred, to_unit


def test_pictures_are_scaled_to_0_1_and_then_to_minus_1_1():
    pictures = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    assert torch.allclose(to_unit(pictures).flatten(), torch.tensor([0.0, 0.2, 1.0]))
    assert torch.allclose(centred(to_unit(pictures)).flatten(), torch.tensor([-1.0, -0.6, 1.0]))


def test_no_augmentation_leaves_pictures_as_they_are():
    pictures = torch.rand(4, 1, 48, 48)
    assert torch.equal(augmentation("none")(pictures), pictures)


def test_every_picture_of_a_batch_gets_its_own_draw():
    pictures = torch.rand(1, 1, 48, 48).expand(8, 1, 48, 48)
    drawn = augmentation("paper004")(pictures)
    assert len({tuple(picture.flatten().tolist()) for picture in drawn}) == 8


def test_the_same_seed_draws_the_same():
    pictures = torch.rand(8, 1, 48, 48)
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(augmentation("paper004")(pictures))
    assert torch.equal(*draws)


def test_a_dot_moves_no_further_than_the_paper_allows():
    """A dot at the centre is only translated: by at most a tenth of 48 pixels along each side."""
    torch.manual_seed(0)
    pictures = torch.zeros(200, 1, 49, 49)
    pictures[:, :, 24, 24] = 1
    drawn = augmentation("paper004")(pictures)[:, 0]
    rows, columns = drawn.sum(2).argmax(1), drawn.sum(1).argmax(1)
    moved = torch.stack([(rows - 24).abs(), (columns - 24).abs()])
    assert moved.max() <= 5
    assert moved.float().mean() > 1
