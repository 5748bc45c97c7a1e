import warnings

import numpy as np
import pandas as pd
import pytest
from faces_to_find import CARDS
from matplotlib.path import Path as Outline
from scipy.spatial import ConvexHull

from fer_lib.faces.occlude import fixed_mesh
from fer_lib.faces.patches import (
    BAR_PIXELS,
    BARS,
    PARTS,
    REGION_PIXELS,
    REGIONS,
    bar_mask,
    meshes_in_view,
    patch_masks,
    region_masks,
    with_noise,
)
from fer_lib.synthetic.render import draw_card

PIXELS = np.stack(np.meshgrid(np.arange(48.0), np.arange(48.0)), -1)


@pytest.fixture(scope="module")
def meshes():
    """Faces as drawn, the average one, and faces that leave the picture, a little and altogether; (N, 468, 2)."""
    found = [draw_card(card, 48).landmarks for card in CARDS[:3]]
    average = fixed_mesh(0, 0, 48)
    away = [average + step for step in ((-20, 0), (0, 25), (70, -70), (5000, 0), (-5000, -5000))]
    return np.stack([*found, average, *away, (average - 24) * 4 + 24])


def noted(landmarks, boxes, width=48, height=48, face_boxes=None):
    """Rows of a study table and of its faces."""
    data = [None if points is None else points.astype(np.float32).tobytes() for points in landmarks]
    found = face_boxes or [None] * len(data)
    faces = pd.DataFrame({"landmarks": data, "face_box": found}, dtype=object).assign(width=width, height=height)
    return pd.DataFrame({"box": pd.Series(boxes, dtype=object)}), faces


def spread(point):
    """A mesh, (478, 3), all of whose landmarks lie on one point."""
    return np.tile((*point, 0.0), (478, 1))


def beyond(mesh, rings):
    """How far each pixel lies outside of the hulls of some rings, in continuous geometry; negative inside."""
    found = []
    for ring in rings:
        points = mesh[list(ring)]
        start = points[ConvexHull(points).vertices]
        along, away = np.roll(start, -1, 0) - start, PIXELS.reshape(-1, 1, 2) - start
        share = np.clip((away * along).sum(-1) / (along**2).sum(-1), 0, 1)
        distance = np.linalg.norm(away - share[..., None] * along, axis=-1).min(1)
        found.append(np.where(Outline(start).contains_points(PIXELS.reshape(-1, 2)), -distance, distance))
    return np.min(found, 0).reshape(48, 48)


@pytest.mark.parametrize(("part", "first"), [("eyes", 10), ("nose", 20), ("mouth", 30)])
def test_a_bar_is_ten_rows_of_the_whole_width(part, first):
    expected = [[first <= row <= first + 9] * 48 for row in range(48)]
    assert bar_mask(part).dtype == bool
    assert bar_mask(part).tolist() == expected
    assert bar_mask(part).sum() == BAR_PIXELS == 480


def test_bars_lie_side_by_side_and_are_meant_for_parts_that_there_are():
    assert sum(bar_mask(part).astype(int) for part in BARS).max() == 1
    assert PARTS.keys() == BARS.keys()
    assert {region for regions in PARTS.values() for region in regions} <= set(REGIONS)


def test_noise_is_white(rng):
    pictures = np.full((200, 48, 48), 7, np.uint8)
    noise = with_noise(pictures, bar_mask("nose"), 3)[:, 20:30]
    counts = np.bincount(noise.ravel(), minlength=256)
    expected = noise.size / 256
    assert len(counts) == 256
    assert ((counts - expected) ** 2 / expected).sum() < 350  # chi square of 255 degrees: one in 10,000 is above 345
    assert noise.mean() == pytest.approx(127.5, abs=1)
    flat = noise.reshape(200, 10, 48) - 127.5
    for one, next_ in ((flat[:, :, :-1], flat[:, :, 1:]), (flat[:, :-1], flat[:, 1:]), (flat[:-1], flat[1:])):
        assert abs((one * next_).mean()) < 0.02 * flat.var()


def test_noise_is_another_in_every_picture_and_the_same_for_the_same_seed():
    pictures = np.zeros((6, 48, 48), np.uint8)
    hidden = with_noise(pictures, bar_mask("eyes"), 1)
    assert len({picture.tobytes() for picture in hidden}) == 6
    assert np.array_equal(hidden, with_noise(pictures, bar_mask("eyes"), 1))
    assert not np.array_equal(hidden, with_noise(pictures, bar_mask("eyes"), 2))


