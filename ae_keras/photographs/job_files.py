"""The files of a job: images in any form are read, and results written without harm."""

import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ae_keras.data import image_files
from ae_keras.data.image_files import Photograph
from ae_keras.data.metadata import NO_METADATA, Metadata, fit_profile
from ae_keras.photographs.jobs import STANDARD, Job
from ae_keras.photographs.written_metadata import writer_options
from ae_keras.system.notices import note
from ae_keras.system.safe_files import write_safely


def read_source(source: str) -> bytes:
    """Return the bytes of a file or, for `"-"`, of the standard input."""
    return sys.stdin.buffer.read() if source == STANDARD else Path(source).read_bytes()


def read_photograph(source: str, keep_metadata: bool = True, in_srgb: bool = False) -> Photograph:
    """Return an image with its alpha, as `ae_keras.data.image_files.read_photograph` does.

    Raises:
        ValueError: if it is not an image.
        OSError: if it cannot be read.
    """
    with warnings.catch_warnings():
        # Of a user's own image. Pillow still refuses twice as many pixels.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        # Of damaged metadata, which are told in other words.
        warnings.simplefilter("ignore", UserWarning)
        # Pillow must be able to go back in a file.
        file = io.BytesIO(read_source(source)) if source == STANDARD else source
        return image_files.read_photograph(file, keep_metadata, in_srgb)


def note_all(job: Job, sentences: Sequence[str]) -> None:
    """Note what is to be said of the file of a job."""
    for sentence in sentences:
        note(sentence, job.source)


def check_target(job: Job, force: bool) -> None:
    """Refuse to replace a file unasked, and the input always.

    Raises:
        FileExistsError: if the job would do that.
    """
    path = Path(job.target)
    if job.target == STANDARD or not path.exists():
        return
    if not path.is_file():
        raise FileExistsError(f"{job.target!r} is not a regular file.")
    if job.source != STANDARD and path.samefile(job.source):
        raise FileExistsError(f"{job.target!r} is the input itself. Choose another output.")
    if not force:
        raise FileExistsError(f"{job.target!r} exists. Replace it with --force.")


def write_target(target: str, data: bytes) -> None:
    """Write a file, and the folder for it, or to the standard output.

    Raises:
        OSError: if it cannot be written.
    """
    if target == STANDARD:
        sys.stdout.buffer.write(data)
        return
    folder = Path(target).parent
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is not a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with write_safely(target) as path:
        path.write_bytes(data)


def encode_image(image: np.ndarray, target: str) -> bytes:
    """Return an image in the format of a name: PNG for the standard output.

    Raises:
        ValueError: if the name's ending is no format, or it cannot hold the image.
    """
    return encode_photograph(image, NO_METADATA, target)[0]


def encode_photograph(
    image: np.ndarray, metadata: Metadata, target: str
) -> tuple[bytes, list[str]]:
    """Return an image with its metadata in the format of a name: PNG for the standard output.

    Returns:
        The bytes of the file, and which metadata it cannot hold, each a part of a sentence.

    Raises:
        ValueError: if the name's ending is no format, or it cannot hold the image.
    """
    suffix = ".png" if target == STANDARD else Path(target).suffix.lower()
    format = Image.registered_extensions().get(suffix)
    if format not in Image.SAVE:
        raise ValueError(f"The ending {suffix!r} names no image format that can be written.")
    picture = Image.fromarray(image)
    metadata, misfits = fit_profile(metadata, picture.mode)
    options, lost = writer_options(metadata, format)
    file = io.BytesIO()
    try:
        picture.save(file, format, **options)
    except Exception as error:  # Pillow's encoders raise many types
        raise ValueError(f"The image cannot be written as {format}: {error}") from error
    return file.getvalue(), misfits + lost
