"""A transposed convolution as one of stride 1 whose outputs are blocks of pixels.

The big image is cut into blocks of `stride` pixels along each axis, which become the channels of
one pixel. So few channels are made many, as a processor's vectors want them, and no product is
computed twice.
"""

import math
from collections.abc import Sequence

from keras import ops

from ae_keras.layers.axis import Axis
from ae_keras.layers.types import Tensor

# Images have 1 or 3 channels, which leave most of a vector unit idle. With more channels, blocks
# gain nothing and may multiply with zeros.
_FEW_CHANNELS = 4


def suit(kernel: Tensor, axes: Sequence[Axis]) -> bool:
    """Return whether a transposed convolution is faster through blocks."""
    if kernel.shape[2] > _FEW_CHANNELS or not all(axis.is_known for axis in axes):
        return False
    # Where a block's padding is negative, there are pixels that no block needs.
    return all(
        axis.stride > 1 and min(blocks.before, blocks.after) >= 0
        for axis, blocks in zip(axes, block_axes(axes), strict=True)
    )


def block_axes(axes: Sequence[Axis]) -> list[Axis]:
    """Return how the convolution to the blocks joins them to the pixels of the small image."""
    return [_block_axis(axis) for axis in axes]


def _block_axis(axis: Axis) -> Axis:
    big, small = axis.pixels
    count = -(-big // axis.stride)
    least, greatest = _offsets(axis)
    # A block `b` needs the pixels from `b - greatest` to `b - least`.
    after = count - least - small
    return Axis(greatest - least + 1, 1, before=greatest, after=after, big=small, small=count)


def _offsets(axis: Axis) -> tuple[int, int]:
    """Return the first and the last block that a pixel reaches, as seen from that of its number."""
    return -axis.before // axis.stride, (axis.kernel - 1 - axis.before) // axis.stride


def block_kernel(kernel: Tensor, axes: Sequence[Axis], groups: int) -> Tensor:
    """Return the kernel of the convolution to the blocks.

    Args:
        kernel: Tensor `(height, width, big, groups * small)`.
        axes: The `Axis` of height and of width.
        groups: int.

    Returns:
        Tensor `(height, width, small, groups * pixels of a block * big)`.
    """
    widths, shape = [], []
    for axis in axes:
        least, greatest = _offsets(axis)
        before = -least * axis.stride - axis.before
        taps = (greatest - least + 1) * axis.stride
        widths.append((before, taps - before - axis.kernel))
        shape += [taps // axis.stride, axis.stride]
    big = kernel.shape[2]
    kernel = ops.reshape(ops.pad(kernel, (*widths, (0, 0), (0, 0))), (*shape, big, groups, -1))
    # What lies after the pixel, seen from it, lies before the block, seen from that.
    kernel = ops.transpose(ops.flip(kernel, (0, 2)), (0, 2, 6, 5, 1, 3, 4))
    return ops.reshape(kernel, (*kernel.shape[:3], math.prod(kernel.shape[3:])))


def from_blocks(images: Tensor, axes: Sequence[Axis], groups: int) -> Tensor:
    """Return the big image of blocks `(batch, rows, columns, groups * pixels * channels)`."""
    _, rows, columns, channels = images.shape
    (height, block_height), (width, block_width) = ((axis.pixels[0], axis.stride) for axis in axes)
    channels //= groups * block_height * block_width
    # Batch and rows are one axis, as LiteRT turns at most six.
    images = ops.reshape(images, (-1, columns, groups, block_height, block_width, channels))
    images = ops.transpose(images, (0, 3, 1, 4, 2, 5))
    shape = (-1, rows * block_height, columns * block_width, groups * channels)
    return ops.reshape(images, shape)[:, :height, :width]
