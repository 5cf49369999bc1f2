"""Batches for training and evaluation, made by what suits the backend.

TensorFlow's are made by tf.data; for the other backends NumPy makes them, without TensorFlow.
Crops of photographs are cut by NumPy and Pillow for all.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import keras
import numpy as np

from ae_keras.data.array_batches import ArrayBatches
from ae_keras.data.array_transforms import augment
from ae_keras.data.crop_batches import CropBatches, Weigh
from ae_keras.data.images import Images
from ae_keras.data.photographs import Photographs
from ae_keras.data.share import Placement
from ae_keras.data.spec import BatchSpec
from ae_keras.system.pixels import to_unit_range


class Batches(Protocol):
    """The batches of one split of a data set."""

    def __len__(self) -> int:
        """Return the number of batches in an epoch of training."""

    def training(self, epoch: int, first_batch: int = 0) -> Any:
        """Return the batches of an epoch (from 0), from a batch on, as `fit` takes them."""

    def evaluation(self) -> Any:
        """Return all images in their order, as `fit` takes them."""

    def evaluation_arrays(self) -> Iterator[tuple]:
        """Yield the batches of `evaluation` as NumPy arrays."""


def make_batches(
    data: Images | Photographs,
    spec: BatchSpec,
    weigh: Weigh | None = None,
    placement: Placement | None = None,
) -> Batches:
    """Return the batches of one split of a data set.

    Args:
        data: Images; or Photographs, of which crops are cut.
        spec: BatchSpec.
        weigh: Callable. Of photographs and a model that takes a quality: see `CropBatches`.
        placement: Placement. Which images of a batch this process makes; not for tf.data.

    Returns:
        What makes the batches of any epoch, always the same for the same seed and backend.
    """
    if isinstance(data, Photographs):
        return CropBatches(data, spec, weigh, placement=placement)
    if keras.config.backend() != "tensorflow":
        return ArrayBatches(data, spec, placement=placement)
    from ae_keras.data.pipeline import Pipeline

    return Pipeline(data, spec)


def augment_images(images: np.ndarray, spec: BatchSpec) -> np.ndarray:
    """Return uint8 images moved as in training, as float32 in [0, 1]; always in the same way."""
    if keras.config.backend() != "tensorflow":
        return augment(to_unit_range(images), spec, np.random.default_rng(spec.seed))
    from ae_keras.data import augmentation, transforms

    move = augmentation.make_augmentation(spec)
    return np.asarray(move(transforms.to_unit_range(images), [spec.seed, 0]))
