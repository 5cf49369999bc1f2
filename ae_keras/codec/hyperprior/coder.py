"""The order in which hyper-latents and latents are coded, for encoder and decoder alike.

Hyper-latents come first. Then, for each strip, come its latents at even places; those at odd
places come after the even ones of the strip below, whose first row their context needs. What is
computed on the way is the same on both sides: they differ in `Exchange` alone, which makes symbols
of latents in the encoder, and reads them from the file in the decoder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ae_keras.codec.hyperprior import checkerboard
from ae_keras.codec.hyperprior.checkerboard import EVEN, ODD
from ae_keras.codec.hyperprior.levels import Level, Scales
from ae_keras.codec.hyperprior.networks import HYPER_BLOCK, HYPER_MARGIN, LARGEST_KNOWN, Networks
from ae_keras.codec.hyperprior.strips import Strips


class Exchange(Protocol):
    """Where hyper-latents and the symbols of latents come from."""

    def hyper_rows(self, rows: range) -> np.ndarray:
        """Return the hyper-latents `(rows, width, channels)`, whole numbers, of rows of blocks."""
        ...

    def __call__(
        self, strip: int, parity: int, means: np.ndarray, tables: np.ndarray
    ) -> np.ndarray:
        """Return the symbols of a strip's places of a parity, and code or decode them.

        Args:
            strip: int. Its number.
            parity: int. `EVEN` or `ODD`.
            means: float64 array `(rows, width / 2, channels)`. Of the latents.
            tables: uint8 array of the same shape. Each latent's scale table.

        Returns:
            Whole numbers of the same shape.
        """
        ...


@dataclass
class _Strip:
    """A strip whose even places are known.

    Args:
        number: int.
        rows: range. Of latents, in the whole image.
        top: int. The row that `features` begins with.
        features: `(height, width, features)`. With one row above and below, where there is one.
        latents: `(rows, width, channels)`.
        even: `(rows, width / 2, channels)`. Those at even places, packed.
    """

    number: int
    rows: range
    top: int
    features: np.ndarray
    latents: np.ndarray
    even: np.ndarray


class LatentWalk:
    """Goes through the latents of an image in the order of the file.

    Args:
        networks: Networks.
        scales: Scales. Of the tables.
        offsets: `(tables,)`. How far latents lie nearer to their means than their symbols say.
        level: Level. That of the quality.
        strips: Strips.
        exchange: Exchange.
    """

    def __init__(
        self,
        networks: Networks,
        scales: Scales,
        offsets: np.ndarray,
        level: Level,
        strips: Strips,
        exchange: Exchange,
    ):
        self._networks, self._scales, self._level = networks, scales, level
        self._offsets = offsets if np.any(offsets) else None
        self._strips, self._exchange = strips, exchange

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the known latents of each strip, float64 `(rows, width, channels)`."""
        above: _Strip | None = None
        strip = self._begin(0)
        for number in range(self._strips.count):
            below = self._begin(number + 1) if number + 1 < self._strips.count else None
            yield self._finish(above, strip, below)
            if below is not None:
                above, strip = strip, below

    def _begin(self, number: int) -> _Strip:
        """Return a strip with its even places."""
        window = self._strips.blocks(number, HYPER_MARGIN)
        blocks = self._strips.blocks(number)
        features = self._networks.features(
            self._exchange.hyper_rows(window).astype(float), self._level
        )
        rows = range(HYPER_BLOCK * blocks.start, HYPER_BLOCK * blocks.stop)
        # Of the margin, only the row next to the strip is right.
        top = rows.start - (blocks.start > window.start)
        first = HYPER_BLOCK * window.start
        last = rows.stop + (blocks.stop < window.stop)
        features = features[top - first : last - first]
        own = features[rows.start - top : rows.stop - top]
        parameters = self._networks.parameters(checkerboard.pick(own, EVEN, rows.start))
        even = self._code(number, EVEN, parameters)
        latents = np.empty((*own.shape[:2], even.shape[-1]))
        checkerboard.place(even, latents, EVEN, rows.start)
        return _Strip(number, rows, top, features, latents, even)

    def _finish(self, above: _Strip | None, strip: _Strip, below: _Strip | None) -> np.ndarray:
        """Return the latents of a strip, of which the neighbours' even places are known."""
        known = [strip.even]
        if above is not None:
            known.insert(0, above.even[-1:])
        if below is not None:
            known.append(below.even[:1])
        parameters = self._networks.corrected(
            strip.features, np.concatenate(known), strip.top, strip.rows
        )
        odd = self._code(strip.number, ODD, parameters)
        checkerboard.place(odd, strip.latents, ODD, strip.rows.start)
        return strip.latents

    def _code(self, strip: int, parity: int, parameters: np.ndarray) -> np.ndarray:
        """Return the latents at a strip's places of a parity."""
        means, logarithms = np.split(parameters, 2, axis=-1)
        means = means * self._level.unit
        tables = self._scales.indices(logarithms, self._level)
        symbols = self._exchange(strip, parity, means, tables)
        if self._offsets is not None:
            means -= np.sign(symbols) * self._offsets[tables]
        means += symbols
        return np.clip(means, -LARGEST_KNOWN, LARGEST_KNOWN, out=means)
