"""How many bits an image takes with each model at its default step, in real files.

No report measures a file; they compare models by the number of values in their latents, or not at
all. Here models compress 2,000 test images of their own data, as one file each and as mosaics of
20x20 images, in which headers hardly count. Beside them stand the bits a pixel that PNG takes
without loss, and those that JPEG and WebP take in mosaics for the same PSNR, interpolated between
their qualities. There are fewer faces, those of the test part;
models whose data is not at hand are left out.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.rate_distortion import PILLOW_QUALITIES, make_mosaics, measure_codec
from ae_keras.studies.lab import Lab, Page, Table
from ae_keras.studies.trained import MODELS, train_own

TITLE = "The rate of compression"
_MEASURED_IMAGES = 2000


def run(lab: Lab) -> Page:
    """Measure each model beside the classical formats on its own data."""
    rows = [row for name in MODELS if (row := _measure(lab, name))]
    header = ("model", "data", "PSNR [dB]", "bpp, a file an image", "bpp, mosaic", "ratio, mosaic")
    table = Table((*header, "PNG", "JPEG, same PSNR", "WebP, same PSNR"), rows)
    return Page(_judge(rows), {"compression_rate": table})


def _measure(lab: Lab, name: str) -> tuple | None:
    """Return the row of a model; None if its data is not here."""
    try:
        run = train_own(lab, name)
    except ConnectionError as error:
        print(f"{name} is left out: {error}")
        return None
    images = lab.load_images(run, "test").images[:_MEASURED_IMAGES]
    mosaics = make_mosaics(images)
    codec = load_codec(run.path)
    single = measure_codec(codec, list(images), images)
    together = measure_codec(codec.with_overlap(0), mosaics, images)
    png = measure_codec(make_codec("png"), mosaics, images)["bpp"]
    same = [_rate_at(together["psnr"], format, mosaics, images) for format in ("jpeg", "webp")]
    values = (together["psnr"], single["bpp"], together["bpp"])
    ratio = 8 * images.shape[-1] / together["bpp"]
    shown = ["-" if value is None else f"{value:.2f}" for value in (*values, ratio, png, *same)]
    return (f"`{name}`", run.recipe.data_name, *shown)


def _rate_at(psnr: float, format: str, mosaics, images) -> float | None:
    """Return the bits per pixel of a format at a PSNR; None where it does not reach so low."""
    points = [
        measure_codec(make_codec(format).with_quality(quality), mosaics, images)
        for quality in PILLOW_QUALITIES[format]
    ]
    quality, rates = ([point[key] for point in points] for key in ("psnr", "bpp"))
    if not quality[0] <= psnr <= quality[-1]:
        return None
    return float(np.exp(PchipInterpolator(quality, np.log(rates))(psnr)))


def _judge(rows) -> str:
    """Say which models take fewer bits than JPEG for the same PSNR."""
    compared = [row for row in rows if row[7] != "-"]
    better = [row[0] for row in compared if float(row[4]) < float(row[7])]
    best = max(rows, key=lambda row: float(row[5]))
    said = [
        f"The highest ratio to 8-bit pixels, {best[5]}, is that of {best[0]} on {best[1]}.",
        f"JPEG can have the PSNR of {len(compared)} of {len(rows)} models;",
        f"{len(better)} of these take fewer bits than it" + ":" * bool(better),
    ]
    return " ".join([*said, ", ".join(better)]).strip() + "."
