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

The tables, exactly: see `ae_keras.codec.channel_tables`.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ae_keras.codec import steps
from ae_keras.codec.channel_tables import ChannelTables
from ae_keras.codec.table_files import read_tables, split_tables

# Counts of a channel: with them, no product of the tables exceeds 63 bits.
_MOST_COUNTS = 2**27
# Bins of all channels; each has 4,096 at most where it was fitted.
_MOST_BINS = 2**22
# With them, no symbol exceeds 2^30, the largest.
_FURTHEST_BIN = 2**29
# Steps whose tables are kept.
_KEPT_STEPS = 4


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

    def __init__(
        self,
        units: npt.ArrayLike,
        starts: npt.ArrayLike,
        counts: Sequence[npt.ArrayLike],
        default_step: int = steps.FINEST_STEP,
        weights_digest: str = "",
    ):
        self.units = np.asarray(units, np.float64)
        self.starts = np.asarray(starts, np.int64)
        self.counts = [np.asarray(channel, np.int64) for channel in counts]
        self.default_step = int(default_step)
        self.weights_digest = weights_digest
        if not self.units.shape == self.starts.shape == (len(self.counts),) or not self.counts:
            raise ValueError("Expected units, starts and counts of as many channels.")
        if not np.all((self.units > 0) & (self.units < np.inf)):
            raise ValueError("Expected widths of bins above 0.")
        if np.abs(self.starts.astype(float)).max() > _FURTHEST_BIN:
            raise ValueError("Expected bins that begin within 2^29 units.")
        self.check_step(self.default_step)
        for channel in self.counts:
            if (
                channel.ndim != 1
                or not len(channel)
                or channel.min() < 0
                or not 0 < channel.sum() <= _MOST_COUNTS
            ):
                raise ValueError("Expected counts >= 0 of 1 to 2^27 latents in each channel.")
        if sum(map(len, self.counts)) > _MOST_BINS:
            raise ValueError("Expected at most 2^22 bins in all channels.")
        make = functools.partial(ChannelTables, self.units, self.starts, self.counts)
        self._at = functools.lru_cache(maxsize=_KEPT_STEPS)(make)

    @property
    def channels(self) -> int:
        """Number of channels of the latents."""
        return len(self.units)

    def step_of_quality(self, quality: int) -> int:
        """Return the step of a quality from 1 to 100, see `ae_keras.codec.steps`."""
        return steps.step_of_quality(quality)

    def rounded(self, latents: np.ndarray) -> np.ndarray:
        """Return the symbols of latents `(..., channels)` at the default step."""
        return self.at(self.default_step).symbols(latents)

    def quality_of_step(self, step: int) -> int:
        """Return the quality whose step is nearest to a given one."""
        return steps.quality_of_step(step)

    def check_step(self, step: object) -> None:
        """Raise `ValueError` unless a step is one that files may have."""
        steps.check_step(step)

    def at(self, step: int) -> ChannelTables:
        """Return what belongs to a step: tables, and what each symbol stands for."""
        return self._at(step)

    @functools.cached_property
    def digest(self) -> bytes:
        """Eight bytes of the SHA-256 of the digest of the weights, units, starts and counts.

        Each part comes after its number of values, an unsigned integer of 8 bytes: the weights'
        digest as text, the others as 64-bit numbers, all little-endian.
        """
        text = self.weights_digest.encode()
        arrays = [self.units.astype("<f8"), self.starts.astype("<i8")]
        arrays += [channel.astype("<i8") for channel in self.counts]
        checksum = hashlib.sha256()
        for count, part in [(len(text), text), *((len(each), each.tobytes()) for each in arrays)]:
            checksum.update(count.to_bytes(8, "little"))
            checksum.update(part)
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
    def load(cls, path: str | Path) -> "Quantizer":
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is damaged.
        """
        return read_tables(Path(path).read_bytes(), str(path), cls.from_arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Quantizer":
        """Return what `save` wrote the arrays of.

        Raises:
            KeyError: if one is missing.
            ValueError: if they do not fit together.
        """
        counts = split_tables(arrays["counts"], arrays["lengths"])
        return cls(
            arrays["units"],
            arrays["starts"],
            counts,
            int(arrays["default_step"]),
            str(arrays["weights_digest"]),
        )
