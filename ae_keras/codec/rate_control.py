"""The quality at which a file has a wanted size, or its image a wanted PSNR."""

import functools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.metadata import NO_METADATA, Metadata, write_metadata
from ae_keras.codec.protocols import Codec
from ae_keras.metrics import bits_per_pixel, image_psnr

_QUALITIES = 100
# 7 answers of yes or no tell 128 outcomes apart: each quality may be the last one, or none.
_TRIES = 7


@dataclass(frozen=True)
class Target:
    """What a file, or the image that comes back of it, is to be; at most one of these is given.

    Args:
        bpp: float. The most bits per pixel of the whole file.
        size: int. The most bytes of the whole file.
        psnr: float. The lowest PSNR of the restored image, in dB.

    Raises:
        ValueError: if several are given, or one is not above 0.
    """

    bpp: float | None = None
    size: int | None = None
    psnr: float | None = None

    def __post_init__(self) -> None:
        units = {"bits per pixel": self.bpp, "bytes": self.size, "dB": self.psnr}
        given = {unit: value for unit, value in units.items() if value is not None}
        if len(given) > 1:
            raise ValueError(f"Give one target only. Received some of: {', '.join(given)}.")
        for unit, value in given.items():
            if not value > 0:
                raise ValueError(f"The target must be more than 0 {unit}. Received: {value:g}")

    @property
    def is_given(self) -> bool:
        """Whether there is one."""
        return self != Target()


@dataclass(frozen=True)
class Compressed:
    """A compressed image.

    Args:
        data: bytes. Of the `.aek` file.
        psnr: float. Of the restored image, in dB; None if it was not measured.
    """

    data: bytes
    psnr: float | None = None


def compress_to_target(
    codec: LearnedCodec, image: np.ndarray, target: Target, metadata: Metadata = NO_METADATA
) -> Compressed:
    """Compress an image at the quality that reaches a target, or the codec's own if none is given.

    For a rate or size, this is the highest quality whose file is not above it; for a PSNR the
    lowest one that is not below it, where these rise with the quality. At most 7 are tried.

    Args:
        codec: LearnedCodec.
        image: uint8 array, as `LearnedCodec.compress` takes it.
        target: Target.
        metadata: Metadata. What else the file keeps; it counts.

    Raises:
        ValueError: if no quality reaches the target.
    """
    if not target.is_given:
        return Compressed(codec.compress(image, metadata))
    if target.psnr is not None:
        return _compress_to_psnr(codec, image, target.psnr, metadata)
    if target.bpp is not None:
        bits = functools.partial(bits_per_pixel, height=image.shape[0], width=image.shape[1])
        return _compress_below(codec, image, metadata, target.bpp, bits, "bits per pixel")
    assert target.size is not None
    return _compress_below(codec, image, metadata, target.size, int, "bytes")


def _compress_below(
    codec: LearnedCodec,
    image: np.ndarray,
    metadata: Metadata,
    limit: float,
    measure: Callable[[int], float],
    unit: str,
) -> Compressed:
    """Compress an image at the highest quality whose file is not above a limit.

    Args:
        codec: LearnedCodec.
        image: uint8 array.
        metadata: Metadata.
        limit: float. In a unit.
        measure: Returns a number of bytes in this unit.
        unit: str. Its name.
    """
    tried = {}

    def amount_at(quality: int) -> float:
        tried[quality] = codec.with_quality(quality).compress(image, metadata)
        return measure(len(tried[quality]))

    quality = _last_before(amount_at, limit, operator.le)
    if quality:
        return Compressed(tried[quality])
    besides = sum(len(section.data) for section in write_metadata(metadata))
    least, share = (round(measure(size), 3) for size in (len(tried[1]), besides))
    of_which = f", of which metadata take {share:,}" if besides else ""
    raise ValueError(
        f"{limit:,} {unit} cannot be reached: the lowest quality takes {least:,}{of_which}."
    )


def _compress_to_psnr(
    codec: LearnedCodec, image: np.ndarray, target: float, metadata: Metadata
) -> Compressed:
    tried = {}

    def psnr_at(quality: int) -> float:
        data = codec.with_quality(quality).compress(image, metadata)
        psnr = measure_psnr(codec, image, data)
        tried[quality] = Compressed(data, psnr)
        return psnr

    quality = 1 + _last_before(psnr_at, target, operator.lt)
    if quality > _QUALITIES:
        best = tried[_QUALITIES].psnr
        raise ValueError(
            f"{target:g} dB cannot be reached: the highest quality gives {best:.2f} dB."
        )
    return tried[quality]


def compress_below(codec: Codec, image: np.ndarray, size: int) -> bytes:
    """Return the file of the highest quality that has no more than so many bytes, of any codec.

    If there is none, it is that of the lowest quality.

    Args:
        codec: Codec. With qualities from 1 to 100, of which higher ones take more bytes.
        image: uint8 array, as the codec takes it.
        size: int. In bytes.
    """
    tried: dict[int, bytes] = {}

    def size_at(quality: int) -> int:
        tried[quality] = codec.with_quality(quality).compress(image)
        return len(tried[quality])

    return tried[max(_last_before(size_at, size, operator.le), 1)]


def measure_psnr(codec: LearnedCodec, image: np.ndarray, data: bytes) -> float:
    """Return the PSNR in dB of what comes back of an image from its file."""
    # The limit is for files of others.
    return image_psnr(image, codec.with_max_pixels(image.size).decompress(data))


def _last_before(
    measure: Callable[[int], float], limit: float, is_before: Callable[[float, float], bool]
) -> int:
    """Return the highest quality whose value is before a limit; 0 if none is.

    The answer, and the quality above it, are among those that were measured.

    Args:
        measure: Returns the value of a quality, which rises with it.
        limit: float.
        is_before: Compares a value and the limit: `operator.lt` or `operator.le`.
    """
    low, high = 0, _QUALITIES + 1
    values: dict[int, float] = {}
    while high - low > 1:
        # What the tries that are left after this one can tell apart.
        reach = 2 ** (_TRIES - 1 - len(values))
        lowest, highest = max(low + 1, high - reach), min(high - 1, low + reach)
        quality = min(max(_guess(values, limit, (low + high) // 2), lowest), highest)
        values[quality] = measure(quality)
        if is_before(values[quality], limit):
            low = quality
        else:
            high = quality
    return low


def _guess(values: dict[int, float], limit: float, otherwise: int) -> int:
    """Return where values reach the limit if they go on as the two nearest to it.

    Their logarithms are taken to be a straight line.
    """
    wanted = _log(limit)
    logarithms = {quality: _log(value) for quality, value in values.items()}
    near = sorted(logarithms, key=lambda quality: abs(logarithms[quality] - wanted))[:2]
    if len(near) < 2:
        return otherwise
    first, second = near
    rise = logarithms[second] - logarithms[first]
    place = first + (wanted - logarithms[first]) * (second - first) / rise if rise else math.nan
    return math.floor(place) if math.isfinite(place) else otherwise


def _log(value: float) -> float:
    # A PSNR may be 0.
    return math.log(max(value, 1e-6))
