"""The places of a checkerboard, packed into arrays of half the width.

A place is even if row + column of the whole image's latents is even. Of a map `(height, width,
channels)` of even width, each row has `width / 2` even places and as many odd ones; packed, they
are an array `(height, width / 2, channels)`.
"""

import numpy as np

EVEN, ODD = 0, 1


def columns(width: int, row: int, parity: int) -> range:
    """Return the columns of the places of a parity in a row of the whole image."""
    return range((row + parity) % 2, width, 2)


def _views(maps: np.ndarray, parity: int, first_row: int) -> list[np.ndarray]:
    """Return the places in every other row, from the first and from the second one on."""
    starts = [(first_row + row + parity) % 2 for row in (0, 1)]
    return [maps[row::2, start::2] for row, start in enumerate(starts)]


def pick(maps: np.ndarray, parity: int, first_row: int = 0) -> np.ndarray:
    """Return the places of a parity, packed.

    Args:
        maps: `(height, width, channels)`.
        parity: int. `EVEN` or `ODD`.
        first_row: int. That of the whole image that the map begins with.
    """
    height, width, channels = maps.shape
    packed = np.empty((height, width // 2, channels), maps.dtype)
    packed[0::2], packed[1::2] = _views(maps, parity, first_row)
    return packed


def place(packed: np.ndarray, maps: np.ndarray, parity: int, first_row: int = 0) -> None:
    """Write packed places into maps."""
    views = _views(maps, parity, first_row)
    views[0][:], views[1][:] = packed[0::2], packed[1::2]


def add(packed: np.ndarray, maps: np.ndarray, parity: int, first_row: int = 0) -> None:
    """Add packed places to those of maps."""
    views = _views(maps, parity, first_row)
    views[0][:] += packed[0::2]
    views[1][:] += packed[1::2]
