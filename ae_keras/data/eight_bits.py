"""Images of any mode and depth that Pillow opens, as 8-bit grey or colour with their alpha.

Pillow leaves some of the work to its user: 16-bit pixels come as they stand in the file, and of a
PNG's transparent colour it knows the value in the file, not that of the pixels that it makes.
"""

import contextlib
import io
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, TiffImagePlugin

from ae_keras.system.pillow_warnings import warnings_ignored

# Scans carry long texts. What all texts of a file take together stays limited, to 64 MB.
PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)

# What a grey level of a PNG is multiplied by, where it has fewer bits.
_PNG_SCALES = {"L;2": 85, "L;4": 17}
# Their 16-bit numbers may be signed, which Pillow does not tell.
_MEASUREMENTS = ("FITS", "MCIDAS")
_SIGNED = 2


def check_layout(image: Image.Image) -> str:
    """Return how pixels stand in the file of an image that is not loaded, in Pillow's words.

    Raises:
        ValueError: if they are floating-point, signed or larger than 16 bits.
    """
    _check_samples(image)
    tiles = getattr(image, "tile", [])
    return str(tiles[0].args) if tiles else ""


def is_deep(image: Image.Image) -> bool:
    """Return whether the file of an image that is not loaded yet has 16 bits a channel."""
    for tile in getattr(image, "tile", []):
        # The name of Pillow's raw mode, or that and the largest value in a PPM.
        match tile.args:
            case (_, int(largest)) if image.format == "PPM" and largest > 255:
                return True
            case names if ";16" in str(names):
                return True
    return image.mode.startswith("I")


def to_eight_bits(image: Image.Image, layout: str, file: BinaryIO) -> Image.Image:
    """Return an image as `"L"`, `"LA"`, `"RGB"` or `"RGBA"`, turned as its EXIF data say.

    Of 12 and 16 bits the upper 8 are taken.

    Args:
        image: Loaded; it is turned in place.
        layout: What `check_layout` returned.
        file: The one it was read from.

    Raises:
        Exception: of many types, from Pillow, if it is damaged.
    """
    _turn(image)
    if image.mode.startswith("I"):
        return _reduce(image)
    if isinstance(image, PngImagePlugin.PngImageFile) and "transparency" in image.info:
        if layout == "RGB;16B":
            return _mask_colour(image, file)
        if layout in _PNG_SCALES:
            image.info["transparency"] *= _PNG_SCALES[layout]
    if layout == "LA;16B":
        return image.convert("LA")
    return _from_cmyk(image) if image.mode == "CMYK" else _to_plain_mode(image)


def _check_samples(image: Image.Image) -> None:
    """Refuse pixels whose black and white are not known, or which Pillow takes for others."""
    if image.mode == "F":
        raise ValueError("expected 8- or 16-bit pixels, received floating-point ones")
    if image.mode == "I" and image.format != "PPM":
        raise ValueError(
            "expected pixels of 8, 12 or 16 bits without a sign, received signed or 32-bit ones. "
            "Save them as 8 or 16 bits first, from black to white"
        )
    is_signed = image.mode.startswith("I;16") and image.format in _MEASUREMENTS
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        is_signed = _SIGNED in tags.get(TiffImagePlugin.SAMPLEFORMAT, ())
        is_planar = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
        if is_planar and _bits(image) > 8 and image.info.get("compression") == "raw":
            raise ValueError(
                "16-bit channels that are stored one after the other cannot be read without "
                "compression. Save the file with its channels interleaved"
            )
    if is_signed:
        raise ValueError(
            "expected pixels without a sign, received signed ones. Save them as 8 or 16 bits "
            "first, from black to white"
        )


def _turn(image: Image.Image) -> None:
    # Damaged EXIF, of which Pillow raises and warns in many ways, is no reason to lose the pixels.
    with contextlib.suppress(Exception), warnings_ignored(Warning):
        ImageOps.exif_transpose(image, in_place=True)


def _bits(image: TiffImagePlugin.TiffImageFile) -> int:
    return max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))


def _reduce(image: Image.Image) -> Image.Image:
    """Return the upper 8 of 12 or 16 bits, with alpha if one grey level is transparent."""
    pixels, shift = np.asarray(image), 8
    key = image.info.get("transparency")
    alpha = None if key is None else np.where(pixels == key, 0, 255).astype(np.uint8)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if _bits(image) == 12:
            shift = 4
        # As Pillow does for 8 bits, white is zero where the file does not say.
        elif image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0) == 0:
            pixels = 65535 - pixels
    grey = Image.fromarray((pixels >> shift).astype(np.uint8))
    return grey if alpha is None else Image.merge("LA", (grey, Image.fromarray(alpha)))


def _mask_colour(image: Image.Image, file: BinaryIO) -> Image.Image:
    """Return a 16-bit colour PNG with alpha: the transparent colour is one of 16 bits."""
    file.seek(0)
    lower = Image.open(file)
    lower.tile = [tile._replace(args="RGB;16L") for tile in lower.tile]
    _turn(lower)
    upper = np.asarray(image)
    pixels = upper.astype(np.uint16) << 8 | np.asarray(lower)
    is_key = (pixels == image.info["transparency"]).all(axis=-1)
    return Image.fromarray(np.dstack([upper, np.where(is_key, 0, 255).astype(np.uint8)]))


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Return CMYK colours as RGB: by their ICC profile, if they have one that can be used."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        standard = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, profile, standard, outputMode="RGB")
    except (KeyError, TypeError, OSError, ImageCms.PyCMSError):
        converted = None
    return image.convert("RGB") if converted is None else converted


def _to_plain_mode(image: Image.Image) -> Image.Image:
    if image.mode == "La":  # which Pillow makes nothing else of
        image = image.convert("LA")
    is_grey = image.mode in ("1", "L", "LA")
    mode = ("L" if is_grey else "RGB") + ("A" if image.has_transparency_data else "")
    return image if image.mode == mode else image.convert(mode)
