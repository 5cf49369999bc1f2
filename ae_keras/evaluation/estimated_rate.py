"""Rate and distortion of a model for all qualities: as its entropy model estimates, and of files.

Whole photographs of any size pass through the model, each at some qualities; beside them stand the
files of JPEG of the same photographs: Pillow's as they come, with colours at half resolution and
Huffman tables of the standard, which most photographs have.
"""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from ae_keras import metrics
from ae_keras.codec.classical import PillowCodec
from ae_keras.codec.protocols import Codec
from ae_keras.layers.hyperprior import loss_weight
from ae_keras.system.quality import lambda_of_position, position_of_quality

# About lambda 0.0015, 0.006, 0.025, 0.1 and 0.25.
QUALITIES = (8, 33, 59, 84, 100)
JPEG_QUALITIES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)

Photographs = Mapping[str, Sequence[np.ndarray]]
# Of each kind, an array `(qualities, photographs, 2)`: bits per pixel, and PSNR in dB.
Points = dict[str, np.ndarray]


def estimate_points(
    model: keras.Model, photographs: Photographs, qualities: Sequence[int] = QUALITIES
) -> Points:
    """Return what photographs would take, and how good they would be.

    Args:
        model: HyperpriorAutoencoder.
        photographs: uint8 arrays `(height, width, 3)` of each kind.
        qualities: From 1 to 100.
    """

    def estimate(image: np.ndarray, quality: int) -> tuple[float, float]:
        rates, restored = model.estimate(image[np.newaxis], position_of_quality(quality))
        return float(rates[0]), metrics.image_psnr(image, restored[0])

    return _measure(estimate, photographs, qualities)


def file_points(
    codec: Codec, photographs: Photographs, qualities: Sequence[int] = QUALITIES
) -> Points:
    """Return the same of a codec's real files."""

    def measure(image: np.ndarray, quality: int) -> tuple[float, float]:
        chosen = codec.with_quality(quality)
        data = chosen.compress(image)
        rate = metrics.bits_per_pixel(len(data), *image.shape[:2])
        return rate, metrics.image_psnr(image, chosen.decompress(data))

    return _measure(measure, photographs, qualities)


def jpeg_points(photographs: Photographs) -> Points:
    """Return the points of JPEG's files at `JPEG_QUALITIES`."""
    return file_points(PillowCodec("JPEG", {}), photographs, JPEG_QUALITIES)


def _measure(
    measure: Callable[[np.ndarray, int], tuple[float, float]],
    photographs: Photographs,
    qualities: Sequence[int],
) -> Points:
    return {
        kind: np.array([[measure(image, quality) for image in images] for quality in qualities])
        for kind, images in photographs.items()
    }


def summarize(
    points: Points, jpeg: Points, qualities: Sequence[int] = QUALITIES
) -> dict[str, float]:
    """Return the figures of a model for a history.

    Args:
        points: What `estimate_points` returned.
        jpeg: What `jpeg_points` returned of the same photographs.
        qualities: Those of the points.

    Returns:
        - `val_loss`: `weight * (bits per pixel + lambda * 255**2 * MSE)`, the loss of training,
          mean over kinds, photographs and qualities;
        - `val_bpp_Q` and `val_psnr_Q` for each quality: means over the photographs;
        - `bd_rate` to JPEG in percent, and `bd_rate_KIND` of each kind where there are several.
    """
    positions = np.array([position_of_quality(quality) for quality in qualities])
    lambdas, weights = lambda_of_position(positions), loss_weight(positions)
    costs = []
    for rates, psnr in (np.moveaxis(each, -1, 0) for each in points.values()):
        errors = 255**2 * 10 ** (-psnr / 10)
        costs.append(np.mean(weights[:, None] * (rates + lambdas[:, None] * errors)))
    every, every_jpeg = (
        np.concatenate(list(each.values()), axis=1).mean(axis=1) for each in (points, jpeg)
    )
    figures = {"val_loss": float(np.mean(costs))}
    for quality, (rate, psnr) in zip(qualities, every, strict=True):
        figures |= {f"val_bpp_{quality}": float(rate), f"val_psnr_{quality}": float(psnr)}
    figures["bd_rate"] = _bd_rate(every_jpeg, every)
    if len(points) > 1:
        for kind in points:
            curves = jpeg[kind].mean(axis=1), points[kind].mean(axis=1)
            figures[f"bd_rate_{kind}"] = _bd_rate(*curves)
    return figures


def _bd_rate(anchor: np.ndarray, curve: np.ndarray) -> float:
    rate = metrics.bd_rate(*anchor.T, *curve.T)
    return float("nan") if rate is None else rate
