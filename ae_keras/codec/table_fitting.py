"""What a codec learns from training images beside its model: tables, units and a default step."""

import bisect
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ae_keras.codec.layout import batch_size
from ae_keras.codec.protocols import Transform
from ae_keras.codec.quantizer import Quantizer
from ae_keras.codec.steps import FINEST_STEP, step_of_quality
from ae_keras.system.pixels import to_unit_range

# Latents of so many images are counted, but no more values than fit into memory with ease.
_COUNTED_IMAGES = 10_000
_COUNTED_VALUES = 2**25
# So many images are decoded to measure what a change of their latents changes, and what a step.
_PROBED_IMAGES = 16
_JUDGED_IMAGES = 200
# MSE, in units of [0, 1] squared, that the finest step adds where errors are independent.
_FINEST_MSE = 1e-5
# The default step may add this share to the MSE of the model.
_ADDED_SHARE = 0.1
# Bins of a channel; its unit is widened where they would be more.
_MOST_BINS = 4096
# Size of the change that probes a channel, in standard deviations.
_PROBE = 0.1
# The quality of the finest step.
_FINEST = 100


def fit_quantizer(
    transform: Transform,
    images: np.ndarray,
    labels: npt.ArrayLike | None = None,
    weights_digest: str = "",
) -> Quantizer:
    """Fit tables, units and the default step of a model.

    Args:
        transform: Transform. The model's encoder and decoder.
        images: uint8 array `(count, height, width, channels)` of training images, of the size
            that the transform was trained for. They are taken evenly from all.
        labels: Their labels, for a conditional model.
        weights_digest: str. Of the model's weights.

    Returns:
        A `Quantizer`.

    Raises:
        ValueError: if latents are not numbers.
    """
    most = min(_COUNTED_IMAGES, max(1, _COUNTED_VALUES // math.prod(transform.latent_shape)))
    chosen = np.linspace(0, len(images) - 1, min(most, len(images))).astype(int)
    images = np.asarray(images[chosen])
    known = None if labels is None or transform.classes is None else np.asarray(labels)[chosen]
    latents = _in_batches(transform.encode, images)
    if not np.isfinite(latents).all():
        raise ValueError(
            "The model makes latents of its training images that are no numbers: its training has "
            "diverged. Train it again, with a lower learning rate."
        )
    units = _measure_units(transform, images.shape, latents, known)
    starts, counts = _count_bins(latents.reshape(-1, len(units)), units)
    quantizer = Quantizer(units, starts, counts, FINEST_STEP, weights_digest)
    quantizer.default_step = _find_default_step(transform, quantizer, images, latents, known)
    return quantizer


def _in_batches(function: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """Apply a function of images in [0, 1] to uint8 ones, some at a time."""
    size = batch_size(images.shape[1:3])
    starts = range(0, len(images), size)
    return np.concatenate(
        [function(to_unit_range(images[start : start + size])) for start in starts]
    )


def _measure_units(
    transform: Transform, shape: tuple[int, ...], latents: np.ndarray, labels: np.ndarray | None
) -> np.ndarray:
    """Return the width of a bin of each channel.

    An error of one unit changes the image as much in any channel. With errors of variance
    unit^2 / 12 in every latent, the MSE of the image grows by `_FINEST_MSE`.
    """
    rng = np.random.default_rng(0)
    some = latents[:_PROBED_IMAGES]
    labels = None if labels is None else labels[:_PROBED_IMAGES]
    images = transform.decode(some, labels)
    flat = latents.reshape(-1, latents.shape[-1])
    spread = flat.std(axis=0, dtype=np.float64)
    gains = np.zeros(len(spread))
    positions = int(np.prod(some.shape[1:-1]))
    for channel in np.flatnonzero(spread):
        probe = _PROBE * spread[channel] * rng.choice([-1, 1], some.shape[:-1])
        changed = some.copy()
        changed[..., channel] += probe
        change = np.square(transform.decode(changed, labels) - images, dtype=np.float64)
        gains[channel] = np.sqrt(change.sum() / len(some) / positions) / (_PROBE * spread[channel])
    pixels, active = int(np.prod(shape[1:])), positions * int(np.count_nonzero(gains))
    unit = np.sqrt(12 * _FINEST_MSE * pixels / max(active, 1))
    extent = np.abs(flat).max(axis=0).astype(np.float64)
    # Of a channel whose changes do not matter, still about the values that it has: a decoder may
    # need its mean. A constant is kept as exactly as bins allow, which takes no bits.
    widest = np.where(extent > 0, np.ptp(flat, axis=0), 1.0)
    units = np.divide(unit, gains, out=widest.copy(), where=gains > 0)
    return np.maximum(np.minimum(units, widest), 2 * extent / _MOST_BINS)


def _count_bins(latents: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the first bin of each channel, and its counts from there on."""
    bins = np.rint(latents / units).astype(np.int64)
    starts = bins.min(axis=0)
    counts = [np.bincount(channel - start) for channel, start in zip(bins.T, starts, strict=True)]
    return starts, counts


def _find_default_step(
    transform: Transform,
    quantizer: Quantizer,
    images: np.ndarray,
    latents: np.ndarray,
    labels: np.ndarray | None,
) -> int:
    """Return the coarsest step that adds no more than a tenth to the MSE of the model."""
    originals = to_unit_range(images[:_JUDGED_IMAGES])
    latents = latents[: len(originals)]
    labels = None if labels is None else labels[: len(originals)]

    def error(values: np.ndarray) -> float:
        return float(np.mean(np.square(transform.decode(values, labels) - originals)))

    limit = (1 + _ADDED_SHARE) * error(latents)

    def is_too_coarse(quality: int) -> bool:
        tables = quantizer.at(step_of_quality(quality))
        return not error(tables.latents(tables.symbols(latents)).reshape(latents.shape)) <= limit

    # The finest step is taken to be fine enough.
    fine = bisect.bisect_left(range(_FINEST - 1, 0, -1), True, key=is_too_coarse)
    return step_of_quality(_FINEST - fine)
