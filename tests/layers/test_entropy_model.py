"""The entropy model of the photo codec: rates, rounding, checkerboard."""

import keras
import numpy as np
import pytest
from conftest import shaken
from keras import ops
from scipy.stats import norm

from ae_keras.layers import Gain, Hyperprior
from ae_keras.layers.gaussian import gaussian_bits, round_straight_through
from ae_keras.layers.hyper_transforms import CheckerboardContext, arcsinh
from ae_keras.layers.hyperprior import even_places


class TestRates:
    def test_bits_are_those_of_the_normal_distribution(self, rng):
        residuals = rng.integers(-6, 7, 500).astype("float32")
        scales = rng.uniform(0.3, 50, 500).astype("float32")
        upper, lower = (residuals + 0.5) / scales, (residuals - 0.5) / scales
        expected = -np.log2(np.maximum(norm.cdf(upper) - norm.cdf(lower), 1e-6))
        np.testing.assert_allclose(gaussian_bits(residuals, scales), expected, rtol=1e-3, atol=1e-5)

    def test_no_symbol_costs_more_than_an_escape(self):
        assert float(gaussian_bits(np.float32(50), np.float32(0.11))) == pytest.approx(19.93, 0.01)

    def test_rounding_has_the_gradient_of_the_values(self):
        tf = pytest.importorskip("tensorflow")
        values = tf.constant([0.2, 1.7, -2.4])
        with tf.GradientTape() as tape:
            tape.watch(values)
            rounded = round_straight_through(values)
        np.testing.assert_array_equal(rounded, [0, 2, -2])
        np.testing.assert_array_equal(tape.gradient(rounded, values), np.ones(3))

    def test_arcsinh_is_that_of_numpy(self):
        values = np.float32([-2000, -30, -1, -1e-3, 0, 1e-3, 0.5, 40, 3000])
        np.testing.assert_allclose(arcsinh(values), np.arcsinh(values), rtol=1e-6, atol=1e-7)


class TestCheckerboard:
    def test_neighbours_have_other_colours(self):
        even = np.asarray(even_places(np.zeros((1, 4, 6, 3))))[:, :, 0]
        rows, columns = np.indices((4, 6))
        np.testing.assert_array_equal(even, (rows + columns) % 2 == 0)

    def test_latents_at_odd_places_change_the_rate_of_none_at_even_ones(self, rng):
        keras.utils.set_random_seed(0)
        layer = Hyperprior(Gain(), 8, 12, 6)
        latents = rng.normal(size=(1, 8, 8, 5)).astype("float32") * 5
        position = np.float32([0.5])
        layer([latents, position])
        shaken(layer, rng, 0.3)
        # The hyper-latents see everything: hold them, as a decoder has them, and change latents.
        layer.analyse = lambda latents, position: ops.zeros((1, 2, 2, 6))
        even = np.asarray(even_places(latents)) > 0
        other = np.where(even, latents, latents + 3.3).astype("float32")
        first, second = (np.asarray(layer.code(x, position)[0]) for x in (latents, other))
        mask = np.broadcast_to(even, first[0].shape)
        np.testing.assert_array_equal(first[0][mask], second[0][mask])
        moved = np.where(even, latents + 3.3, latents).astype("float32")
        changed = np.asarray(layer.code(moved, position)[0]) != first
        assert changed[0][~mask].any()  # their means depend on the even ones

    def test_the_context_starts_at_zero(self, rng):
        features, known = rng.normal(size=(2, 1, 4, 4, 6)).astype("float32")
        np.testing.assert_array_equal(CheckerboardContext(10)([features, known]), 0)
