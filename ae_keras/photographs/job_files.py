"""The files of a job: images in any form are read, and results written without harm."""

import io
import os
import sys
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ae_keras.data import image_files
from ae_keras.data.image_files import Photograph
from ae_keras.data.metadata import Metadata, fit_profile
from ae_keras.photographs.jobs import STANDARD, Job
from ae_keras.photographs.written_metadata import writer_options
from ae_keras.photographs.written_pixels import find_format, pixel_options
from ae_keras.system import storage
from ae_keras.system.notices import note
from ae_keras.system.pillow_warnings import warnings_ignored

_OTHER_KIND = (
    "the model was trained on grey images, and takes each colour channel for one: one of colour "
    "images does better"
)


def read_source(source: str) -> bytes:
    """Return the bytes of a file or, for `"-"`, of the standard input."""
    return sys.stdin.buffer.read() if source == STANDARD else storage.read(source)


def read_photograph(source: str, keep_metadata: bool = True, in_srgb: bool = False) -> Photograph:
    """Return an image with its alpha, as `ae_keras.data.image_files.read_photograph` does.

    Raises:
        ValueError: if it is not an image.
        OSError: if it cannot be read.
    """
    # Of a user's own image, and Pillow still refuses twice as many pixels; and of damaged metadata,
    # which are told in other words.
    with warnings_ignored(Image.DecompressionBombWarning, UserWarning):
        # Pillow must be able to go back in a file.
        is_path = source != STANDARD and not storage.is_url(source)
        file = source if is_path else _Named(read_source(source), source)
        return image_files.read_photograph(file, keep_metadata, in_srgb)


class _Named(io.BytesIO):
    """Bytes with a name, for what is said of them."""

    def __init__(self, data: bytes, name: str):
        super().__init__(data)
        self.name = name


def notes_of_kind(image: np.ndarray, channels: int) -> list[str]:
    """Return what is to be said of an image of another kind than those that a model was trained on.

    Args:
        image: uint8 array `(height, width)` or `(height, width, channels)`.
        channels: int. Of the model's images.
    """
    has_colours = image.ndim == 3 and image.shape[2] >= 3
    return [_OTHER_KIND] if has_colours and channels == 1 else []


def note_all(job: Job, sentences: Sequence[str]) -> None:
    """Note what is to be said of the file of a job."""
    for sentence in sentences:
        note(sentence, job.source)


def check_target(job: Job, force: bool) -> None:
    """Refuse to replace a file unasked, and the input always.

    Raises:
        FileExistsError: if the job would do that.
    """
    if job.target == STANDARD:
        return
    is_there = storage.exists(job.target)
    if not (is_there or os.path.islink(job.target)):
        return
    if is_there and not storage.is_file(job.target):
        raise FileExistsError(f"{job.target!r} is not a regular file.")
    if is_there and job.source != STANDARD and storage.is_same(job.target, job.source):
        raise FileExistsError(f"{job.target!r} is the input itself. Choose another output.")
    if not force:
        raise FileExistsError(f"{job.target!r} exists. Replace it with --force.")


def write_target(job: Job, data: bytes) -> None:
    """Write the file of a job, and the folder for it, or to the standard output.

    Its time of modification is that of the source.

    Raises:
        OSError: if it cannot be written.
    """
    if job.target == STANDARD:
        sys.stdout.buffer.write(data)
        return
    storage.write(job.target, data, None if job.source == STANDARD else job.source)


def encode_photograph(
    image: np.ndarray, metadata: Metadata, target: str, quality: int | None = None
) -> tuple[bytes, list[str]]:
    """Return an image with its metadata in the format of a name: PNG for the standard output.

    Args:
        image: uint8 array `(height, width)` or `(height, width, channels)`.
        metadata: Metadata.
        target: str. The name.
        quality: int. From 1 to 100, of JPEG, WebP or AVIF. Default: WebP without loss, the others
            with hardly any.

    Returns:
        The bytes of the file, and what it cannot hold, each a part of a sentence.

    Raises:
        ValueError: if the name's ending is no format, or it cannot hold the image, or has no
            quality.
    """
    format = find_format(target)
    picture = Image.fromarray(image)
    metadata, notes = fit_profile(metadata, picture.mode)
    options, lost = writer_options(metadata, format)
    options |= pixel_options(format, quality)
    notes += lost
    if format == "GIF" and picture.convert("RGB").getcolors(256) is None:
        notes.append("its colours are reduced to the 256 of a GIF")
    file = io.BytesIO()
    try:
        picture.save(file, format, **options)
    except Exception as error:  # Pillow's encoders raise many types
        raise ValueError(f"The image cannot be written as {format}: {error}") from error
    return file.getvalue(), notes
