"""How many bits an image takes with each model at its default step, in real files.

No report measures a file; they compare models by the number of values in their latents, or not at
all. Here models compress 2,000 test images of their own data, as one file each and as mosaics of
20x20 images, in which headers hardly count. Beside them stand the bits a pixel that PNG takes
without loss, and those that JPEG and WebP take in mosaics for the same PSNR, interpolated between
their qualities. A model of any size (`cae`, `conv`) takes a mosaic as one image, so that neighbours
disturb each other at their borders. Of the faces there are as many as their test part has; models
whose data is not at hand are left out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from ae_keras.codec import CLASSICAL
from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.evaluation.rate_distortion import make_mosaics, measure_codec
from ae_keras.metrics import pareto_front
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.trained_models import FACES, MODELS, train_own
from ae_keras.studies.workspace import Workspace

TITLE = "The rate of compression"
_MEASURED_IMAGES = 2000
_HEADER = (
    *("model", "data", "bpp, a file an image", "PSNR [dB]", "bpp, mosaic", "PSNR [dB]"),
    *("ratio, mosaic", "PNG", "JPEG, same PSNR", "WebP, same PSNR"),
)

# The values of a line of the table; None where there is no number.
Row = tuple[Any, ...]


def run(workspace: Workspace) -> Page:
    """Measure each model beside the classical formats on its own data."""
    rows = [
        row
        for name in workspace.choose((*MODELS, *FACES), 4)
        if (row := measure_model(workspace, name))
    ]
    if not rows:
        raise ConnectionError("None of the data sets is here, and there is no network.")
    table = Table(_HEADER, [format_row(row) for row in rows])
    return Page(judge(rows), {"compression_rate": table})


def measure_model(workspace: Workspace, name: str) -> Row | None:
    """Return the row of a model; None if its data is not here."""
    try:
        run = train_own(workspace, name)
    except ConnectionError as error:
        print(f"{name} is left out: {error}")
        return None
    images = workspace.load_images(run, "test").images[:_MEASURED_IMAGES]
    mosaics = make_mosaics(images)
    codec = load_codec(run.path)
    single = measure_codec(codec, list(images), images)
    together: dict[str, Any] = measure_codec(codec.with_overlap(0), mosaics, images)
    png = measure_codec(make_codec("png"), mosaics, images)["bpp"]
    same = [_rate_at(together["psnr"], format, mosaics, images) for format in ("jpeg", "webp")]
    ratio = 8 * images.shape[-1] / together["bpp"]
    values = (single["bpp"], single["psnr"], together["bpp"], together["psnr"], ratio, png, *same)
    return (f"`{name}`", workspace.name_data(run), *values)


def format_row(row: Row) -> Row:
    """Return the cells of a line of the table."""
    return (*row[:2], *("-" if value is None else f"{value:.2f}" for value in row[2:]))


def _rate_at(
    psnr: float, format: str, mosaics: list[np.ndarray], images: np.ndarray
) -> float | None:
    """Return the bits per pixel of a format at a PSNR; None where it does not reach it."""
    points: list[dict[str, Any]] = [
        measure_codec(make_codec(format).with_quality(quality), mosaics, images)
        for quality in CLASSICAL[format].qualities
    ]
    rates, quality = pareto_front(*([point[key] for point in points] for key in ("bpp", "psnr"))).T
    if len(rates) < 2 or not quality[0] <= psnr <= quality[-1]:
        return None
    return float(np.exp(PchipInterpolator(quality, np.log(rates))(psnr)))


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Say which model has the highest ratio, and which take fewer bits than JPEG.

    Args:
        rows: In the order of the table's columns.
    """
    compared = [row for row in rows if row[8] is not None]
    best = max(rows, key=lambda row: row[6])
    return [
        Verdict(
            "The highest ratio to 8-bit pixels",
            None,
            (
                Evidence("ratio", best[6], style=".1f"),
                Evidence("model", best[0]),
                Evidence("data", best[1]),
            ),
        ),
        Verdict(
            "Models with fewer bits than JPEG for the same PSNR",
            None,
            (
                Evidence("these", tuple(row[0] for row in compared if row[4] < row[8])),
                Evidence("models whose PSNR JPEG can have", len(compared)),
                Evidence("models", len(rows)),
            ),
        ),
    ]
