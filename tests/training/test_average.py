"""The moving average of the weights."""

import dataclasses

import numpy as np

import ae_keras
from ae_keras.data.images import Images
from ae_keras.runs.folder import RunFolder
from ae_keras.training.average import averaged
from ae_keras.training.compilation import compile_model


def fit(model, images, steps):
    """Train step by step, and return the trained weights after each."""
    weights = []
    for _ in range(steps):
        model.fit(images, images, batch_size=len(images), epochs=1, verbose=0)
        weights.append([np.array(variable) for variable in model.trainable_variables])
    return weights


def test_average_is_that_of_a_loop_and_training_goes_on_from_the_weights(tiny_recipe, rng):
    images = rng.random((8, 16, 16, 3), np.float32)
    data = Images(np.uint8(255 * images))
    model = compile_model(dataclasses.replace(tiny_recipe, average=0.8), data)
    plain = compile_model(tiny_recipe, data)
    weights, expected = fit(model, images, 12), fit(plain, images, 12)
    for ours, theirs in zip(weights[-1], expected[-1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    average = weights[0]
    for step, new in enumerate(weights[1:], start=1):
        kept = min(0.8, (1 + step) / (10 + step))
        average = [kept * a + (1 - kept) * b for a, b in zip(average, new, strict=True)]
    with averaged(model):
        for variable, value in zip(model.trainable_variables, average, strict=True):
            np.testing.assert_allclose(np.array(variable), value, atol=1e-6)
    for variable, value in zip(model.trainable_variables, weights[-1], strict=True):
        np.testing.assert_array_equal(np.array(variable), value)


def test_average_is_what_is_validated_and_saved(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, average=0.9)
    ae_keras.train(recipe, tmp_path / "averaged", verbose=0)
    ae_keras.train(tiny_recipe, tmp_path / "plain", verbose=0)
    averaged_run, plain = (RunFolder(tmp_path / name) for name in ("averaged", "plain"))
    losses, validated = (
        [[row[name] for row in run.history] for run in (averaged_run, plain)]
        for name in ("loss", "val_loss")
    )
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)  # the same training
    assert not np.allclose(validated[0], validated[1], rtol=1e-4)
    first, second = (ae_keras.load(run.path).get_weights() for run in (averaged_run, plain))
    assert any(not np.allclose(a, b, atol=1e-4) for a, b in zip(first, second, strict=True))
