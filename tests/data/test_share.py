"""The parts of a batch that several processes make are those of the whole batch."""

import numpy as np
import pytest
from conftest import smooth_images

from ae_keras.data.array_batches import ArrayBatches
from ae_keras.data.crop_batches import CropBatches
from ae_keras.data.images import Images
from ae_keras.data.photographs import Photographs
from ae_keras.data.share import Share
from ae_keras.data.spec import BatchSpec

AUGMENTATION = {"flip": 0.5, "rotation": 20, "crop": 0.2}


class Part:
    """What one of several processes makes; it notes the images that it reads."""

    def __init__(self, index, processes):
        self.index, self.processes = index, processes

    def share(self, count):
        part = count // self.processes
        return Share(count, slice(self.index * part, (self.index + 1) * part))

    def place(self, batch, share):
        return batch


class Noting:
    """Images that remember which of them were read."""

    def __init__(self, images):
        self._images, self.read = images, set()
        self.shape = images.shape

    def __len__(self):
        return len(self._images)

    def __getitem__(self, indices):
        self.read |= set(np.asarray(indices).tolist())
        return self._images[indices]


def joined(parts):
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


@pytest.mark.parametrize(
    "settings",
    [
        {"task": "denoising", "noise": (0.1, 0.2), "augmentation": AUGMENTATION},
        {"conditional": True},
    ],
)
def test_parts_of_images_are_the_whole_batch(settings, rng):
    images, labels = smooth_images(rng, 24, 8, 8, 3), np.arange(24)
    spec = BatchSpec(batch_size=12, **settings)

    def batch(placement=None, source=images):
        data = Images(source, labels, tuple(map(str, labels)))
        inputs, targets = ArrayBatches(data, spec, placement=placement).training(1)[1]
        return (*inputs, targets) if spec.conditional else (inputs, targets)

    read = [Noting(images) for _ in range(3)]
    parts = [batch(Part(index, 3), source) for index, source in enumerate(read)]
    for ours, theirs in zip(joined(parts), batch(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [len(source.read) for source in read] == [4, 4, 4]


def test_parts_of_crops_are_the_whole_batch(rng):
    photographs = Photographs(tuple(smooth_images(rng, 4, 40, 50, 3)), ("a",) * 4, (16, 16, 3))
    spec = BatchSpec(batch_size=6, crops={"grain": 5.0}, steps_per_epoch=2)

    def batches(placement=None):
        made = CropBatches(photographs, spec, lambda p: (1 + p)[:, None, None], placement=placement)
        for (images, positions), targets, weights in (made.training(1)[1], made.evaluation()[0]):
            yield images, positions, targets, weights

    halves = [list(batches(Part(index, 2))) for index in range(2)]
    for number, whole in enumerate(batches()):
        for ours, theirs in zip(joined([half[number] for half in halves]), whole, strict=True):
            np.testing.assert_array_equal(ours, theirs)
