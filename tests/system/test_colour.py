import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from skimage import color

from ae_keras.data import transforms
from ae_keras.metrics import colour as colour_metrics
from ae_keras.system.colour import grey_to_lightness, lab_to_rgb, rgb_to_lab, to_grey

CORNERS = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), -1).reshape(-1, 3).astype(np.float32)


@pytest.fixture
def images(rng):
    return rng.random((2, 30, 40, 3), np.float32)


def test_lab_is_that_of_skimage(images):
    for pixels in (images, images / 25, CORNERS):
        np.testing.assert_allclose(rgb_to_lab(pixels), color.rgb2lab(pixels), atol=1e-3)


def test_colours_come_back(images):
    for pixels in (images, images / 25, CORNERS):
        np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(pixels)), pixels, atol=1e-4)


def test_colours_that_srgb_cannot_show_keep_their_lightness_and_lose_chroma(rng):
    lightness = rng.uniform(0, 100, (500, 1))
    lab = np.concatenate([lightness, rng.uniform(-128, 128, (500, 2))], 1).astype(np.float32)
    rgb = np.asarray(lab_to_rgb(lab))
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    shown = color.rgb2lab(rgb)
    np.testing.assert_allclose(shown[:, 0], lab[:, 0], atol=1e-3)
    outside = np.abs(shown - lab).max(axis=1) > 1
    assert 0.3 < outside.mean() < 1
    assert (np.hypot(*shown[outside, 1:].T) < np.hypot(*lab[outside, 1:].T)).all()


@pytest.mark.parametrize("function", [rgb_to_lab, lab_to_rgb, to_grey])
@pytest.mark.parametrize("scale", [0, 1, 100, 1000])
def test_gradients_are_finite_everywhere(function, scale, rng):
    pixels = tf.constant(scale * np.concatenate([CORNERS, rng.uniform(-1, 1, (200, 3))]))
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        total = tf.reduce_sum(function(pixels))
    assert np.isfinite(total)
    assert np.isfinite(tape.gradient(total, pixels)).all()


def test_grey_is_as_light_as_the_colours(images):
    grey = to_grey(images)
    assert grey.shape == (2, 30, 40, 1)
    expected = color.rgb2lab(images)[..., :1]
    np.testing.assert_allclose(grey_to_lightness(grey), expected, atol=1e-3)
    chroma = color.rgb2lab(np.repeat(grey, 3, axis=-1))[..., 1:]
    assert np.abs(chroma).max() < 0.01
    np.testing.assert_allclose(transforms.to_grey(tf.constant(images)), grey, atol=1e-6)


def test_half_the_bits_are_converted_too(images):
    assert rgb_to_lab(ops.cast(images, "float16")).dtype == "float16"


def test_chroma_mse_and_delta_e(images):
    others = np.roll(images, 1, axis=2)
    lab, other_lab = color.rgb2lab(images), color.rgb2lab(others)
    expected = [((a - b)[..., 1:] ** 2).mean() for a, b in zip(lab, other_lab, strict=True)]
    np.testing.assert_allclose(colour_metrics.chroma_mse(images, others), expected, rtol=1e-4)
    expected = color.deltaE_ciede2000(lab, other_lab).mean(axis=(1, 2))
    np.testing.assert_allclose(colour_metrics.delta_e(images, others), expected, rtol=1e-4)
    with pytest.raises(ValueError, match="height, width, 3"):
        colour_metrics.chroma_mse(images, others[..., :1])


def test_colourfulness_by_hand(images):
    assert colour_metrics.colourfulness(np.full((1, 4, 4, 3), 0.3))[0] == pytest.approx(0)
    halves = np.zeros((1, 2, 2, 3))
    halves[0, 0, :, 0] = 1  # red above, black below: rg is 255 or 0, yb is 127.5 or 0
    spread, means = np.hypot(127.5, 63.75), np.hypot(127.5, 63.75)
    assert colour_metrics.colourfulness(halves)[0] == pytest.approx(spread + 0.3 * means)
