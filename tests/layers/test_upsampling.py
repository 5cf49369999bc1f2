import keras
import numpy as np
import pytest
from conftest import require_backend

from ae_keras.layers import UpsamplingConv2D


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("height", "width", "channels", "filters"), [(8, 8, 16, 12), (1, 1, 1, 1), (5, 7, 3, 2)]
)
def test_equals_upsampling_then_convolution(height, width, channels, filters, training, rng):
    inputs = rng.normal(size=(2, height, width, channels)).astype(np.float32)
    layer = UpsamplingConv2D(filters, activation="relu")
    layer.build(inputs.shape)
    layer.bias.assign(rng.normal(size=filters))
    convolution = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")
    convolution.build((None, None, None, channels))
    convolution.set_weights(layer.get_weights())
    expected = convolution(keras.layers.UpSampling2D(2)(inputs))
    np.testing.assert_allclose(layer(inputs, training=training), expected, atol=1e-5)
    assert layer.compute_output_shape(inputs.shape) == tuple(expected.shape)


@pytest.mark.parametrize("size", [(4, 6), (None, None)])
@pytest.mark.parametrize("filters", [3, 12])
def test_gradients_are_the_same_while_training(size, filters, rng):
    require_backend("tensorflow")
    import tensorflow as tf

    inputs = tf.constant(rng.standard_normal((2, 4, 6, 5)), tf.float32)
    direction = rng.standard_normal((2, 8, 12, filters)).astype(np.float32)
    images = keras.Input((*size, 5))
    model = keras.Model(images, UpsamplingConv2D(filters)(images))
    gradients = []
    for training in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            product = tf.reduce_sum(model(inputs, training=training) * direction)
        sources = [inputs, *(weight.value for weight in model.weights)]
        gradients.append(tape.gradient(product, sources))
    for plain, ours in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-4)


def test_equals_a_loop(rng):
    inputs = rng.normal(size=(1, 3, 2, 2))
    layer = UpsamplingConv2D(3)
    layer.build(inputs.shape)
    kernel = np.asarray(layer.kernel)
    large = np.pad(inputs.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.zeros((1, 6, 4, 3))
    for row in range(6):
        for column in range(4):
            window = large[0, row : row + 3, column : column + 3]
            expected[0, row, column] = np.einsum("ijc,ijcf->f", window, kernel)
    np.testing.assert_allclose(layer(inputs.astype(np.float32)), expected, atol=1e-5)


def test_configuration_round_trip():
    layer = UpsamplingConv2D(5, activation="relu", kernel_initializer="he_normal", name="up")
    copy = UpsamplingConv2D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()


@pytest.mark.parametrize("filters", [0, -1, 2.5, "3"])
def test_wrong_filters_are_refused(filters):
    with pytest.raises(ValueError, match=r"`filters` must be .+ Received"):
        UpsamplingConv2D(filters)
