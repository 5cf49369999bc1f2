"""The frequency tables of the channels of a model under one step, and what symbols stand for.

Positions are in 1/64 unit: bin `j` reaches from `64 j - 32` to `64 j + 32`, symbol `q` from
`(2 q - 1) s` to `(2 q + 1) s`, and a table has the symbols that share positions with its bins. A
bin with `n` counts has the weight `16 n + 1` at each of its positions, a symbol the sum over those
that it shares, the escape `max(1, sum // 8192)` of the sum of these; `scale_frequencies` makes
frequencies of them. A symbol is decoded as the mean of its positions with these weights, each taken
at its middle; an escaped value `q` as `2 q s` positions.
"""

import math
from collections.abc import Sequence

import numpy as np

from ae_keras.codec.entropy_coding import LARGEST_SYMBOL, FrequencyTables, scale_frequencies
from ae_keras.codec.steps import STEP_SCALE

# Half a bin; positions on the axis of a channel are multiples of 1/64 unit.
_HALF = STEP_SCALE
BIN = 2 * _HALF
# A count of 1 to the doubt whether a bin without counts is really empty.
TRUST = 16
# Of a value outside of the table.
_ESCAPE_SHARE = 2**13


class ChannelTables:
    """Latents to symbols to bytes, and back, under one step: each channel has a table.

    Args:
        units: float64 array `(channels,)`. Width of a bin of each channel.
        starts: int64 array `(channels,)`. The first bin of each channel.
        counts: For each channel, how many training latents were in each bin from the first on.
        step: int. See `ae_keras.codec.quantizer`.

    Attributes:
        tables: FrequencyTables. One for each channel.
    """

    def __init__(
        self, units: np.ndarray, starts: np.ndarray, counts: Sequence[np.ndarray], step: int
    ):
        self._units, self._step = units, step
        lowest, frequencies, means = [], [], []
        for unit, start, channel in zip(units, starts, counts, strict=True):
            first, weights, centres = sum_counts(int(start), channel, step)
            lowest.append(first)
            escape_weight = max(1, int(weights.sum()) // _ESCAPE_SHARE)
            frequencies.append(scale_frequencies(weights, escape_weight))
            means.append((centres * (unit / BIN)).astype(np.float32))
        self.tables = FrequencyTables(lowest, frequencies)
        self._means = np.concatenate(means)

    def symbols(self, latents: np.ndarray) -> np.ndarray:
        """Quantize latents.

        Args:
            latents: Array `(..., channels)`.

        Returns:
            int32 array `(channels, values)`: of each channel its symbols, in order.

        Raises:
            ValueError: if a latent is not a number, or too large.
        """
        factors = (STEP_SCALE / (self._units * self._step)).astype(np.float32)
        scaled = latents.reshape(-1, len(factors)) * factors
        np.rint(scaled, out=scaled)
        if not np.abs(scaled).max(initial=0) <= LARGEST_SYMBOL:
            raise ValueError("The model's latents of this image are not numbers, or too large.")
        return np.ascontiguousarray(scaled.astype(np.int32).T)

    def latents(self, symbols: np.ndarray) -> np.ndarray:
        """Return the float32 latents `(values, channels)` that symbols stand for.

        Args:
            symbols: int32 array `(channels, values)`.
        """
        lowest, sizes = self.tables.lowest, self.tables.sizes
        places = symbols - lowest[:, np.newaxis]
        outside = np.nonzero(places.view(np.uint32) >= sizes.view(np.uint32)[:, np.newaxis])
        places += (np.cumsum(sizes, dtype=np.int32) - sizes)[:, np.newaxis]
        latents = np.take(self._means, places, mode="clip")
        widths = self._units * self._step / STEP_SCALE
        latents[outside] = symbols[outside] * widths[outside[0]]
        return np.ascontiguousarray(latents.T)

    def encode(self, latents: np.ndarray) -> bytes:
        """Return the bytes of a section: channel after channel, the symbols of its latents.

        Args:
            latents: Array `(..., channels)`.

        Raises:
            ValueError: if a latent is not a number, or too large.
        """
        symbols = self.symbols(latents)
        return self.tables.encode(symbols.ravel(), [symbols.shape[1]] * len(symbols))

    def decode(self, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
        """Return the float32 latents, of a shape, that the bytes of a section stand for.

        Raises:
            InconsistentError: if the bytes are not those of so many symbols.
        """
        symbols = self.tables.decode(data, [math.prod(shape[:-1])] * shape[-1])
        return self.latents(symbols.reshape(shape[-1], -1)).reshape(shape)


def sum_counts(start: int, counts: np.ndarray, step: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Gather the counts of bins into those of quantization steps.

    Within a bin, latents are taken to be spread evenly.

    Args:
        start: int. The first bin.
        counts: Those of the bins from there on.
        step: int.

    Returns:
        The lowest symbol, the weight of each symbol from there on, and the mean position of what
        it stands for, in 1/64 unit.
    """
    weights = TRUST * counts + 1
    first, last = BIN * start - _HALF, BIN * (start + len(counts)) - _HALF
    # Symbol q stands for positions from (2 q - 1) step to (2 q + 1) step.
    lowest, highest = (first + step) // (2 * step), (last - 1 + step) // (2 * step)
    edges = (2 * np.arange(lowest, highest + 2) - 1) * step
    edges = np.clip(edges, first, last) - first
    bins, rest = np.divmod(edges, BIN)
    bins, rest = np.where(edges == last - first, [bins - 1, rest + BIN], [bins, rest])
    cumulative = BIN * (np.cumsum(weights) - weights)[bins] + rest * weights[bins]
    # Of all positions up to each edge, their sum.
    positions = first + BIN * np.arange(len(counts))
    moments = BIN * weights * (positions + _HALF).astype(np.float64)
    moments = (np.cumsum(moments) - moments)[bins]
    moments += rest * weights[bins] * (positions[bins] + rest / 2)
    sums = np.diff(cumulative)
    return lowest, sums, np.diff(moments) / sums
