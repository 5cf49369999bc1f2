"""Pixels in the image files that are written: in the format of a name, as good as it can be.

At Pillow's own settings a JPEG, with colours at half the resolution, would lose more than a good
codec does.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ae_keras.photographs.jobs import STANDARD, Job, plan

# Of a format that has no lossless form. Higher ones take twice the bytes for a tenth of a dB.
_QUALITY = 97
_LOSSY = ("JPEG", "MPO", "PDF", "AVIF")
_WITH_QUALITY = (*_LOSSY, "WEBP")


def plan_pictures(
    inputs: Sequence[str], output: str, endings: Collection[str], quality: int | None
) -> list[Job]:
    """Return what to make of what, as `plan` does, where image files are made.

    Args:
        inputs: Files, folders or `"-"`.
        output: A file, whose ending names the format, a folder or `"-"`, of PNG files.
        endings: Of the files that are taken from folders.
        quality: int. From 1 to 100, of a format that has one.

    Raises:
        FileNotFoundError: if an input is missing.
        ValueError: if inputs, output and quality do not fit each other.
    """
    jobs = plan(inputs, output, ".png", endings)
    for job in jobs:
        pixel_options(find_format(job.target), quality)
    return jobs


def find_format(target: str) -> str:
    """Return Pillow's name of the format of a file's name; that of the standard output is PNG.

    Raises:
        ValueError: if the name's ending is none of a format that can be written.
    """
    suffix = ".png" if target == STANDARD else Path(target).suffix.lower()
    format = Image.registered_extensions().get(suffix)
    if format not in Image.SAVE:
        raise ValueError(
            f"The ending {suffix!r} names no image format that can be written. Received: {target!r}"
        )
    return format


def pixel_options(format: str, quality: int | None) -> dict[str, Any]:
    """Return what Pillow's `save` takes to write pixels.

    Args:
        format: Pillow's name of the format.
        quality: int. From 1 to 100. Default: without loss, or hardly any, with colours at the
            whole resolution.

    Raises:
        ValueError: if the quality is out of range, or the format has none.
    """
    if quality is not None and format not in _WITH_QUALITY:
        raise ValueError(
            f"--output-quality is for JPEG, WebP and AVIF, and {format} has none. Leave it out, or "
            "name an output that ends in .jpg, .webp or .avif."
        )
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"--output-quality must be from 1 to 100. Received: {quality}")
    if format in _LOSSY:
        return {"quality": _QUALITY if quality is None else quality, "subsampling": "4:4:4"}
    if format == "WEBP":
        # "exact": pixels that are fully transparent too.
        return {"lossless": True, "exact": True} if quality is None else {"quality": quality}
    return {}
