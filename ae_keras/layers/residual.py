"""Pointwise layers and the residual block of the photo codec."""

import keras
from keras import layers, ops

# Slope of all activations below zero.
SLOPE = 0.1


def leaky_relu(features):
    """Return LeakyReLU with a slope of 0.1."""
    return ops.leaky_relu(features, negative_slope=SLOPE)


def pointwise(units, scale=1.0, **kwargs):
    """Return a `Dense` layer of maps whose weights start uniform in +-scale / sqrt(inputs).

    A scale of 0 starts it at zero.
    """
    initializer = "zeros"
    if scale:
        initializer = keras.initializers.VarianceScaling(scale**2 / 3, "fan_in", "uniform")
    return layers.Dense(units, kernel_initializer=initializer, **kwargs)


def depthwise(**kwargs):
    """Return a 3x3 convolution of each channel by itself."""
    # Keras's initializers take the channels for inputs of each output, and start too small.
    initializer = keras.initializers.RandomUniform(-1 / 3, 1 / 3)
    return layers.DepthwiseConv2D(3, padding="same", depthwise_initializer=initializer, **kwargs)


@keras.saving.register_keras_serializable(package="ae_keras")
class ResidualBlock(layers.Layer):
    """Two residual steps: one mixes the pixels around each, one the channels of each.

    `x = x + mix_out(leaky(depthwise(leaky(mix_in(x)))))`, then
    `x = x + narrow(leaky(widen(x)))`. All but the 3x3 depthwise convolution are `Dense` layers;
    `widen` doubles the channels.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        The input's.

    Example:
        >>> ResidualBlock()(keras.ops.ones((1, 8, 8, 96))).shape
        (1, 8, 8, 96)
    """

    def build(self, input_shape):
        """Create the five layers."""
        channels, dtype = input_shape[-1], self.dtype_policy
        # Smaller at first, so that the block starts near the identity.
        self.mix_in = pointwise(channels, name="mix_in", dtype=dtype)
        self.depthwise = depthwise(name="depthwise", dtype=dtype)
        self.mix_out = pointwise(channels, 0.3, name="mix_out", dtype=dtype)
        self.widen = pointwise(2 * channels, name="widen", dtype=dtype)
        self.narrow = pointwise(channels, 0.3, name="narrow", dtype=dtype)
        for layer in (self.mix_in, self.depthwise, self.mix_out, self.widen):
            layer.build(input_shape)
        self.narrow.build((*input_shape[:-1], 2 * channels))

    def call(self, inputs):
        """Return the features after both steps."""
        mixed = leaky_relu(self.depthwise(leaky_relu(self.mix_in(inputs))))
        features = inputs + self.mix_out(mixed)
        return features + self.narrow(leaky_relu(self.widen(features)))

    def compute_output_shape(self, input_shape):
        """Return the shape of the output."""
        return input_shape
