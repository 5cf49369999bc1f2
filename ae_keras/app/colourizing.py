"""Colours for a photograph, beside its own where it has any."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ae_keras.app.files import format_notes, has_alpha, new_folder, read_upload, write_picture
from ae_keras.photographs.colour_scores import has_any_colour, score_colours
from ae_keras.photographs.colourization import PhotoColourizer
from ae_keras.photographs.hints import Hint
from ae_keras.system.text_tables import to_markdown

GREY, ORIGINAL = "grey", "original"


@dataclass(frozen=True)
class Colourized:
    """What became of a photograph.

    Args:
        folder: Path. Of the pictures.
        result: str. The colourized picture.
        beside: By name what it is compared with: what the model saw and, where there are any, the
            photograph's own colours.
        text: str. How near it is to these, and what is to be said, as Markdown.
    """

    folder: Path
    result: str
    beside: dict[str, str]
    text: str


def colourize_upload(
    path: str | None, model: str, hints: Sequence[Hint], max_megapixels: float
) -> Colourized:
    """Give a photograph colours.

    Args:
        path: str. Its file.
        model: str. A run.
        hints: Colours that are known of some places.
        max_megapixels: float. Larger photographs are refused.

    Raises:
        ValueError: if the file is no image or too large, or a hint lies outside it.
        OSError: if the model is missing.
        ModuleNotFoundError: if there are hints, and SciPy is not installed.
    """
    photograph, notes = read_upload(path, max_megapixels, in_srgb=True)
    image = np.asarray(photograph.pixels)
    colourized = PhotoColourizer(model)(image, hints)
    folder = new_folder()
    grey = np.asarray(photograph.pixels.convert("LA" if has_alpha(image) else "L"))
    beside = {GREY: write_picture(folder, GREY, grey)}
    text = ""
    if has_any_colour(image):
        beside[ORIGINAL] = write_picture(folder, ORIGINAL, image)
        text = _table(image, colourized)
    text += format_notes(notes)
    return Colourized(folder, write_picture(folder, "colourized", colourized), beside, text)


def _table(image: np.ndarray, colourized: np.ndarray) -> str:
    try:
        scores = score_colours(image, colourized)
    except ModuleNotFoundError:  # of an installation without scikit-image
        return ""
    rows = [[f"{value:.2f}" for value in scores.values()]]
    return to_markdown(list(scores), rows)
