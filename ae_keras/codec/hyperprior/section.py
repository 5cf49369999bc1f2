"""The section of an image: a checksum of its symbols, and these, strip after strip.

Symbols are coded in parts: first all hyper-latents, row by row, then parts of latents in the order
that `ae_keras.codec.hyperprior.coder` says, row by row too. Within a part, symbols are sorted by
their tables, those of one table in order.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from ae_keras.codec.entropy_coding import (
    LARGEST_SYMBOL,
    FrequencyTables,
    SymbolReader,
    SymbolWriter,
)
from ae_keras.codec.errors import ChecksumError, InconsistentError, TruncatedError
from ae_keras.codec.hyperprior import checkerboard
from ae_keras.codec.hyperprior.checkerboard import EVEN
from ae_keras.codec.hyperprior.levels import SCALE_COUNT, Level
from ae_keras.codec.hyperprior.strips import Strips

_CRC_SIZE = 4
# Of the information of symbols to the bits that they are read from, far more than rounding needs.
_SLACK, _SLACK_BITS = 1.01, 128

# A strip's latents and hyper-latents, not rounded.
Analysed = tuple[np.ndarray, np.ndarray]


def _sort(tables: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return the order of symbols by their tables, and how many each table has."""
    flat = tables.ravel()
    counts = np.bincount(flat, minlength=SCALE_COUNT)
    return np.argsort(flat, kind="stable"), counts.tolist()


def _hyper_tables(level: Level, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(level.hyper_table.astype(np.uint8), shape)


def _to_symbols(values: np.ndarray) -> np.ndarray:
    """Return the nearest whole numbers, int32.

    Raises:
        ValueError: if a value is not a number, or too large.
    """
    rounded = np.rint(values)
    if not np.abs(rounded).max(initial=0) <= LARGEST_SYMBOL:
        raise ValueError("The model's latents of this image are not numbers, or too large.")
    return rounded.astype(np.int32)


class Encoding:
    """The encoder's side: makes symbols of latents; see `coder.Exchange`.

    Args:
        tables: FrequencyTables. Of the 64 scales.
        level: Level. That of the quality.
        strips: Strips.
        analysed: Of each strip the latents `(rows, width, channels)` and hyper-latents.
    """

    def __init__(
        self,
        tables: FrequencyTables,
        level: Level,
        strips: Strips,
        analysed: Iterator[Analysed],
    ):
        self._level, self._strips, self._analysed = level, strips, analysed
        self._writer, self._crc = SymbolWriter(tables), 0
        self._latents: dict[int, np.ndarray] = {}
        self._hyper_latents = np.empty((*strips.grid, len(level.hyper_mean)), np.int32)
        # Strips, and rows of blocks, that the model has given.
        self._ready = self._done = 0

    def hyper_rows(self, rows: range) -> np.ndarray:
        """Return the rounded hyper-latents of rows of blocks, once the model has given them."""
        while self._done < rows.stop:
            own = self._strips.blocks(self._ready)
            self._latents[self._ready], values = next(self._analysed)
            self._hyper_latents[own.start : own.stop] = _to_symbols(values)
            self._ready, self._done = self._ready + 1, own.stop
        return self._hyper_latents[rows.start : rows.stop]

    def __call__(
        self, strip: int, parity: int, means: np.ndarray, tables: np.ndarray
    ) -> np.ndarray:
        """Return the symbols of latents, and note them for the file."""
        latents = self._latents[strip] if parity == EVEN else self._latents.pop(strip)
        symbols = _to_symbols(checkerboard.pick(latents, parity) - means)
        order, counts = _sort(tables)
        ordered = symbols.ravel()[order]
        self.note(ordered, counts)
        return symbols

    def note(self, symbols: np.ndarray, counts: list[int]) -> None:
        """Keep the symbols of a part, which are sorted by their tables, for the file."""
        self._crc = zlib.crc32(symbols.astype("<i4").tobytes(), self._crc)
        self._writer.add(symbols, counts)

    def to_bytes(self) -> bytes:
        """Return the bytes of the section, when all strips are done."""
        symbols = self._hyper_latents - self._level.hyper_mean.astype(np.int32)
        order, counts = _sort(_hyper_tables(self._level, symbols.shape))
        ordered = symbols.ravel()[order]
        crc = zlib.crc32(ordered.astype("<i4").tobytes(), self._crc)
        self._writer.add(ordered, counts, first=True)
        return struct.pack("<I", crc) + self._writer.to_bytes()


class Decoding:
    """The decoder's side: reads the symbols of latents; see `coder.Exchange`.

    Args:
        tables: FrequencyTables. Of the 64 scales.
        level: Level. That of the quality.
        strips: Strips.
        data: bytes. Of the section.

    Raises:
        BitstreamError: if the section is damaged.
    """

    def __init__(self, tables: FrequencyTables, level: Level, strips: Strips, data: bytes):
        if len(data) < _CRC_SIZE:
            raise TruncatedError("The image data is shorter than its checksum.")
        (self._expected,) = struct.unpack_from("<I", data)
        self._tables, self._reader = tables, SymbolReader(tables, data[_CRC_SIZE:])
        self._crc = 0
        shape = (*strips.grid, len(level.hyper_mean))
        self._hyper_latents = np.empty(shape, np.int32)
        self._hyper_symbols = self._read(_hyper_tables(level, shape), self._hyper_latents)
        self._hyper_latents += level.hyper_mean.astype(np.int32)

    def hyper_rows(self, rows: range) -> np.ndarray:
        """Return the hyper-latents of rows of blocks."""
        return self._hyper_latents[rows.start : rows.stop]

    def __call__(
        self, strip: int, parity: int, means: np.ndarray, tables: np.ndarray
    ) -> np.ndarray:
        """Return the next symbols of the file."""
        symbols = np.empty(tables.shape, np.int32)
        ordered = self._read(tables, symbols)
        self._crc = zlib.crc32(ordered.astype("<i4").tobytes(), self._crc)
        return symbols

    def _read(self, tables: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Read a part into an array, and return its symbols in the order of the file."""
        order, counts = _sort(tables)
        # So that a short file cannot ask for the time and memory of a large image. No table begins
        # with its most frequent symbol, so that none goes into the coder for nothing.
        least = np.dot(counts, self._tables.least_bits)
        if least > _SLACK * self._reader.remaining_bits + _SLACK_BITS:
            raise InconsistentError("The image data is too short for the image that it describes.")
        ordered = self._reader.read(counts)
        symbols.ravel()[order] = ordered  # a view, because the array is contiguous
        return ordered

    def finish(self) -> None:
        """Check that all has been read, and that symbols are those of the encoder.

        Raises:
            BitstreamError: if they are not.
        """
        self._reader.finish()
        if zlib.crc32(self._hyper_symbols.astype("<i4").tobytes(), self._crc) != self._expected:
            raise ChecksumError("The decoded symbols are not those of the encoder.")
