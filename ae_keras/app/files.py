"""The files of a page's users: read within a limit, written where nobody else looks.

Whatever is made for a user lies in a folder whose name cannot be guessed, below the page's own
temporary folder, and goes when the next result takes its place, when the user has left, or with
the page.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ae_keras.data.image_files import Photograph
from ae_keras.photographs.job_files import read_photograph
from ae_keras.system import notices
from ae_keras.system.pillow_warnings import warnings_ignored

# Where Gradio keeps files, and serves them from.
FOLDER_VARIABLE = "GRADIO_TEMP_DIR"
_MEGA = 1_000_000


def new_folder() -> Path:
    """Make a folder for the files of one result."""
    folder = Path(os.environ[FOLDER_VARIABLE], secrets.token_hex(16))
    folder.mkdir(parents=True)
    return folder


def remove_folder(folder: Path | None) -> None:
    """Remove the folder of a result, if there is one."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def write_picture(folder: Path, name: str, image: np.ndarray, profile: bytes | None = None) -> str:
    """Write pixels as they are, for the browser to show, and return the path of the file.

    Args:
        folder: Where to write.
        name: str. Of the file, without its ending.
        image: uint8 array `(height, width)` or `(height, width, channels)`.
        profile: bytes. The ICC profile of its colours.
    """
    path = folder / f"{name}.png"
    # More compression would take ten times as long.
    Image.fromarray(image).save(path, compress_level=1, icc_profile=profile)
    return str(path)


def has_alpha(image: np.ndarray) -> bool:
    """Whether an image `(height, width)` or `(height, width, channels)` has transparency."""
    return image.ndim == 3 and image.shape[2] in (2, 4)


def read_upload(
    path: str | None, max_megapixels: float, in_srgb: bool = False
) -> tuple[Photograph, list[str]]:
    """Read a photograph that a user has sent.

    Args:
        path: str. Of the file.
        max_megapixels: float. Larger ones are refused before they are decoded.
        in_srgb: bool. Convert colours of another ICC profile to sRGB.

    Returns:
        The photograph, and what of the file it does not keep, each a sentence.

    Raises:
        ValueError: if there is no file, it is no image, or too large.
    """
    if path is None:
        raise ValueError("Choose a photograph first.")
    _check_header(path, max_megapixels)
    with notices.collected() as noted:
        photograph = read_photograph(path, in_srgb=in_srgb)
    told = [sentence.replace("{count}", str(count)) for sentence, _, count in noted]
    return photograph, [*photograph.notes, *told]


def format_notes(notes: Sequence[str]) -> str:
    """Return what is to be said of a photograph, as Markdown to stand below other text."""
    return "".join(f"\n\nNote: {note}." for note in notes)


def _check_header(path: str, max_megapixels: float) -> None:
    """Refuse an image that is too large by what its header says."""
    try:
        with warnings_ignored(Image.DecompressionBombWarning), Image.open(path) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise ValueError(f"The image is far too large. {_limit(max_megapixels)}") from error
    except Exception:  # whoever reads it says what is wrong
        return
    check_size(width, height, max_megapixels)


def check_size(width: int, height: int, max_megapixels: float) -> None:
    """Raise `ValueError` if an image has more pixels than the page takes."""
    if width * height > max_megapixels * _MEGA:
        megapixels = width * height / _MEGA
        raise ValueError(
            f"The image has {width}x{height} pixels, {megapixels:.1f} megapixels. "
            f"{_limit(max_megapixels)}"
        )


def _limit(max_megapixels: float) -> str:
    return f"This page takes {max_megapixels:g} at most; --max-megapixels changes that."
