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
