"""The noise of quantization, and the bits of a latent under a distribution of each channel."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.layers import noise
from ae_keras.layers.types import Shape, Tensor

# Logistic distributions that a channel's distribution is a mixture of, and their scales at the
# start, in units of the scale with the deviation of the channel.
_START = (0.3, 1.0, 2.0)
_LEAST_PROBABILITY = 1e-9


@keras.saving.register_keras_serializable(package="ae_keras")
class FactorizedPrior(keras.layers.Layer):
    """Adds the noise of quantization while training, and the bits of the latents to the loss.

    Quantization to a step `d` is the noise U(-d/2, d/2), and the bits of a latent are
    `-log2(F(y + d/2) - F(y - d/2))`, where F is the distribution of its channel: a mixture of three
    logistic ones with learned weights, scales and a common mean (Ballé et al., "End-to-end
    optimized image compression", 2017, with a mixture in place of their densities). That is what an
    entropy coder with a table for each channel takes. At inference the latents pass as they are.

    Each image has a step of its own, drawn evenly in its logarithm, so that one model serves all of
    them. Where errors are those of quantization, they grow with `d**2`, and so does what a bit is
    worth. The loss is `rate_weight` times the bits of a pixel, and `error_weights` tells by what
    the errors of images are to be multiplied beside it: `(mean / d)**2`, with the geometric mean of
    the steps. At inference the step is that mean.

    Args:
        pixels: int. Height times width of the image.
        rate_weight: float.
        steps: Pair of float. The least and the largest step.
        seed: int. Of noise and steps. Default: from Keras's global seed.

    Input shape:
        `(batch, ..., channels)`.

    Output shape:
        The input's.
    """

    def __init__(
        self,
        pixels: int,
        rate_weight: float,
        steps: tuple[float, float],
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.pixels, self.rate_weight, self.steps = pixels, rate_weight, tuple(steps)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.error_weights: Tensor | None = None

    def build(self, input_shape: Shape) -> None:
        """Create the distributions."""
        channels, parts = input_shape[-1], len(_START)
        self.mean = self.add_weight(name="mean", shape=(channels,), initializer="zeros")
        self.log_scale = self.add_weight(
            name="log_scale", shape=(parts, channels), initializer="zeros"
        )
        self.logits = self.add_weight(name="logits", shape=(parts, channels), initializer="zeros")

    def set_statistics(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Begin with distributions of these means and standard deviations, `(channels,)`."""
        scales = np.maximum(deviation, 1e-3) * math.sqrt(3) / math.pi
        self.mean.assign(mean)
        self.log_scale.assign(np.log(np.outer(_START, scales)))

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the latents, with noise while training."""
        low, high = map(math.log, self.steps)
        ones = (1,) * (len(inputs.shape) - 1)
        shape = (ops.shape(inputs)[0], *ones)
        mean = math.exp((low + high) / 2)
        steps = ops.full(shape, mean, "float32")
        noisy = inputs
        if training:
            steps = ops.exp(noise.uniform(shape, low, high, self.seed_generator, "float32"))
            draws = noise.uniform(ops.shape(inputs), -0.5, 0.5, self.seed_generator, "float32")
            noisy = inputs + steps * draws
        bits = ops.sum(self.bits(noisy, steps), axis=tuple(range(1, len(inputs.shape))))
        self.add_loss(self.rate_weight / self.pixels * ops.mean(bits))
        # Kept for the loss, which Keras computes right after this, as it keeps what layers add.
        self.error_weights = ops.square(mean / ops.reshape(steps, (-1,)))
        return noisy

    def bits(self, latents: Tensor, steps: Tensor) -> Tensor:
        """Return the bits of each latent, of the shape of the latents."""
        scales = ops.exp(-self.log_scale)
        # The distributions are symmetrical, and their lower tails are exact in float32.
        below = -ops.abs(latents - self.mean)[..., np.newaxis, :]
        half = steps[..., np.newaxis] / 2
        shares = ops.sigmoid((below + half) * scales) - ops.sigmoid((below - half) * scales)
        probability = ops.sum(ops.softmax(self.logits, axis=0) * shares, axis=-2)
        return -ops.log(ops.maximum(probability, _LEAST_PROBABILITY)) / math.log(2)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {
            **super().get_config(),
            "pixels": self.pixels,
            "rate_weight": self.rate_weight,
            "steps": self.steps,
            "seed": self.seed,
        }
