"""Batches of random crops of photographs, by NumPy and Pillow, for any backend.

A batch depends on (seed, epoch, batch) and nothing else. So any epoch, from any batch on, can be
made again, by any number of threads: training resumes exactly.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ae_keras.data.array_batches import ArrayBatches
from ae_keras.data.array_transforms import make_pair
from ae_keras.data.crops import Cropper
from ae_keras.data.images import Images
from ae_keras.data.numbered_batches import NumberedBatches, default_workers
from ae_keras.data.photographs import Photographs
from ae_keras.data.share import Here, Placement, Share
from ae_keras.data.spec import BatchSpec
from ae_keras.system.pixels import to_unit_range

# Keep the draws of crops, of positions and of samples apart.
_CROP_STREAM = 2
_POSITION_STREAM = 3
_SAMPLE_STREAM = 4
# Multiples of it, less their whole part, fill [0, 1) evenly, however many they are.
_GOLDEN = (5**0.5 - 1) / 2

# Crops that stand for all photographs of training: to adapt a model to, to fit tables, to show.
_SAMPLED_CROPS = 2560

# From positions `(batch,)` to the weights of the images in the loss.
Weigh = Callable[[np.ndarray], Any]


class CropBatches:
    """The batches of one split of photographs.

    Args:
        photographs: Photographs.
        spec: BatchSpec. Its `crops` and `steps_per_epoch` are used.
        weigh: Callable. Only of a model that takes a quality: from positions, float32 `(batch,)` in
            [0, 1], to the weights of the squared errors.
        workers: int. Threads that make batches; of no influence on them.
        placement: Placement. Which crops of a batch are made here.

    Batches are `(input, target)`, float32 in [0, 1]; with `weigh`, `((input, position), target,
    weights)`.

    `training` and `sample` raise `ValueError` if `crops` weighs kinds, and they are not those of
    the photographs. `evaluation` does without weights.
    """

    def __init__(
        self,
        photographs: Photographs,
        spec: BatchSpec,
        weigh: Weigh | None = None,
        workers: int | None = None,
        placement: Placement | None = None,
    ):
        self._photographs, self._spec, self._weigh = photographs, spec, weigh
        self._placement = placement or Here()
        self._workers = default_workers() if workers is None else workers

    @functools.cached_property
    def _cropper(self) -> Cropper:
        return Cropper(self._photographs, self._spec.crop_spec)

    @functools.cached_property
    def _grid_crops(self) -> ArrayBatches:
        return ArrayBatches(Images(self._photographs.grid_crops()), self._spec)

    def __len__(self) -> int:
        """Return the number of batches in an epoch of training."""
        return self._spec.steps_per_epoch or 0

    def training(self, epoch: int, first_batch: int = 0) -> NumberedBatches:
        """Return the batches of an epoch (from 0), from a batch on."""
        cropper = self._cropper

        def make(number: int) -> tuple:
            return self._training_batch(cropper, epoch, number)

        return NumberedBatches(make, first_batch, len(self), self._workers)

    def evaluation(self) -> NumberedBatches:
        """Return crops in a fixed grid over each photograph, as they are, at fixed positions."""
        crops = self._grid_crops
        count = len(crops.evaluation())

        def make(number: int) -> tuple:
            return self._evaluation_batch(crops, number)

        return NumberedBatches(make, 0, count, self._workers)

    def evaluation_arrays(self) -> Iterator[tuple]:
        """Yield the batches of `evaluation` as NumPy arrays."""
        return iter(self.evaluation())

    def sample(self, count: int = _SAMPLED_CROPS) -> Images:
        """Return crops like those of training, always the same."""
        return Images(self._cropper.cut(count, self._rng(0, 0, _SAMPLE_STREAM)))

    def _rng(self, epoch: int, number: int, stream: int) -> np.random.Generator:
        return np.random.default_rng((self._spec.seed, epoch, number, stream))

    def _training_batch(self, cropper: Cropper, epoch: int, number: int) -> tuple:
        share = self._placement.share(self._spec.batch_size)
        rng = self._rng(epoch, number, _CROP_STREAM)
        images = to_unit_range(cropper.cut(share.images, rng, share.rows))
        inputs, targets = make_pair(images, self._spec, rng, share)
        position = self._rng(epoch, number, _POSITION_STREAM).random(share.images, np.float32)
        return self._with_position(inputs, targets, position[share.rows], share)

    def _evaluation_batch(self, crops: ArrayBatches, number: int) -> tuple:
        inputs, targets = crops.evaluation_batch(number)
        share = self._placement.share(len(targets))
        places = number * self._spec.batch_size + np.arange(len(targets)) + 0.5
        position = (places * _GOLDEN % 1).astype(np.float32)
        rows = share.rows
        return self._with_position(inputs[rows], targets[rows], position[rows], share)

    def _with_position(
        self, inputs: np.ndarray, targets: np.ndarray, position: np.ndarray, share: Share
    ) -> tuple:
        batch: tuple = (inputs, targets)
        if self._weigh is not None:
            batch = (inputs, position), targets, np.asarray(self._weigh(position), np.float32)
        return self._placement.place(batch, share)