@pytest.mark.parametrize("for_all", [True, False])
def test_pixels_outside_of_the_mask_stay(rng, for_all):
    pictures = rng.integers(0, 256, (5, 48, 48), np.uint8)
    masks = bar_mask("mouth") if for_all else rng.random((5, 48, 48)) < 0.3
    before = pictures.copy()
    hidden = with_noise(pictures, masks, 9)
    everywhere = np.broadcast_to(masks, pictures.shape)
    assert (hidden.shape, hidden.dtype) == (pictures.shape, np.uint8)
    assert np.array_equal(hidden[~everywhere], pictures[~everywhere])
    assert (hidden != pictures)[everywhere].mean() > 0.98  # chance leaves one in 256
    assert np.array_equal(pictures, before)


@pytest.mark.parametrize("pixels", [1, REGION_PIXELS, 480, 2304])
@pytest.mark.parametrize("region", REGIONS)
def test_a_region_hides_as_many_pixels_as_asked_for_wherever_the_face_is(meshes, region, pixels):
    masks = region_masks(meshes, [region], pixels)
    assert (masks.shape, masks.dtype) == ((len(meshes), 48, 48), bool)
    assert masks.sum((1, 2)).tolist() == [pixels] * len(meshes)


@pytest.mark.parametrize("region", REGIONS)
def test_the_middle_of_a_region_is_hidden_and_so_is_its_deepest_pixel(region):
    average = fixed_mesh(0, 0, 48)
    (mask,) = region_masks(average[None], [region], REGION_PIXELS)
    for ring in REGIONS[region]:
        x, y = np.rint(average[list(ring)].mean(0)).astype(int)
        assert mask[y, x]
        away = beyond(average, [ring])
        assert mask[np.unravel_index(away.argmin(), away.shape)]


def test_the_mouth_is_hidden_where_it_is_drawn(meshes):
    masks = region_masks(meshes, ["mouth"], REGION_PIXELS)
    for mesh, mask in zip(meshes[:5], masks, strict=False):
        x, y = np.rint(mesh[[13, 14]].mean(0)).astype(int)
        assert 0 <= x < 48
        assert mask[y, x]
        assert np.abs(np.argwhere(mask).mean(0) - (y, x)).max() < 4


@pytest.mark.parametrize("regions", [["mouth"], ["eyes"], ["brows", "eyes"], ["nose"], ["cheeks", "chin"]])
@pytest.mark.parametrize("pixels", [REGION_PIXELS, 480])
def test_no_pixel_left_open_is_nearer_to_the_region_than_a_hidden_one(regions, pixels):
    average = fixed_mesh(0, 0, 48)
    (mask,) = region_masks(average[None], regions, pixels)
    away = beyond(average, [ring for region in regions for ring in REGIONS[region]])
    assert away[mask].max() < away[~mask].min() + 1.5  # landmarks are rounded to pixels


@pytest.mark.parametrize("region", REGIONS)
def test_more_pixels_contain_fewer_pixels(meshes, region):
    few, many = (region_masks(meshes, [region], pixels) for pixels in (60, 300))
    assert not (few & ~many).any()


def test_a_landmark_lies_in_the_view_as_it_does_in_the_box():
    # The box covers pixels 10-105 and 20-115, two in each direction for one of the view.
    points = [(10, 20), (9.5, 19.5), (57.5, 67.5), (105.5, 115.5), (58, 68)]
    rows, faces = noted([spread(point) for point in points], [[10.0, 20.0, 96.0]] * 5, 300, 200)
    view = meshes_in_view(rows, faces)
    assert view.shape == (5, 468, 2)
    expected = [(-0.25, -0.25), (-0.5, -0.5), (23.5, 23.5), (47.5, 47.5), (23.75, 23.75)]
    assert np.allclose(view, np.array(expected)[:, None])


def test_boxes_are_rounded_as_pictures_are_cut_out():
    rows, faces = noted([spread((30, 40))] * 2, [[9.6, 20.4, 47.8], [10.0, 20.0, 48.0]])
    assert np.allclose(meshes_in_view(rows, faces), (20, 20))


