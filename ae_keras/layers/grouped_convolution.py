"""Grouped convolutions with explicit padding: `GroupedConv2D` and `GroupedConv2DTranspose`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from ae_keras.layers.axis import Axis
from ae_keras.layers.grouped_operations import convolve, convolve_transpose
from ae_keras.layers.types import Shape, Tensor

# By name, or the zeros on each side of the image.
Padding = str | int | Sequence[int]


def _checked_padding(layer: keras.Layer, padding: Padding, groups: int) -> Any:
    """Return the padding of a new layer, numbers as a pair.

    Raises:
        ValueError: if padding, groups, data format or dilation is none that the layers take.
    """
    if layer.data_format != "channels_last" or tuple(layer.dilation_rate) != (1, 1):
        raise ValueError(
            f"{type(layer).__name__} takes `data_format` 'channels_last' and `dilation_rate` 1. "
            f"Received: {layer.data_format!r} and {layer.dilation_rate!r}"
        )
    if type(groups) is not int or groups < 1 or layer.filters % groups:
        raise ValueError(
            "`groups` must be a whole number that divides `filters`. "
            f"Received: groups={groups!r}, filters={layer.filters}"
        )
    if padding in ("valid", "same"):
        return padding
    pair = (padding, padding) if isinstance(padding, int) else padding
    if (
        not isinstance(pair, list | tuple)
        or len(pair) != 2
        or not all(type(size) is int and size >= 0 for size in pair)
    ):
        raise ValueError(
            "`padding` must be 'valid', 'same', or one or two whole numbers >= 0. "
            f"Received: {padding!r}"
        )
    return tuple(pair)


def _finish(layer: keras.Layer, outputs: Tensor) -> Tensor:
    """Add the bias and apply the activation."""
    if layer.use_bias:
        outputs = ops.add(outputs, layer.bias)
    return layer.activation(outputs)


@keras.saving.register_keras_serializable(package="ae_keras")
class GroupedConv2D(layers.Conv2D):
    """A convolution in groups of channels, with padding by a number, fast on a CPU too.

    It computes what `keras.layers.Conv2D` does. The channels of the input are cut into `groups`
    equal parts, and each part makes `filters / groups` of the output's.

    Args:
        filters: int. Feature maps of the output; divisible by `groups`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or the zeros added on each side of the image: one number, or
            one for the height and one for the width.
        groups: int. Divides the input's channels.
        **kwargs: The other arguments of `keras.layers.Conv2D`, except `data_format` and
            `dilation_rate`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new height, new width, filters)`, where a size becomes
        `(size + 2 * padding - kernel) // stride + 1`.

    Raises:
        ValueError: if an argument or the input's shape does not fit.

    Example:
        >>> layer = GroupedConv2D(48, 4, strides=2, padding=1, groups=4)
        >>> layer(keras.ops.ones((1, 16, 16, 12))).shape
        (1, 8, 8, 48)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        padding: Padding = "valid",
        groups: int = 1,
        **kwargs: Any,
    ):
        super().__init__(filters, kernel_size, strides, "valid", groups=groups, **kwargs)
        self.padding = _checked_padding(self, padding, groups)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the activated feature maps."""
        outputs = convolve(inputs, self.kernel, self.axes(inputs.shape), self.groups, training)
        return _finish(self, outputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        height, width = (axis.small for axis in self.axes(input_shape))
        return (input_shape[0], height, width, self.filters)

    def axes(self, input_shape: Shape) -> list[Axis]:
        """Return how height and width of the input are joined to those of the output: `Axis`."""
        return [self._axis(position, size) for position, size in enumerate(input_shape[1:3])]

    def _axis(self, position: int, big: int | None) -> Axis:
        kernel, stride = self.kernel_size[position], self.strides[position]
        if self.padding == "same":
            if big is None and stride > 1:
                raise ValueError(
                    "`padding` 'same' with `strides` > 1 needs images of a known size. "
                    "Give the padding as a number."
                )
            small, total = None, kernel - 1
            if big is not None:
                small = -(-big // stride)
                total = max((small - 1) * stride + kernel - big, 0)
            return Axis(kernel, stride, total // 2, total - total // 2, big, small)
        padding = 0 if self.padding == "valid" else self.padding[position]
        small = None if big is None else (big + 2 * padding - kernel) // stride + 1
        if small is not None and small < 1:
            raise ValueError(
                f"A kernel of {kernel} does not fit into {big} pixels, padded by {padding}."
            )
        return Axis(kernel, stride, padding, padding, big, small)


@keras.saving.register_keras_serializable(package="ae_keras")
class GroupedConv2DTranspose(layers.Conv2DTranspose):
    """A transposed convolution in groups of channels, with padding by a number.

    The transpose of `GroupedConv2D`: the same connections, from the small image to the big one.
    `keras.layers.Conv2DTranspose` has no groups.

    Args:
        filters: int. Feature maps of the output; divisible by `groups`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or the pixels taken off each side of the output: one number,
            or one for the height and one for the width.
        groups: int. Divides the input's channels.
        **kwargs: The other arguments of `keras.layers.Conv2DTranspose`, except `data_format` and
            `dilation_rate`. `output_padding`, less than `strides`, is added to the output's size
            at its end; not with `"same"`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new height, new width, filters)`, where a size becomes
        `(size - 1) * stride - 2 * padding + kernel + output_padding`; with `"same"`,
        `size * stride`; with `"valid"`, as with a padding of 0.

    Raises:
        ValueError: if an argument or the input's shape does not fit.

    Example:
        >>> layer = GroupedConv2DTranspose(12, 4, strides=2, padding=1, groups=4)
        >>> layer(keras.ops.ones((1, 8, 8, 48))).shape
        (1, 16, 16, 12)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        strides: int | tuple[int, int] = 1,
        padding: Padding = "valid",
        groups: int = 1,
        **kwargs: Any,
    ):
        super().__init__(filters, kernel_size, strides, "valid", **kwargs)
        self.padding = _checked_padding(self, padding, groups)
        if padding == "same" and self.output_padding is not None:
            raise ValueError("`output_padding` and `padding` 'same' do not go together.")
        self.groups = groups

    def build(self, input_shape: Shape) -> None:
        """Create a kernel `(height, width, filters / groups, channels)` and the bias."""
        if input_shape[-1] % self.groups:
            raise ValueError(
                f"The channels of the input must be divisible by `groups`. Received: input shape "
                f"{tuple(input_shape)}, groups={self.groups}"
            )
        self.compute_output_shape(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters // self.groups, input_shape[-1]),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the activated feature maps."""
        axes = self.axes(inputs.shape)
        return _finish(self, convolve_transpose(inputs, self.kernel, axes, self.groups, training))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        height, width = (axis.big for axis in self.axes(input_shape))
        return (input_shape[0], height, width, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "groups": self.groups}

    def axes(self, input_shape: Shape) -> list[Axis]:
        """Return how height and width of the input are joined to those of the output: `Axis`."""
        return [self._axis(position, size) for position, size in enumerate(input_shape[1:3])]

    def _axis(self, position: int, small: int | None) -> Axis:
        kernel, stride = self.kernel_size[position], self.strides[position]
        if self.padding == "same":
            before = max(kernel - stride, 0) // 2
            after = kernel - stride - before
        else:
            before = after = 0 if self.padding == "valid" else self.padding[position]
            after -= self.output_padding[position] if self.output_padding else 0
        big = None if small is None else (small - 1) * stride + kernel - before - after
        if big is not None and big < 1:
            raise ValueError(f"Padding {before} leaves nothing of {small} pixels.")
        return Axis(kernel, stride, before, after, big, small)
