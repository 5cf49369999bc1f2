"""Grouped convolutions and their transposes, each in the way that is fastest for its shape.

Both take a kernel `(height, width, big, groups * small)`, where `big` and `small` are the channels
of a group in the big and in the small image that they join (see `Axis`). All ways lead to the same
result:

- `matrix`: for small images. A group is one matrix from all its inputs to all its outputs, and all
  groups are one batched product. The batch is its last axis, so that copies move long rows.
- `tensorflow`: while training on TensorFlow, whose own kernels are several times faster than what
  `keras.ops` does there. LiteRT lacks the transposed one, so a model at inference uses none.
- `blocks`: to a big image of few channels. It is made in blocks whose pixels are channels of a
  convolution of stride 1.
- `dense`: everywhere else. An ordinary convolution whose kernel is zero between groups.
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from ae_keras.layers import blocks, tensorflow_convolution
from ae_keras.layers.axis import Axis
from ae_keras.layers.types import Tensor

# `matrix` multiplies with at most this many numbers for each tap; the others are zeros. Measured
# on two CPU cores: with 4 it takes 0.8 times as long as `dense`, and with 1 as `tensorflow`.
_MOST_ENTRIES = 4
_FEW_ENTRIES = 1


def convolve(
    images: Tensor, kernel: Tensor, axes: Sequence[Axis], groups: int = 1, training: bool = False
) -> Tensor:
    """Return a grouped convolution.

    Args:
        images: Tensor `(batch, height, width, groups * big)`.
        kernel: Tensor `(height, width, big, groups * small)`.
        axes: The `Axis` of height and of width.
        groups: int.
        training: bool. Whether the gradient will be asked for.

    Returns:
        Tensor `(batch, height, width, groups * small)`.
    """
    if training and _suits_tensorflow(kernel, axes, groups):
        return tensorflow_convolution.convolve(images, kernel, axes, groups)
    if _suits_matrix(axes, groups, _MOST_ENTRIES):
        return _through_matrix(images, kernel, axes, groups, to_big=False)
    padding = "same" if all(axis.is_same for axis in axes) else "valid"
    if padding == "valid":
        images = ops.pad(images, ((0, 0), *((axis.before, axis.after) for axis in axes), (0, 0)))
    if keras.backend.backend() == "tensorflow":
        kernel = _dense_kernel(kernel, groups)
    return ops.conv(images, kernel, _strides(axes), padding)


def convolve_transpose(
    images: Tensor, kernel: Tensor, axes: Sequence[Axis], groups: int = 1, training: bool = False
) -> Tensor:
    """Return a grouped transposed convolution.

    Args:
        images: Tensor `(batch, height, width, groups * small)`.
        kernel: Tensor `(height, width, big, groups * small)`.
        axes: The `Axis` of height and of width.
        groups: int.
        training: bool. Whether the gradient will be asked for.

    Returns:
        Tensor `(batch, height, width, groups * big)`.
    """
    if training and _suits_tensorflow(kernel, axes, groups):
        return tensorflow_convolution.convolve_transpose(images, kernel, axes, groups)
    if _suits_matrix(axes, groups, _MOST_ENTRIES):
        return _through_matrix(images, kernel, axes, groups, to_big=True)
    if groups == 1 and blocks.suit(kernel, axes):
        outputs = convolve(
            images, blocks.block_kernel(kernel, axes, groups), blocks.block_axes(axes)
        )
        return blocks.from_blocks(outputs, axes, groups)
    is_same = all(axis.is_same and axis.is_whole for axis in axes)
    padding = "same" if is_same else "valid"
    outputs = ops.conv_transpose(images, _dense_kernel(kernel, groups), _strides(axes), padding)
    return outputs if is_same else _crop(outputs, axes)


def _strides(axes: Sequence[Axis]) -> tuple[int, ...]:
    return tuple(axis.stride for axis in axes)


def _crop(images: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Take the padding off the output of a transposed convolution, or add what it lacks."""
    # Backends give each input pixel at least `stride` output pixels.
    surplus = [axis.after + max(axis.stride - axis.kernel, 0) for axis in axes]
    if min(surplus) < 0:
        images = ops.pad(images, ((0, 0), *((0, max(-count, 0)) for count in surplus), (0, 0)))
    rows, columns = (
        slice(axis.before, -count if count > 0 else None)
        for axis, count in zip(axes, surplus, strict=True)
    )
    return images[:, rows, columns]


