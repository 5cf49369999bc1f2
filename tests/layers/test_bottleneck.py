"""Quantization noise and sampling, by their statistics and by the loss that they add."""

import keras
import numpy as np
import pytest

from ae_keras.layers import QuantizationNoise, Sampling


class TestQuantizationNoise:
    @pytest.mark.parametrize("step", [0.5, 1, 4.0])
    def test_noise_is_uniform_and_as_wide_as_the_step(self, step):
        inputs = np.full((100, 1000), 3, np.float32)
        noise = np.asarray(QuantizationNoise(step, seed=1)(inputs, training=True)) - 3
        assert np.abs(noise).max() <= step / 2 + 1e-5
        # Of 100,000 draws: mean 0, variance step^2 / 12, each tenth as often.
        assert noise.mean() == pytest.approx(0, abs=0.005 * step)
        assert noise.var() == pytest.approx(step**2 / 12, rel=0.02)
        counts, _ = np.histogram(noise, bins=10, range=(-step / 2, step / 2))
        np.testing.assert_allclose(counts, noise.size / 10, rtol=0.05)

    def test_there_is_none_at_inference(self, rng):
        inputs = rng.random((3, 4), np.float32)
        np.testing.assert_array_equal(QuantizationNoise()(inputs), inputs)

    def test_the_seed_decides(self):
        inputs = np.zeros((2, 5), np.float32)
        first, again, other = (
            np.asarray(QuantizationNoise(seed=seed)(inputs, training=True)) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert np.any(first != other)

    def test_each_call_draws_anew(self):
        layer = QuantizationNoise(seed=1)
        inputs = np.zeros((2, 5), np.float32)
        assert np.any(layer(inputs, training=True) != layer(inputs, training=True))

    @pytest.mark.parametrize("step", [0, -1, True, "1"])
    def test_a_bad_step_is_refused(self, step):
        with pytest.raises(ValueError, match="`step` must be a number > 0"):
            QuantizationNoise(step)


def inputs_for(mean, log_variance, shape=(200, 500)):
    return [np.full(shape, value, np.float32) for value in (mean, log_variance)]


class TestSampling:
    def test_samples_have_mean_and_variance_that_were_asked(self):
        samples = Sampling(pixels=1, seed=1)(inputs_for(2.0, np.log(9.0)), training=True)
        assert np.mean(samples) == pytest.approx(2, abs=0.05)
        assert np.std(samples) == pytest.approx(3, rel=0.02)

    def test_inference_gives_the_mean(self, rng):
        mean, log_variance = rng.random((2, 3, 4), np.float32)
        np.testing.assert_array_equal(Sampling(pixels=1)([mean, log_variance]), mean)

    @pytest.mark.parametrize("training", [False, True])
    def test_the_loss_is_the_weighted_divergence_of_a_pixel(self, training, rng):
        mean, log_variance = rng.standard_normal((2, 5, 3, 3, 2)).astype(np.float32)
        layer = Sampling(pixels=64, kl_weight=0.01)
        layer([mean, log_variance], training=training)
        # Of N(m, v) from N(0, 1) in nats, added up over the latent of an image.
        divergence = (mean**2 + np.exp(log_variance) - 1 - log_variance).sum((1, 2, 3)) / 2
        assert float(layer.losses[0]) == pytest.approx(0.01 * divergence.mean() / 64, rel=1e-5)

    def test_the_divergence_agrees_with_an_estimate_from_samples(self):
        mean, variance = 0.7, 0.3
        layer = Sampling(pixels=1, kl_weight=1.0, seed=0)
        samples = np.asarray(layer(inputs_for(mean, np.log(variance)), training=True))
        inside = -((samples - mean) ** 2) / (2 * variance) - np.log(variance) / 2
        estimate = (inside + samples**2 / 2).sum(axis=1).mean()
        assert float(layer.losses[0]) == pytest.approx(estimate, rel=0.02)

    def test_a_warm_up_weakens_training_and_not_validation(self):
        layer = Sampling(pixels=1, kl_weight=1.0)
        inputs = inputs_for(1.0, 0.0, (1, 4))
        layer.build([(None, 4), (None, 4)])
        losses = []
        for share, training in ((1.0, True), (0.25, True), (0.25, False)):
            layer.warmup.assign(share)
            layer(inputs, training=training)
            losses.append(float(layer.losses[-1]))
        assert losses == pytest.approx([2, 0.5, 2])

    @pytest.mark.parametrize("extreme", [-1e4, 1e4])
    def test_extreme_variances_stay_finite(self, extreme):
        layer = Sampling(pixels=1)
        assert np.isfinite(layer(inputs_for(0.0, extreme), training=True)).all()
        assert np.isfinite(layer.losses[0])

    def test_half_precision_sums_in_float32(self):
        layer = Sampling(pixels=1, kl_weight=1.0, dtype="mixed_float16")
        outputs = layer(inputs_for(10.0, 0.0, (1, 10_000)), training=True)
        assert keras.backend.standardize_dtype(outputs.dtype) == "float16"
        assert float(layer.losses[0]) == pytest.approx(500_000)  # above what float16 holds

    @pytest.mark.parametrize("arguments", [{"pixels": 0}, {"pixels": 4, "kl_weight": -1}])
    def test_bad_arguments_are_refused(self, arguments):
        with pytest.raises(ValueError, match="must be a number > 0"):
            Sampling(**arguments)


def test_both_are_saved_with_a_model(tmp_path, rng):
    inputs = keras.Input((4,))
    noisy = QuantizationNoise(0.5, seed=3)(inputs)
    outputs = Sampling(pixels=9, kl_weight=0.1, seed=4)([noisy, noisy])
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(model.layers, loaded.layers, strict=True):
        assert ours.get_config() == theirs.get_config()
    images = rng.random((2, 4), np.float32)
    np.testing.assert_array_equal(loaded(images, training=True), model(images, training=True))
