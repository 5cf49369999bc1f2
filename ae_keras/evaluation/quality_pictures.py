"""Pictures of a model for all qualities: its progress, and a photograph beside JPEG."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ae_keras import figures, metrics
from ae_keras.codec.classical import PillowCodec
from ae_keras.codec.protocols import Codec
from ae_keras.codec.rate_control import compress_below
from ae_keras.evaluation.estimated_rate import Photographs
from ae_keras.recipe import Recipe
from ae_keras.system.pixels import middle, to_unit_range
from ae_keras.system.safe_files import write_safely

# At these a photograph is shown, and so large a part of it.
_SHOWN_QUALITIES = (8, 33, 59)
_SHOWN_SIZE = 256
_COLUMN_INCHES = 2.4


def write_progress(history: Sequence[dict[str, float]], recipe: Recipe, path: str | Path) -> None:
    """Write a figure of the BD-rates to JPEG on the validation photographs, over the steps.

    Args:
        history: The rows of `history.csv`.
        recipe: Recipe. With `steps_per_epoch`.
        path: Where to write; the ending names the format.
    """
    steps = [row["epoch"] * (recipe.steps_per_epoch or 1) for row in history]
    curves = {
        name.removeprefix("bd_rate_").replace("bd_rate", "all"): (
            steps,
            [row[name] for row in history],
        )
        for name in history[-1]
        if name.startswith("bd_rate")
    }
    panel = figures.Panel(curves, "steps of training", "BD-rate to JPEG [%]")
    title = f"{recipe.model} on validation photographs, by estimated rate"
    with write_safely(path) as temporary:
        figures.save_curves(temporary, [panel], title)


def write_qualities(codec: Codec, photographs: Photographs, title: str, path: str | Path) -> None:
    """Write a figure of the middle of a photograph at three qualities, over JPEG of equal size.

    Args:
        codec: Codec.
        photographs: uint8 arrays of each kind; the first one is shown.
        title: str. Over the figure.
        path: Where to write; the ending names the format.
    """
    image = next(iter(photographs.values()))[0]
    jpeg_codec = PillowCodec("JPEG", {})
    ours, jpegs = {"original": image}, {"original ": image}
    for quality in _SHOWN_QUALITIES:
        data = codec.with_quality(quality).compress(image)
        restored = codec.decompress(data)
        jpeg = compress_below(jpeg_codec, image, len(data))
        decoded = jpeg_codec.decompress(jpeg)
        ours[f"quality {quality}: {_describe(len(data), image, restored)}"] = restored
        jpegs[f"JPEG: {_describe(len(jpeg), image, decoded)}"] = decoded
    captions, images = zip(*(ours | jpegs).items(), strict=True)
    shown = np.stack([to_unit_range(middle(each, _SHOWN_SIZE)) for each in images])
    with write_safely(path) as temporary:
        figures.save_image_grid(temporary, shown, title, captions, len(ours), _COLUMN_INCHES)


def _describe(size: int, image: np.ndarray, restored: np.ndarray) -> str:
    rate = metrics.bits_per_pixel(size, *image.shape[:2])
    return f"{rate:.2f} bpp, {metrics.image_psnr(image, restored):.2f} dB"
