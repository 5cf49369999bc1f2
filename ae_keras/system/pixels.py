"""Images in 8 bits, as files hold them, and in [0, 1], as models do."""

import numpy as np


def to_unit_range(images: np.ndarray) -> np.ndarray:
    """Return uint8 images as float32 in [0, 1]."""
    return np.asarray(images, np.float32) / np.float32(255)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Return images in [0, 1] as uint8, rounded, halves to even."""
    return np.rint(255 * images).astype(np.uint8)


def middle(image: np.ndarray, side: int) -> np.ndarray:
    """Return the middle square of an image, so many pixels a side; of a smaller one what it has."""
    top, left = (max(length - side, 0) // 2 for length in image.shape[:2])
    return image[top : top + side, left : left + side]
