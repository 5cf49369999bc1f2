"""Integers to bytes and back, close to their entropy, with integer tables on every machine alike.

Symbols are coded by asymmetric numeral systems (`constriction`'s `AnsCoder`, 32-bit words, 64-bit
state, 24-bit probabilities), one table after the other; the bytes are those of `docs/format.md`. A
table has a frequency for each symbol from its lowest to its highest, and one more, the escape's,
for all others.

The words are at most 64 bits longer than the information of the symbols under the tables, but for
rounding within the coder (below 0.1 %). The tables' integers reach the coder exactly: it leaves
each symbol one of 2^24 parts and shares the others out in proportion to what it is given, here each
frequency minus one.

Reference:
    - [Duda, 2013](https://arxiv.org/abs/1311.2540)
    - [Bamler, 2022](https://arxiv.org/abs/2201.01741): constriction
"""

import functools
from collections.abc import Sequence

import constriction
import numpy as np
import numpy.typing as npt

from ae_keras.codec import varints
from ae_keras.codec.errors import InconsistentError

# The frequencies of a table add up to this.
TOTAL = 2**24
# Neither symbols nor escaped values exceed it.
LARGEST_SYMBOL = 2**30
_WORD_BYTES = 4


def scale_frequencies(weights: npt.ArrayLike, escape_weight: int = 1) -> np.ndarray:
    """Return frequencies in proportion to integer weights, but none below 1.

    Each of `n` weights, the escape's among them, gets `1 + floor(weight (2^24 - n) / sum)`; what is
    left goes to the first of the largest.

    Args:
        weights: Whole numbers >= 0 of symbols; their sum is below 2^38.
        escape_weight: int. That of the escape.

    Returns:
        int64 array with the sum 2^24; the escape's is the last.
    """
    all_weights = np.append(np.asarray(weights, np.int64), escape_weight)
    frequencies = 1 + all_weights * (TOTAL - len(all_weights)) // all_weights.sum()
    frequencies[np.argmax(frequencies)] += TOTAL - frequencies.sum()
    return frequencies


