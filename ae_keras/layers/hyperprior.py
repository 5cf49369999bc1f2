"""The entropy model of the photo codec: `Hyperprior`."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ae_keras.layers import noise
from ae_keras.layers.gaussian import gaussian_bits, round_straight_through
from ae_keras.layers.hyper_transforms import CheckerboardContext, HyperDecoder, HyperEncoder
from ae_keras.layers.quality import Gain, QualityLayer
from ae_keras.layers.residual import pointwise
from ae_keras.layers.types import Shape, Tensor
from ae_keras.system.quality import lambda_of_position

# Scales of the Gaussians that latents are coded with, in steps of quantization.
SCALES = (0.11, 400.0)
# The smallest scale of a hyper-latent.
_LEAST_HYPER_SCALE = 0.05
# Hyper-latents are finer than the hyper encoder's outputs, at first.
_HYPER_GAIN = 3.0
# Of a batch in the running mean of the rates.
_RATE_SHARE = 0.01
# Pixels on a side of the block that one latent stands for.
LATENT_BLOCK = 16


def loss_weight(position: Any) -> Any:
    """Return the weight of an image in the loss: `(0.02 / lambda)**0.35`.

    Without it, images at high rates would own the gradient.
    """
    return (0.02 / lambda_of_position(position)) ** 0.35


def sample_weights(position: Any) -> Any:
    """Return the weights `(batch, 1, 1)` of the squared errors, in [0, 1], in the loss.

    With them, Keras's `"mse"` is `weight * lambda * 255**2 * MSE`, where `weight` is that of the
    rate too. Two axes of length 1 stand for height and width: Keras multiplies the errors of pixels
    by weights as NumPy would.

    Args:
        position: Array `(batch,)` in [0, 1].
    """
    return (loss_weight(position) * lambda_of_position(position) * 255**2)[:, None, None]


def even_places(latents: Tensor) -> Tensor:
    """Return the checkerboard `(height, width, 1)`: 1 where row + column is even, else 0."""
    _, height, width, _ = ops.shape(latents)
    rows, columns = ops.arange(height)[:, None], ops.arange(width)[None, :]
    return ops.cast((rows + columns + 1) % 2, "float32")[:, :, None]


@keras.saving.register_keras_serializable(package="ae_keras")
class Hyperprior(QualityLayer):
    """Rounds latents, and estimates the bits that they take: a mean-scale hyperprior.

    ```
    latents y --hyper encoder--> z --round--> hyper decoder --> features --head--> means, scales
    even places of round(y - mean) + mean --context, with the features--> corrections at odd places
    ```

    A latent is coded as `round(y - mean)`, with the probabilities of a Gaussian. Means and scales
    are predicted in units of `exp(log_deviation + log_gain)`: the standard deviation of
    the scaled coefficient, so that a head of zeros is a good start. The hyper-latents `z` are coded
    with one Gaussian for each channel and quality. Places of the checkerboard whose row + column
    is even are coded first; the means and scales of the others are corrected by what is known.

    The rounded latents, with the gradient of the latents, are the output. While training the rate
    is that of latents with uniform noise, which has the gradient that rounding lacks.
    The layer adds `loss_weight(position) * bits per pixel` to the loss, the mean over the batch.

    Args:
        gain: Gain. The layer that has scaled the latents.
        filters: int. Feature maps of hyper encoder and hyper decoder.
        features: int. Feature maps at the latents' resolution.
        hyper_channels: int. Channels of the hyper-latents.
        precision: str. Dtype policy of the pointwise layers' products. All else is float32.
        seed: int. Of the noise. Default: from Keras's global seed.

    Input shape:
        A pair: scaled latents `(batch, height, width, channels)`, height and width divisible by 4,
        and positions `(batch,)` in [0, 1].

    Output shape:
        That of the latents.

    Reference:
        - [Minnen et al., 2018](https://arxiv.org/abs/1809.02736): means and scales.
        - [He et al., 2021](https://arxiv.org/abs/2103.15306): checkerboard contexts.
    """

    def __init__(
        self,
        gain: Gain,
        filters: int = 128,
        features: int = 192,
        hyper_channels: int = 96,
        precision: str = "float32",
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.gain = gain
        self.filters, self.features, self.hyper_channels = filters, features, hyper_channels
        self.precision, self.seed = precision, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Shape) -> None:
        """Create the networks and the tables."""
        latents, position = input_shape
        channels, hyper_channels, policy = latents[-1], self.hyper_channels, self.precision
        maps = (None, None, None, self.features)
        if not self.gain.built:
            self.gain.build(input_shape)
        self.hyper_encoder = HyperEncoder(
            self.filters, hyper_channels, name="hyper_encoder", dtype=policy
        )
        self.hyper_decoder = HyperDecoder(
            self.filters, self.features, name="hyper_decoder", dtype=policy
        )
        self.head = pointwise(2 * channels, 0, name="head", dtype=policy)
        self.context = CheckerboardContext(2 * channels, name="context", dtype=policy)
        self.hyper_encoder.build([latents, position])
        self.hyper_decoder.build([(None, None, None, hyper_channels), position])
        self.head.build(maps)
        self.context.build([maps, latents])
        self.hyper_gains = self.add_table("hyper_gains", hyper_channels)
        self.hyper_means = self.add_table("hyper_means", hyper_channels)
        self.hyper_scales = self.add_table("hyper_scales", hyper_channels)
        self.log_deviation = self.add_weight(
            name="log_deviation", shape=(channels,), initializer="zeros", trainable=False
        )
        # Several devices of TensorFlow keep it each of their own images; what is read is the mean.
        self.rate = keras.Variable(
            "zeros", (), trainable=False, name="rate", aggregation="mean", synchronization="on_read"
        )

    def call(self, inputs: Sequence[Tensor], training: bool = False) -> Tensor:
        """Return the rounded latents, and add their rate to the loss."""
        latents, position = inputs
        rounded, bits = self.code(latents, position, training)
        _, height, width, _ = ops.shape(latents)
        pixels = ops.cast(height * width * LATENT_BLOCK**2, "float32")
        self.add_loss(ops.mean(loss_weight(position) * bits / pixels))
        if training:
            self._note_rate(ops.mean(bits) / pixels)
        return rounded

    def _note_rate(self, rate: Tensor) -> None:
        """Keep the running mean of the rates of training, in bits per pixel, for the progress."""
        rate, before = ops.stop_gradient(rate), ops.convert_to_tensor(self.rate)
        before = ops.where(before > 0, before, rate)
        self.rate.assign(before + _RATE_SHARE * (rate - before))

    def code(
        self, latents: Tensor, position: Tensor, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the rounded latents, and the bits of each image `(batch,)`."""
        hyper_latents = self.analyse(latents, position)
        known_hyper = round_straight_through(hyper_latents)
        bits = ops.sum(self._hyper_bits(hyper_latents, known_hyper, position, training), (1, 2, 3))
        predicted = self.predict(known_hyper, position)
        mean, scale = self.latent_moments(latents, predicted, position)
        residuals = latents - mean
        symbols = round_straight_through(residuals)
        coded = residuals + self._noise(residuals) if training else symbols
        return mean + symbols, bits + ops.sum(gaussian_bits(coded, scale), (1, 2, 3))

    def analyse(self, latents: Tensor, position: Tensor) -> Tensor:
        """Return the scaled hyper-latents of latents, before they are rounded."""
        return self.hyper_encoder([latents, position]) * self.hyper_gain(position)

    def hyper_gain(self, position: Tensor) -> Tensor:
        """Return the gains of the hyper-latents, `(batch, 1, 1, hyper_channels)`."""
        return _HYPER_GAIN * ops.exp(self.look_up(self.hyper_gains, position))

    def hyper_moments(self, position: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and scale of the hyper-latents, each `(batch, 1, 1, hyper_channels)`."""
        scale = ops.exp(self.look_up(self.hyper_scales, position))
        return self.look_up(self.hyper_means, position), ops.maximum(scale, _LEAST_HYPER_SCALE)

    def predict(self, known_hyper: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and parameters at the latents' places, of rounded hyper-latents."""
        features = self.hyper_decoder([known_hyper / self.hyper_gain(position), position])
        return features, self.head(features)

    def latent_moments(
        self, latents: Tensor, predicted: tuple[Tensor, Tensor], position: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return means and scales of latents, at odd places with what the even ones tell of them.

        Args:
            latents: Tensor, not rounded.
            predicted: What `predict` returned.
            position: Tensor `(batch,)`.
        """
        features, parameters = predicted
        unit = self.log_deviation + self.gain.log_gain(position)
        even = even_places(latents)
        mean, _ = self.moments(parameters, unit)
        known = even * (mean + round_straight_through(latents - mean))
        corrections = self.context([features, known])
        return self.moments(parameters + (1 - even) * corrections, unit)

    @staticmethod
    def moments(parameters: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents' means and scales.

        Args:
            parameters: Tensor `(batch, height, width, 2 * channels)`: means in units of
                `exp(unit)`, then half of the logarithms of scales in that unit.
            unit: Tensor `(batch, 1, 1, channels)`.
        """
        mean, log_scale = ops.split(parameters, 2, axis=-1)
        log_scale = ops.clip(2 * log_scale + unit, math.log(SCALES[0]), math.log(SCALES[1]))
        return mean * ops.exp(unit), ops.exp(log_scale)

    def _hyper_bits(
        self, hyper_latents: Tensor, known_hyper: Tensor, position: Tensor, training: bool
    ) -> Tensor:
        mean, scale = self.hyper_moments(position)
        coded = hyper_latents + self._noise(hyper_latents) if training else known_hyper
        return gaussian_bits(coded - mean, scale)

    def _noise(self, values: Tensor) -> Tensor:
        return noise.uniform(ops.shape(values), -0.5, 0.5, self.seed_generator)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs. A layer made from it has a `Gain` of its own."""
        return {
            **super().get_config(),
            "gain": keras.saving.serialize_keras_object(self.gain),
            "filters": self.filters,
            "features": self.features,
            "hyper_channels": self.hyper_channels,
            "precision": self.precision,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Hyperprior":
        """Build a layer, with new weights, from what `get_config` returned."""
        return cls(**{**config, "gain": keras.saving.deserialize_keras_object(config["gain"])})
