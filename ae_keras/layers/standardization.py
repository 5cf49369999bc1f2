"""Standardization of images inside the graph of a model."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from ae_keras.layers.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="ae_keras")
class Standardization(keras.layers.Layer):
    """Subtracts the mean of each channel and divides by its standard deviation.

    The statistics are weights that are not trained: they are set once, from the training images,
    and saved with the model. Before that they are 0 and 1. It does what Keras's `Normalization`
    does, which needs TensorFlow on every backend.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        The input's.

    Example:
        >>> layer = Standardization()
        >>> layer.build((None, 32, 32, 3))
        >>> layer.set_statistics(mean=[0.49, 0.48, 0.45], variance=[0.06, 0.06, 0.07])
    """

    def build(self, input_shape: Shape) -> None:
        """Create the weights that hold the statistics."""
        shape = (input_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
        self.deviation = self.add_weight(
            name="deviation", shape=shape, initializer="ones", trainable=False
        )

    def set_statistics(
        self, mean: Sequence[float] | np.ndarray, variance: Sequence[float] | np.ndarray
    ) -> None:
        """Set mean and variance of each channel.

        Raises:
            ValueError: if a variance is negative.
        """
        if np.min(variance) < 0:
            raise ValueError(f"`variance` must not be negative. Received: {variance}")
        self.mean.assign(mean)
        # A channel that never varies is only shifted.
        self.deviation.assign(np.where(np.equal(variance, 0), 1.0, np.sqrt(variance)))

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the standardized images."""
        mean, deviation = self.mean, self.deviation
        width = inputs.shape[-2]
        if training and width is not None:
            # TensorFlow repeats whole rows of pixels in half the time that single pixels take.
            mean, deviation = (ops.tile(row[None], (width, 1)) for row in (mean, deviation))
        return (inputs - mean) / deviation

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of each channel of uint8 images, in units of [0, 1].

    They are exact: from the number of times that each of the 256 values occurs.
    """
    values = np.arange(256) / 255
    means, variances = [], []
    for channel in range(images.shape[-1]):
        counts = np.zeros(256, np.int64)
        for start in range(0, len(images), 4096):
            chunk = np.ascontiguousarray(images[start : start + 4096, ..., channel])
            counts += np.bincount(chunk.ravel(), minlength=256)
        mean = counts @ values / counts.sum()
        means.append(mean)
        variances.append(counts @ (values - mean) ** 2 / counts.sum())
    return np.asarray(means), np.asarray(variances)
