import numpy as np
import pytest

from fer_lib.models.features import FEATURES, hog, mirrored, pixels


def test_pixels_are_the_grey_values_in_0_to_1(rng):
    pictures = rng.integers(0, 256, (3, 48, 48)).astype(np.uint8)
    assert np.allclose(pixels(pictures), pictures.reshape(3, -1) / 255)


def test_a_mirrored_picture_mirrored_is_the_picture(rng):
    pictures = rng.integers(0, 256, (3, 48, 48)).astype(np.uint8)
    assert (mirrored(mirrored(pictures)) == pictures).all()
    assert (mirrored(pictures)[:, :, 0] == pictures[:, :, -1]).all()


def test_hog_does_not_see_brightness_or_contrast(rng):
    picture = rng.integers(40, 80, (1, 48, 48)).astype(np.uint8)
    assert np.allclose(hog(picture), hog(picture + 100), atol=1e-5)
    assert np.abs(hog(picture) - hog(picture * 3)).max() < 0.01


def test_hog_tells_an_edge_from_the_same_edge_turned():
    upright = np.zeros((1, 48, 48), np.uint8)
    upright[:, :, 24:] = 200
    turned = upright.transpose(0, 2, 1).copy()
    assert np.dot(hog(upright)[0], hog(upright)[0]) > 5 * np.dot(hog(upright)[0], hog(turned)[0])


@pytest.mark.parametrize("name", FEATURES)
def test_a_flat_picture_has_finite_features(name):
    assert np.isfinite(FEATURES[name](np.full((2, 48, 48), 7, np.uint8))).all()
