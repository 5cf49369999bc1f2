"""What a hyperprior learns from training images when training has ended: its frequency tables."""

from typing import Any

import numpy as np
from keras import ops
from scipy.special import ndtr

from ae_keras.codec.entropy_coding import TOTAL, FrequencyTables, scale_frequencies
from ae_keras.codec.hyperprior.conversion import convert
from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.hyperprior.fixed_point import ACTIVATION
from ae_keras.codec.hyperprior.levels import QUALITIES, SCALE_COUNT
from ae_keras.codec.hyperprior.section import Encoding
from ae_keras.codec.hyperprior.strips import Strips
from ae_keras.codec.protocols import QualityTransform
from ae_keras.models.hyperprior import HyperpriorAutoencoder
from ae_keras.system.pixels import to_unit_range
from ae_keras.system.quality import position_of_quality

# Training images whose latents are counted, each at one quality.
_COUNTED_IMAGES = 512
_BATCH = 16
# What a Gaussian counts for beside the counted symbols of a table.
_PRIOR_COUNT = 2000.0
# A share of the Gaussian is one of three times its scale: real residuals have longer tails.
_TAIL_SHARE, _TAIL_SCALE = 0.01, 3.0
# Tables end where a symbol is rarer than one in 2^22, and an escape is cheaper.
_RAREST = 2.0**-22
_WEIGHT_SUM = 2.0**36
# Symbols further out are counted with these.
_REACH = 4096
# Counts of neighbouring images are of qualities that are far apart.
_STRIDE = 37
# Hyper-latents further from their means are rare enough to be left out of the choice.
_HYPER_REACH = 128
# Bits of an escaped value beside its place: two or three bytes.
_ESCAPED_BITS = 16.0


def fit_hyperprior(
    transform: QualityTransform,
    model: HyperpriorAutoencoder,
    images: np.ndarray,
    weights_digest: str = "",
) -> HyperpriorModel:
    """Make the entropy model of a trained model.

    Args:
        transform: QualityTransform. The model's encoder and decoder.
        model: HyperpriorAutoencoder.
        images: uint8 array `(count, height, width, 3)` of training images or crops, height and
            width divisible by 64. They are taken evenly from all.
        weights_digest: str. Of the model's weights.
    """
    arrays = convert(model) | {"offsets": np.zeros(SCALE_COUNT, np.float32)}
    lowest, spacing = arrays["scales"]
    scales = np.exp((lowest + spacing * np.arange(SCALE_COUNT)) / ACTIVATION)
    moments = _hyper_moments(model)
    first = make_tables(scales, np.zeros((SCALE_COUNT, 2 * _REACH + 1)))
    plain = HyperpriorModel(arrays | arrays_of(first) | choose_hyper_tables(first, *moments))
    fitted = make_tables(scales, _count(plain, transform, images))
    arrays |= arrays_of(fitted) | choose_hyper_tables(fitted, *moments)
    return HyperpriorModel(arrays, weights_digest)


def arrays_of(tables: FrequencyTables) -> dict[str, np.ndarray]:
    """Return the arrays of a `HyperpriorModel` that hold its tables."""
    return {
        "lowest": tables.lowest.astype(np.int32),
        "lengths": (tables.sizes + 1).astype(np.int32),
        "frequencies": np.concatenate(tables.frequencies).astype(np.int32),
    }


def _hyper_moments(model: HyperpriorAutoencoder) -> tuple[np.ndarray, np.ndarray]:
    """Return means and scales `(qualities, channels)` of the hyper-latents."""
    positions = position_of_quality(np.array(QUALITIES)).astype(np.float32)
    mean, scale = (
        np.asarray(ops.convert_to_numpy(each), float).reshape(len(positions), -1)
        for each in model.entropy_model.hyper_moments(positions)
    )
    return mean, scale


