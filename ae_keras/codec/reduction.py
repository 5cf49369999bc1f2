"""Small pictures: each pixel is the mean of a square of pixels."""

import numpy as np
from PIL import Image

# Pixels on a side of the square.
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
    """
    channels = [np.ascontiguousarray(image[..., index]) for index in range(image.shape[2])]
    small = [np.asarray(Image.fromarray(channel).reduce(factor)) for channel in channels]
    return np.dstack(small)
