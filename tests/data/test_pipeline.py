import dataclasses

import numpy as np
import pytest
from conftest import batch_arrays

from ae_keras import Recipe
from ae_keras.data.images import Images, load_images
from ae_keras.data.pipeline import Pipeline
from ae_keras.data.spec import BatchSpec
from ae_keras.data.splits import SPLITS
from ae_keras.layers.standardization import channel_statistics
from ae_keras.system.colour import to_grey


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (50, 8, 8, 3), np.uint8)


def test_every_image_comes_once_in_an_order_of_the_epoch(images):
    pipeline = Pipeline(Images(images), BatchSpec(batch_size=8))
    assert len(pipeline) == 7
    orders = [batch_arrays(pipeline.training(epoch))[0] for epoch in (0, 1, 0)]
    np.testing.assert_array_equal(orders[0], orders[2])
    assert not np.array_equal(orders[0], orders[1])
    for order in orders:
        assert order.dtype == np.float32
        back = np.round(order * 255).astype(np.uint8)
        assert sorted(map(bytes, back)) == sorted(map(bytes, images))


def test_order_depends_on_the_seed(images):
    pipelines = (Pipeline(Images(images), BatchSpec(seed=seed)) for seed in (0, 1))
    first, second = (batch_arrays(pipeline.training(0))[0] for pipeline in pipelines)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "task", [{}, {"task": "denoising", "noise": 0.1}, {"augmentation": {"shear": 20, "scale": 0.2}}]
)
def test_an_epoch_goes_on_from_any_batch(images, task):
    pipeline = Pipeline(Images(images), BatchSpec(batch_size=8, **task))
    whole = list(pipeline.training(3).as_numpy_iterator())
    rest = list(pipeline.training(3, first_batch=4).as_numpy_iterator())
    assert len(rest) == 3
    for ours, theirs in zip(rest, whole[4:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_evaluation_keeps_the_order(images):
    inputs, targets = batch_arrays(Pipeline(Images(images), BatchSpec(batch_size=8)).evaluation())
    np.testing.assert_array_equal(inputs, targets)
    np.testing.assert_allclose(inputs, images / 255, rtol=1e-6)


def test_the_noise_of_each_image_may_have_a_deviation_of_its_own():
    images = np.full((400, 16, 16, 3), 128, np.uint8)
    pipeline = Pipeline(Images(images), BatchSpec(200, task="denoising", noise=(0.02, 0.1)))
    inputs = np.concatenate([np.asarray(noisy) for noisy, _ in pipeline.training(epoch=0)])
    deviations = (inputs - 128 / 255).std(axis=(1, 2, 3))
    assert 0.018 < deviations.min() < 0.025
    assert 0.095 < deviations.max() < 0.11
    assert abs(deviations.mean() - 0.06) < 0.005
    again = np.concatenate([np.asarray(noisy) for noisy, _ in pipeline.training(epoch=0)])
    np.testing.assert_array_equal(again, inputs)


def test_denoising_pairs_noisy_inputs_with_clean_targets(rng):
    images = np.full((200, 16, 16, 1), 128, np.uint8)
    pipeline = Pipeline(Images(images), BatchSpec(task="denoising", noise=0.05))
    inputs, targets = batch_arrays(pipeline.training(0))
    np.testing.assert_allclose(targets, 128 / 255, rtol=1e-6)
    noise = inputs - targets
    assert abs(noise.mean()) < 1e-3
    assert noise.std() == pytest.approx(0.05, rel=0.02)
    again, other = batch_arrays(pipeline.training(0))[0], batch_arrays(pipeline.training(1))[0]
    np.testing.assert_array_equal(inputs, again)
    assert abs(np.corrcoef(inputs.ravel(), other.ravel())[0, 1]) < 0.02


def test_colourization_pairs_grey_inputs_with_colours(images):
    recipe = Recipe(model="colourizer", task="colourization", batch_size=8)
    inputs, targets = batch_arrays(Pipeline(Images(images), recipe.batch_spec).evaluation())
    np.testing.assert_array_equal(targets, images / np.float32(255))
    np.testing.assert_allclose(inputs, to_grey(targets), atol=1e-6)


def test_channel_statistics_are_exact(images):
    mean, variance = channel_statistics(images)
    np.testing.assert_allclose(mean, (images / 255).mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(variance, (images / 255).var((0, 1, 2)), rtol=1e-12)


def test_copies_show_each_image_several_times_an_epoch(images):
    recipe = Recipe(model="cae", batch_size=8, augmentation={"copies": 3})
    pipeline = Pipeline(Images(images), recipe.batch_spec)
    inputs, _ = batch_arrays(pipeline.training(0))
    assert len(pipeline) == -(-3 * len(images) // 8)
    shown = np.sort((inputs * 255).round().reshape(len(inputs), -1).sum(axis=1))
    expected = np.sort(np.repeat(images.reshape(len(images), -1).sum(axis=1), 3))
    np.testing.assert_array_equal(shown, expected)


def test_augmentation_moves_training_images_alone_and_targets_with_them(images):
    recipe = Recipe(model="cae", batch_size=8, augmentation={"shift": 0.5})
    pipeline = Pipeline(Images(images), recipe.batch_spec)
    inputs, targets = batch_arrays(pipeline.training(0))
    np.testing.assert_array_equal(inputs, targets)
    plain, _ = batch_arrays(Pipeline(Images(images), BatchSpec(batch_size=8)).training(0))
    assert np.any(inputs != plain)
    np.testing.assert_allclose(batch_arrays(pipeline.evaluation())[0], images / 255, rtol=1e-6)


def test_labels_follow_their_images(images):
    labels = np.arange(len(images))
    recipe = Recipe(model="cae", batch_size=8, conditional=True)
    batches = Pipeline(Images(images, labels), recipe.batch_spec).training(0).as_numpy_iterator()
    for (inputs, numbers), targets in batches:
        np.testing.assert_allclose(inputs, images[numbers] / 255, rtol=1e-6)
        np.testing.assert_array_equal(inputs, targets)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(-1, 11), "from -1 on"),
        (np.linspace(0, 1, 12), "of type float64"),
        (np.array(list("abcdefghijkl")), "of type <U1"),
        (np.full(12, 2**40), "not below"),
        (np.arange(11), "one label for each"),
    ],
)
def test_labels_that_are_none_are_refused(labels, message, tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((12, 8, 8), np.uint8), labels=labels)
    recipe = Recipe(model="mlp", dataset=str(tmp_path / "a.npz"), image_shape=(8, 8, 1))
    with pytest.raises(ValueError, match=message):
        load_images(recipe.data_spec)


def test_labels_that_only_some_images_have_are_left_out(tmp_path):
    images = np.zeros((20, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=np.arange(20), x_test=images)
    recipe = Recipe(model="mlp", dataset=str(tmp_path / "a.npz"), image_shape=(8, 8, 1))
    data = load_images(dataclasses.replace(recipe, splits=(0.8, 0.1, 0.1)).data_spec)
    assert [data[part].labels for part in SPLITS] == [None, None, None]