class _Counting(Encoding):
    """Counts the symbols of each table."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.counts = np.zeros((SCALE_COUNT, 2 * _REACH + 1), np.int64)

    def note(self, symbols: np.ndarray, counts: list[int]) -> None:
        """Count the symbols of a part, which are sorted by their tables."""
        tables = np.repeat(np.arange(SCALE_COUNT), counts)
        np.add.at(self.counts, (tables, np.clip(symbols, -_REACH, _REACH) + _REACH), 1)


def _count(
    entropy_model: HyperpriorModel, transform: QualityTransform, images: np.ndarray
) -> np.ndarray:
    """Return how often each symbol is coded with each table, `(tables, 2 reach + 1)`."""
    chosen = np.linspace(0, len(images) - 1, min(_COUNTED_IMAGES, len(images))).astype(int)
    strips = Strips.plan(images.shape[1:3])
    counts = np.zeros((SCALE_COUNT, 2 * _REACH + 1), np.int64)
    for start in range(0, len(chosen), _BATCH):
        numbers = np.arange(start, min(start + _BATCH, len(chosen)))
        qualities = _STRIDE * numbers % len(QUALITIES) + 1
        positions = position_of_quality(qualities).astype(np.float32)
        batch = to_unit_range(np.asarray(images[chosen[numbers]]))
        for quality, *analysed in zip(qualities, *transform.analyse(batch, positions), strict=True):
            level = entropy_model.level(int(quality))
            counting = _Counting(entropy_model.tables, level, strips, iter([analysed]))
            for _ in entropy_model.walk(level, strips, counting):
                pass
            counts += counting.counts
    return counts


def make_tables(scales: np.ndarray, counts: np.ndarray) -> FrequencyTables:
    """Return a table for each scale.

    Args:
        scales: `(tables,)`. Standard deviations.
        counts: `(tables, 2 * 4096 + 1)`. How often each symbol from -4096 to 4096 was coded with
            each; both signs count for both.
    """
    lowest, frequencies = [], []
    for scale, counted in zip(scales, counts + counts[:, ::-1], strict=True):
        masses = counted + _PRIOR_COUNT * gaussian_masses(scale)
        masses /= masses.sum()
        reach = max(1, int(np.flatnonzero(masses >= _RAREST)[-1]) - _REACH)
        own = masses[_REACH - reach : _REACH + reach + 1]
        weights = np.rint(_WEIGHT_SUM * own).astype(np.int64)
        outside = max(1, round(_WEIGHT_SUM * (1 - float(own.sum()))))
        lowest.append(-reach)
        frequencies.append(scale_frequencies(weights, outside))
    return FrequencyTables(lowest, frequencies)


def gaussian_masses(scale: float) -> np.ndarray:
    """Return the probabilities of the symbols from -4096 to 4096, with longer tails."""
    masses = np.zeros(_REACH + 1)
    for share, spread in ((1 - _TAIL_SHARE, scale), (_TAIL_SHARE, _TAIL_SCALE * scale)):
        above = ndtr((0.5 - np.arange(1, _REACH + 2)) / spread)
        masses[1:] += share * -np.diff(above)
        masses[0] += share * (1 - 2 * above[0])
    return np.concatenate([masses[:0:-1], masses])


def choose_hyper_tables(
    tables: FrequencyTables, means: np.ndarray, scales: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the whole mean and the table that take the fewest bits for each hyper-latent.

    Args:
        tables: FrequencyTables.
        means: `(qualities, channels)`. Of the hyper-latents' Gaussians.
        scales: `(qualities, channels)`. Their standard deviations.
    """
    symbols = np.arange(-_HYPER_REACH, _HYPER_REACH + 1)
    bits = _bits(tables, symbols)
    best = np.full(means.shape, np.inf)
    chosen = {name: np.zeros(means.shape, np.int16) for name in ("hyper_mean", "hyper_table")}
    for whole in (np.floor(means), np.ceil(means)):
        edges = np.append(symbols, symbols[-1] + 1) - 0.5 - (means - whole)[..., np.newaxis]
        expected = np.diff(ndtr(edges / scales[..., np.newaxis])) @ bits.T
        is_better = expected.min(axis=-1) < best
        best = np.where(is_better, expected.min(axis=-1), best)
        chosen["hyper_mean"] = np.where(is_better, whole, chosen["hyper_mean"]).astype(np.int16)
        table = expected.argmin(axis=-1)
        chosen["hyper_table"] = np.where(is_better, table, chosen["hyper_table"]).astype(np.int16)
    return {f"levels/{name}": array for name, array in chosen.items()}


def _bits(tables: FrequencyTables, symbols: np.ndarray) -> np.ndarray:
    """Return the bits `(tables, symbols)` of symbols under each table."""
    bits = []
    for lowest, table in zip(tables.lowest, tables.frequencies, strict=True):
        places = symbols - lowest
        is_inside = (places >= 0) & (places < len(table) - 1)
        lengths = -np.log2(table / TOTAL)
        escaped = lengths[-1] + _ESCAPED_BITS
        bits.append(np.where(is_inside, lengths[np.where(is_inside, places, 0)], escaped))
    return np.array(bits)
