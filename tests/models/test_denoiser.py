"""The denoiser: what a bias-free network of residuals is known by, and that it learns."""

import keras
import numpy as np
import pytest
from conftest import SMALL, smooth_images

import ae_keras
from ae_keras.data.images import Images
from ae_keras.data.pipeline import Pipeline
from ae_keras.runs.loading import load_model
from ae_keras.training.compilation import compile_model


def build(shape=(None, None, 3), seed=0, **arguments):
    """A denoiser whose last layer, which begins as zeros, does something."""
    keras.utils.set_random_seed(seed)
    model = ae_keras.build_model("denoiser", image_shape=shape, **SMALL["denoiser"] | arguments)
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if not np.any(weight):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    return model


def test_parameters_are_those_of_the_description():
    model = ae_keras.build_model("denoiser")
    # Four Dense kernels, two of them twice as wide, and one of 3x3 for each channel.
    blocks = sum(count * (6 * size**2 + 9 * size) for count, size in [(2, 48), (4, 96), (4, 128)])
    changes_of_size = 12 * 48 + 4 * 48 * 96 + 4 * 96 * 128
    assert model.parameter_count == blocks + 2 * changes_of_size
    assert len(model.weights) == len(model.trainable_weights)
    assert all(len(weight.shape) > 1 for weight in model.weights)  # no biases
    assert model.multiple == 8


def test_an_untrained_model_changes_nothing(rng):
    images = rng.random((2, 16, 24, 3), np.float32)
    model = ae_keras.build_model("denoiser", **SMALL["denoiser"])
    np.testing.assert_array_equal(model(images), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_it_scales_and_takes_any_size(channels, rng):
    model = build((None, None, channels))
    for size in ((16, 16), (8, 40)):
        images = rng.random((2, *size, channels), np.float32)
        cleaned = np.asarray(model(images, training=True))
        assert np.abs(cleaned - images).max() > 0.05
        for factor in (0.25, 3.0):
            scaled = model(factor * images, training=True)
            np.testing.assert_allclose(scaled, factor * cleaned, atol=1e-5)


def test_only_inference_clips(rng):
    model, images = build(), rng.random((2, 16, 16, 3), np.float32)
    images = np.rint(images)  # at the limits, so that half of the changes leave them
    free = np.asarray(model(images, training=True))
    assert free.min() < 0
    assert free.max() > 1
    np.testing.assert_array_equal(model(images), np.clip(free, 0, 1))


def test_keras_file_round_trip_is_exact(rng, tmp_path):
    model, images = build((16, 16, 3)), rng.random((2, 16, 16, 3), np.float32)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert (loaded.multiple, loaded.image_shape) == (8, (16, 16, 3))
    np.testing.assert_array_equal(loaded(images), model(images))


def test_half_precision_is_that_of_products_alone(rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = build()
    finally:
        keras.config.set_dtype_policy("float32")
    images = rng.random((2, 16, 16, 3), np.float32)
    outputs = np.asarray(mixed(images))
    assert outputs.dtype == np.float32
    assert all(weight.dtype == "float32" for weight in mixed.weights)
    np.testing.assert_allclose(outputs, build()(images), atol=0.02)


def test_it_learns_to_take_noise_away(rng):
    images = Images(smooth_images(rng, 64, 32, 32, 3))
    recipe = ae_keras.recipe_for(
        "denoiser", image_shape=(32, 32, 3), crops=None, steps_per_epoch=None, noise=0.2,
        precision="float32", epochs=10, batch_size=4, filters=(16, 16, 16), blocks=(1, 1, 1),
    )  # fmt: skip
    model = compile_model(recipe, images)
    batches = Pipeline(images, recipe.batch_spec)
    history = [
        model.fit(batches.training(epoch), shuffle=False, verbose=0).history["loss"][0]
        for epoch in range(10)
    ]
    (noisy, clean), *_ = batches.evaluation_arrays()
    assert history[-1] < history[0] / 2
    assert np.mean((model(noisy) - clean) ** 2) < np.mean((noisy - clean) ** 2) / 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_shape": (20, 16, 3)}, "divisible by 8"),
        ({"blocks": (1, 1)}, "one length"),
        ({"blocks": (1, 0, 1)}, "`blocks` must be"),
        ({"filters": 3}, "`filters` must be"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        ae_keras.build_model("denoiser", **arguments)


def test_it_is_for_denoising_alone():
    recipe = ae_keras.recipe_for("denoiser", task="reconstruction", noise=0.0)
    with pytest.raises(ValueError, match="'denoiser' is for denoising"):
        compile_model(recipe, Images(np.zeros((4, 96, 96, 3), np.uint8)))
