"""The scale of qualities: what lambda, and what position on its scale, a quality from 1 to 100 has.

The loss of a codec is `bits per pixel + lambda * 255**2 * MSE`: a large lambda asks for few errors,
a small one for few bits. A *position* says where an image lies on the scale of lambda: 0 is lambda
0.001, 1 is 0.25, and between them log lambda is linear.
"""

import math
from typing import Any

import numpy as np

# The scale of lambda. At 512x768 the rates are about 0.1 and 3 bits per pixel.
LAMBDAS = (0.001, 0.25)


def position_of_quality(quality: Any) -> Any:
    """Return the position, from 0 to 1, of a quality from 1 to 100: a number or an array.

    Raises:
        ValueError: if the quality is out of range.
    """
    if not np.all((np.asarray(quality) >= 1) & (np.asarray(quality) <= 100)):
        raise ValueError(f"`quality` must be from 1 to 100. Received: {quality!r}")
    return (quality - 1) / 99


def lambda_of_position(position: Any) -> Any:
    """Return lambda at a position, a number or an array, from 0 to 1."""
    return LAMBDAS[0] * (LAMBDAS[1] / LAMBDAS[0]) ** position


def position_of_lambda(value: Any) -> Any:
    """Return the position of a lambda, a number or an array."""
    return np.log(value / LAMBDAS[0]) / math.log(LAMBDAS[1] / LAMBDAS[0])
