import pytest
import torch

from fer_lib.training.augment import AUGMENTATIONS, augmentation, centred, to_unit

DRAWN = sorted(set(AUGMENTATIONS) - {"none"})
FIRST_SUM = 8004.078250621649  # of what "paper004" drew before there were other sets


def extent_of_moved_dots(name, count=300):
    """How far, in pixels, the set moves a dot in the middle of 49 × 49 pixels at most."""
    torch.manual_seed(0)
    pictures = torch.zeros(count, 1, 49, 49)
    pictures[:, :, 24, 24] = 1
    drawn = augmentation(name)(pictures)[:, 0]
    return max((drawn.sum(2).argmax(1) - 24).abs().max().item(), (drawn.sum(1).argmax(1) - 24).abs().max().item())


def erased_share(drawn):
    """Share of each picture, all of which were white, that is exactly mid grey."""
    return (drawn == 0.5).float().mean(dim=(1, 2, 3))


def test_pictures_are_scaled_to_0_1_and_then_to_minus_1_1():
    pictures = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    assert torch.allclose(to_unit(pictures).flatten(), torch.tensor([0.0, 0.2, 1.0]))
    assert torch.allclose(centred(to_unit(pictures)).flatten(), torch.tensor([-1.0, -0.6, 1.0]))


def test_no_augmentation_leaves_pictures_as_they_are():
    pictures = torch.rand(4, 1, 48, 48)
    assert torch.equal(augmentation("none")(pictures), pictures)


@pytest.mark.parametrize("name", [name for name in DRAWN if name != "flip"])  # which has two outcomes only
def test_every_picture_of_a_batch_gets_its_own_draw(name):
    pictures = torch.rand(1, 1, 48, 48).expand(8, 1, 48, 48)
    drawn = augmentation(name)(pictures)
    assert len({tuple(picture.flatten().tolist()) for picture in drawn}) == 8


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_seed_draws_the_same(name):
    pictures = torch.rand(8, 1, 48, 48)
    draws = []
    for _ in range(2):
        torch.manual_seed(3)
        draws.append(augmentation(name)(pictures))
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


def test_read_as_pixels_the_papers_translation_goes_twice_as_far():
    assert extent_of_moved_dots("paper004") == 5
    assert extent_of_moved_dots("paper004_pixels") == 10


def test_what_paper_004_draws_has_not_changed():
    torch.manual_seed(3)
    drawn = augmentation("paper004")(torch.linspace(0, 1, 8 * 48 * 48).reshape(8, 1, 48, 48))
    assert drawn.double().sum().item() == pytest.approx(FIRST_SUM, rel=1e-6)


@pytest.mark.parametrize("size", [44, 48, 64])
@pytest.mark.parametrize("name", DRAWN)
def test_pictures_of_every_size_keep_their_shape_and_stay_in_0_1(name, size):
    drawn = augmentation(name)(torch.rand(32, 1, size, size))
    assert drawn.shape == (32, 1, size, size)
    assert drawn.dtype == torch.float32
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_the_strong_set_brings_no_black_corner_into_a_white_picture():
    torch.manual_seed(0)
    assert augmentation("strong")(torch.ones(200, 1, 48, 48)).min() >= 0.5


def test_the_strong_set_erases_2_to_15_percent_of_3_in_10_pictures():
    torch.manual_seed(0)
    share = erased_share(augmentation("strong")(torch.ones(2000, 1, 48, 48)))
    assert (share > 0).float().mean().item() == pytest.approx(0.3, abs=0.04)
    assert share.max() <= 0.17  # whole pixels
    assert share[share > 0].mean().item() == pytest.approx(0.085, abs=0.01)


def test_the_strong_set_turns_every_second_picture_over():
    """A picture that is bright on the left stays so, or is bright on the right, however it is turned by 15°."""
    torch.manual_seed(0)
    pictures = torch.zeros(1000, 1, 48, 48)
    pictures[..., :24] = 1
    drawn = augmentation("strong")(pictures)
    turned = drawn[..., 24:].mean(dim=(1, 2, 3)) > drawn[..., :24].mean(dim=(1, 2, 3))
    assert turned.float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_safers_set_crops_turns_and_lights_but_turns_nothing_over_nor_black():
    """A picture that is white on the left keeps its bright half there, within 10°, a twentieth and a fifth."""
    torch.manual_seed(0)
    pictures = torch.full((500, 1, 48, 48), 0.4)
    pictures[..., :24] = 0.8
    drawn = augmentation("paper000")(pictures)
    assert (drawn[..., :24].mean(dim=(1, 2, 3)) > drawn[..., 24:].mean(dim=(1, 2, 3))).all()
    assert drawn.min() >= 0.4 * 0.8 - 0.2
    assert len(drawn.mean(dim=(1, 2, 3)).unique()) == 500


@pytest.mark.parametrize("name", DRAWN)
def test_colours_are_treated_alike_so_that_grey_stays_grey(name):
    torch.manual_seed(0)
    grey = torch.rand(16, 1, 48, 48).expand(16, 3, 48, 48)
    drawn = augmentation(name)(grey)
    assert torch.allclose(drawn, drawn[:, :1].expand_as(drawn), atol=1e-6)
