import math

import keras
import numpy as np
import pytest
from scipy import stats

from ae_keras.layers import FactorizedPrior


@pytest.fixture
def prior(rng):
    layer = FactorizedPrior(pixels=64, rate_weight=0.5, steps=(0.5, 2.0), seed=1)
    layer.build((None, 4, 4, 3))
    layer.set_statistics(np.array([0.0, 1.0, -2.0]), np.array([1.0, 0.1, 3.0]))
    return layer


def test_probabilities_of_all_multiples_of_a_step_add_up_to_1(prior):
    step = 0.5
    symbols = step * np.arange(-200, 201, dtype=np.float32)
    latents = np.repeat(symbols[:, np.newaxis], 3, axis=1)[:, np.newaxis, np.newaxis]
    bits = keras.ops.convert_to_numpy(prior.bits(latents, np.full((1, 1, 1, 1), step, np.float32)))
    np.testing.assert_allclose((2.0**-bits).sum(axis=(0, 1, 2)), 1, atol=1e-3)


def test_bits_are_those_of_a_mixture_of_logistic_distributions(prior, rng):
    latents = rng.normal(0, 2, (5, 4, 4, 3)).astype(np.float32)
    bits = keras.ops.convert_to_numpy(prior.bits(latents, np.full((1, 1, 1, 1), 0.7, np.float32)))
    scales = np.exp(keras.ops.convert_to_numpy(prior.log_scale))
    mean = keras.ops.convert_to_numpy(prior.mean)
    shares = [
        stats.logistic.cdf(latents + 0.35, mean, scale)
        - stats.logistic.cdf(latents - 0.35, mean, scale)
        for scale in scales
    ]
    expected = -np.log2(np.maximum(np.mean(shares, axis=0), 1e-9))
    np.testing.assert_allclose(bits, expected, rtol=1e-3, atol=1e-3)


def test_noise_is_as_wide_as_the_steps(prior):
    latents = np.zeros((2000, 4, 4, 3), np.float32)
    noise = keras.ops.convert_to_numpy(prior(latents, training=True))
    widths = noise.std(axis=(1, 2, 3)) * math.sqrt(12)
    assert 0.35 < widths.min() < 0.6
    assert 1.8 < widths.max() < 2.5
    # As many below the geometric mean as above it.
    assert abs((widths < 1).mean() - 0.5) < 0.05
    np.testing.assert_allclose(prior.error_weights, 1 / widths**2, rtol=0.5)
    np.testing.assert_array_equal(prior(latents, training=False), latents)
    np.testing.assert_allclose(prior.error_weights, 1, rtol=1e-6)


def test_the_loss_at_inference_is_that_of_the_mean_step(prior, rng):
    latents = rng.normal(0, 1, (5, 4, 4, 3)).astype(np.float32)
    prior(latents, training=False)
    (loss,) = prior.losses
    bits = keras.ops.convert_to_numpy(prior.bits(latents, np.ones((1, 1, 1, 1), np.float32)))
    assert float(loss) == pytest.approx(0.5 / 64 * bits.sum() / 5, rel=1e-5)


def test_a_configuration_makes_the_same_layer(prior):
    again = FactorizedPrior.from_config(prior.get_config())
    assert again.get_config() == prior.get_config()
