"""The quality at which a file has a wanted size."""

import bisect

import numpy as np

from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.metadata import NO_METADATA, Metadata, write_metadata
from ae_keras.metrics import bits_per_pixel

_HIGHEST = 100


def codec_for_rate(
    codec: LearnedCodec, image: np.ndarray, target: float, metadata: Metadata = NO_METADATA
) -> LearnedCodec:
    """Return a codec at the highest quality whose file of an image is not above a rate.

    Args:
        codec: LearnedCodec.
        image: uint8 array, as `LearnedCodec.compress` takes it.
        target: float. Bits per pixel of the whole file.
        metadata: Metadata. What else the file keeps.

    Raises:
        ValueError: if even the lowest quality takes more, or the rate is not above zero.
    """
    if not target > 0:
        raise ValueError(f"The target must be more than 0 bits per pixel. Received: {target:g}")

    def rate(quality: int) -> float:
        size = len(codec.with_quality(quality).compress(image, metadata))
        return bits_per_pixel(size, image.shape[0], image.shape[1])

    lowest = rate(1)
    if lowest > target:
        besides = sum(len(section.data) for section in write_metadata(metadata))
        share = bits_per_pixel(besides, image.shape[0], image.shape[1])
        of_which = f", of which metadata take {share:.3f}" if besides else ""
        raise ValueError(
            f"{target:g} bits per pixel cannot be reached: the lowest quality takes "
            f"{lowest:.3f}{of_which}."
        )
    # From the best quality downwards, so many take too much.
    falling = range(_HIGHEST, 1, -1)
    too_high = bisect.bisect_left(falling, True, key=lambda quality: rate(quality) <= target)
    return codec.with_quality(_HIGHEST - too_high)
