"""Several devices of one machine with TensorFlow, by `tf.distribute.MirroredStrategy`.

Of a batch, device `d` of `n` takes every `n`-th image, from number `d` on. So the place of an image
in the batch follows from its place on the device, and the noise of layers goes by that (see
`ae_keras.layers.noise`).
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ae_keras.data.numbered_batches import NumberedBatches
from ae_keras.recipe import Recipe
from ae_keras.training.devices import Devices


def device_names() -> list[str]:
    """Return the names of the GPUs of this machine, or of its CPUs if it has none."""
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


@functools.cache
def _strategy(names: tuple[str, ...]) -> tf.distribute.Strategy:
    """Return the strategy of some devices: one, as two of a process would mix up their sums."""
    return tf.distribute.MirroredStrategy(list(names))


class Mirrored(Devices):
    """Several devices, each with a copy of all weights.

    Args:
        names: list of str. TensorFlow's names of the devices.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(len(names))
        self._strategy = _strategy(tuple(names))
        self._example: Any = None

    def check(self, recipe: Recipe, images: dict[str, int]) -> None:
        """Find out whether the devices can train a recipe together."""
        super().check(recipe, images)
        if recipe.xla == "on":
            raise ValueError("Several devices of TensorFlow train without XLA. Leave --xla out.")
        for split, count in images.items():
            rest = count % recipe.batch_size
            if 0 < rest < self.count:
                raise ValueError(
                    f"The last batch of the {count:,} images for {split} has {rest}, too few for "
                    f"{self.count} devices. Choose another --batch-size."
                )

    def scope(self) -> Any:
        """Return the strategy's context."""
        return self._strategy.scope()

    def spread(self, batches: Any) -> Any:
        """Return a dataset of the devices' parts of each batch."""
        dataset = _to_dataset(batches) if isinstance(batches, NumberedBatches) else batches
        self._example = tf.nest.map_structure(_zeros, dataset.element_spec)
        return self._strategy.distribute_datasets_from_function(
            lambda context: dataset.flat_map(self._split).prefetch(self.count)
        )

    def steps(self, batches: Any) -> int | None:
        """Return the number of batches: after the last, TensorFlow would go on with empty ones."""
        return len(batches)

    def _split(self, *batch: Any) -> tf.data.Dataset:
        """Return the parts of a batch, in the order of the devices."""

        def part(device: tf.Tensor) -> Any:
            return tf.nest.map_structure(lambda array: array[device :: self.count], batch)

        return tf.data.Dataset.range(self.count).map(part)

    def run(self, work: Callable[[], Any]) -> None:
        """Do something on each device."""
        self._strategy.run(tf.function(work))

    def prepare(self, model: keras.Model) -> None:
        """Have the gradient of a step be that of one device, and no batch be looked into."""
        _weigh_shares(model)
        _add_up_first(model.optimizer)
        original = model._maybe_symbolic_build

        def build(iterator: Any = None, data_batch: Any = None) -> None:
            # Keras would take a batch, and let go of the iterator while TensorFlow's thread makes
            # the next one: TensorFlow crashes then.
            original(data_batch=data_batch if iterator is None else self._example)

        model._maybe_symbolic_build = build


def _zeros(spec: tf.TensorSpec) -> np.ndarray:
    """Return an array of a shape and type, of one image where their number is open."""
    return np.zeros([size or 1 for size in spec.shape], spec.dtype.as_numpy_dtype)


def _weigh_shares(model: keras.Model) -> None:
    """Have each device's gradient count by its share of the batch.

    Keras takes the mean of the devices' losses: the loss of the batch, unless that is a last one
    which they cannot share evenly.
    """
    original = model.compute_loss

    def compute_loss(
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        loss = original(x, y, y_pred, sample_weight, training)
        context = tf.distribute.get_replica_context()
        if not training or context is None:
            return loss
        images = tf.cast(tf.shape(y)[0], tf.float32)
        # Here, and not before: while one device waits, the layers are another one's.
        mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, images)
        # The loss itself is reported, by the number of images; its gradient is what counts.
        return loss + (images / mean - 1) * (loss - tf.stop_gradient(loss))

    model.compute_loss = compute_loss


def _add_up_first(optimizer: keras.optimizers.Optimizer) -> None:
    """Have an optimizer add up the devices' gradients before it does anything with them.

    Keras's clip each by itself, and look for infinite ones before they are added.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    add_up, original = inner._all_reduce_sum_gradients, optimizer.apply

    def apply(grads: Sequence[tf.Tensor], trainable_variables: Sequence[keras.Variable]) -> None:
        sums = [gradient for gradient, _ in add_up(zip(grads, trainable_variables, strict=True))]
        original(sums, trainable_variables)

    optimizer.apply = apply
    inner._all_reduce_sum_gradients = lambda pairs: pairs


def _to_dataset(batches: NumberedBatches) -> tf.data.Dataset:
    """Return the same batches as a dataset, made in as many threads."""
    first = batches[0]
    arrays = tf.nest.flatten(first)

    def make(number: tf.Tensor) -> Any:
        made = tf.numpy_function(
            lambda number: tf.nest.flatten(batches[int(number)]),
            [number],
            [array.dtype for array in arrays],
        )
        shaped = [
            tf.ensure_shape(each, (None, *array.shape[1:]))
            for each, array in zip(made, arrays, strict=True)
        ]
        return tf.nest.pack_sequence_as(first, shaped)

    numbers = tf.data.Dataset.range(len(batches))
    return numbers.map(make, num_parallel_calls=batches.workers).prefetch(batches.max_queue_size)
