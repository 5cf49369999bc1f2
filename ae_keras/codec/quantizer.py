"""Latents to integers and back, with what is known of the latents of the training images.

A channel's values are counted in narrow bins of one width, its unit; bin `j` is centred at `j`
units. A step of `s` makes quantization steps of `s / 32` units, in the whole of a file:

```
symbol = round(latent / (s / 32 units))
```

Sums of counts give each symbol's weight under any step, and so its frequency; all in integers, so
that encoder and decoder, on whatever machine, have the same tables. A symbol is decoded as the mean
of the training latents that it stood for, which lies nearer to zero than the middle of the step.

The unit of a channel is in inverse proportion to what a change of its values changes in the image.
One quantization error is then as visible in one channel as in another, which is the best choice for
independent errors (the gains of a transform coder).

The tables, exactly. Positions are in 1/64 unit: bin `j` reaches from `64 j - 32` to `64 j + 32`,
symbol `q` from `(2 q - 1) s` to `(2 q + 1) s`, and a table has the symbols that share positions
with its bins. A bin with `n` counts has the weight `16 n + 1` at each of its positions, a symbol
the sum over those that it shares, the escape `max(1, sum // 8192)` of the sum of these;
`scale_frequencies` makes frequencies of them. A symbol is decoded as the mean of its positions with
these weights, each taken at its middle; an escaped value `q` as `2 q s` positions.
"""

import functools
import hashlib
import io
from pathlib import Path

import numpy as np

from ae_keras.codec.entropy_coding import LARGEST_SYMBOL, FrequencyTables, scale_frequencies

# Of a quantization step to the unit of a channel.
STEP_SCALE = 32
# The finest step is one unit, the coarsest 1,000: 60 dB of quantization error apart.
FINEST_STEP = STEP_SCALE
COARSEST_STEP = 1000 * STEP_SCALE
_QUALITIES = 100

# Half a bin; positions on the axis of a channel are multiples of 1/64 unit.
_HALF = STEP_SCALE
_BIN = 2 * _HALF
# A count of 1 to the doubt whether a bin without counts is really empty.
_TRUST = 16
# Of a value outside of the table.
_ESCAPE_SHARE = 2**13
# Counts of a channel: with them, no product of the tables exceeds 63 bits.
_MOST_COUNTS = 2**27


def step_of_quality(quality: int) -> int:
    """Return the step of a quality from 1 to 100; a higher quality always has a smaller step.

    Raises:
        ValueError: if the quality is not such a number.
    """
    if type(quality) is not int or not 1 <= quality <= _QUALITIES:
        raise ValueError(f"`quality` must be a whole number from 1 to 100. Received: {quality!r}")
    exponent = (_QUALITIES - quality) / (_QUALITIES - 1)
    return round(FINEST_STEP * (COARSEST_STEP / FINEST_STEP) ** exponent)


def check_step(step: int) -> None:
    """Raise `ValueError` unless a step is one that files may have."""
    if type(step) is not int or not FINEST_STEP <= step <= COARSEST_STEP:
        raise ValueError(
            f"`step` must be a whole number from {FINEST_STEP} to {COARSEST_STEP}. "
            f"Received: {step!r}"
        )


def quality_of_step(step: int) -> int:
    """Return the quality whose step is nearest to a given one."""
    return min(range(1, _QUALITIES + 1), key=lambda quality: abs(step_of_quality(quality) - step))


