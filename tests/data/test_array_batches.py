"""NumPy's batches, beside those of TensorFlow."""

import keras
import numpy as np
import pytest
from conftest import smooth_images

from ae_keras import Recipe
from ae_keras.data import array_transforms, augmentation, transforms
from ae_keras.data.array_batches import ArrayBatches
from ae_keras.data.batches import augment_images, make_batches
from ae_keras.data.images import Images
from ae_keras.data.pipeline import Pipeline
from ae_keras.data.spec import BatchSpec
from ae_keras.system.colour import to_grey
from ae_keras.system.pixels import to_unit_range

AMOUNTS = {"rotation": 40, "shear": 25, "shift": 0.2, "scale": 0.3}


@pytest.fixture
def images(rng):
    return smooth_images(rng, 50, 12, 10, 3)


@pytest.mark.parametrize("settings", [{}, {"augmentation": {"copies": 3}}, {"seed": 5}])
def test_order_is_that_of_tensorflow(images, settings):
    spec, labels = BatchSpec(batch_size=8, conditional=True, **settings), np.arange(50)
    ours, theirs = (kind(Images(images, labels), spec) for kind in (ArrayBatches, Pipeline))
    assert len(ours) == len(theirs)
    for first in (0, 3):
        batches = ours.training(2, first), theirs.training(2, first).as_numpy_iterator()
        for pair in zip(*batches, strict=True):
            for one, another in zip(*map(keras.tree.flatten, pair), strict=True):
                np.testing.assert_allclose(one, another, rtol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"task": "denoising", "noise": 0.1},
        {"augmentation": {"flip": 0.5, "crop": 0.3, **AMOUNTS}},
        {"task": "colourization"},
    ],
)
def test_an_epoch_goes_on_from_any_batch(images, settings):
    batches = ArrayBatches(Images(images), BatchSpec(batch_size=8, **settings))
    whole = list(batches.training(3))
    assert len(whole) == 7
    for ours, theirs in zip(batches.training(3, first_batch=4), whole[4:], strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
        assert ours[0].dtype == ours[1].dtype == np.float32
    other = next(iter(batches.training(4)))
    assert np.any(other[0] != whole[0][0])


def test_the_noise_of_each_image_may_have_a_deviation_of_its_own():
    images = np.full((400, 16, 16, 3), 128, np.uint8)
    batches = ArrayBatches(Images(images), BatchSpec(200, task="denoising", noise=(0.02, 0.1)))
    inputs = np.concatenate([noisy for noisy, _ in batches.training(epoch=0)])
    deviations = (inputs - 128 / 255).std(axis=(1, 2, 3))
    assert 0.018 < deviations.min() < 0.025
    assert 0.095 < deviations.max() < 0.11
    assert abs(deviations.mean() - 0.06) < 0.005


def test_denoising_pairs_noisy_inputs_with_clean_targets():
    images = np.full((200, 16, 16, 1), 128, np.uint8)
    batches = ArrayBatches(Images(images), BatchSpec(task="denoising", noise=0.05))
    inputs, targets = map(np.concatenate, zip(*batches.training(0), strict=True))
    np.testing.assert_allclose(targets, 128 / 255, rtol=1e-6)
    assert (inputs - targets).std() == pytest.approx(0.05, rel=0.02)
    again = np.concatenate([batch[0] for batch in batches.training(0)])
    np.testing.assert_array_equal(inputs, again)
    fixed = [np.concatenate([b[0] for b in batches.evaluation_arrays()]) for _ in range(2)]
    np.testing.assert_array_equal(*fixed)
    other = np.concatenate([batch[0] for batch in batches.training(1)])
    assert abs(np.corrcoef((inputs - targets).ravel(), other.ravel())[0, 1]) < 0.02


def test_grey_is_that_of_tensorflow(images):
    values = to_unit_range(images)
    grey = to_grey(values)
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, transforms.to_grey(values), atol=1e-6)


def test_images_are_moved_as_by_tensorflow(images, rng):
    draws = rng.uniform(-1, 1, (5, 50)).astype(np.float32)
    values = to_unit_range(images)
    matrices = array_transforms.affine_matrices(draws, 12, 10, **AMOUNTS)
    expected = augmentation.affine_matrices(draws, 12, 10, **AMOUNTS)
    np.testing.assert_allclose(matrices, expected, atol=1e-4)
    moved = array_transforms.warp(values, np.asarray(expected))
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, augmentation.warp(values, expected), atol=1e-4)


def test_parts_are_enlarged_within_the_image():
    rows, columns = np.mgrid[:24, :36].astype(np.float32)
    ramps = np.repeat(np.stack([columns, rows, rows], axis=-1)[np.newaxis], 200, axis=0)
    spec = BatchSpec(augmentation={"crop": 0.5})
    crops = array_transforms.augment(ramps, spec, np.random.default_rng(0))
    for channel, axis, last in ((0, 2, 35), (1, 1, 23)):
        values = crops[..., channel]
        np.testing.assert_allclose(np.diff(values, 2, axis=axis), 0, atol=1e-4)
        ends = np.take(values, [0, -1], axis=axis)
        assert ends.min() >= 0
        assert ends.max() <= last + 1e-4
        parts = (np.take(values, -1, axis) - np.take(values, 0, axis)) / last
        assert 0.5 - 1e-4 <= parts.min() < 0.55
        assert 0.95 < parts.max() <= 1


def test_the_share_of_mirrored_images(images):
    values = np.repeat(to_unit_range(images[:1]), 400, axis=0)
    spec = BatchSpec(augmentation={"flip": 0.25})
    moved = array_transforms.augment(values, spec, np.random.default_rng(0))
    mirrored = (moved == values[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (moved == values).all(axis=(1, 2, 3))).all()
    assert 60 <= mirrored.sum() <= 140


def test_the_backend_chooses(images, monkeypatch):
    spec = Recipe(model="cae", augmentation={"shift": 0.3}).batch_spec
    assert isinstance(make_batches(Images(images), spec), Pipeline)
    theirs = augment_images(images, spec)
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    assert isinstance(make_batches(Images(images), spec), ArrayBatches)
    ours = augment_images(images, spec)
    assert ours.shape == theirs.shape == images.shape
    assert ours.dtype == theirs.dtype == np.float32
    np.testing.assert_array_equal(ours, augment_images(images, spec))


def test_images_on_disk_are_gathered(images, tmp_path):
    np.save(tmp_path / "a.npy", images)
    on_disk = np.load(tmp_path / "a.npy", mmap_mode="r")
    pairs = (ArrayBatches(Images(some), BatchSpec()).training(0) for some in (images, on_disk))
    for ours, theirs in zip(*pairs, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert type(theirs[0]) is np.ndarray
