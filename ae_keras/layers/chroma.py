"""Heads of a colourizer: from what its network predicts, at half the resolution, to colour.

Colour is that of CIE LAB: the lightness L is that of the grey image, the chroma, a and b, is what
a network has to predict.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from scipy import ndimage

from ae_keras.layers.types import Shape, Tensor
from ae_keras.system.colour import grey_to_lightness, lab_to_rgb, rgb_to_lab
from ae_keras.system.pixels import to_unit_range

# Chroma is predicted in this unit: no colour of sRGB has an a or b beyond.
CHROMA_RANGE = 110.0

# Levels of each channel that stand for all colours, to find the bins.
_GAMUT_LEVELS = 33
# Of Zhang, Isola and Efros, 2016: smoothing of the frequencies, in units of chroma, and the share
# of a uniform distribution in them.
_SMOOTHING = 5.0
_UNIFORM_SHARE = 0.5


class ChromaHead(keras.layers.Layer):
    """Joins the chroma that a network predicts to the lightness of the grey image.

    Subclasses say what the prediction is.

    Input shape:
        A pair: grey images `(batch, height, width, 1)` in [0, 1], of even height and width, and
        predictions `(batch, height / 2, width / 2, prediction_channels)`.

    Output shape:
        `(batch, height, width, 3)`: sRGB images in [0, 1], as light as the grey ones.
    """

    # What training minimizes, in words and as a Keras loss; None: that of the recipe.
    loss_name: str | None = None
    loss: keras.losses.Loss | None = None

    def __init__(self, **kwargs: Any):
        super().__init__(**{**kwargs, "dtype": "float32"})  # half the bits are too few for LAB

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the colour images."""
        grey, prediction = inputs
        tall = _double(self.to_chroma(prediction))
        chroma = ops.swapaxes(_double(ops.swapaxes(tall, 1, 2)), 1, 2)
        return lab_to_rgb(ops.concatenate([grey_to_lightness(grey), chroma], axis=-1))

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """Return the shape of the output."""
        return (*input_shape[0][:-1], 3)

    def half_chroma(self, images: Tensor) -> Tensor:
        """Return the chroma of sRGB images at half their resolution: the mean of 2x2 pixels."""
        return ops.average_pool(rgb_to_lab(images)[..., 1:], 2)

    def adapt(self, images: np.ndarray) -> None:
        """Learn from the colours of uint8 training images what the head needs, if anything."""


def _double(images: Tensor) -> Tensor:
    """Return images of twice the height, by linear interpolation. Keras's needs a known size."""
    pixels = ops.repeat(images, 2, axis=1)
    padded = ops.concatenate([images[:, :1], pixels, images[:, -1:]], axis=1)
    return (padded[:, :-2] + 2 * pixels + padded[:, 2:]) / 4


