import numpy as np
import pytest
import tensorflow as tf
from skimage import data
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from ae_keras import metrics


@pytest.fixture(scope="module")
def pair():
    """Three colour photographs, and the same with noise of different strength."""
    photo = data.astronaut() / 255
    # Sizes that stay even over five scales: at odd ones TensorFlow repeats the last row, we cut it.
    images = np.stack([photo[:192, :176], photo[200:392, :176], photo[100:292, 200:376]])
    noise = np.random.default_rng(0).normal(size=images.shape)
    strength = np.array([0.02, 0.1, 0.3])[:, None, None, None]
    return images, np.clip(images + strength * noise, 0, 1)


def test_mse_and_psnr_agree_with_skimage(pair):
    for index, (image, other) in enumerate(zip(*pair, strict=True)):
        assert metrics.mse(*pair)[index] == pytest.approx(mean_squared_error(image, other))
        assert metrics.psnr(metrics.mse(*pair))[index] == pytest.approx(
            peak_signal_noise_ratio(image, other, data_range=1)
        )


def test_mean_of_psnr_is_above_psnr_of_mean(pair):
    errors = metrics.mse(*pair)
    assert np.mean(metrics.psnr(errors)) > metrics.psnr(np.mean(errors))


def test_psnr_of_a_perfect_reconstruction_is_infinite():
    assert metrics.psnr(0.0) == np.inf


