"""Quality of a single image in 8 bits, as files hold it, with alpha or without."""

import numpy as np

from ae_keras.metrics.distortion import psnr


def visible_colours(image: np.ndarray) -> np.ndarray:
    """Return the colours of an image that count when its quality is measured.

    Alpha is no colour: it is kept without loss, and would make any error look smaller. Nor do
    pixels count that are fully transparent, whose colours no one sees.

    Args:
        image: uint8 array `(height, width)` or `(height, width, 1 to 4)`: grey, grey and alpha,
            RGB, RGB and alpha.

    Returns:
        uint8 array `(pixels, channels)`.
    """
    image = np.atleast_3d(image)
    if image.shape[2] in (2, 4):
        return image[image[..., -1] > 0, :-1]
    return image.reshape(-1, image.shape[2])


def image_psnr(image: np.ndarray, restored: np.ndarray) -> float:
    """Return the PSNR of a restored image in dB, by its `visible_colours`.

    It is infinite if none of these has changed, so also if there are none.

    Args:
        image: uint8 array `(height, width)` or `(height, width, 1 to 4)`.
        restored: uint8 array of the same shape and alpha.
    """
    squares, values = 0.0, 0
    # A row at a time, so that large images need little memory.
    for row in range(len(image)):
        ours, theirs = (visible_colours(each[row : row + 1]) for each in (image, restored))
        squares += float(np.square(ours.astype(np.float32) - theirs).sum())
        values += ours.size
    return float(psnr(squares / max(values, 1) / 255**2))
