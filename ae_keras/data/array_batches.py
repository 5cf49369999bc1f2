"""From uint8 images to batches of (input, target), by NumPy: for backends other than TensorFlow's.

The twin of `pipeline`. An epoch has the same order; the noise and the moves of a batch are drawn
from (seed, epoch, batch) too, but by NumPy, so they are others.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ae_keras.data.array_transforms import augment, make_pair
from ae_keras.data.images import Images
from ae_keras.data.numbered_batches import NumberedBatches, default_workers
from ae_keras.data.share import Here, Placement
from ae_keras.data.spec import BatchSpec
from ae_keras.system.pixels import to_unit_range

# Keeps these draws apart from those of other kinds that are made of the same numbers.
_STREAM = 1


class ArrayBatches:
    """The batches of one split of a data set, as NumPy arrays.

    Args:
        data: Images.
        spec: BatchSpec. If it is conditional, the inputs are pairs of images and labels.
        workers: int. Threads that make batches; of no influence on them.
        placement: Placement. Which images of a batch are made here.

    Batches are `(input, target)`, float32 in [0, 1]. The last one of an epoch may be smaller than
    the others.
    """

    def __init__(
        self,
        data: Images,
        spec: BatchSpec,
        workers: int | None = None,
        placement: Placement | None = None,
    ):
        self._images, self._spec = data.images, spec
        self._placement = placement or Here()
        self._workers = default_workers() if workers is None else workers
        self._labels = np.asarray(data.labels, np.int32) if spec.conditional else None

    def __len__(self) -> int:
        """Return the number of batches in an epoch of training."""
        return -(-len(self._images) * self._spec.copies // self._spec.batch_size)

    def training(self, epoch: int, first_batch: int = 0) -> NumberedBatches:
        """Return the batches of an epoch (from 0), in its own order, from a batch on."""
        seed, count = self._spec.seed, len(self._images)
        order = np.random.default_rng((seed, epoch)).permutation(count * self._spec.copies) % count

        def make(number: int) -> tuple[Any, np.ndarray]:
            rng = np.random.default_rng((seed, epoch + 1, number, _STREAM))
            return self._make(self._part(order, number), rng, self._spec.augments)

        return NumberedBatches(make, first_batch, len(self), self._workers)

    def evaluation(self) -> NumberedBatches:
        """Return all images in their order; noise, if the task has any, is always the same."""
        count = -(-len(self._images) // self._spec.batch_size)
        return NumberedBatches(self.evaluation_batch, 0, count, self._workers)

    def evaluation_arrays(self) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield the batches of `evaluation` as NumPy arrays."""
        return iter(self.evaluation())

    def evaluation_batch(self, number: int) -> tuple[Any, np.ndarray]:
        """Return a batch of `evaluation`."""
        indices = self._part(np.arange(len(self._images)), number)
        # Epochs of training count from 1.
        return self._make(indices, np.random.default_rng((0, 0, number, _STREAM)), False)

    def _part(self, order: np.ndarray, number: int) -> np.ndarray:
        size = self._spec.batch_size
        return order[number * size : (number + 1) * size]

    def _make(
        self, indices: np.ndarray, rng: np.random.Generator, augments: bool
    ) -> tuple[Any, np.ndarray]:
        share = self._placement.share(len(indices))
        indices = indices[share.rows]
        images = to_unit_range(np.asarray(self._images[indices]))
        if augments:
            images = augment(images, self._spec, rng, share)
        inputs, targets = make_pair(images, self._spec, rng, share)
        labelled = inputs if self._labels is None else (inputs, self._labels[indices])
        return self._placement.place((labelled, targets), share)
