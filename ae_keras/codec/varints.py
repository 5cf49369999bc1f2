"""Unsigned integers below 2^32 as LEB128 varints, many at a time.

Seven bits a byte, the lowest first; the highest bit is set in all bytes but the last of a number.
"""

import numpy as np
import numpy.typing as npt

from ae_keras.codec.errors import InconsistentError

# Bytes of the largest number.
LONGEST = 5
_SHIFTS = 7 * np.arange(LONGEST, dtype=np.uint64)


def encode(numbers: npt.ArrayLike) -> bytes:
    """Return the bytes of whole numbers from 0 to 2^32 - 1."""
    parts = np.asarray(numbers, np.uint64)[:, np.newaxis] >> _SHIFTS
    is_used = (parts > 0) | (_SHIFTS == 0)
    has_next = np.pad(is_used[:, 1:], ((0, 0), (0, 1)))
    return ((parts & 127) | (has_next.astype(np.uint64) << 7))[is_used].astype(np.uint8).tobytes()


def decode(data: bytes) -> np.ndarray:
    """Return the numbers, as uint32, that fill some bytes exactly.

    Raises:
        InconsistentError: if they are not what `encode` would write.
    """
    encoded = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(encoded < 128)
    lengths = np.diff(ends, prepend=-1)
    if len(encoded) and (not len(ends) or ends[-1] != len(encoded) - 1 or lengths.max() > LONGEST):
        raise InconsistentError("A number does not end.")
    starts = ends - lengths + 1
    places = np.arange(len(encoded)) - np.repeat(starts, lengths)
    parts = (encoded & 127).astype(np.uint64) << _SHIFTS[places]
    numbers = np.add.reduceat(parts, starts) if len(starts) else np.empty(0, np.uint64)
    if np.any(numbers >= 2**32) or np.any((encoded[ends] == 0) & (lengths > 1)):
        raise InconsistentError("A number is not written as it should be.")
    return numbers.astype(np.uint32)


def decode_first(data: bytes) -> tuple[int, int]:
    """Return the first of the numbers in some bytes, and where it ends.

    Raises:
        InconsistentError: if there is none.
    """
    number = 0
    for index, byte in enumerate(data[:LONGEST]):
        number += (byte & 127) << (7 * index)
        if byte < 128:
            if number >= 2**32 or (byte == 0 and index > 0):
                raise InconsistentError("A number is not written as it should be.")
            return number, index + 1
    raise InconsistentError("A number is missing, or does not end.")
