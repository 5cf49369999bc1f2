"""Pointwise layers and the residual block of the photo codec and the denoiser."""

from typing import Any

import keras
from keras import layers, ops

from ae_keras.layers.types import Shape, Tensor

# Slope of all activations below zero.
SLOPE = 0.1


def leaky_relu(features: Tensor) -> Tensor:
    """Return LeakyReLU with a slope of 0.1."""
    return ops.leaky_relu(features, negative_slope=SLOPE)


@keras.saving.register_keras_serializable(package="ae_keras")
class Pointwise(layers.Dense):
    """A `Dense` layer of maps whose output is float32 in any precision.

    `outputs = inputs @ kernel + bias`, where only the product is computed in the precision of the
    layer. On a CPU that is as fast as all of a network in bfloat16, and residual sums
    and activations keep their bits.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height, width, units)`, float32.

    Example:
        >>> Pointwise(96, dtype="mixed_bfloat16")(keras.ops.ones((1, 8, 8, 192))).dtype
        'float32'
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, autocast=False, **kwargs)

    def add_weight(self, *args: Any, **kwargs: Any) -> keras.Variable:
        """Add a weight that stays float32 where it is used."""
        return super().add_weight(*args, **{**kwargs, "autocast": False})

    def call(self, inputs: Tensor) -> Tensor:
        """Return the activated maps."""
        kernel = ops.cast(self.kernel, self.compute_dtype)
        outputs = ops.matmul(ops.cast(inputs, self.compute_dtype), kernel)
        outputs = ops.cast(outputs, self.variable_dtype)
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


def pointwise(units: int, scale: float = 1.0, **kwargs: Any) -> Pointwise:
    """Return a `Pointwise` layer whose weights start uniform in +-scale / sqrt(inputs).

    A scale of 0 starts it at zero.
    """
    initializer: Any = "zeros"
    if scale:
        initializer = keras.initializers.VarianceScaling(scale**2 / 3, "fan_in", "uniform")
    return Pointwise(units, kernel_initializer=initializer, **kwargs)


def depthwise(name: str, use_bias: bool = True) -> layers.DepthwiseConv2D:
    """Return a 3x3 convolution of each channel by itself, in float32."""
    # Keras's initializers take the channels for inputs of each output, and start too small.
    initializer = keras.initializers.RandomUniform(-1 / 3, 1 / 3)
    return layers.DepthwiseConv2D(
        3,
        padding="same",
        use_bias=use_bias,
        depthwise_initializer=initializer,
        name=name,
        dtype="float32",
    )


@keras.saving.register_keras_serializable(package="ae_keras")
class ResidualBlock(layers.Layer):
    """Two residual steps: one mixes the pixels around each, one the channels of each.

    `x = x + mix_out(leaky(depthwise(leaky(mix_in(x)))))`, then
    `x = x + narrow(leaky(widen(x)))`. All but the 3x3 depthwise convolution are `Pointwise` layers;
    `widen` doubles the channels.

    Args:
        use_bias: bool. Without biases the block scales: a multiple of its input, from 0, gives that
            multiple of its output.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        The input's.

    Example:
        >>> ResidualBlock()(keras.ops.ones((1, 8, 8, 96))).shape
        (1, 8, 8, 96)
    """

    def __init__(self, use_bias: bool = True, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        self.use_bias = use_bias

    def build(self, input_shape: Shape) -> None:
        """Create the five layers."""
        channels = input_shape[-1]
        options = {"use_bias": self.use_bias, "dtype": self.dtype_policy}
        # Smaller at first, so that the block starts near the identity.
        self.mix_in = pointwise(channels, name="mix_in", **options)
        self.depthwise = depthwise("depthwise", self.use_bias)
        self.mix_out = pointwise(channels, 0.3, name="mix_out", **options)
        self.widen = pointwise(2 * channels, name="widen", **options)
        self.narrow = pointwise(channels, 0.3, name="narrow", **options)
        for layer in (self.mix_in, self.depthwise, self.mix_out, self.widen):
            layer.build(input_shape)
        self.narrow.build((*input_shape[:-1], 2 * channels))

    def call(self, inputs: Tensor) -> Tensor:
        """Return the features after both steps."""
        mixed = leaky_relu(self.depthwise(leaky_relu(self.mix_in(inputs))))
        features = inputs + self.mix_out(mixed)
        return features + self.narrow(leaky_relu(self.widen(features)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "use_bias": self.use_bias}
