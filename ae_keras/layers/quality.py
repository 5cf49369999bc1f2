"""One model for all rates: how the wanted quality enters its layers.

Layers take a position on the scale of qualities, see `ae_keras.system.quality`, beside their input,
and read what they need of it from tables over eight positions.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.layers.types import Shape, Tensor
from ae_keras.system.quality import LAMBDAS

# Places of the tables on that scale, evenly spaced in log lambda, both ends included.
ANCHORS = 8
# A transform coder of step `s` has the loss's slope at lambda = 26 / s**2, at high rates.
_LAMBDA_OF_STEP_1 = 26.0


def log_gain_of(position: Tensor) -> Tensor:
    """Return the logarithm of the gain of a plain transform coder: -log of its step, 8-bit units.

    Args:
        position: Tensor of any shape, float32 in [0, 1].
    """
    slope = math.log(LAMBDAS[1] / LAMBDAS[0])
    return 0.5 * (math.log(LAMBDAS[0] / _LAMBDA_OF_STEP_1) + slope * position)


class QualityLayer(keras.layers.Layer):
    """A layer with tables over the anchors, interpolated linearly in log lambda.

    Tables are float32 whatever the precision of the model: rates at high quality need it.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)  # half of its bits are too few for a position

    def add_table(self, name: str, length: int) -> keras.Variable:
        """Add a trained table `(anchors, length)` of zeros."""
        return self.add_weight(
            name=name,
            shape=(ANCHORS, length),
            initializer="zeros",
            dtype="float32",
            autocast=False,
        )

    @staticmethod
    def look_up(table: Tensor, position: Tensor) -> Tensor:
        """Return the entries of a table at positions `(batch,)`: `(batch, 1, 1, length)`."""
        places = (ANCHORS - 1) * ops.clip(ops.cast(position, "float32"), 0.0, 1.0)
        shares = ops.relu(1 - ops.abs(places[:, None] - np.arange(ANCHORS, dtype="float32")))
        return ops.matmul(shares, table)[:, None, None, :]


@keras.saving.register_keras_serializable(package="ae_keras")
class Gain(QualityLayer):
    """Multiplies each channel by a trained gain that depends on the wanted quality.

    `output = input * exp(log_gain(position) + table(position))`, where `log_gain` is that of
    a transform coder whose step is the best at high rates, `sqrt(lambda / 26)` in 8-bit units. The
    table starts at zero. Rounding after a `Gain` is quantization with a step of one over the
    gain; the inverse undoes it, with a table of its own.

    Args:
        inverse: bool. Whether the gain is the decoder's: `exp(-log_gain + table)`.

    Input shape:
        A pair: `(batch, height, width, channels)`, and positions `(batch,)` in [0, 1].

    Output shape:
        That of the first input.

    Example:
        >>> x, position = keras.ops.ones((2, 4, 4, 8)), keras.ops.array([0.0, 1.0])
        >>> y = Gain(inverse=True)([Gain()([x, position]), position])  # x again, before training

    Reference:
        - [Cui et al., 2021](https://arxiv.org/abs/2003.02012): gains for continuous rates.
    """

    def __init__(self, inverse: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.inverse = inverse

    def build(self, input_shape: Shape) -> None:
        """Create the table."""
        self.gains = self.add_table("gains", input_shape[0][-1])

    def log_gain(self, position: Tensor) -> Tensor:
        """Return the logarithms of the gains at positions `(batch,)`: `(batch, 1, 1, channels)`."""
        base = log_gain_of(ops.cast(position, "float32"))[:, None, None, None]
        return self.look_up(self.gains, position) + (-base if self.inverse else base)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the scaled input."""
        features, position = inputs
        gains = ops.exp(self.log_gain(position))
        return features * ops.cast(gains, features.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "inverse": self.inverse}


@keras.saving.register_keras_serializable(package="ae_keras")
class Modulation(QualityLayer):
    """Scales and shifts each channel by amounts that depend on the wanted quality.

    `output = input * (1 + scale(position)) + shift(position)`. Both start at zero, so that
    the layer starts as the identity.

    Input shape:
        A pair: `(batch, height, width, channels)`, and positions `(batch,)` in [0, 1].

    Output shape:
        That of the first input.

    Example:
        >>> Modulation()([keras.ops.ones((2, 4, 4, 8)), keras.ops.array([0.0, 1.0])]).shape
        (2, 4, 4, 8)
    """

    def build(self, input_shape: Shape) -> None:
        """Create the tables."""
        self.scales = self.add_table("scales", input_shape[0][-1])
        self.shifts = self.add_table("shifts", input_shape[0][-1])

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the modulated input."""
        features, position = inputs
        scale = ops.cast(1 + self.look_up(self.scales, position), features.dtype)
        return features * scale + ops.cast(self.look_up(self.shifts, position), features.dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape[0]
