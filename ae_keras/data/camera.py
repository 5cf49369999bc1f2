"""What cameras and their files do to a picture, so that a codec learns to expect it."""

import numpy as np
from PIL import Image


def soften_colours(pixels: np.ndarray) -> np.ndarray:
    """Return a picture with colours of half its resolution, as most JPEG files have.

    The two colour differences of YCbCr are averaged over 2x2 pixels and enlarged again.

    Args:
        pixels: uint8 array `(height, width, 3)`.

    Returns:
        Such an array, with the same luma but for rounding.
    """
    luma, *chroma = Image.fromarray(pixels).convert("YCbCr").split()
    soft = (part.reduce(2).resize(luma.size, Image.Resampling.BILINEAR) for part in chroma)
    return np.asarray(Image.merge("YCbCr", (luma, *soft)).convert("RGB"))


def add_grain(pixels: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Return a picture with Gaussian noise, apart in each pixel and channel.

    Args:
        pixels: uint8 array of any shape.
        deviation: float. Standard deviation, in grey levels of 255.
        rng: Generator. Where the noise comes from.

    Returns:
        Such an array.
    """
    noisy = rng.standard_normal(pixels.shape, np.float32)
    noisy *= deviation
    noisy += pixels
    return np.clip(np.rint(noisy, out=noisy), 0, 255, out=noisy).astype(np.uint8)
