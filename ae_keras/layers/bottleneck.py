"""What stands between encoder and decoder while training: `QuantizationNoise` and `Sampling`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ae_keras.layers import noise
from ae_keras.layers.types import Shape, Tensor

# Bounds of the logarithm of the variance: a standard deviation from 0.007 to 150.
_LOG_VARIANCES = (-10.0, 10.0)


def _check_positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"`{name}` must be a number > 0. Received: {value!r}")


@keras.saving.register_keras_serializable(package="ae_keras")
class QuantizationNoise(keras.layers.Layer):
    """Adds uniform noise as wide as a quantization step, while training.

    Rounding to multiples of `step` has no useful gradient. Noise from U(-step / 2, step / 2) has
    the mean and variance of its error, `0` and `step**2 / 12`, and the gradient passes through.
    At inference the layer does nothing. Source: Ballé et al., "End-to-end optimized image
    compression", 2017.

    Args:
        step: float. Width of the noise.
        seed: int. Of the noise. Default: from Keras's global seed.

    Input shape:
        Any.

    Output shape:
        The input's.

    Raises:
        ValueError: if `step` is not a number above 0.

    Example:
        >>> QuantizationNoise(step=0.5)(keras.ops.zeros((2, 4)), training=True)
    """

    def __init__(self, step: float = 1.0, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        _check_positive("step", step)
        self.step = step
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the inputs, with noise while training."""
        if not training:
            return inputs
        half = self.step / 2
        return inputs + noise.uniform(
            ops.shape(inputs), -half, half, self.seed_generator, inputs.dtype
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "step": self.step, "seed": self.seed}


@keras.saving.register_keras_serializable(package="ae_keras")
class Sampling(keras.layers.Layer):
    """Draws latents from N(mean, variance) while training, and returns the mean at inference.

    Adds to the loss `kl_weight` times the Kullback-Leibler divergence of that distribution from
    N(0, 1), in nats of one image (the sum over its latent, the mean over the batch), divided by
    the pixels of the image:

    `KL = sum(mean**2 + variance - 1 - log(variance)) / 2`

    The draw is `mean + sqrt(variance) * noise`, so that gradients reach both (Kingma and Welling,
    "Auto-encoding variational Bayes", 2014). The logarithm of the variance is clipped to
    [-10, 10].

    Args:
        pixels: int. Height times width of the image.
        kl_weight: float. Weight of the divergence, also called beta.
        seed: int. Of the draws. Default: from Keras's global seed.

    Input shape:
        A pair of tensors of one shape: the mean, and the logarithm of the variance.

    Output shape:
        That of the mean.

    Raises:
        ValueError: if `pixels` or `kl_weight` is not a number above 0.

    Example:
        >>> mean, log_variance = keras.ops.zeros((2, 4)), keras.ops.zeros((2, 4))
        >>> latents = Sampling(pixels=1024)([mean, log_variance], training=True)
    """

    def __init__(
        self, pixels: int, kl_weight: float = 1e-3, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        _check_positive("pixels", pixels)
        _check_positive("kl_weight", kl_weight)
        self.pixels = pixels
        self.kl_weight = kl_weight
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Create the factor of `kl_weight` that a warm-up changes."""
        self.warmup = self.add_weight(
            name="warmup", shape=(), initializer="ones", trainable=False, autocast=False
        )

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Return latents: a sample while training, else the mean."""
        mean, log_variance = inputs
        divergence = ops.mean(self.divergence(mean, log_variance))
        self.add_loss(self.loss_weight(training) * divergence)
        if not training:
            return mean
        log_variance = ops.clip(log_variance, *_LOG_VARIANCES)
        draws = noise.normal(ops.shape(mean), self.seed_generator, mean.dtype)
        return mean + ops.exp(log_variance / 2) * draws

    def loss_weight(self, training: bool) -> Tensor:
        """Return what the divergence, in nats of an image, is multiplied by in the loss.

        Validation always takes the full weight: so its losses can be compared between epochs.
        """
        weight = self.kl_weight / self.pixels
        return weight * self.warmup if training else weight

    def divergence(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Return the divergence from the prior in nats of each image, `(batch,)`, in float32."""
        mean, log_variance = ops.cast(mean, "float32"), ops.cast(log_variance, "float32")
        log_variance = ops.clip(log_variance, *_LOG_VARIANCES)
        terms = ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance
        return ops.sum(terms, axis=tuple(range(1, len(mean.shape)))) / 2

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the shape of the output."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {
            **super().get_config(),
            "pixels": self.pixels,
            "kl_weight": self.kl_weight,
            "seed": self.seed,
        }
