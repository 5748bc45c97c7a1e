import pytest
import torch
from torchvision.transforms.v2.functional import affine, hflip

from fer_lib.training.views import VIEWS


@pytest.fixture
def pictures():
    return torch.rand(3, 1, 20, 24, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "count"), [("one", 1), ("flip", 2), ("flip_shift", 10)])
def test_all_views_are_different_have_the_shape_and_begin_with_the_picture(pictures, name, count):
    views = VIEWS[name](pictures)
    assert [view.shape for view in views] == [pictures.shape] * count
    assert torch.equal(views[0], pictures)
    assert len({tuple(view.flatten().tolist()) for view in views}) == count


def test_the_second_view_is_torchvisions_mirror(pictures):
    assert torch.equal(VIEWS["flip"](pictures)[1], hflip(pictures))


def test_shifted_views_are_torchvisions_translations_by_two_pixels(pictures):
    views = VIEWS["flip_shift"](pictures)
    corners = [[x, y] for y in (2, -2) for x in (2, -2)]
    for start, shifted in ((pictures, views[1:5]), (hflip(pictures), views[6:])):
        for view, corner in zip(shifted, corners, strict=True):
            moved = affine(start, angle=0, translate=corner, scale=1, shear=[0, 0])
            assert torch.equal(view[..., 2:-2, 2:-2], moved[..., 2:-2, 2:-2])


def test_the_edge_is_repeated_where_a_shift_leaves_the_picture(pictures):
    down_right = VIEWS["flip_shift"](pictures)[1]
    assert torch.equal(down_right[..., 0, 2:], pictures[..., 0, :-2])
    assert torch.equal(down_right[..., 1, 2:], pictures[..., 0, :-2])
