"""TensorFlow's own grouped convolutions, which `keras.ops` sends through XLA instead.

They are several times faster on a CPU, but their gradient exists only on a GPU and where
TensorFlow uses oneDNN. So it is tried, once for each data type.
"""

import functools

import keras


@functools.cache
def is_available(dtype):
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
                outputs += convolve_transpose(images, kernel, (1, 1), "valid", groups=2)
            tape.gradient(outputs, [images, kernel])
        except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
            return False
    return True


def convolve(images, kernel, strides, padding):
    """Return the convolution with a kernel `(height, width, channels of a group, filters)`."""
    import tensorflow as tf

    return tf.nn.conv2d(images, kernel, strides, padding.upper())


def convolve_transpose(images, kernel, strides, padding, groups):
    """Return the transposed convolution with a kernel `(height, width, maps of a group, channels)`.

    It is the gradient of a convolution with respect to its input, and of the size that
    `keras.ops.conv_transpose` gives.
    """
    import tensorflow as tf

    def size(position):
        count = images.shape[position]
        count = tf.shape(images)[position] if count is None else count
        stride, taps = strides[position - 1], kernel.shape[position - 1]
        return count * stride + (max(taps - stride, 0) if padding == "valid" else 0)

    maps = kernel.shape[2] * groups
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=[tf.shape(images)[0], size(1), size(2), maps],
        filter=kernel,
        out_backprop=images,
        strides=[1, *strides, 1],
        padding=padding.upper(),
    )
