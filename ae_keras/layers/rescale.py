"""Images in other units: `Rescale`."""

from typing import Any

import keras

from ae_keras.layers.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="ae_keras")
class Rescale(keras.layers.Layer):
    """Multiplies by a number and adds another.

    It does what Keras's `Rescaling` does, which needs TensorFlow on every backend.

    Args:
        scale: float.
        offset: float. What is added afterwards.

    Input shape:
        Any.

    Output shape:
        The input's.

    Example:
        >>> Rescale(255.0, -127.5)(keras.ops.ones((1, 8, 8, 3)))  # 127.5 everywhere
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rescaled input."""
        return inputs * self.scale + self.offset

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
