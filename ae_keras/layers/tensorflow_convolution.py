"""TensorFlow's own grouped convolutions, which `keras.ops` sends through XLA instead.

They are several times faster on a CPU, but their gradient exists only on a GPU and where
TensorFlow uses oneDNN. So it is tried, once for each data type.
"""

import functools
from collections.abc import Sequence

import keras

from ae_keras.layers.types import Tensor


@functools.cache
def is_available(dtype: str) -> bool:
    """Return whether grouped convolutions can be computed and differentiated on this machine."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    with tf.init_scope():  # also while a graph is being built
        images, kernel = tf.ones((1, 2, 2, 2), dtype), tf.ones((1, 1, 1, 2), dtype)
        try:
            with tf.GradientTape() as tape:
                tape.watch([images, kernel])
                outputs = convolve(images, kernel, (1, 1), "valid")
                outputs += convolve_transpose(images, kernel, (1, 1), groups=2)
            tape.gradient(outputs, [images, kernel])
        except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
            return False
    return True


def convolve(images: Tensor, kernel: Tensor, strides: Sequence[int], padding: str) -> Tensor:
    """Return the convolution with a kernel `(height, width, channels of a group, filters)`."""
    import tensorflow as tf

    return tf.nn.conv2d(images, kernel, strides, padding.upper())


def convolve_transpose(
    images: Tensor,
    kernel: Tensor,
    strides: Sequence[int],
    groups: int,
    size: Sequence[int] | None = None,
) -> Tensor:
    """Return the transposed convolution with a kernel `(height, width, maps of a group, channels)`.

    It is the gradient of a convolution with respect to its input: without padding, and of the size
    that `keras.ops.conv_transpose` gives; or, if a size is given, with "same" padding.
    """
    import tensorflow as tf

    shape, padding = tf.shape(images), "SAME" if size else "VALID"
    if size is None:
        size = [
            (images.shape[axis] or shape[axis]) * stride + max(taps - stride, 0)
            for axis, (stride, taps) in enumerate(
                zip(strides, kernel.shape[:2], strict=True), start=1
            )
        ]
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=[shape[0], *size, kernel.shape[2] * groups],
        filter=kernel,
        out_backprop=images,
        strides=[1, *strides, 1],
        padding=padding,
    )
