"""Colours of image files in sRGB, which is what models are trained on and what they give.

The conversion is relative colorimetric, with black point compensation: a colour that sRGB can show
stays exactly that colour, and others become the nearest one. The perceptual intent would move all
colours of a profile that has tables for it, as a printer's, to make room for those few; of matrix
profiles, as those of cameras and displays, both intents are the same.
"""

import functools
import io

import numpy as np
from PIL import Image, ImageCms

_MODES = {"GRAY": "L", "RGB": "RGB"}
# In levels of 255. Profiles of sRGB that differ in their tables differ by one.
_ROUNDING = 2
_CONVERTED = "its colours are converted to sRGB, from those of its ICC profile"
_UNUSABLE = "its ICC profile is damaged, and its colours are taken for those of sRGB"


def to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    """Return an image in sRGB, and what is to be said of it, a part of a sentence, if anything.

    Args:
        image: `"L"`, `"LA"`, `"RGB"` or `"RGBA"`. Alpha stays as it is.
        profile: bytes. Its ICC profile; none if empty.

    Returns:
        The image itself if its colours are those of sRGB already, or its profile is damaged or one
        of other pixels, as of CMYK.
    """
    if not profile:
        return image, ""
    try:
        conversion = _conversion_from(profile)
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return image, _UNUSABLE
    if conversion is None:
        return image, ""
    mode, transform = conversion
    colours = image.mode.removesuffix("A")
    if mode == "L" and colours == "RGB":
        return image, ""
    converted = ImageCms.applyTransform(image.convert(mode), transform)
    assert converted is not None  # as it is not done in place
    converted = converted.convert(colours)
    if image.mode.endswith("A"):
        converted.putalpha(image.getchannel("A"))
    return converted, _CONVERTED


@functools.lru_cache(maxsize=16)
def _conversion_from(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """Return the mode that a profile is of and its conversion to RGB; None if none is needed."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = _MODES.get(opened.profile.xcolor_space.strip())
    if mode is None:
        return None
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode == "L":  # of whose curves the quicker way takes a few points only
        flags |= ImageCms.Flags.NOOPTIMIZE
    standard, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(opened, standard, mode, "RGB", intent, flags)
    samples = _samples(mode)
    converted = ImageCms.applyTransform(samples, transform)
    change = np.asarray(converted, int) - np.asarray(samples.convert("RGB"), int)
    return None if np.abs(change).max() <= _ROUNDING else (mode, transform)


def _samples(mode: str) -> Image.Image:
    """Return an image of all grey levels, or of 18 levels of each channel with all others."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[np.newaxis])
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(colours.reshape(1, -1, 3))


@functools.cache
def srgb_profile() -> bytes:
    """Return a profile of sRGB, always the same."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Without the time at which it was made.
    return profile[:24] + bytes(12) + profile[36:]