@keras.saving.register_keras_serializable(package="ae_keras")
class ChromaRegression(ChromaHead):
    """The prediction is the chroma itself, in units of 110."""

    prediction_channels = 2

    def to_chroma(self, prediction: Tensor) -> Tensor:
        """Return predicted a and b."""
        return CHROMA_RANGE * prediction

    def targets(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the network should predict of sRGB images, and no weights."""
        return self.half_chroma(images) / CHROMA_RANGE, None


@keras.saving.register_keras_serializable(package="ae_keras")
class ChromaClassification(ChromaHead):
    """The prediction is a logit for each bin of chroma; rare colours weigh more in training.

    Bins lie on a square grid over a and b. The target of a pixel is the mixture of the four bins
    around its chroma whose mean that is. Its weight is the inverse of how frequent its colour is,
    after smoothing and half mixed with a uniform distribution, and 1 on average. The chroma is the
    annealed mean: the mean of the bins after logits are divided by `temperature`.

    Args:
        spacing: float. Of the bins, in units of chroma.
        temperature: float. From 0, the most probable bin, to 1, the mean.

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        - [Zhang, Isola and Efros, 2016](https://arxiv.org/abs/1603.08511), where the target is a
          Gaussian mixture of five bins.
    """

    loss_name: str | None = "cross-entropy of chroma"

    def __init__(self, spacing: float = 10.0, temperature: float = 0.38, **kwargs: Any):
        super().__init__(**kwargs)
        for name, value, most in (("spacing", spacing, 55), ("temperature", temperature, 1)):
            if not isinstance(value, int | float) or not 0 < value <= most:
                raise ValueError(f"`{name}` must be above 0, to {most}. Received: {value!r}")
        self.spacing, self.temperature = spacing, temperature
        self._corners = _gamut_corners(spacing)
        self.loss = keras.losses.CategoricalCrossentropy(from_logits=True)

    @property
    def prediction_channels(self) -> int:
        """Number of bins."""
        return len(self._corners)

    def build(self, input_shape: Sequence[Shape]) -> None:
        """Create the weights of the bins, which are not trained."""
        self.bin_weights = self.add_weight(
            name="bin_weights",
            shape=(self.prediction_channels,),
            initializer="ones",
            trainable=False,
        )

    def to_chroma(self, prediction: Tensor) -> Tensor:
        """Return the annealed mean of a and b."""
        probabilities = ops.softmax(ops.cast(prediction, "float32") / self.temperature)
        return ops.matmul(probabilities, self._constant(self.spacing * self._corners))

    def targets(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return mixtures of bins `(batch, height / 2, width / 2, bins)`, and pixels' weights."""
        mixtures = self._mix(self.half_chroma(images))
        return mixtures, ops.matmul(mixtures, self.bin_weights)

    def _mix(self, chroma: Tensor) -> Tensor:
        corners = self._constant(self._corners)
        near = [
            ops.relu(1 - ops.abs(chroma[..., axis, None] / self.spacing - corners[:, axis]))
            for axis in (0, 1)
        ]
        return near[0] * near[1]

    @staticmethod
    def _constant(values: np.ndarray) -> Tensor:
        return ops.convert_to_tensor(values, dtype="float32")

    def adapt(self, images: np.ndarray) -> None:
        """Set the bins' weights from the colours of uint8 images."""
        frequencies = np.zeros(self.prediction_channels)
        for start in range(0, len(images), 256):
            batch = to_unit_range(images[start : start + 256])
            mixtures = ops.convert_to_numpy(self._mix(self.half_chroma(batch)))
            frequencies += mixtures.sum(axis=(0, 1, 2), dtype=np.float64)
        frequencies /= frequencies.sum()
        shares = (1 - _UNIFORM_SHARE) * self._smooth(frequencies) + _UNIFORM_SHARE / len(
            frequencies
        )
        self.bin_weights.assign(1 / shares / np.sum(frequencies / shares))

    def _smooth(self, frequencies: np.ndarray) -> np.ndarray:
        places = tuple((self._corners - self._corners.min(axis=0)).T)
        plane = np.zeros(np.max(places, axis=1) + 1)
        plane[places] = frequencies
        smooth = ndimage.gaussian_filter(plane, _SMOOTHING / self.spacing, mode="constant")[places]
        return smooth / smooth.sum()

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "spacing": self.spacing, "temperature": self.temperature}


def _gamut_corners(spacing: float) -> np.ndarray:
    """Return the corners `(bins, 2)` of the squares of a grid that colours of sRGB lie in."""
    levels = np.linspace(0, 1, _GAMUT_LEVELS, dtype=np.float32)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    # As a tensor: bins must not depend on how NumPy rounds.
    lab = ops.convert_to_numpy(rgb_to_lab(ops.convert_to_tensor(colours)))
    chroma = lab[..., 1:].reshape(-1, 2)
    squares = np.unique(np.floor(chroma / spacing).astype(int), axis=0)
    corners = [squares + offset for offset in ((0, 0), (0, 1), (1, 0), (1, 1))]
    return np.unique(np.concatenate(corners), axis=0)
