"""How near a grouped convolution comes to what the machine can do: its roofline.

A layer can be no faster than its arithmetic at the speed of a plain matrix product, and no faster
than moving its arrays at the speed of a plain copy. Small arrays stay in the processor's caches,
which are faster than a copy of large ones, so that a share of the copy may exceed 1.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf

from ae_keras.benchmark.layers import grouped_layers, label, our_layer, random_batch
from ae_keras.benchmark.timing import Alternative, take_turns

_PRODUCT, _COPY = "product of two 1024x1024 matrices", "copy of 256 MB"
_SIDE = 1024
_COPIED_BYTES = 2**28

# Forward, and the gradients of input and kernel, each of which takes the same multiplications.
_PASSES = 3


def roofline(
    names: Sequence[str] = ("vae_v1", "vae_v2"),
    batch_size: int = 128,
    rounds: int = 11,
    steps: int = 10,
) -> list[tuple[str, ...]]:
    """Measure the grouped layers of models against products and copies, all in one run.

    A step computes the output, and from a gradient of it those of input, kernel and bias.

    Args:
        names: Names of registered models. A layer that is there twice is measured once.
        batch_size: int.
        rounds: int. Measurements of each.
        steps: int. In each measurement.

    Returns:
        Rows of the layer, milliseconds of a step, GFLOP/s, their share of the plain product's,
        GB/s, and their share of the plain copy's; the last two rows are product and copy.

    Raises:
        ValueError: if a model is unknown or has none, or there are no rounds or images.
    """
    layers = {label(layer): layer for name in names for layer in grouped_layers(name)}
    work = {
        name: (count_operations(layer, batch_size), count_bytes(layer, batch_size))
        for name, layer in layers.items()
    }
    alternatives = {
        name: our_layer(layer, *random_batch(layer, batch_size), steps)
        for name, layer in layers.items()
    }
    alternatives |= {_PRODUCT: _product(steps), _COPY: _copy()}
    times = take_turns(alternatives, rounds)
    seconds = {name: float(np.median(values)) for name, values in times.items()}
    most = (2 * _SIDE**3 / seconds[_PRODUCT], 2 * _COPIED_BYTES / seconds[_COPY])
    rows = [_row(name, seconds[name], counts, most) for name, counts in work.items()]
    return [
        *rows,
        (_PRODUCT, f"{1000 * seconds[_PRODUCT]:.2f}", f"{most[0] / 1e9:.1f}", "1.00", "", ""),
        (_COPY, f"{1000 * seconds[_COPY]:.2f}", "", "", f"{most[1] / 1e9:.1f}", "1.00"),
    ]


def _row(
    name: str, seconds: float, counts: tuple[int, int], most: tuple[float, float]
) -> tuple[str, ...]:
    speeds = [count / seconds for count in counts]
    columns = [
        (f"{speed / 1e9:.1f}", f"{speed / limit:.2f}")
        for speed, limit in zip(speeds, most, strict=True)
    ]
    return (name, f"{1000 * seconds:.2f}", *columns[0], *columns[1])


def count_operations(layer: keras.Layer, batch_size: int) -> int:
    """Return the multiplications and additions of a step that are not with zeros of a padding."""
    joined = math.prod(int(axis.taps().sum()) for axis in layer.axes(layer.input.shape))
    return _PASSES * 2 * batch_size * joined * math.prod(layer.kernel.shape[2:])


def count_bytes(layer: keras.Layer, batch_size: int) -> int:
    """Return the bytes of input, output, weights and their gradients, each moved only once."""
    images = sum(math.prod(side.shape[1:]) for side in (layer.input, layer.output))
    return 2 * 4 * (batch_size * images + layer.count_params())


def _product(steps: int) -> Alternative:
    matrix = tf.ones((_SIDE, _SIDE))
    multiply = tf.function(lambda: tf.matmul(matrix, matrix))
    return Alternative(lambda: [multiply() for _ in range(steps)], steps)


def _copy() -> Alternative:
    """Return a copy with all cores, as NumPy takes only one."""
    cores = os.cpu_count() or 1
    source, target = np.ones((2, cores, _COPIED_BYTES // 4 // cores), np.float32)
    pool = ThreadPoolExecutor(cores)
    return Alternative(lambda: list(pool.map(np.copyto, target, source)), 1)
