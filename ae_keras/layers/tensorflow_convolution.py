"""TensorFlow's own convolutions for training, in groups too, each direction in its fastest way.

`keras.ops` sends grouped ones through XLA, which is several times slower on a CPU. Those of
TensorFlow have gradients only on a GPU and where it uses oneDNN. So it is tried, once for each
data type.

Of a kernel that joins a big and a small image (see `Axis`) there are three products, and each is
computed alike whether it is a layer's output or a gradient: to the small image, to the big image
and to the kernel. oneDNN computes the one to the big image with one channel of a group in each
lane of a vector, which leaves most of them idle where channels are few, and wants to be padded and
cropped unless the padding is what TensorFlow calls "same". There it goes through `blocks`, whose
pixels fill the lanes, where that was measured to be faster.
"""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ae_keras.layers import blocks
from ae_keras.layers.axis import Axis
from ae_keras.layers.types import Tensor


@functools.cache
def is_available(dtype: str) -> bool:
    """Return whether grouped convolutions can be computed and differentiated on this machine."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    axes = [Axis(kernel=2, stride=1, before=0, after=0, big=2, small=1)] * 2
    with tf.init_scope():  # also while a graph is being built
        images, kernel = tf.ones((1, 2, 2, 2), dtype), tf.ones((2, 2, 1, 2), dtype)
        try:
            small = _to_small(images, kernel, axes)
            _to_big(small, kernel, axes, 2, images.shape[1:3])
            _to_kernel(images, small, kernel, axes)
        except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
            return False
    return True


def convolve(images: Tensor, kernel: Tensor, axes: Sequence[Axis], groups: int) -> Tensor:
    """Return the convolution with a kernel `(height, width, channels of a group, filters)`."""
    import tensorflow as tf

    @tf.custom_gradient
    def run(images: Tensor, kernel: Tensor) -> tuple[Tensor, Any]:
        def gradients(direction: Tensor) -> tuple[Tensor, Tensor]:
            shape = tf.shape(images)
            size = [images.shape[place] or shape[place] for place in (1, 2)]
            to_images = _to_big(direction, kernel, axes, groups, size)
            return to_images, _to_kernel(images, direction, kernel, axes)

        return _to_small(images, kernel, axes), gradients

    return run(images, tf.convert_to_tensor(kernel))


def convolve_transpose(images: Tensor, kernel: Tensor, axes: Sequence[Axis], groups: int) -> Tensor:
    """Return the transposed convolution with a kernel `(height, width, maps of a group, channels)`.

    It is the gradient of a convolution with respect to its input.
    """
    import tensorflow as tf

    shape = tf.shape(images)
    size = [
        axis.big or (shape[place] - 1) * axis.stride + axis.kernel - axis.before - axis.after
        for place, axis in enumerate(axes, start=1)
    ]

    @tf.custom_gradient
    def run(images: Tensor, kernel: Tensor) -> tuple[Tensor, Any]:
        def gradients(direction: Tensor) -> tuple[Tensor, Tensor]:
            to_kernel = _to_kernel(direction, images, kernel, axes)
            return _to_small(direction, kernel, axes), to_kernel

        return _to_big(images, kernel, axes, groups, size), gradients

    return run(images, tf.convert_to_tensor(kernel))


def _to_small(images: Tensor, kernel: Tensor, axes: Sequence[Axis]) -> Tensor:
    import tensorflow as tf

    images, padding = _padded(images, axes)
    return tf.nn.conv2d(images, kernel, [axis.stride for axis in axes], padding)


def _to_kernel(images: Tensor, small: Tensor, kernel: Tensor, axes: Sequence[Axis]) -> Tensor:
    import tensorflow as tf

    images, padding = _padded(images, axes)
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=kernel.shape,
        out_backprop=small,
        strides=[1, *(axis.stride for axis in axes), 1],
        padding=padding,
    )


def _to_big(
    images: Tensor, kernel: Tensor, axes: Sequence[Axis], groups: int, size: Sequence[Any]
) -> Tensor:
    import tensorflow as tf

    is_same = all(axis.is_same for axis in axes)
    # Of groups with "same" padding, oneDNN itself takes 0.8 to 0.9 times as long.
    if blocks.suit(kernel, axes) and (groups == 1 or not is_same):
        to_blocks = blocks.block_kernel(kernel, axes, groups)
        outputs = _to_small(images, to_blocks, blocks.block_axes(axes))
        return blocks.from_blocks(outputs, axes, groups)
    padded = [
        pixels + (0 if is_same else axis.before + axis.after)
        for pixels, axis in zip(size, axes, strict=True)
    ]
    outputs = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=[tf.shape(images)[0], *padded, kernel.shape[2] * groups],
        filter=kernel,
        out_backprop=images,
        strides=[1, *(axis.stride for axis in axes), 1],
        padding="SAME" if is_same else "VALID",
    )
    return outputs if is_same else _cropped(outputs, axes)


def _padded(images: Tensor, axes: Sequence[Axis]) -> tuple[Tensor, str]:
    """Return images, with their padding where TensorFlow has no name for it, and the name."""
    if all(axis.is_same for axis in axes):
        return images, "SAME"
    return _widened(images, [(axis.before, axis.after) for axis in axes]), "VALID"


def _cropped(images: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Undo `_padded`."""
    return _widened(images, [(-axis.before, -axis.after) for axis in axes])


def _widened(images: Tensor, widths: Sequence[tuple[int, int]]) -> Tensor:
    """Add zeros before and after rows and columns, or take off as many where less than none."""
    import tensorflow as tf

    images = images[:, *(slice(max(-before, 0), min(after, 0) or None) for before, after in widths)]
    zeros = [[max(before, 0), max(after, 0)] for before, after in widths]
    return tf.pad(images, [[0, 0], *zeros, [0, 0]]) if np.any(zeros) else images
