"""Layers in fixed point against Python's integers, and against the networks that were trained."""

import keras
import numpy as np
import pytest
from conftest import ROOT, make_hyperprior, shaken, smooth_images
from keras import ops

from ae_keras.codec.hyperprior.checkerboard import EVEN, ODD, add, columns, pick, place
from ae_keras.codec.hyperprior.conversion import convert
from ae_keras.codec.hyperprior.fixed_point import (
    LIMIT,
    Dense,
    Depthwise,
    depth_to_space,
    leaky_relu,
    pad,
)
from ae_keras.codec.hyperprior.levels import Level
from ae_keras.codec.hyperprior.networks import Networks
from ae_keras.codec.kinds import load_tables
from ae_keras.models.hyperprior import photo
from ae_keras.runs.loading import PRETRAINED

TINY = {
    "filters": 8, "blocks": 1, "latent_channels": 24, "hyper_filters": 8, "features": 12,
    "hyper_channels": 6,
}  # fmt: skip
SHIPPED_TABLES = sorted(PRETRAINED.glob("photo-*/entropy_tables.npz"))


def rounded(total):
    """Return `floor(total / 4096 + 1/2)`, clipped, of a Python integer."""
    return max(-(2**20), min(2**20, (total + 2048) // 4096))


def test_dense_is_exact(rng):
    kernel, bias = rng.integers(-(2**16), 2**16, (30, 4)), rng.integers(-(2**25), 2**25, 4)
    layer = Dense({"d/kernel": kernel, "d/bias": bias}, "d")
    activations = rng.integers(-(2**20), 2**20, (5, 30))
    expected = [
        [
            rounded(sum(int(a) * int(k) for a, k in zip(row, column, strict=True)) + int(shift))
            for column, shift in zip(kernel.T, bias, strict=True)
        ]
        for row in activations
    ]
    np.testing.assert_array_equal(layer(activations.astype(float)), expected)
    bound = max(
        sum(abs(int(k)) for k in column) * 2**20 + abs(int(shift) + 2048)
        for column, shift in zip(kernel.T, bias, strict=True)
    )
    assert layer.bound == bound


def test_depthwise_is_exact(rng):
    kernel, bias = rng.integers(-(2**14), 2**14, (3, 3, 2)), rng.integers(-(2**20), 2**20, 2)
    layer = Depthwise({"d/kernel": kernel, "d/bias": bias}, "d")
    maps = rng.integers(-(2**20), 2**20, (4, 6, 2))
    outputs = layer(pad(maps.astype(float)), range(4), range(6))
    for row in range(4):
        for column in range(6):
            for channel in range(2):
                total = int(bias[channel])
                for down in range(3):
                    for across in range(3):
                        place = row + down - 1, column + across - 1
                        if 0 <= place[0] < 4 and 0 <= place[1] < 6:
                            value = int(maps[(*place, channel)])
                            total += value * int(kernel[down, across, channel])
                assert outputs[row, column, channel] == rounded(total)
    some = layer(pad(maps.astype(float)), range(1, 2), range(1, 6, 2))
    np.testing.assert_array_equal(some, outputs[1:2, 1::2])


def test_leaky_relu_rounds_tenths():
    values = np.array([-25, -15, -14, -5, -1, 0, 1, 7], float)
    np.testing.assert_array_equal(leaky_relu(values), [-2, -1, -1, 0, 0, 0, 1, 7])


def test_depth_to_space_is_that_of_the_trained_layers(rng):
    from ae_keras.layers import DepthToSpace

    maps = rng.normal(size=(3, 4, 8))
    expected = ops.convert_to_numpy(DepthToSpace(2)(maps[np.newaxis]))[0]
    np.testing.assert_array_equal(depth_to_space(maps).astype(np.float32), expected)


def test_checkerboards_hold_each_place_once(rng):
    maps = rng.normal(size=(5, 6, 2))
    for first_row in (0, 1):
        copied, total = np.zeros_like(maps), np.zeros_like(maps)
        for parity in (EVEN, ODD):
            packed = pick(maps, parity, first_row)
            place(packed, copied, parity, first_row)
            add(packed, total, parity, first_row)
            for row in range(5):
                places = list(columns(6, first_row + row, parity))
                assert all((first_row + row + column) % 2 == parity for column in places)
                np.testing.assert_array_equal(packed[row], maps[row, places])
        np.testing.assert_array_equal(copied, maps)
        np.testing.assert_array_equal(total, maps)


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(0)
    model = photo(**TINY)
    rng = np.random.default_rng(1)
    model.adapt(smooth_images(rng, 40, 64, 64, 3))
    return shaken(model, rng, 0.1)


def test_the_preview_is_the_mean_of_squares_of_patches(trained):
    (patches,) = trained.decoder.get_layer("inverse_klt").get_weights()
    preview = convert(trained)["preview"].reshape(-1, 2, 2, 3)
    for row, column in np.ndindex(2, 2):
        square = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8)
        means = [patch.reshape(16, 16, 3)[square].mean(axis=(0, 1)) for patch in patches]
        np.testing.assert_allclose(preview[:, row, column], means, atol=1e-6)


@pytest.mark.parametrize("quality", [1, 40, 100])
def test_networks_are_near_the_trained_ones(trained, rng, quality):
    arrays, entropy_model = convert(trained), trained.entropy_model
    networks = Networks(
        {name[8:]: array for name, array in arrays.items() if name.startswith("weights/")}
    )
    names = ("hyper_step", "modulation_scale", "modulation_shift", "unit", "log_unit", "step")
    level = Level(
        **{name: arrays[f"levels/{name}"][quality - 1].astype(float) for name in names},
        hyper_mean=np.zeros(6),
        hyper_table=np.zeros(6),
    )
    position = np.array([(quality - 1) / 99], np.float32)
    hyper_latents = rng.integers(-6, 7, (3, 2, 6)).astype(np.float32)
    features, parameters = entropy_model.predict(hyper_latents[np.newaxis], position)
    ours = networks.features(hyper_latents.astype(float), level)
    # Activations are multiples of 1/256; some roundings in a row.
    np.testing.assert_allclose(ours / 256, ops.convert_to_numpy(features)[0], atol=0.04)
    np.testing.assert_allclose(
        networks.parameters(ours) / 256, ops.convert_to_numpy(parameters)[0], atol=0.04
    )
    known = np.zeros((12, 8, 24))
    even = rng.normal(size=(12, 4, 24)) * 3
    place(even, known, EVEN)
    corrections = entropy_model.context([features, known[np.newaxis].astype(np.float32)])
    expected = pick(ops.convert_to_numpy(parameters + corrections)[0], ODD)
    np.testing.assert_allclose(
        networks.corrected(ours, even, 0, range(12)) / 256, expected, atol=0.08
    )
    unit = entropy_model.log_deviation + entropy_model.gain.log_gain(position)
    mean, _ = entropy_model.moments(parameters, unit)
    means = networks.parameters(ours)[..., :24] * level.unit
    assert np.all(np.abs(means - ops.convert_to_numpy(mean)[0]) <= 0.04 * 256 * level.unit)


def test_the_context_sees_rows_above_and_below_in_any_strip(rng):
    model = make_hyperprior()
    networks, level = model._networks, model.level(50)
    features = networks.features(rng.integers(-3, 4, (3, 2, 5)).astype(float), level)
    even = rng.normal(size=(12, 4, 12)) * 5
    whole = networks.corrected(features, even, 0, range(12))
    part = networks.corrected(features[3:9], even[3:9], 3, range(4, 8))
    np.testing.assert_array_equal(part, whole[4:8])


@pytest.mark.parametrize("path", SHIPPED_TABLES, ids=lambda path: path.parent.name)
def test_no_sum_of_a_shipped_model_can_be_inexact(path):
    model = load_tables(path)
    assert 2**30 < model.bound < 2**53


def test_activations_are_clipped(rng):
    layer = Dense({"d/kernel": np.full((2, 1), 2**16), "d/bias": np.zeros(1)}, "d")
    values = np.array([[LIMIT, LIMIT], [-LIMIT, -LIMIT]])
    np.testing.assert_array_equal(layer(values), [[LIMIT], [-LIMIT]])


def test_there_is_a_shipped_model():
    assert SHIPPED_TABLES, f"no tables of a photo codec in {PRETRAINED.relative_to(ROOT)}"
