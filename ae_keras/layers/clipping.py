"""The range of images: `Clip`."""

import keras
from keras import layers, ops

from ae_keras.layers.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="ae_keras")
class Clip(layers.Layer):
    """Clips images to [0, 1] at inference. While training, errors outside keep their gradient.

    Input shape:
        Any.

    Output shape:
        The input's.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the images."""
        return inputs if training else ops.clip(inputs, 0.0, 1.0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape
