"""What a quality changes between hyper-latents and symbols: numbers for each of its channels."""

from dataclasses import dataclass, fields

import numpy as np

from ae_keras.codec.hyperprior.fixed_point import ACTIVATION

# Levels are the qualities from 1 to 100.
QUALITIES = range(1, 101)
# Of the 64 scales that latents can have, the lowest and the highest, in steps of quantization.
SCALE_COUNT = 64


@dataclass(frozen=True)
class Level:
    """The numbers of one quality, float64 arrays of one dimension.

    Args:
        hyper_step: What a hyper-latent of 1 stands for, times 256.
        hyper_mean: Whole numbers. What hyper-latents are coded as differences from.
        hyper_table: Whole numbers. The table that each channel of hyper-latents is coded with.
        modulation_scale: Whole numbers. What features are multiplied by, times 4096.
        modulation_shift: Whole numbers. What is added to features, times 256 * 4096.
        unit: What a mean of 1/256 stands for, in steps of quantization.
        log_unit: Logarithms of the units, of a mean of 1, times 256: whole numbers.
        step: What a latent of 1 stands for, in the linear transform's coefficients.
    """

    hyper_step: np.ndarray
    hyper_mean: np.ndarray
    hyper_table: np.ndarray
    modulation_scale: np.ndarray
    modulation_shift: np.ndarray
    unit: np.ndarray
    log_unit: np.ndarray
    step: np.ndarray


NAMES = [field.name for field in fields(Level)]


@dataclass(frozen=True)
class Scales:
    """The logarithms of the scales of the tables, in 1/256: they are evenly spaced.

    Args:
        lowest: float. That of the first table.
        spacing: float. Between neighbours.
    """

    lowest: float
    spacing: float

    def indices(self, parameters: np.ndarray, level: Level) -> np.ndarray:
        """Return the tables of latents, uint8.

        Args:
            parameters: `(..., channels)`. Halves of logarithms of scales, in units, times 256.
            level: Level. That of the quality.
        """
        places = parameters * 2
        places += level.log_unit - self.lowest
        places /= self.spacing
        places += 0.5
        np.floor(places, out=places)
        return np.clip(places, 0, SCALE_COUNT - 1, out=places).astype(np.uint8)


def scales_between(lowest: float, highest: float) -> Scales:
    """Return the logarithmic scales from a lowest to a highest standard deviation."""
    low, high = ACTIVATION * np.log([lowest, highest])
    return Scales(float(low), float((high - low) / (SCALE_COUNT - 1)))
