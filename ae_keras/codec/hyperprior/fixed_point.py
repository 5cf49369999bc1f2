"""Layers in fixed point: integers in float64 arrays, with the same results on every machine.

Activations are multiples of 1/256, weights of 1/4096; arrays hold activations times 256. A layer
sums products of such integers, which float64 does exactly below 2^53 in any order, and so with
any BLAS. What is not a sum of products is one elementwise operation of IEEE 754 (a product, a sum,
a floor), which is the same everywhere too. After every layer and every residual sum, activations
are clipped to +-2^20, so that no sum of the next layer reaches 2^53; `bound` says how far it goes.
"""

from collections.abc import Mapping

import numpy as np

ACTIVATION = 2.0**8
WEIGHT = 2.0**12
LIMIT = 2.0**20
# Of LeakyReLU, as in the trained layers.
_SLOPE = 0.1

# The integers of a network by name: kernels times WEIGHT, biases times WEIGHT * ACTIVATION.
Integers = Mapping[str, np.ndarray]


def settle(sums: np.ndarray) -> np.ndarray:
    """Round sums, to which 1/2 has been added, down to integers and clip them, in place."""
    np.floor(sums, out=sums)
    return np.clip(sums, -LIMIT, LIMIT, out=sums)


def leaky_relu(activations: np.ndarray) -> np.ndarray:
    """Return `floor(x / 10 + 1/2)` where activations are below zero, and the others as they are."""
    scaled = activations * _SLOPE
    scaled += 0.5
    np.floor(scaled, out=scaled)
    return np.maximum(activations, scaled, out=scaled)


def pad(maps: np.ndarray) -> np.ndarray:
    """Return maps `(height, width, channels)` with a border of one zero at each of four sides."""
    padded = np.zeros((maps.shape[0] + 2, maps.shape[1] + 2, maps.shape[2]))
    padded[1:-1, 1:-1] = maps
    return padded


def depth_to_space(maps: np.ndarray) -> np.ndarray:
    """Return `(2 height, 2 width, channels / 4)`: four channels become a square of 2x2 places."""
    height, width, channels = maps.shape
    squares = maps.reshape(height, width, 2, 2, channels // 4)
    return squares.swapaxes(1, 2).reshape(2 * height, 2 * width, channels // 4)


class _Layer:
    """A layer of whole numbers.

    Args:
        integers: Those of a network.
        name: str. Of the layer in it.
    """

    def __init__(self, integers: Integers, name: str):
        kernel, bias = (
            np.asarray(integers[f"{name}/{part}"], float) for part in ("kernel", "bias")
        )
        # Powers of two change no digit, so that sums are as exact as those of the integers. The
        # half makes of floor the nearest integer.
        self._kernel, self._bias = kernel / WEIGHT, bias / WEIGHT + 0.5

    @property
    def bound(self) -> float:
        """The largest sum of integers, `sum |kernel| * 2^20 + |bias|`, of any output."""
        channels = self._kernel.shape[-1]
        weights = np.abs(WEIGHT * self._kernel).reshape(-1, channels).sum(axis=0)
        return float((weights * LIMIT + np.abs(WEIGHT * self._bias)).max())


class Dense(_Layer):
    """A product with a matrix: `(..., inputs)` to `(..., outputs)`."""

    def __call__(self, activations: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        return self.settle(self.product(activations))

    def product(self, activations: np.ndarray, rows: slice = slice(None)) -> np.ndarray:
        """Return the sums, without bias and not rounded, of some rows of the matrix."""
        kernel = self._kernel[rows]
        flat = activations.reshape(-1, len(kernel)) @ kernel
        return flat.reshape(*activations.shape[:-1], -1)

    def settle(self, sums: np.ndarray) -> np.ndarray:
        """Return the outputs of sums, which are overwritten."""
        sums += self._bias
        return settle(sums)


class Depthwise(_Layer):
    """A 3x3 convolution of each channel by itself."""

    def __call__(self, padded: np.ndarray, rows: range, columns: range) -> np.ndarray:
        """Return the outputs at some places.

        Args:
            padded: `(height + 2, width + 2, channels)`, see `pad`.
            rows: range. Of the places; `range(height)` for all.
            columns: range. The same of their columns.
        """
        sums = np.empty((len(rows), len(columns), padded.shape[-1]))
        sums[:] = self._bias
        for down in range(3):
            for across in range(3):
                part = padded[_shift(rows, down), _shift(columns, across)]
                sums += part * self._kernel[down, across]
        return settle(sums)


def _shift(places: range, distance: int) -> slice:
    return slice(places.start + distance, places.stop + distance, places.step)


class ResidualBlock:
    """Two residual steps, see `ae_keras.layers.residual.ResidualBlock`.

    Args:
        integers: Those of a network.
        name: str. Of the block in it.
    """

    # So many places at a time stay within a processor's cache.
    _CHUNK = 512

    def __init__(self, integers: Integers, name: str):
        parts = ("mix_in", "mix_out", "widen", "narrow")
        self._mix_in, self._mix_out, self._widen, self._narrow = (
            Dense(integers, f"{name}/{part}") for part in parts
        )
        self._depthwise = Depthwise(integers, f"{name}/depthwise")
        self.layers = [self._mix_in, self._depthwise, self._mix_out, self._widen, self._narrow]

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """Return the maps `(height, width, channels)` after both steps."""
        height, width, _ = maps.shape
        mixed = pad(leaky_relu(self._mix_in(maps)))
        outputs = np.empty_like(maps)
        size = max(1, self._CHUNK // width)
        for start in range(0, height, size):
            rows = range(start, min(start + size, height))
            spread = leaky_relu(self._depthwise(mixed, rows, range(width)))
            part = _add(maps[rows.start : rows.stop], self._mix_out(spread))
            wide = leaky_relu(self._widen(part))
            outputs[rows.start : rows.stop] = _add(part, self._narrow(wide))
        return outputs


def _add(activations: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return a residual sum; the second summand is overwritten."""
    more += activations
    return np.clip(more, -LIMIT, LIMIT, out=more)
