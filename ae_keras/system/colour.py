"""Colour of images: sRGB and CIE LAB.

LAB (CIE 1976, D65, 2° observer) separates lightness, L from 0 to 100, from chroma: a from green
to red and b from blue to yellow, both 0 for grey, and within ±110 for what sRGB can show. Equal
distances look about equally large.

Arrays of NumPy are computed by NumPy, tensors by Keras, which is imported for these alone.

Constants of sRGB are those of IEC 61966-2-1. Each power is taken of values that its other branch
does not need, so that gradients are finite everywhere.
"""

from typing import Any

import numpy as np

# An array, or a tensor of any backend of Keras.
Tensor = Any

# Linear sRGB to CIE XYZ, in units of the white point. The second row gives the luminance Y.
_RGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ)
LUMINANCE = _RGB_TO_XYZ[1].astype(np.float32)

# Where the power gives way to a line, in sRGB, in linear sRGB, in XYZ and in its root.
_DARK_SRGB = 0.04045
_DARK_LINEAR = 0.0031308
_DARK_XYZ = 0.008856
_DARK_ROOT = 0.2068966
_SLOPE = 7.787
_OFFSET = 16 / 116


def _operations_for(values: Tensor) -> Any:
    """Return the library that computes with values; both have the functions that are used here."""
    if isinstance(values, np.ndarray):
        return np
    from keras import ops

    return ops


def srgb_to_linear(values: Tensor) -> Tensor:
    """Return sRGB values, in [0, 1], as shares of light."""
    ops = _operations_for(values)
    bright = ((ops.maximum(values, _DARK_SRGB) + 0.055) / 1.055) ** 2.4
    return ops.where(values > _DARK_SRGB, bright, values / 12.92)


def linear_to_srgb(values: Tensor) -> Tensor:
    """Return shares of light as sRGB values."""
    ops = _operations_for(values)
    bright = 1.055 * ops.maximum(values, _DARK_LINEAR) ** (1 / 2.4) - 0.055
    return ops.where(values > _DARK_LINEAR, bright, values * 12.92)


def _root(values: Tensor) -> Tensor:
    ops = _operations_for(values)
    bright = ops.maximum(values, _DARK_XYZ) ** (1 / 3)
    return ops.where(values > _DARK_XYZ, bright, _SLOPE * values + _OFFSET)


def _cube(roots: Tensor) -> Tensor:
    ops = _operations_for(roots)
    return ops.where(roots > _DARK_ROOT, roots**3, (roots - _OFFSET) / _SLOPE)


def rgb_to_lab(images: Tensor) -> Tensor:
    """Return images as LAB.

    Args:
        images: Float tensor `(..., 3)`, sRGB in [0, 1].

    Returns:
        Tensor of that shape: L in [0, 100], a and b.
    """
    ops = _operations_for(images)
    x, y, z = ops.split(_root(_transform(srgb_to_linear(images), _RGB_TO_XYZ)), 3, axis=-1)
    return ops.concatenate([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Return LAB images as sRGB in [0, 1].

    A colour that sRGB cannot show is mixed with the grey of its luminance, in light, until it can:
    its lightness stays.

    Args:
        lab: Float tensor `(..., 3)`: L in [0, 100], a and b.

    Returns:
        Tensor of that shape.
    """
    ops = _operations_for(lab)
    lightness, a, b = ops.split(lab, 3, axis=-1)
    y = (ops.clip(lightness, 0.0, 100.0) + 16) / 116
    roots = ops.concatenate([y + a / 500, y, y - b / 200], axis=-1)
    light = _into_gamut(_transform(_cube(roots), _XYZ_TO_RGB), _cube(y))
    return ops.clip(linear_to_srgb(light), 0.0, 1.0)


def _transform(pixels: Tensor, matrix: np.ndarray) -> Tensor:
    return _operations_for(pixels).matmul(pixels, _constant(matrix.T, pixels))


def _constant(matrix: np.ndarray, like: Tensor) -> Tensor:
    """Return a matrix as the library and type of some values have it."""
    if isinstance(like, np.ndarray):
        return matrix.astype(like.dtype)
    return _operations_for(like).convert_to_tensor(matrix, dtype=like.dtype)


def _into_gamut(light: Tensor, luminance: Tensor) -> Tensor:
    """Move linear sRGB towards the grey of its luminance until it is in [0, 1]."""
    ops = _operations_for(light)
    lowest = ops.min(light, axis=-1, keepdims=True)
    highest = ops.max(light, axis=-1, keepdims=True)
    # Where nothing is outside, the divisors are of no use and only must not be 0.
    below = luminance / ops.maximum(luminance - lowest, 1e-6)
    above = (1 - luminance) / ops.maximum(highest - luminance, 1e-6)
    share = ops.where(lowest < 0, below, ops.ones_like(below))
    share = ops.minimum(share, ops.where(highest > 1, above, ops.ones_like(above)))
    return luminance + share * (light - luminance)


def grey_to_lightness(grey: Tensor) -> Tensor:
    """Return the lightness L, in [0, 100], of grey sRGB values in [0, 1]."""
    return 116 * _root(srgb_to_linear(grey)) - 16


def to_grey(images: Tensor) -> Tensor:
    """Return the grey images `(..., 1)` that have the lightness of sRGB images `(..., 3)`."""
    ops = _operations_for(images)
    light = ops.matmul(srgb_to_linear(images), _constant(LUMINANCE[:, None], images))
    return ops.clip(linear_to_srgb(light), 0.0, 1.0)