class Quantizer:
    """What is known of the latents of a model.

    Args:
        units: float64 array `(channels,)`. Width of a bin of each channel.
        starts: Whole numbers `(channels,)`. The first bin of each channel.
        counts: For each channel, how many training latents were in each bin from the first on.
        default_step: int.
        weights_digest: str. Of the model's weights; tables are of no use with others.

    Raises:
        ValueError: if these do not fit together.
    """

    def __init__(self, units, starts, counts, default_step=FINEST_STEP, weights_digest=""):
        self.units = np.asarray(units, np.float64)
        self.starts = np.asarray(starts, np.int64)
        self.counts = [np.asarray(channel, np.int64) for channel in counts]
        self.default_step = int(default_step)
        self.weights_digest = weights_digest
        if not len(self.units) == len(self.starts) == len(self.counts):
            raise ValueError("Expected units, starts and counts of as many channels.")
        for channel in self.counts:
            if not len(channel) or channel.min() < 0 or not 0 < channel.sum() <= _MOST_COUNTS:
                raise ValueError("Expected counts >= 0 of 1 to 2^27 latents in each channel.")
        self._tables = functools.lru_cache(maxsize=4)(self._make_tables)

    @property
    def channels(self) -> int:
        """Number of channels of the latents."""
        return len(self.units)

    def tables(self, step: int) -> FrequencyTables:
        """Return the frequency tables of the channels under a step."""
        return self._tables(step)[0]

    def symbols(self, latents: np.ndarray, step: int) -> np.ndarray:
        """Quantize latents.

        Args:
            latents: Array `(..., channels)`.
            step: int.

        Returns:
            int32 array `(channels, values)`: of each channel its symbols, in order.

        Raises:
            ValueError: if a latent is not a number, or too large.
        """
        factors = (STEP_SCALE / (self.units * step)).astype(np.float32)
        scaled = latents.reshape(-1, self.channels) * factors
        np.rint(scaled, out=scaled)
        if not np.abs(scaled).max(initial=0) <= LARGEST_SYMBOL:
            raise ValueError("The model's latents of this image are not numbers, or too large.")
        return np.ascontiguousarray(scaled.astype(np.int32).T)

    def latents(self, symbols: np.ndarray, step: int) -> np.ndarray:
        """Return the float32 latents `(values, channels)` that symbols stand for.

        Args:
            symbols: int32 array `(channels, values)`.
            step: int.
        """
        tables, means = self._tables(step)
        places = symbols - tables.lowest[:, np.newaxis]
        outside = np.nonzero(places.view(np.uint32) >= tables.sizes.view(np.uint32)[:, np.newaxis])
        places += (np.cumsum(tables.sizes, dtype=np.int32) - tables.sizes)[:, np.newaxis]
        latents = np.take(means, places, mode="clip")
        latents[outside] = symbols[outside] * (self.units * step / STEP_SCALE)[outside[0]]
        return np.ascontiguousarray(latents.T)

    def _make_tables(self, step: int) -> tuple[FrequencyTables, np.ndarray]:
        """Return the tables, and what each of their symbols is decoded as."""
        lowest, frequencies, means = [], [], []
        for unit, start, counts in zip(self.units, self.starts, self.counts, strict=True):
            first, weights, centres = _sum_counts(int(start), counts, step)
            lowest.append(first)
            escape_weight = max(1, int(weights.sum()) // _ESCAPE_SHARE)
            frequencies.append(scale_frequencies(weights, escape_weight))
            means.append((centres * (unit / _BIN)).astype(np.float32))
        return FrequencyTables(lowest, frequencies), np.concatenate(means)

    @functools.cached_property
    def digest(self) -> bytes:
        """Eight bytes of the SHA-256 of the digest of the weights, units, starts and counts.

        Each part comes after its number of values, an unsigned integer of 8 bytes: the weights'
        digest as text, the others as 64-bit numbers, all little-endian.
        """
        parts = [self.weights_digest.encode(), self.units.astype("<f8"), self.starts.astype("<i8")]
        parts += [channel.astype("<i8") for channel in self.counts]
        checksum = hashlib.sha256()
        for part in parts:
            checksum.update(len(part).to_bytes(8, "little"))
            checksum.update(part if isinstance(part, bytes) else part.tobytes())
        return checksum.digest()[:8]

    def save(self, path: str | Path) -> None:
        """Write everything as a compressed `.npz` file."""
        with open(path, "wb") as file:
            np.savez_compressed(
                file,
                units=self.units,
                starts=self.starts.astype(np.int32),
                lengths=np.array([len(channel) for channel in self.counts], np.int32),
                counts=np.concatenate(self.counts).astype(np.int32),
                default_step=self.default_step,
                weights_digest=self.weights_digest,
            )

    @classmethod
    def load(cls, path: str | Path):
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is damaged.
        """
        return cls.from_bytes(Path(path).read_bytes(), str(path))

    @classmethod
    def from_bytes(cls, data: bytes, name: str):
        """Read the bytes of what `save` wrote; errors name the file that they are from.

        Raises:
            ValueError: if they are damaged.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                counts = np.split(file["counts"], np.cumsum(file["lengths"])[:-1])
                return cls(
                    file["units"],
                    file["starts"],
                    counts,
                    int(file["default_step"]),
                    str(file["weights_digest"]),
                )
        except Exception as error:  # of many types, where an archive is damaged
            raise ValueError(f"Cannot read the tables in {name!r}: {error}") from error


def _sum_counts(start: int, counts: np.ndarray, step: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Gather the counts of bins into those of quantization steps.

    Within a bin, latents are taken to be spread evenly.

    Returns:
        The lowest symbol, the weight of each symbol from there on, and the mean position of what
        it stands for, in 1/64 unit.
    """
    weights = _TRUST * counts + 1
    first, last = _BIN * start - _HALF, _BIN * (start + len(counts)) - _HALF
    # Symbol q stands for positions from (2 q - 1) step to (2 q + 1) step.
    lowest, highest = (first + step) // (2 * step), (last - 1 + step) // (2 * step)
    edges = (2 * np.arange(lowest, highest + 2) - 1) * step
    edges = np.clip(edges, first, last) - first
    bins, rest = np.divmod(edges, _BIN)
    bins, rest = np.where(edges == last - first, [bins - 1, rest + _BIN], [bins, rest])
    cumulative = _BIN * (np.cumsum(weights) - weights)[bins] + rest * weights[bins]
    # Of all positions up to each edge, their sum.
    positions = first + _BIN * np.arange(len(counts))
    moments = _BIN * weights * (positions + _HALF).astype(np.float64)
    moments = (np.cumsum(moments) - moments)[bins]
    moments += rest * weights[bins] * (positions[bins] + rest / 2)
    sums = np.diff(cumulative)
    return lowest, sums, np.diff(moments) / sums
