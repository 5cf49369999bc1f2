"""Pixels into channels and back: `SpaceToDepth` and `DepthToSpace`."""

from typing import Any

import keras
from keras import ops

from ae_keras.layers.types import Shape, Tensor


def _check_block(block: Any) -> None:
    if type(block) is not int or block < 1:
        raise ValueError(f"`block` must be a whole number >= 1. Received: {block!r}")


@keras.saving.register_keras_serializable(package="ae_keras")
class SpaceToDepth(keras.layers.Layer):
    """Moves each block of pixels into the channels of one pixel.

    Output channel `(row * block + column) * channels + c` is channel `c` of the pixel at `row` and
    `column` of the block. A `Dense` layer after it is a convolution of kernel and stride `block`.

    Args:
        block: int. Height and width of a block, in pixels.

    Input shape:
        `(batch, height, width, channels)`, height and width divisible by `block`.

    Output shape:
        `(batch, height / block, width / block, block**2 * channels)`.

    Raises:
        ValueError: if `block` is not a whole number from 1, or does not divide the image.

    Example:
        >>> SpaceToDepth(2)(keras.ops.ones((1, 8, 6, 3))).shape
        (1, 4, 3, 12)
    """

    def __init__(self, block: int, **kwargs: Any):
        super().__init__(**kwargs)
        _check_block(block)
        self.block = block

    def call(self, inputs: Tensor) -> Tensor:
        """Return the blocks."""
        _, height, width, channels = ops.shape(inputs)
        rows, columns, block = height // self.block, width // self.block, self.block
        pixels = ops.reshape(inputs, (-1, rows, block, columns, block, channels))
        pixels = ops.transpose(pixels, (0, 1, 3, 2, 4, 5))
        return ops.reshape(pixels, (-1, rows, columns, block**2 * channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        batch, height, width, channels = input_shape
        if (height or 0) % self.block or (width or 0) % self.block:
            raise ValueError(
                f"Height and width must be divisible by `block`. Received: input shape "
                f"{tuple(input_shape)}, block={self.block}"
            )
        height, width = (size and size // self.block for size in (height, width))
        return (batch, height, width, self.block**2 * channels)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "block": self.block}


@keras.saving.register_keras_serializable(package="ae_keras")
class DepthToSpace(keras.layers.Layer):
    """Moves the channels of each pixel into a block of pixels: the inverse of `SpaceToDepth`.

    Args:
        block: int. Height and width of a block, in pixels.

    Input shape:
        `(batch, height, width, channels)`, channels divisible by `block**2`.

    Output shape:
        `(batch, height * block, width * block, channels / block**2)`.

    Raises:
        ValueError: if `block` is not a whole number from 1, or its square does not divide the
            channels.

    Example:
        >>> DepthToSpace(2)(keras.ops.ones((1, 4, 3, 12))).shape
        (1, 8, 6, 3)
    """

    def __init__(self, block: int, **kwargs: Any):
        super().__init__(**kwargs)
        _check_block(block)
        self.block = block

    def call(self, inputs: Tensor) -> Tensor:
        """Return the pixels."""
        _, rows, columns, channels = ops.shape(inputs)
        block, channels = self.block, channels // self.block**2
        pixels = ops.reshape(inputs, (-1, rows, columns, block, block, channels))
        pixels = ops.transpose(pixels, (0, 1, 3, 2, 4, 5))
        return ops.reshape(pixels, (-1, rows * block, columns * block, channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        batch, height, width, channels = input_shape
        if channels % self.block**2:
            raise ValueError(
                f"The channels must be divisible by `block**2`. Received: input shape "
                f"{tuple(input_shape)}, block={self.block}"
            )
        height, width = (size and size * self.block for size in (height, width))
        return (batch, height, width, channels // self.block**2)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "block": self.block}
