"""Small pictures: each pixel is the mean of a square of pixels."""

import numpy as np

# Pixels on a side of the square. Sums of 8x8 pixels, and twice as much, fit into 16 bits.
FACTORS = (2, 4, 8)


def check_factor(factor: object) -> None:
    """Raise `ValueError` unless pictures can be reduced so."""
    if factor not in FACTORS:
        raise ValueError(f"`factor` must be 2, 4 or 8. Received: {factor!r}")


def reduced_size(size: tuple[int, int], factor: int) -> tuple[int, int]:
    """Return `(height, width)` of the small picture of an image: partial squares count."""
    return -(-size[0] // factor), -(-size[1] // factor)


def reduce_image(image: np.ndarray, factor: int) -> np.ndarray:
    """Return the means of squares, each channel for itself; at the edges, of the pixels there are.

    Args:
        image: uint8 array `(height, width, channels)`.
        factor: int. Pixels on a side of the square.

    Returns:
        uint8 array, rounded, halves up.
    """
    sums = _sum_rows(image, factor)
    sums = _sum_rows(sums.swapaxes(0, 1), factor).swapaxes(0, 1)
    rows, columns = (_sum_rows(np.ones(side, np.uint8), factor) for side in image.shape[:2])
    counts = np.multiply.outer(rows, columns)[..., np.newaxis]
    sums += counts // 2
    sums //= counts
    return sums.astype(np.uint8)


def _sum_rows(values: np.ndarray, factor: int) -> np.ndarray:
    """Return the sums of so many rows each; the last may be of fewer."""
    sums = values[::factor].astype(np.uint16)
    for offset in range(1, factor):
        rows = values[offset::factor]
        sums[: len(rows)] += rows
    return sums