def _suits_tensorflow(kernel: Tensor, axes: Sequence[Axis], groups: int) -> bool:
    if _suits_matrix(axes, groups, _FEW_ENTRIES):
        return False
    return tensorflow_convolution.is_available(kernel.dtype)


def _suits_matrix(axes: Sequence[Axis], groups: int, most_entries: int) -> bool:
    if groups == 1 or not all(axis.is_known for axis in axes):
        return False
    entries = math.prod(axis.pixels[0] for axis in axes)
    return entries <= most_entries * math.prod(axis.kernel for axis in axes)


def _through_matrix(
    images: Tensor, kernel: Tensor, axes: Sequence[Axis], groups: int, to_big: bool
) -> Tensor:
    sources, targets = zip(*(axis.pixels for axis in axes), strict=True)
    if to_big:
        sources, targets = targets, sources
    matrices = _group_matrices(kernel, axes, groups, to_big)
    _, outputs, inputs = matrices.shape
    # As a number: LiteRT cannot work out a batch that is not the first axis.
    batch = ops.shape(images)[0]
    # The inputs of each group, as a column for each image of the batch.
    columns = ops.transpose(ops.reshape(images, (batch, groups * inputs)))
    pixels = math.prod(sources)
    columns = ops.reshape(columns, (pixels, groups, inputs // pixels, batch))
    columns = ops.reshape(ops.transpose(columns, (1, 0, 2, 3)), (groups, inputs, batch))
    columns = ops.matmul(matrices, columns)
    pixels = math.prod(targets)
    columns = ops.reshape(columns, (groups, pixels, outputs // pixels, batch))
    columns = ops.reshape(ops.transpose(columns, (1, 0, 2, 3)), (groups * outputs, batch))
    return ops.reshape(ops.transpose(columns), (batch, *targets, groups * outputs // pixels))


def _group_matrices(kernel: Tensor, axes: Sequence[Axis], groups: int, to_big: bool) -> Tensor:
    """Return `(groups, outputs, inputs)`, each (pixels * channels) of one group."""
    # Which pair of a big and a small pixel each tap joins, over both axes.
    taps = np.einsum("ibs,jct->ijbcst", *(axis.taps() for axis in axes))
    big, small = math.prod(taps.shape[2:4]), math.prod(taps.shape[4:])
    taps = _constant(taps.reshape(-1, big * small), kernel)
    channels = (kernel.shape[2], groups, kernel.shape[3] // groups)
    weights = ops.transpose(ops.reshape(kernel, (taps.shape[0], math.prod(channels))))
    matrices = ops.reshape(ops.matmul(weights, taps), (*channels, big, small))
    if to_big:
        matrices = ops.transpose(matrices, (1, 3, 0, 4, 2))
        return ops.reshape(matrices, (groups, big * channels[0], small * channels[2]))
    matrices = ops.transpose(matrices, (1, 4, 2, 3, 0))
    return ops.reshape(matrices, (groups, small * channels[2], big * channels[0]))


def _constant(values: np.ndarray, like: Tensor) -> Tensor:
    return ops.cast(ops.convert_to_tensor(values), like.dtype)


def _dense_kernel(kernel: Tensor, groups: int) -> Tensor:
    """Return the kernel of an ordinary convolution, zero between channels of different groups."""
    if groups == 1:
        return kernel
    big, small = kernel.shape[2], kernel.shape[3] // groups
    within = np.kron(np.eye(groups, dtype=np.float32), np.ones((big, small), np.float32))
    return ops.tile(kernel, (1, 1, groups, 1)) * _constant(within, kernel)
