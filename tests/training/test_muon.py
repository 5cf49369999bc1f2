"""Muon for the kernels of dense layers, Adam for all else."""

import keras
import numpy as np
import pytest

from ae_keras.models.hyperprior import photo
from ae_keras.training.muon import Muon, orthogonalize


def test_singular_values_become_about_one(rng):
    matrices = rng.normal(size=(3, 20, 50)).astype("float32")
    for dtype in ("float32", "bfloat16"):
        found = np.asarray(orthogonalize(matrices, dtype))
        values = np.linalg.svd(found, compute_uv=False)
        assert values.min() > 0.6
        assert values.max() < 1.25
    left, _, right = np.linalg.svd(matrices[0], full_matrices=False)
    expected, exact = left @ right, np.asarray(orthogonalize(matrices, "float32"))[0]
    assert np.sum(expected * exact) > 0.97 * np.linalg.norm(exact) * np.linalg.norm(expected)


def test_it_takes_the_kernels_of_dense_layers_but_not_the_linear_transform():
    model = photo(filters=8, blocks=2, latent_channels=24, hyper_filters=8, features=12)
    optimizer = Muon()
    taken = {v.path for v in model.trainable_variables if optimizer.takes(v)}
    kinds = {path.split("/")[-2] for path in taken}
    assert kinds == {
        "encoder_first", "encoder_last", "decoder_first", "decoder_last", "first", "second", "last",
        "head", "mix_in", "mix_out", "widen", "narrow",
    }  # fmt: skip
    assert all(path.endswith("/kernel") for path in taken)
    others = {v.path for v in model.trainable_variables} - taken
    names = {path.split("/")[-1] for path in others}
    assert names == {
        "bias", "kernel", "gains", "scales", "shifts", "hyper_gains", "hyper_means", "hyper_scales",
    }  # fmt: skip
    kernels = {path.split("/")[-2] for path in others if path.endswith("/kernel")}
    assert kernels == {"depthwise", "klt", "inverse_klt"}


def tiny_model():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(units) for units in (6, 4, 6)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(Muon(1e-2, product_dtype="float32"), loss="mse", jit_compile=False)
    return model


def test_a_first_update_has_the_size_that_it_should(rng):
    """Of Muon, singular values of the learning rate; of Adam, the learning rate itself."""
    model = tiny_model()
    before = [np.asarray(weight).copy() for weight in model.trainable_weights]
    model.train_on_batch(*rng.normal(size=(2, 8, 4)).astype("float32")[:1], rng.random((8, 6)))
    for weight, old in zip(model.trainable_weights, before, strict=True):
        change = np.asarray(weight) - old
        if weight.name == "bias":
            np.testing.assert_allclose(np.abs(change), 1e-3, rtol=1e-2)
            continue
        scale = max(1, change.shape[1] / change.shape[0]) ** 0.5
        largest = np.linalg.svd(change, compute_uv=False)[0] / scale
        assert 0.6e-2 < largest < 1.3e-2


def test_its_state_goes_on_after_loading(rng, tmp_path):
    inputs, targets = rng.random((8, 4)), rng.random((8, 6))
    model = tiny_model()
    for _ in range(3):
        model.train_on_batch(inputs, targets)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for each in (model, loaded):
        each.train_on_batch(inputs, targets)
    for first, second in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_weight_decay_is_refused():
    with pytest.raises(ValueError, match="`weight_decay` is not taken"):
        Muon(weight_decay=0.1)