@pytest.mark.parametrize(("width", "height"), [(48, 48), (96, 96), (96, 24)])
def test_without_a_box_the_whole_picture_is_in_view(width, height):
    corner, middle = spread((width - 0.5, height - 0.5)), spread((width / 2 - 0.5, height / 2 - 0.5))
    rows, faces = noted([corner, middle], [None, None], width, height)
    assert np.allclose(meshes_in_view(rows, faces), np.array([(47.5, 47.5), (23.5, 23.5)])[:, None])


def test_a_face_without_a_mesh_gets_the_average_one_whatever_its_box():
    rows, faces = noted([None, spread((1, 2)), None], [[100.0, 50.0, 70.0], None, None])
    view = meshes_in_view(rows, faces)
    assert np.allclose(view[[0, 2]], fixed_mesh(0, 0, 48))
    assert np.allclose(view[1], (1, 2))


def test_the_average_face_lies_in_the_found_box_unless_the_table_names_one():
    found = np.array((30, 25, 40, 30), np.float32)  # which is widened to a square of 52 at 24, 14
    rows, faces = noted([None, None], [None, [24.0, 14.0, 52.0]], 96, 96, [found, np.array((0, 0, 9, 9), np.float32)])
    view = meshes_in_view(rows, faces)
    assert np.allclose(view[0], fixed_mesh(12, 7, 26))
    assert np.allclose(view[1], fixed_mesh(0, 0, 48))


def test_in_a_wide_picture_the_average_face_is_in_the_middle_and_as_narrow_as_all_that_is_shown():
    view = meshes_in_view(*noted([None], [None], 96, 48))[0]
    expected = fixed_mesh(0, 0, 48)
    assert np.allclose(view[:, 1], expected[:, 1])
    assert np.allclose(view[:, 0] + 0.5, 12 + (expected[:, 0] + 0.5) / 2)


def test_a_picture_that_could_not_be_read_has_a_view_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = meshes_in_view(*noted([None, None], [None, [3.0, 4.0, 0.0]], 0, 0))
    assert np.isfinite(view).all()
    assert region_masks(view, ["mouth"], REGION_PIXELS).sum((1, 2)).tolist() == [REGION_PIXELS] * 2


def test_no_faces_have_no_views():
    assert meshes_in_view(*noted([], [])).shape == (0, 468, 2)


def test_the_hottest_patches_are_hidden_first():
    heat = np.zeros((2, 48, 48))
    heat[0, 12:18, 30:36], heat[0, 0:6, 42:48], heat[0, 42:48, 0:6] = 3, 2, 1
    heat[1] = -np.arange(48 * 48).reshape(48, 48)  # falls from the top
    expected = np.zeros((2, 48, 48), bool)
    expected[0, 12:18, 30:36] = expected[0, 0:6, 42:48] = True
    expected[1, :6, :12] = True
    assert np.array_equal(patch_masks(heat, 2 / 64), expected)


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.25, 0.5, 0.9, 1])
def test_a_share_of_the_patches_is_hidden_in_every_picture(rng, share):
    masks = patch_masks(rng.random((7, 48, 48)), share)
    patches = masks.reshape(7, 8, 6, 8, 6)
    assert (masks.shape, masks.dtype) == ((7, 48, 48), bool)
    assert np.array_equal(patches.all((2, 4)), patches.any((2, 4)))
    assert patches.any((2, 4)).sum((1, 2)).tolist() == [round(64 * share)] * 7


def test_hidden_patches_are_hotter_in_the_mean_than_all_others(rng):
    heat = rng.random((4, 48, 48))
    masks = patch_masks(heat, 0.3)
    for picture, mask in zip(heat, masks, strict=True):
        means = {mask[y, x]: [] for y, x in np.ndindex(48, 48)}
        for y, x in np.ndindex(8, 8):
            part = slice(6 * y, 6 * y + 6), slice(6 * x, 6 * x + 6)
            means[mask[part][0, 0]].append(picture[part].mean())
        assert min(means[True]) > max(means[False])


def test_heat_without_differences_still_hides_the_share():
    assert patch_masks(np.zeros((2, 48, 48)), 0.5).sum((1, 2)).tolist() == [32 * 36] * 2
