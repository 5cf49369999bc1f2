"""The photo codec's model: transform coder, rates, checkerboard, loss, files."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import norm

from ae_keras.layers import Gain, Hyperprior
from ae_keras.layers.gaussian import gaussian_bits, round_straight_through
from ae_keras.layers.hyper_transforms import CheckerboardContext, arcsinh
from ae_keras.layers.hyperprior import even_places, loss_weight
from ae_keras.layers.quality import lambda_of_position
from ae_keras.models.hyperprior import photo, sample_weights
from ae_keras.training.muon import Muon

TINY = {
    "filters": 8, "blocks": 1, "latent_channels": 24, "hyper_filters": 8, "features": 12,
    "hyper_channels": 6,
}  # fmt: skip


def smooth_images(rng, count=6, size=64):
    coarse = rng.integers(0, 256, (count, size // 8, size // 8, 3))
    return np.uint8(np.kron(coarse, np.ones((1, 8, 8, 1))))


@pytest.fixture(scope="module")
def new_model():
    """A model with the principal components of some images, and its weights."""
    keras.utils.set_random_seed(0)
    model = photo(**TINY)
    model.adapt(smooth_images(np.random.default_rng(1), 40))
    return model, model.get_weights()


@pytest.fixture
def model(new_model):
    model, weights = new_model
    model.set_weights(weights)
    return model


def shaken(model, rng, scale=0.05):
    """Return the model with all its weights a little off, as training leaves them."""
    for weight in model.trainable_weights:
        noise = rng.normal(size=weight.shape) * scale
        weight.assign(np.asarray(weight) + noise.astype("float32"))
    return model


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


class TestModel:
    def test_untrained_it_is_a_transform_coder(self, model, rng):
        """Latents are scaled principal components, and rounding them is all that is lost."""
        images = smooth_images(rng, 2)
        position = np.float32([0.3, 1.0])
        latents = np.asarray(model.encoder.predict([images / np.float32(255), position], verbose=0))
        kernel = np.asarray(model.encoder.get_layer("klt").kernel)
        np.testing.assert_allclose(kernel.T @ kernel, np.eye(24), atol=1e-4)
        blocks = images.reshape(2, 4, 16, 4, 16, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 4, -1)
        step = np.sqrt(26 / lambda_of_position(position))[:, None, None, None]
        coefficients = (blocks - 127.5) @ kernel
        np.testing.assert_allclose(latents, coefficients / step, atol=2e-3)
        _, outputs = model.estimate(images, position)
        rounded = (np.round(coefficients / step) * step) @ kernel.T + 127.5
        expected = np.clip(rounded, 0, 255).reshape(2, 4, 4, 16, 16, 3).transpose(0, 1, 3, 2, 4, 5)
        assert np.mean(np.abs(outputs - expected.reshape(images.shape)) > 1) < 0.01

    def test_any_size_is_estimated(self, model, rng):
        images = smooth_images(rng, 2, 128)[:, :70, :100]
        bits, outputs = model.estimate(images, 0.8)
        assert outputs.shape == images.shape
        assert bits.shape == (2,)
        assert np.all(bits > 0)

    def test_higher_qualities_take_more_bits_and_err_less(self, model, rng):
        images = smooth_images(rng, 2)
        bits, errors = [], []
        for position in (0.0, 0.5, 1.0):
            rate, outputs = model.estimate(images, position)
            bits.append(rate.mean())
            errors.append(np.mean(np.square(outputs - images.astype(float))))
        assert bits == sorted(bits)
        assert errors == sorted(errors, reverse=True)

    def test_the_loss_is_rate_and_distortion_with_one_weight_a_crop(self, model, rng):
        images = smooth_images(rng, 3).astype("float32") / 255
        position = np.float32([0, 0.4, 1])
        model.compile(loss="mse", jit_compile=False)
        loss = model.test_on_batch([images, position], images, sample_weights(position))
        latents, _ = model.analyse(ops.convert_to_tensor(images), ops.convert_to_tensor(position))
        _, bits = model.entropy_model.code(latents, ops.convert_to_tensor(position))
        outputs = model.predict([images, position], verbose=0)
        errors = np.mean(np.square(outputs - images), axis=(1, 2, 3))
        scale = lambda_of_position(position) * 255**2
        costs = loss_weight(position) * (np.asarray(bits) / 64**2 + scale * errors)
        assert float(loss) == pytest.approx(costs.mean(), rel=1e-4)

    def test_every_weight_learns(self, model, rng):
        images = smooth_images(rng, 4).astype("float32") / 255
        position = np.float32([0, 0.4, 0.7, 1])
        batch = [images, position], images, sample_weights(position)
        model.compile(Muon(5e-3), loss="mse", jit_compile=False)
        first = float(model.test_on_batch(*batch))
        for _ in range(80):
            model.train_on_batch(*batch)
        model.reset_metrics()
        assert float(model.test_on_batch(*batch)) < first
        before = [np.asarray(weight).copy() for weight in model.trainable_weights]
        model.train_on_batch(*batch)
        for weight, old in zip(model.trainable_weights, before, strict=True):
            assert np.isfinite(np.asarray(weight)).all(), weight.path
            assert np.any(np.asarray(weight) != old), weight.path

    def test_a_saved_model_gives_the_same(self, model, rng, tmp_path):
        shaken(model, rng).save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.get_config() == model.get_config()
        assert loaded.entropy_model.gain is loaded.encoder.get_layer("gain")
        images = smooth_images(rng, 2)
        for first, second in zip(
            model.estimate(images, 0.6), loaded.estimate(images, 0.6), strict=True
        ):
            np.testing.assert_array_equal(first, second)

    def test_half_precision_is_for_products_alone(self, model, rng):
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            half = photo(**TINY)
        finally:
            keras.config.set_dtype_policy("float32")
        half.set_weights(shaken(model, rng).get_weights())
        assert {weight.dtype for weight in half.trainable_weights} == {"float32"}
        images = smooth_images(rng, 2)
        rates = [m.estimate(images, 1.0)[0] for m in (model, half)]
        np.testing.assert_allclose(*rates, rtol=0.03)

    def test_the_published_size_has_2_4_million_parameters(self):
        assert photo().parameter_count == 2_421_568

    @pytest.mark.parametrize(
        "changes",
        [
            {"image_shape": (96, 64, 3)},
            {"image_shape": (64, 64, 1)},
            {"blocks": 0},
            {"latent_channels": 769},
        ],
    )
    def test_bad_arguments_are_refused(self, changes):
        with pytest.raises(ValueError, match=r"must be|takes colour"):
            photo(**{**TINY, **changes})
