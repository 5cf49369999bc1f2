"""Hyper-latents and known latents to the means and scales of latents, in fixed point.

The networks are those of `ae_keras.layers.hyper_transforms`, with trained weights rounded to
integers. Maps are float64 arrays `(height, width, channels)` of one image or some rows of it.
"""

import numpy as np

from ae_keras.codec.hyperprior import checkerboard
from ae_keras.codec.hyperprior.checkerboard import EVEN, ODD
from ae_keras.codec.hyperprior.fixed_point import (
    LIMIT,
    WEIGHT,
    Dense,
    Depthwise,
    Integers,
    ResidualBlock,
    depth_to_space,
    leaky_relu,
    settle,
)
from ae_keras.codec.hyperprior.levels import Level

# Known latents have a table of their inverse hyperbolic sine, in eighths, up to this.
EIGHTHS = 8
LARGEST_KNOWN = 2**14
# Rows of hyper-latents above and below that features depend on. They are four of latents, of which
# convolutions take three: the one next to a strip's own is right, and the context needs it.
HYPER_MARGIN = 1
# Latents on a side of the square that a hyper-latent stands for.
HYPER_BLOCK = 4


class Networks:
    """Hyper decoder, head and context of a model.

    Args:
        integers: Those of its weights, by name; `arcsinh` is the table of `round(256 asinh(k / 8))`
            for `k` from 0 to `8 * 2^14`.
    """

    def __init__(self, integers: Integers):
        self._first = Dense(integers, "hyper_decoder/first")
        self._first_block = ResidualBlock(integers, "hyper_decoder/first_block")
        self._second = Dense(integers, "hyper_decoder/second")
        self._second_block = ResidualBlock(integers, "hyper_decoder/second_block")
        self._head = Dense(integers, "head")
        self._context_first = Dense(integers, "context/first")
        self._context_depthwise = Depthwise(integers, "context/depthwise")
        self._context_last = Dense(integers, "context/last")
        table = np.asarray(integers["arcsinh"], float)
        self._arcsinh = np.concatenate([-table[:0:-1], table])

    @property
    def bound(self) -> float:
        """The largest sum of integers that any layer can reach."""
        layers = (
            self._first,
            *self._first_block.layers,
            self._second,
            *self._second_block.layers,
            self._head,
            self._context_first,
            self._context_depthwise,
            self._context_last,
        )
        return max(layer.bound for layer in layers)

    def features(self, hyper_latents: np.ndarray, level: Level) -> np.ndarray:
        """Return features at the places of latents.

        Args:
            hyper_latents: `(height, width, hyper channels)`. The coded integers.
            level: Level. That of the quality.

        Returns:
            `(4 height, 4 width, features)`.
        """
        known = hyper_latents * level.hyper_step
        known += 0.5
        maps = self._first_block(depth_to_space(self._first(settle(known))))
        maps = depth_to_space(self._second(maps))
        maps *= level.modulation_scale / WEIGHT
        maps += level.modulation_shift / WEIGHT + 0.5
        return self._second_block(settle(maps))

    def parameters(self, features: np.ndarray) -> np.ndarray:
        """Return means and scales `(..., 2 channels)`, not yet scaled, of features."""
        return self._head(features)

    def corrected(
        self, features: np.ndarray, known: np.ndarray, top: int, rows: range
    ) -> np.ndarray:
        """Return the parameters at odd places, of which the neighbours are known.

        Args:
            features: `(height, width, features)`. Of some rows and, where there are any in the
                image, of the ones above and below.
            known: `(height, width / 2, channels)`. Latents at the even places, packed.
            top: int. The row of the whole image that these begin with.
            rows: range. Those of the outputs.

        Returns:
            `(rows, width / 2, 2 channels)`, packed.
        """
        split = features.shape[-1]
        sums = self._context_first.product(features, slice(split))
        seen = self._context_first.product(self._arcsinh_of(known), slice(split, None))
        checkerboard.add(seen, sums, EVEN, top)
        mixed = leaky_relu(self._context_first.settle(sums))
        corrections = self._context_last(leaky_relu(self._spread(mixed, top, rows)))
        own = features[rows.start - top : rows.stop - top]
        corrections += self.parameters(checkerboard.pick(own, ODD, rows.start))
        return np.clip(corrections, -LIMIT, LIMIT, out=corrections)

    def _spread(self, mixed: np.ndarray, top: int, rows: range) -> np.ndarray:
        """Return the depthwise convolution at the odd places of some rows."""
        (height, width, channels), above = mixed.shape, rows.start - top
        padded = np.zeros((len(rows) + 2, width + 2, channels))
        padded[1 - above : 1 - above + height, 1:-1] = mixed
        spread = np.empty((len(rows), width // 2, channels))
        for index, row in enumerate(rows):
            places = checkerboard.columns(width, row, ODD)
            spread[index] = self._context_depthwise(padded, range(index, index + 1), places)[0]
        return spread

    def _arcsinh_of(self, known: np.ndarray) -> np.ndarray:
        """Return the inverse hyperbolic sines of known latents, from the table."""
        places = known * EIGHTHS
        places += 0.5
        np.floor(places, out=places)
        largest = LARGEST_KNOWN * EIGHTHS
        np.clip(places, -largest, largest, out=places)
        return self._arcsinh[(places + largest).astype(np.int32)]
