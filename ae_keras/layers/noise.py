"""Random numbers for the images of a batch, the same however many devices share it.

On JAX and PyTorch a layer sees the whole batch. Under TensorFlow's `tf.distribute` each of `n`
devices runs the layer on every `n`-th image (see `ae_keras.training.mirrored`), with one seed for
all: it draws what the whole batch takes, and keeps what is its own.
"""

from collections.abc import Callable
from typing import Any

import keras

from ae_keras.layers.types import Shape, Tensor


def uniform(shape: Shape, low: float, high: float, seed: Any, dtype: str | None = None) -> Tensor:
    """Return numbers from U(low, high), of a shape whose first axis is the batch's images."""
    return _draw(lambda whole: keras.random.uniform(whole, low, high, dtype, seed), shape)


def normal(shape: Shape, seed: Any, dtype: str | None = None) -> Tensor:
    """Return numbers from N(0, 1), of a shape whose first axis is the batch's images."""
    return _draw(lambda whole: keras.random.normal(whole, dtype=dtype, seed=seed), shape)


def _draw(draw: Callable[[Shape], Tensor], shape: Shape) -> Tensor:
    devices, place = _devices()
    if devices == 1:
        return draw(shape)
    # No device asks another one for anything here: what layers add to the loss would get mixed up.
    return draw((shape[0] * devices, *shape[1:]))[place::devices]


def _devices() -> tuple[int, int]:
    """Return how many devices share the batch, and which of them this is."""
    if keras.config.backend() != "tensorflow":
        return 1, 0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None:  # a model that is being built
        return 1, 0
    return context.num_replicas_in_sync, context.replica_id_in_sync_group