class FrequencyTables:
    """How often each symbol is expected, in one table or several.

    Both sides of the coder must have the same tables. Symbols are coded in groups, one for each
    table.

    Args:
        lowest: Whole numbers. The first symbol of each table.
        frequencies: For each table, whole numbers >= 1: one for each symbol from the lowest on,
            and at last that of the escape. Their sum is 2^24.

    Raises:
        ValueError: if the frequencies are not such numbers, or a symbol exceeds 2^30.
    """

    def __init__(self, lowest: Sequence[int], frequencies: Sequence[np.ndarray]):
        self.frequencies = [np.asarray(table, np.int64) for table in frequencies]
        for table in self.frequencies:
            if len(table) < 2 or table.min() < 1 or table.sum() != TOTAL:
                raise ValueError("Expected two or more frequencies >= 1 with the sum 2^24.")
        if max(map(abs, lowest), default=0) > LARGEST_SYMBOL:
            raise ValueError("Expected symbols up to 2^30.")
        self.lowest = np.asarray(lowest, np.int32)
        # Of each table the place of the escape, which is also the number of its symbols.
        self.sizes = np.array([len(table) - 1 for table in self.frequencies], np.int32)

    def __len__(self) -> int:
        return len(self.lowest)

    @functools.cached_property
    def least_bits(self) -> np.ndarray:
        """The information, in bits, of the most frequent symbol of each table."""
        return np.array([-np.log2(table.max() / TOTAL) for table in self.frequencies])

    @functools.cached_property
    def models(self) -> list:
        """What `constriction` codes the groups with."""
        # Exact for these integers, see the module's docstring. perfect=True would search.
        categorical = constriction.stream.model.Categorical
        return [
            categorical((table - 1).astype(np.float64), perfect=False) for table in self.frequencies
        ]

    def information(self, symbols: np.ndarray, counts: Sequence[int]) -> float:
        """Return the information of symbols, in bits, with the bytes of escaped values.

        Args:
            symbols: int32 array of one dimension, group after group.
            counts: Number of symbols in each group.
        """
        places, escapes = self.to_places(symbols, counts)
        groups = np.split(places, np.cumsum(counts)[:-1])
        bits = sum(
            -np.log2(table[group] / TOTAL).sum()
            for table, group in zip(self.frequencies, groups, strict=True)
        )
        return float(bits) + 8 * len(varints.encode(escapes))

    def encode(self, symbols: np.ndarray, counts: Sequence[int]) -> bytes:
        """Return the bytes of a section.

        Args:
            symbols: int32 array of one dimension, group after group; none exceeds 2^30.
            counts: Number of symbols in each group.
        """
        writer = SymbolWriter(self)
        writer.add(symbols, counts)
        return writer.to_bytes()

    def decode(self, data: bytes, counts: Sequence[int]) -> np.ndarray:
        """Return the symbols that `encode` encoded, int32.

        Args:
            data: The bytes of a section.
            counts: Number of symbols in each group.

        Raises:
            InconsistentError: if the bytes are not those of so many symbols, as far as that shows:
                frequent symbols at the end may take no space at all.
        """
        reader = SymbolReader(self, data)
        symbols = reader.read(counts)
        reader.finish()
        return symbols

    def to_places(
        self, symbols: np.ndarray, counts: Sequence[int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the place of each symbol in its table, and the numbers of the escaped ones."""
        lowest, sizes = np.repeat(self.lowest, counts), np.repeat(self.sizes, counts)
        places = symbols - lowest
        # A negative place is a large one without a sign.
        outside = np.flatnonzero(places.view(np.uint32) >= sizes.view(np.uint32))
        distances = places[outside].astype(np.int64)
        above = 2 * (distances - sizes[outside])
        escapes = np.where(distances >= 0, above, -2 * distances - 1)
        places[outside] = sizes[outside]
        return places, escapes

    def from_places(
        self, places: np.ndarray, counts: Sequence[int], escapes: np.ndarray
    ) -> tuple[np.ndarray, int]:
        """Return symbols, and how many of the escapes' numbers they have used.

        Raises:
            InconsistentError: if there are too few of these, or one is too large.
        """
        sizes = np.repeat(self.sizes, counts)
        outside = np.flatnonzero(places == sizes)
        if len(outside) > len(escapes):
            raise InconsistentError("The image data does not hold as many escapes as it needs.")
        own = escapes[: len(outside)]
        half = (own // 2).astype(np.int64)
        values = np.where(own % 2 == 0, sizes[outside] + half, -1 - half)
        symbols = places + np.repeat(self.lowest, counts)
        values += symbols[outside] - places[outside]
        if np.abs(values).max(initial=0) > LARGEST_SYMBOL:
            raise InconsistentError("The image data holds a value that is too large.")
        symbols[outside] = values
        return symbols, len(outside)


class SymbolWriter:
    """Collects symbols, and makes the bytes of a section of them when all are there.

    Args:
        tables: FrequencyTables.
    """

    def __init__(self, tables: FrequencyTables):
        self._tables = tables
        self._parts: list[tuple[np.ndarray, Sequence[int], np.ndarray]] = []

    def add(self, symbols: np.ndarray, counts: Sequence[int], first: bool = False) -> None:
        """Add symbols after all others, or before them.

        Args:
            symbols: int32 array of one dimension, group after group; none exceeds 2^30.
            counts: Number of symbols in each group, of which there is one for each table.
            first: bool. Whether they come before what has been added.
        """
        places, escapes = self._tables.to_places(symbols, counts)
        if self._tables.sizes.max() < 2**15:
            places = places.astype(np.int16)
        self._parts.insert(0 if first else len(self._parts), (places, counts, escapes))

    def to_bytes(self) -> bytes:
        """Return the bytes of the section."""
        coder = constriction.stream.stack.AnsCoder()
        # What goes onto a stack last comes out first.
        for places, counts, _ in reversed(self._parts):
            self._push(coder, places.astype(np.int32), counts)
        words = coder.get_compressed().astype("<u4").tobytes()
        escapes = [varints.encode(escapes) for *_, escapes in self._parts]
        return b"".join([varints.encode([len(words)]), words, *escapes])

    def _push(
        self,
        coder: constriction.stream.stack.AnsCoder,
        places: np.ndarray,
        counts: Sequence[int],
    ) -> None:
        ends = np.cumsum(counts)
        for count, end, model in zip(
            reversed(counts), reversed(ends), reversed(self._tables.models), strict=True
        ):
            if count:
                coder.encode_reverse(places[end - count : end], model)


class SymbolReader:
    """Reads the symbols of a section, in the order of `SymbolWriter`.

    Args:
        tables: FrequencyTables.
        data: The bytes of the section.

    Raises:
        InconsistentError: if they are none.
    """

    def __init__(self, tables: FrequencyTables, data: bytes):
        self._tables = tables
        size, start = varints.decode_first(data)
        if size % _WORD_BYTES or start + size > len(data):
            raise InconsistentError("The image data does not hold as many words as it says.")
        words = np.frombuffer(data, "<u4", size // _WORD_BYTES, start).astype(np.uint32)
        if len(words) and words[-1] == 0:
            raise InconsistentError("The image data does not end as it should.")
        self._coder = constriction.stream.stack.AnsCoder(words)
        self._escapes = varints.decode(data[start + size :])

    def read(self, counts: Sequence[int]) -> np.ndarray:
        """Return the next symbols, int32, group after group.

        Args:
            counts: Number of symbols in each group, of which there is one for each table.

        Raises:
            InconsistentError: if the section holds too few escaped values, or too large ones.
        """
        places = np.empty(sum(counts), np.int32)
        start = 0
        for count, model in zip(counts, self._tables.models, strict=True):
            if count:
                places[start : start + count] = self._coder.decode(model, count)
            start += count
        symbols, used = self._tables.from_places(places, counts, self._escapes)
        self._escapes = self._escapes[used:]
        return symbols

    @property
    def remaining_bits(self) -> int:
        """The bits that have not been read, but for escaped values."""
        return self._coder.num_bits()

    def finish(self) -> None:
        """Check that all has been read.

        Raises:
            InconsistentError: if it has not.
        """
        if not self._coder.is_empty():
            raise InconsistentError("The image data is longer than the image that it describes.")
        if len(self._escapes):
            raise InconsistentError("The image data does not hold as many escapes as it needs.")
