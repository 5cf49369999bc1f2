"""Grouped convolutions against a loop in NumPy, against Keras's own and against PyTorch's."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from conftest import require_backend
from keras import ops

import ae_keras
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose

# groups, channels of a group in the big and in the small image, size of the input, kernel,
# stride, padding.
CONVOLUTIONS = [
    # the layers of vae_v1
    (1, 3, 12, (32, 32), 4, 2, 1),
    (4, 3, 12, (16, 16), 4, 2, 1),
    (16, 3, 12, (8, 8), 4, 2, 1),
    (64, 3, 12, (4, 4), 4, 2, 1),
    # the layers of vae_v2
    (1, 3, 12, (32, 32), 6, 2, 2),
    (4, 3, 10, (16, 16), 4, 2, 2),
    (8, 5, 16, (9, 9), 3, 2, 1),
    # others: odd sizes, one number for height and one for width, no stride, no overlap
    (2, 3, 2, (7, 10), 3, 2, 0),
    (3, 2, 4, (11, 9), 5, 3, 2),
    (1, 4, 2, (13, 8), 3, 1, 1),
    (2, 1, 1, (6, 9), (2, 3), (2, 3), 0),
    (2, 2, 3, (5, 7), (1, 4), (2, 1), (0, 2)),
    (4, 1, 2, (21, 17), 2, 3, 1),
    (2, 3, 4, (11, 12), 7, 3, 5),
]
TRANSPOSED = [
    (64, 3, 12, (2, 2), 4, 2, 1),
    (16, 3, 12, (4, 4), 4, 2, 1),
    (4, 3, 12, (8, 8), 4, 2, 1),
    (1, 3, 12, (16, 16), 4, 2, 1),
    (8, 5, 16, (5, 5), 3, 2, 1),
    (4, 3, 10, (9, 9), 4, 2, 2),
    (1, 3, 12, (16, 16), 6, 2, 2),
    (2, 3, 2, (7, 10), 3, 2, 0),
    (3, 2, 4, (11, 9), 5, 3, 2),
    (1, 4, 2, (13, 8), 3, 1, 1),
    (2, 1, 1, (6, 9), (2, 3), (2, 3), 0),
    (2, 2, 3, (5, 7), (1, 4), (2, 1), (0, 2)),
    (4, 1, 2, (21, 17), 2, 3, 0),
    (2, 3, 4, (3, 4), 7, 3, 5),
]


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def connections(big, small, kernel, stride, padding):
    """Yield (pixel of the big image, pixel of the small image, tap), over both axes."""
    for small_pixel in np.ndindex(*small):
        for tap in np.ndindex(*kernel):
            big_pixel = tuple(np.multiply(small_pixel, stride) - padding + tap)
            if all(0 <= pixel < size for pixel, size in zip(big_pixel, big, strict=True)):
                yield big_pixel, small_pixel, tap


def loop(images, kernel, groups, big, small, stride, padding, transposed):
    """Add up a grouped convolution, or its transpose, one connection after the other."""
    channels = (kernel.shape[2], kernel.shape[3] // groups)
    size, maps = (big, channels[0]) if transposed else (small, channels[1])
    outputs = np.zeros((len(images), *size, groups, maps))
    images = images.reshape(*images.shape[:3], groups, -1)
    weights = kernel.reshape(*kernel.shape[:3], groups, -1)
    for (y, x), (v, u), tap in connections(big, small, kernel.shape[:2], stride, padding):
        if transposed:
            outputs[:, y, x] += np.einsum("ngs,bgs->ngb", images[:, v, u], weights[tap])
        else:
            outputs[:, v, u] += np.einsum("ngb,bgs->ngs", images[:, y, x], weights[tap])
    return outputs.reshape(len(images), *size, groups * maps)


def make(case, transposed, rng, batch=3):
    """Return a layer with random weights, images for it, and the shape of its images."""
    groups, big, small, size, kernel, stride, padding = case
    make_layer = GroupedConv2DTranspose if transposed else GroupedConv2D
    layer = make_layer(
        groups * (big if transposed else small), kernel, stride, padding, groups=groups
    )
    channels = groups * (small if transposed else big)
    layer.build((None, *size, channels))
    layer.set_weights([rng.standard_normal(weight.shape) for weight in layer.weights])
    return layer, rng.standard_normal((batch, *size, channels)).astype("float32")


def expected(case, transposed, layer, images):
    groups, _, _, size, kernel, stride, padding = case
    other = layer.compute_output_shape(images.shape)[1:3]
    big, small = (other, size) if transposed else (size, other)
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer.weights)
    return bias + loop(images, kernel, groups, big, small, pair(stride), pair(padding), transposed)


CASES = [(case, False) for case in CONVOLUTIONS] + [(case, True) for case in TRANSPOSED]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("unknown_size", [False, True])
@pytest.mark.parametrize(("case", "transposed"), CASES)
def test_the_output_is_that_of_a_loop(case, transposed, training, unknown_size, rng):
    layer, images = make(case, transposed, rng)
    target = expected(case, transposed, layer, images)
    if unknown_size:
        inputs = keras.Input((None, None, images.shape[-1]))
        layer = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(layer(images, training=training), target, atol=1e-3, rtol=1e-4)


def gradients(layer, images, direction, training):
    import tensorflow as tf

    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = layer(images, training=training)
        product = tf.reduce_sum(outputs * direction)
    return [np.asarray(g) for g in tape.gradient(product, [images, layer.kernel.value])]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("case", "transposed"), CASES)
def test_gradients_are_those_of_a_loop(case, transposed, training, rng):
    """The layer is linear in images and in kernel, so a loop gives the products with both."""
    groups, _, _, size, _, stride, padding = case
    layer, images = make(case, transposed, rng)
    other = layer.compute_output_shape(images.shape)
    direction = rng.standard_normal((len(images), *other[1:])).astype("float32")
    to_images, to_kernel = gradients(layer, images, direction, training)

    big, small = (other[1:3], size) if transposed else (size, other[1:3])
    strides = (groups, big, small, pair(stride), pair(padding))
    kernel = np.asarray(layer.kernel, np.float64)
    adjoint = loop(direction, kernel, *strides, not transposed)
    np.testing.assert_allclose(to_images, adjoint, atol=1e-3, rtol=1e-4)
    change = rng.standard_normal(kernel.shape)
    moved = loop(images, change, *strides, transposed)
    assert np.sum(to_kernel * change) == pytest.approx(np.sum(moved * direction), rel=1e-3, abs=0.1)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("groups", "size", "kernel", "stride"),
    [(1, (9, 12), 4, 2), (2, (9, 12), 4, 2), (2, (8, 8), 3, 2), (4, (5, 7), (2, 3), 1)],
)
def test_the_convolution_is_that_of_keras(groups, size, kernel, stride, padding, rng):
    images = rng.standard_normal((2, *size, 8)).astype("float32")
    ours = GroupedConv2D(12, kernel, stride, padding, groups, activation="relu")
    theirs = keras.layers.Conv2D(12, kernel, stride, padding, groups=groups, activation="relu")
    outputs = ours(images)
    theirs.build(images.shape)
    theirs.set_weights(ours.get_weights())
    assert ours.compute_output_shape(images.shape) == tuple(outputs.shape)
    np.testing.assert_allclose(outputs, theirs(images), atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("unknown_size", [False, True])
@pytest.mark.parametrize(
    ("padding", "output_padding"), [("valid", None), ("valid", 1), ("same", None)]
)
@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (3, 2), (2, 3), ((3, 5), 2)])
def test_one_transposed_group_is_that_of_keras(
    kernel, stride, padding, output_padding, unknown_size, training, rng
):
    images = rng.standard_normal((2, 6, 5, 4)).astype("float32")
    ours = GroupedConv2DTranspose(3, kernel, stride, padding, output_padding=output_padding)
    inputs = keras.Input((None, None, 4) if unknown_size else images.shape[1:])
    outputs = keras.Model(inputs, ours(inputs))(images, training=training)
    theirs = keras.layers.Conv2DTranspose(3, kernel, stride, padding)
    theirs.build(images.shape)
    theirs.set_weights(ours.get_weights())
    expected = np.asarray(theirs(images))
    if padding == "valid":
        # Keras fills up with zeros to `stride` pixels for each pixel; ours has as many as asked.
        height, width = (
            (size - 1) * stride + taps + (output_padding or 0)
            for size, taps in zip((6, 5), pair(kernel), strict=True)
        )
        expected = np.pad(expected, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, :height, :width]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert ours.compute_output_shape(images.shape) == expected.shape


@pytest.mark.parametrize(("case", "transposed"), CASES)
def test_the_output_is_that_of_torch(case, transposed, rng):
    require_backend("torch")
    import torch

    groups, _, _, _, _, stride, padding = case
    layer, images = make(case, transposed, rng)
    kernel, bias = (torch.from_numpy(np.array(weight)) for weight in layer.weights)
    # PyTorch has (filters, channels of a group) for a convolution, and (channels, maps of a
    # group) for a transposed one: both are our last axis before the one before it.
    convolve = torch.nn.functional.conv_transpose2d if transposed else torch.nn.functional.conv2d
    outputs = convolve(
        torch.from_numpy(images.transpose(0, 3, 1, 2)),
        kernel.permute(3, 2, 0, 1),
        bias,
        stride,
        padding,
        groups=groups,
    )
    np.testing.assert_allclose(layer(images), outputs.permute(0, 2, 3, 1), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("layer_class", [GroupedConv2D, GroupedConv2DTranspose])
def test_a_saved_layer_computes_the_same(layer_class, rng, tmp_path):
    model = keras.Sequential(
        [keras.Input((6, 6, 8)), layer_class(4, (3, 4), 2, (1, 0), 2, activation="relu")]
    )
    images = rng.standard_normal((2, 6, 6, 8)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert loaded.layers[0].get_config() == model.layers[0].get_config()


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("layer_class", [GroupedConv2D, GroupedConv2DTranspose])
@pytest.mark.parametrize("size", [4, 12])
def test_mixed_precision_computes_in_half_the_bits(layer_class, size, training, dtype, rng):
    images = rng.random((2, size, size, 8), np.float32)
    half = layer_class(8, 4, 2, 1, 4, dtype=dtype)
    outputs = half(images, training=training)
    full = layer_class(8, 4, 2, 1, 4)
    full.build(images.shape)
    full.set_weights(half.get_weights())
    assert keras.backend.standardize_dtype(outputs.dtype) == half.compute_dtype
    assert half.kernel.dtype == "float32"
    np.testing.assert_allclose(ops.cast(outputs, "float32"), full(images), atol=0.03)


@pytest.mark.parametrize("name", ["vae_v1", "vae_v2"])
def test_export_to_litert_needs_no_operation_of_tensorflow(name, rng, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    model = ae_keras.build_model(name)
    images = rng.random((3, 32, 32, 3), np.float32)
    path = str(tmp_path / "model.tflite")
    model.export(path, format="litert", verbose=False)
    interpreter = Interpreter(path)  # which knows no others
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, images)
    interpreter.invoke()
    outputs = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(outputs, model(images), atol=1e-5)


def test_training_works_where_tensorflow_cannot_differentiate_groups(tmp_path):
    """As on machines where TensorFlow does not use oneDNN."""
    code = (
        "import numpy as np, keras, ae_keras\n"
        "from ae_keras.layers import tensorflow_convolution\n"
        "print(tensorflow_convolution.is_available('float32'))\n"
        "model = ae_keras.build_model('vae_v2')\n"
        "model.compile('adam', 'mse', jit_compile=False)\n"
        "images = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)\n"
        "print(np.isfinite(model.fit(images, images, verbose=0).history['loss'][0]))\n"
    )
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("layer_class", [GroupedConv2D, GroupedConv2DTranspose])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": 3}, "groups=3, filters=8"),
        ({"groups": 0}, "groups=0"),
        ({"padding": -1}, "whole numbers >= 0"),
        ({"padding": (1, 2, 3)}, "whole numbers >= 0"),
        ({"padding": "full"}, "'valid', 'same'"),
        ({"dilation_rate": 2}, "`dilation_rate` 1"),
        ({"data_format": "channels_first"}, "channels_last"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(layer_class, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_class(8, 3, **arguments)


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="divisible"):
        GroupedConv2DTranspose(8, 3, groups=2).build((None, 4, 4, 5))
    with pytest.raises(ValueError, match="does not fit"):
        GroupedConv2D(8, 5, padding=1).build((None, 2, 2, 4))
    with pytest.raises(ValueError, match="leaves nothing"):
        GroupedConv2DTranspose(8, 2, padding=1).build((None, 1, 1, 4))
    with pytest.raises(ValueError, match="known size"):
        GroupedConv2D(8, 3, 2, "same").build((None, None, 8, 4))
