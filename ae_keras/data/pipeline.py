"""From uint8 images to batches of (input, target), as tf.data.

The order of an epoch is a permutation drawn from (seed, epoch), and the noise of a batch is drawn
from (seed, epoch, batch). So any epoch, from any batch on, can be made again: training resumes
exactly. Whole batches of uint8 are gathered before anything is computed on them.
"""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from ae_keras.data.augmentation import make_augmentation
from ae_keras.data.images import Images
from ae_keras.data.spec import BatchSpec
from ae_keras.data.transforms import make_pair, to_unit_range

# In an epoch; keeps the seeds of the noise of different epochs apart.
_MOST_BATCHES = 2**32

# Made ahead of the model.
_READY_BATCHES = 4


def _options() -> tf.data.Options:
    options = tf.data.Options()
    # One thread makes several times the images that a model takes; more would take the cores
    # from the model, whose steps then vary by a third.
    options.threading.private_threadpool_size = 1
    options.autotune.enabled = False
    # Each epoch would copy all images once more, to look for what could be rewritten.
    options.experimental_optimization.apply_default_optimizations = False
    return options


class Pipeline:
    """The batches of one split of a data set.

    Args:
        data: Images.
        spec: BatchSpec. Its batch size, seed, task and augmentation are used. If it is conditional,
            the inputs are pairs of images and labels.

    `training` and `evaluation` return a `tf.data.Dataset` of `(input, target)`, float32 in
    [0, 1]. The last batch of an epoch may be smaller than the others.
    """

    def __init__(self, data: Images, spec: BatchSpec):
        self._count = len(data.images)
        self._gather = _gatherer(data.images)
        self._labels = tf.constant(data.labels, tf.int32) if spec.conditional else None
        self._pair = make_pair(spec)
        self._augment = make_augmentation(spec)
        self._spec = spec

    def __len__(self) -> int:
        """Return the number of batches in an epoch of training."""
        return -(-self._count * self._spec.copies // self._spec.batch_size)

    def training(self, epoch: int, first_batch: int = 0) -> tf.data.Dataset:
        """Return the batches of an epoch (from 0), in its own order, from a batch on."""
        order = np.random.default_rng((self._spec.seed, epoch)).permutation(
            self._count * self._spec.copies
        )
        # From 1: the noise of `evaluation` is that of epoch 0.
        return self._batches(
            order % self._count, self._spec.seed, epoch + 1, first_batch, self._augment
        )

    def evaluation(self) -> tf.data.Dataset:
        """Return all images in their order; noise, if the task has any, is always the same."""
        return self._batches(np.arange(self._count), 0, 0, 0, lambda images, seed: images)

    def evaluation_arrays(self) -> Iterator[tuple]:
        """Yield the batches of `evaluation` as NumPy arrays."""
        return self.evaluation().as_numpy_iterator()

    def _batches(
        self, order: np.ndarray, seed: int, epoch: int, first_batch: int, augment: Callable
    ) -> tf.data.Dataset:
        def make(number: tf.Tensor, indices: tf.Tensor) -> tuple:
            batch_seed = tf.stack([seed, epoch * _MOST_BATCHES + number])
            images = augment(to_unit_range(self._gather(indices)), batch_seed)
            inputs, targets = self._pair(images, batch_seed)
            if self._labels is not None:
                inputs = inputs, tf.gather(self._labels, indices)
            return inputs, targets

        indices = tf.data.Dataset.from_tensor_slices(order).batch(self._spec.batch_size)
        dataset = indices.enumerate().skip(first_batch).map(make).prefetch(_READY_BATCHES)
        return dataset.with_options(_options())


def _gatherer(images: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from a batch of indices to the batch of uint8 images."""
    if not isinstance(images, np.memmap):
        with tf.device("CPU"):
            tensor = tf.constant(images)
        return lambda indices: tf.gather(tensor, indices)

    def gather(indices: tf.Tensor) -> tf.Tensor:
        batch = tf.numpy_function(images.__getitem__, [indices], tf.uint8)
        return tf.ensure_shape(batch, (None, *images.shape[1:]))

    return gather
