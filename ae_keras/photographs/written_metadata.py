"""Metadata in the image files that are written, as far as their format can hold them."""

from typing import Any

from PIL import Image, PngImagePlugin

from ae_keras.data.metadata import (
    EXIF_PREFIX,
    LARGEST,
    Metadata,
    check_exif,
    descriptive_tags,
    no_damage,
)

_ALL = {"ICC profile": LARGEST, "EXIF": LARGEST, "XMP": LARGEST}
# What Pillow's writers take, in bytes. A segment of a JPEG has 64 KiB, a profile many of them.
_MOST_BYTES = {
    "PNG": _ALL,
    "TIFF": _ALL,
    "WEBP": _ALL,
    "AVIF": _ALL,
    "JPEG": {"ICC profile": LARGEST - 2**17, "EXIF": 65527, "XMP": 65504},
}
# The largest resolution, in pixels per inch.
_FINEST = {"PNG": 2.0**22, "TIFF": 2.0**22, "JPEG": 65535}
_XMP_TAG = 700


def writer_options(metadata: Metadata, format: str) -> tuple[dict[str, Any], list[str]]:
    """Return what Pillow's `save` takes to write metadata, and what had to be left out.

    Of a resolution that is left out nothing is said.

    Args:
        metadata: Metadata.
        format: Pillow's name of the format.
    """
    parts = {"ICC profile": metadata.icc_profile, "EXIF": metadata.exif, "XMP": metadata.xmp}
    kept = {name: data for name, data in parts.items() if data and _holds(format, name, data)}
    lost = [name for name, data in parts.items() if data and name not in kept]
    options: dict[str, Any] = {}
    if "ICC profile" in kept:
        options["icc_profile"] = kept["ICC profile"]
    if metadata.resolution and max(metadata.resolution) <= _FINEST.get(format, 0):
        options["dpi"] = metadata.resolution
    options |= _text_options(kept.get("EXIF", b""), kept.get("XMP", b""), format)
    return options, [f"its {name} cannot be kept in {format} and was left out" for name in lost]


def _holds(format: str, name: str, data: bytes) -> bool:
    if len(data) > _MOST_BYTES.get(format, {}).get(name, 0):
        return False
    try:
        if name == "EXIF":
            _check_written(data, format)
        if name == "XMP" and format == "PNG":
            data.decode()
    except ValueError:
        return False
    return True


def _check_written(exif: bytes, format: str) -> None:
    """Raise `ValueError` if Pillow cannot write EXIF, which it makes anew for some formats."""
    tags = check_exif(exif)
    if format == "TIFF":
        _tiff_tags(exif)
    if format == "AVIF":
        with no_damage():
            tags.tobytes()


def _tiff_tags(exif: bytes) -> Image.Exif:
    """Return EXIF without tags that would say something else of the pixels than what they are."""
    tags = Image.Exif()
    with no_damage():
        # Directories are written of what is loaded, not of what is set.
        tags.load(descriptive_tags(check_exif(exif)).tobytes())
    return tags


def _text_options(exif: bytes, xmp: bytes, format: str) -> dict[str, Any]:
    """Return the options for EXIF and XMP, which each format takes in its own way."""
    if format == "TIFF":
        tags = _tiff_tags(exif) if exif else Image.Exif()
        if xmp:
            tags[_XMP_TAG] = xmp
        return {"exif": tags}
    options: dict[str, Any] = {"exif": EXIF_PREFIX + exif} if exif else {}
    if xmp and format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp:
        options["xmp"] = xmp
    return options
