"""Noise taken out of a photograph; a test adds the noise first, so that the truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ae_keras.app.files import format_notes, has_alpha, new_folder, read_upload, write_picture
from ae_keras.app.quality import measure_quality
from ae_keras.photographs.denoising import Denoiser
from ae_keras.system.pixels import to_uint8, to_unit_range
from ae_keras.system.text_tables import to_markdown

_OTHER_TASK = "the model was trained to reconstruct images, not to denoise them"


@dataclass(frozen=True)
class Denoised:
    """What became of a photograph.

    Args:
        folder: Path. Of the pictures.
        before: str. The picture that the model was given.
        after: str. What it made of it.
        text: str. Their quality, where the truth is known, and what is to be said, as Markdown.
    """

    folder: Path
    before: str
    after: str
    text: str


def denoise_upload(path: str | None, model: str, noise: float, max_megapixels: float) -> Denoised:
    """Take noise out of a photograph.

    Args:
        path: str. Its file.
        model: str. A run.
        noise: float. The standard deviation of the noise that a test adds first, in grey levels of
            255; 0 for a photograph that has its own.
        max_megapixels: float. Larger photographs are refused.

    Raises:
        ValueError: if the file is no image or too large, or does not fit the model.
        OSError: if the model is missing.
    """
    photograph, notes = read_upload(path, max_megapixels, in_srgb=True)
    image = np.asarray(photograph.pixels)
    denoiser = Denoiser(model)
    notes += [] if denoiser.recipe.task == "denoising" else [_OTHER_TASK]
    before = add_noise(image, noise) if noise else image
    after = denoiser(before)
    folder = new_folder()
    pictures = write_picture(folder, "before", before), write_picture(folder, "denoised", after)
    text = _table(image, before, after) if noise else ""
    return Denoised(folder, *pictures, text + format_notes(notes))


def add_noise(image: np.ndarray, noise: float) -> np.ndarray:
    """Return an image with Gaussian noise, always the same; alpha has none.

    Args:
        image: uint8 array `(height, width)` or `(height, width, channels)`.
        noise: float. Its standard deviation, in grey levels of 255.
    """
    rng = np.random.default_rng(0)
    noisy = to_unit_range(image) + noise / 255 * rng.standard_normal(image.shape, np.float32)
    noisy = to_uint8(np.clip(noisy, 0, 1))
    if has_alpha(image):
        noisy[..., -1] = image[..., -1]
    return noisy


def _table(image: np.ndarray, before: np.ndarray, after: np.ndarray) -> str:
    rows = [
        (name, *measure_quality(image, picture).cells())
        for name, picture in (("with noise", before), ("denoised", after))
    ]
    return to_markdown(("beside the original", "PSNR [dB]", "MS-SSIM"), rows)
