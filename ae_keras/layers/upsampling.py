"""Upsampling followed by a convolution, in one step."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ae_keras.layers.axis import Axis
from ae_keras.layers.grouped_operations import convolve_transpose
from ae_keras.layers.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="ae_keras")
class UpsamplingConv2D(keras.layers.Layer):
    """Nearest-neighbour upsampling by 2 and a 3x3 convolution, as one transposed convolution.

    Repeating each pixel 2x2 and then convolving with a 3x3 kernel `k` is linear in the small
    image, and equals a transposed convolution of stride 2 whose 4x4 kernel is `k` summed over the
    2x2 shifts: `k4[i, j] = sum over a, b in {0, 1} of k[i - a, j - b]`. The large intermediate
    image is never made, and each output pixel takes 4 products a channel instead of 9. The layer
    stores the 3x3 kernel; the borders are padded with zeros ("same"). A transposed convolution of
    stride 1 is a convolution with a mirrored kernel, so this layer covers both.

    Args:
        filters: int. Feature maps of the output.
        activation: Keras activation, by name or function. Default: none.
        kernel_initializer: Keras initializer of the 3x3 kernel.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, 2 * height, 2 * width, filters)`.

    Raises:
        ValueError: if `filters` is not a positive whole number.

    Example:
        >>> layer = UpsamplingConv2D(12, activation="relu")
        >>> layer(keras.ops.ones((1, 8, 8, 16))).shape
        (1, 16, 16, 12)
    """

    def __init__(
        self,
        filters: int,
        activation: str | Callable[[Tensor], Tensor] | None = None,
        kernel_initializer: str | keras.initializers.Initializer = "glorot_uniform",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"`filters` must be a whole number >= 1. Received: {filters!r}")
        self.filters = filters
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        """Create the 3x3 kernel and the bias."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(3, 3, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the activated feature maps, at twice the resolution."""
        kernel = self.transposed_kernel()
        if training:
            axes = [_axis(size) for size in inputs.shape[1:3]]
            outputs = convolve_transpose(inputs, kernel, axes, training=True)
        else:
            outputs = ops.conv_transpose(inputs, kernel, strides=2, padding="same")
        return self.activation(ops.add(outputs, self.bias))

    def transposed_kernel(self) -> Tensor:
        """Return the kernel `(4, 4, filters, channels)` of the transposed convolution."""
        # `conv_transpose` scatters where a convolution gathers: mirror the kernel, and give it
        # the layout (height, width, filters, channels).
        kernel = ops.transpose(ops.flip(self.kernel, axis=(0, 1)), (0, 1, 3, 2))
        padded = ops.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
        rows = padded[1:] + padded[:-1]
        return rows[:, 1:] + rows[:, :-1]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        height, width = (None if size is None else 2 * size for size in input_shape[1:3])
        return (input_shape[0], height, width, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def _axis(size: int | None) -> Axis:
    big = None if size is None else 2 * size
    return Axis(kernel=4, stride=2, before=1, after=1, big=big, small=size)
