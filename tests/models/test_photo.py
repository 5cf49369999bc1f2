"""The photo codec's model: transform coder, rates, loss, files, and what callers ask of it."""

import keras
import numpy as np
import pytest
from conftest import shaken
from keras import ops

import ae_keras
from ae_keras.data.images import Images
from ae_keras.evaluation.reconstruction import measure
from ae_keras.layers.hyperprior import loss_weight
from ae_keras.models.hyperprior import photo, sample_weights
from ae_keras.runs.pictures import reconstruct
from ae_keras.system.quality import lambda_of_position
from ae_keras.training.muon import Muon
from ae_keras.training.preview import summarize

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


class TestWhatCallersAsk:
    def test_images_alone_are_of_quality_50(self, model, rng):
        images = rng.random((3, 64, 64, 3), np.float32)
        same, position = model.inputs_for(images)
        assert same is images
        np.testing.assert_array_equal(position, np.full(3, 49 / 99, np.float32))

    def test_a_quality_is_for_all_images_or_for_each(self, model, rng):
        images = rng.random((2, 64, 64, 3), np.float32)
        for quality, expected in [(1, [0, 0]), (100, [1, 1]), (np.array([1, 100]), [0, 1])]:
            _, position = model.inputs_for(images, quality=quality)
            np.testing.assert_array_equal(position, np.float32(expected))
        with pytest.raises(ValueError, match="`quality` must be from 1 to 100"):
            model.inputs_for(images, quality=0)

    def test_labels_are_refused(self, model, rng):
        images = rng.random((1, 64, 64, 3), np.float32)
        with pytest.raises(ValueError, match="'photo' takes no labels"):
            model.inputs_for(images, np.array([3]))
        with pytest.raises(ValueError, match="'photo' takes no labels"):
            ae_keras.build_model("photo", 10, **TINY)

    def test_others_refuse_a_quality_and_want_their_labels(self, rng):
        images, labels = rng.random((2, 28, 28, 1), np.float32), np.array([1, 2])
        plain, conditional = (ae_keras.build_model("mlp", classes) for classes in (None, 10))
        assert plain.inputs_for(images) is images
        assert conditional.inputs_for(images, labels)[1] is labels
        with pytest.raises(ValueError, match="takes no quality"):
            plain.inputs_for(images, quality=50)
        with pytest.raises(ValueError, match="needs labels"):
            conditional.inputs_for(images)

    def test_it_is_measured_and_shown_at_its_quality(self, model, rng):
        recipe = ae_keras.recipe_for("photo", image_shape=(64, 64, 3), batch_size=2, **TINY)
        data = Images(smooth_images(rng, 3))
        originals, outputs = reconstruct(model, data, recipe)
        np.testing.assert_array_equal(originals, data.images / np.float32(255))
        expected = model(model.inputs_for(originals, quality=50))
        np.testing.assert_allclose(outputs, expected, atol=1e-5)
        assert measure(model, data, recipe)["mse"] == pytest.approx(
            np.square(outputs - originals).mean(), rel=1e-4
        )

    def test_its_summary_says_what_its_latent_is(self):
        text = summarize(photo((128, 128, 3)))
        assert "latent  8x8x320: 20,480 values" in text
        assert "2.4 to images as float32" in text


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