def test_ssim_agrees_with_skimage(pair):
    expected = [
        structural_similarity(
            image,
            other,
            data_range=1,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for image, other in zip(*pair, strict=True)
    ]
    np.testing.assert_allclose(metrics.ssim(*pair), expected, rtol=1e-6)


def test_ms_ssim_agrees_with_tensorflow(pair):
    # TensorFlow computes in float32, whose rounding of a variance is 7e-5 of the constant C2.
    expected = tf.image.ssim_multiscale(*pair, max_val=1.0)
    np.testing.assert_allclose(metrics.ms_ssim(*pair), expected, atol=1e-4)


def test_ms_ssim_of_small_images_agrees_with_tensorflow_on_the_scales_that_fit(pair):
    images, others = pair[0][:, :32, :32], pair[1][:, :32, :32]
    weights = np.array([0.0448, 0.2856]) / (0.0448 + 0.2856)
    expected = tf.image.ssim_multiscale(images, others, 1.0, power_factors=list(weights))
    np.testing.assert_allclose(metrics.ms_ssim(images, others), expected, atol=1e-4)


@pytest.mark.parametrize(("size", "scales"), [(10, 0), (11, 1), (32, 2), (175, 4), (176, 5)])
def test_count_scales(size, scales):
    assert metrics.count_scales(size, 1000) == metrics.count_scales(1000, size) == scales


def test_identical_images_are_perfect(pair):
    np.testing.assert_allclose(metrics.ssim(pair[0], pair[0]), 1)
    np.testing.assert_allclose(metrics.ms_ssim(pair[0], pair[0]), 1)


def test_wrong_shapes_are_refused(pair):
    with pytest.raises(ValueError, match="Expected two arrays of one shape"):
        metrics.mse(pair[0], pair[1][:, 1:])
    with pytest.raises(ValueError, match="at least 11x11"):
        metrics.ssim(pair[0][:, :8], pair[1][:, :8])


# JPEG and BPG (4:4:4) on the Kodak images, from the results published with CompressAI.
JPEG = (
    [
        *(0.2212, 0.3266, 0.4231, 0.5084, 0.5879, 0.6601, 0.7289, 0.7860, 0.8497, 0.9060),
        *(0.9644, 1.0372, 1.1274, 1.2398, 1.3688, 1.5718, 1.8588, 2.3502, 3.4013),
    ],
    [
        *(23.780, 26.577, 28.042, 29.042, 29.785, 30.378, 30.903, 31.308, 31.705, 32.059),
        *(32.399, 32.790, 33.235, 33.793, 34.394, 35.239, 36.329, 37.912, 40.557),
    ],
)
BPG = (
    [0.0678, 0.1610, 0.3516, 0.6847, 1.1997, 1.9297, 3.0579, 4.7031],
    [
        *(26.195, 28.682, 31.595, 34.857, 38.260, 41.479, 44.703, 47.633),
    ],
)


def test_bd_rate_of_published_curves():
    assert metrics.bd_rate(*JPEG, *BPG) == pytest.approx(-58.855, abs=0.02)
    assert metrics.bd_rate(*BPG, *JPEG) == pytest.approx(143.044, abs=0.1)
    assert metrics.bd_rate(*JPEG, *JPEG) == 0


def test_bd_rate_of_half_the_rate_is_minus_50_percent():
    rates, quality = np.array([0.1, 0.2, 0.5, 1.0]), np.array([25, 28, 33, 36])
    assert metrics.bd_rate(rates, quality, rates / 2, quality) == pytest.approx(-50)


def test_bd_rate_leaves_points_out_that_another_beats():
    rates, quality = [0.1, 0.2, 0.5], [25, 28, 33]
    worse = metrics.bd_rate(rates, quality, [*rates, 0.6, 0.7], [*quality, 32.9, 33])
    assert worse == pytest.approx(0, abs=1e-9)


def test_bd_rate_of_curves_that_share_no_quality_is_none():
    assert metrics.bd_rate([0.1, 0.2], [20, 25], [0.1, 0.2], [26, 30]) is None
    assert metrics.bd_rate([0.1], [25], [0.1, 0.2], [20, 30]) is None


def test_bits_per_pixel():
    assert metrics.bits_per_pixel(100, 10, 20) == 4


def test_sharpness_is_the_mean_gradient():
    ramp = np.tile(np.arange(5) / 10, (4, 1))[np.newaxis, ..., np.newaxis]
    assert metrics.sharpness(ramp) == pytest.approx(0.1)
    diagonal = (np.arange(4)[:, None] * 0.3 + np.arange(5) * 0.4)[np.newaxis, ..., np.newaxis]
    assert metrics.sharpness(diagonal) == pytest.approx(0.5)


def test_the_pareto_front_has_one_point_of_each_rate():
    rates, quality = [4, 4, 2, 1, 8, 8, 3], [30, 31, 25, 20, 32, 33, 24]
    front = metrics.pareto_front(rates, quality)
    np.testing.assert_array_equal(front, [[1, 20], [2, 25], [4, 31], [8, 33]])


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_and_what_no_one_sees_do_not_count(channels, rng):
    image = rng.integers(1, 256, (9, 7, channels), np.uint8)
    image[2:4, 1:5, -1] = 0
    restored = np.dstack([rng.integers(0, 256, (9, 7, channels - 1), np.uint8), image[..., -1:]])
    errors = [
        (int(image[y, x, c]) - int(restored[y, x, c])) ** 2
        for y, x, c in np.ndindex(9, 7, channels - 1)
        if not (2 <= y < 4 and 1 <= x < 5)
    ]
    expected = 10 * np.log10(255**2 / np.mean(errors))
    assert metrics.image_psnr(image, restored) == pytest.approx(expected, abs=1e-5)
    colours = metrics.visible_colours(image)
    assert colours.shape == (9 * 7 - 8, channels - 1)
    hidden = image * np.array([1] * (channels - 1) + [0], np.uint8)
    assert metrics.image_psnr(hidden, np.zeros_like(image)) == np.inf


def test_psnr_of_an_image_without_alpha_is_that_of_its_error(rng):
    for shape in ((9, 7), (9, 7, 1), (9, 7, 3)):
        image, restored = rng.integers(0, 256, (2, *shape), np.uint8)
        error = np.square((image.astype(float) - restored) / 255).mean()
        assert metrics.image_psnr(image, restored) == pytest.approx(-10 * np.log10(error), abs=1e-4)
