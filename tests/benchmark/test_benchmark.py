import time

import keras
import numpy as np
import pytest
from conftest import require_backend, run_here

from ae_keras.benchmark import codec, layers, roofline, training
from ae_keras.benchmark.timing import Alternative, compare, take_turns
from ae_keras.layers import GroupedConv2D
from ae_keras.registry import build_model


def test_take_turns_alternates_after_a_warm_up():
    calls = []
    names = {name: Alternative(lambda name=name: calls.append(name), 1) for name in "ab"}
    seconds = take_turns(names, rounds=2)
    assert "".join(calls) == "ab" + "aabb" * 2
    assert [times.shape for times in seconds.values()] == [(2,), (2,)]


def test_take_turns_measures_the_time_of_one_step():
    alternatives = {
        "short": Alternative(lambda: None, 1),
        "long": Alternative(lambda: time.sleep(0.04), 2),
    }
    seconds = take_turns(alternatives, rounds=2)
    assert seconds["short"].max() < 0.02 <= seconds["long"].min() < 0.04


def test_no_rounds_are_refused():
    with pytest.raises(ValueError, match="`rounds` must be at least 1"):
        take_turns({}, rounds=0)


def test_compare_takes_the_ratio_within_a_round():
    # A machine that is ten times slower in the second round changes nothing.
    seconds = {"ae-keras": np.array([1.0, 10.0]), "other": np.array([2.0, 20.0])}
    assert [row[2] for row in compare(seconds)] == ["1.00", "2.00"]


@pytest.mark.thorough
def test_training_is_compared_with_plain_keras():
    rows = training.benchmark_training("cae", batch_size=16, steps=2, rounds=1)
    assert [row[0] for row in rows][:2] == ["ae-keras", "Keras fit, its defaults"]
    assert all(float(row[1].replace(",", "")) > 0 for row in rows)


@pytest.mark.parametrize("name", ["vae_v1", "vae_v2"])
def test_the_model_with_groups_of_keras_is_the_same_model(name, rng):
    model = build_model(name)
    native = training.with_native_groups(model)
    native.set_weights(model.get_weights())
    images = rng.random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(native(images), model(images), atol=1e-5)


def test_every_grouped_layer_is_measured():
    rows = layers.benchmark_layers("vae_v2", batch_size=2, rounds=1, steps=1)
    assert [row[0] for row in rows] == [
        "convolution 6x6, 1 groups, 32x32x3 to 16x16x12",
        "convolution 4x4, 4 groups, 16x16x12 to 9x9x40",
        "convolution 3x3, 8 groups, 9x9x40 to 5x5x128",
        "convolution 3x3, 8 groups, 9x9x40 to 5x5x128",
        "transposed 3x3, 8 groups, 5x5x128 to 9x9x40",
        "transposed 4x4, 4 groups, 9x9x40 to 16x16x12",
        "transposed 6x6, 1 groups, 16x16x12 to 32x32x3",
    ]
    assert all(float(number) > 0 for row in rows for number in row[1:])


def test_the_roofline_has_each_kind_of_layer_once_then_product_and_copy():
    rows = roofline.roofline(["vae_v2"], batch_size=32, rounds=1, steps=1)
    assert len(rows) == 6 + 2  # those of mean and of variance are alike
    assert all(float(row[1]) > 0 and float(row[2]) > 0 for row in rows[:-2])
    *_, product, copy = rows
    assert product[3:] == ("1.00", "", "")
    assert (copy[2:4], copy[5]) == (("", ""), "1.00")


def test_operations_and_bytes_of_a_layer_are_counted_exactly():
    """Of the 2x2 taps of a kernel, 3 pixels with one zero on each side meet 6 of 8 an axis."""
    layer = GroupedConv2D(6, 2, padding=1, groups=2)
    layer(keras.Input((3, 3, 4)))
    multiplications = 5 * 6 * 6 * 4 * 6 // 2  # images, pixels of both axes, channels in groups
    assert roofline.count_operations(layer, batch_size=5) == 3 * 2 * multiplications
    numbers = 5 * (3 * 3 * 4 + 4 * 4 * 6) + (2 * 2 * 2 * 6 + 6)
    assert roofline.count_bytes(layer, batch_size=5) == 2 * 4 * numbers


@pytest.mark.parametrize("name", ["cae", "vae_v1", "vae_v2"])
def test_models_of_torch_have_as_many_parameters(name):
    require_backend("torch")
    from ae_keras.benchmark.torch_models import LOSSES

    expected = sum(int(np.prod(weight.shape)) for weight in build_model(name).trainable_weights)
    assert sum(weight.numel() for weight in LOSSES[name]().parameters()) == expected


def test_codec_benchmark_measures_both_directions():
    rows = dict(codec.benchmark_codec("cae-cifar10", rounds=1))
    assert len(rows) == 7
    assert 0 < float(rows["bytes above the tables' entropy"].removesuffix(" %")) < 0.5
    assert float(rows["compress 768x512 pixels [ms]"]) > 0
    assert 0 < float(rows["entropy decoding in it"].removesuffix(" %")) < 100


def test_the_command_prints_the_roofline_of_both_models(monkeypatch, capsys):
    def measure(models, batch_size, rounds):
        return [(f"{models} {batch_size} {rounds}", "1", "2", "3", "4", "5")]

    monkeypatch.setattr(roofline, "roofline", measure)
    status, stdout, stderr = run_here(monkeypatch, capsys, "benchmark.py", "roofline")
    assert (status, stderr) == (0, "")
    assert stdout.startswith("vae_v1, vae_v2, batch 128, medians of 11 rounds\n\n| layer, ")
    assert "| ['vae_v1', 'vae_v2'] 128 11 " in stdout
