"""Rounding and its rate: what entropy models of latents are made of."""

import math

from keras import ops

from ae_keras.layers.types import Tensor

# The smallest probability of a symbol: 20 bits. An escaped symbol costs about as much.
_LEAST_PROBABILITY = 1e-6


def round_straight_through(values: Tensor) -> Tensor:
    """Return the nearest integers, with the gradient of the values themselves."""
    return values + ops.stop_gradient(ops.round(values) - values)


def gaussian_bits(residuals: Tensor, scales: Tensor) -> Tensor:
    """Return the bits of residuals, rounded or with noise, under N(0, scale**2).

    A symbol stands for all values that are rounded to it: its probability is that of the interval
    of length 1 around it. Of noisy residuals it is the same integral, which makes the rate
    of training continuous.

    Args:
        residuals: Tensor, float32. Distances from the mean.
        scales: Tensor, float32, above 0. Standard deviations.

    Returns:
        Tensor of the residuals' shape: bits, at most 20.
    """
    distances = ops.abs(residuals)  # of two tails, the one where small differences survive
    factors = math.sqrt(0.5) / scales
    upper = ops.erfc((distances - 0.5) * factors)
    lower = ops.erfc((distances + 0.5) * factors)
    probabilities = ops.maximum(0.5 * (upper - lower), _LEAST_PROBABILITY)
    return ops.log(probabilities) * (-1 / math.log(2))
