"""Random affine transforms against those of scikit-image."""

import numpy as np
import pytest
import tensorflow as tf
from skimage import data, transform

from ae_keras import Recipe
from ae_keras.data.augmentation import affine_matrices, make_augmentation, warp
from ae_keras.data.spec import BatchSpec

AMOUNTS = {"rotation": 40, "shear": 25, "shift": 0.2, "scale": 0.3}


@pytest.fixture
def photo():
    return transform.resize(data.astronaut(), (24, 36), anti_aliasing=True).astype(np.float32)


def reference(image, draws, rotation, shear, shift, scale):
    """Compose the transform of scikit-image's own parts, and let it move the image."""
    height, width, _ = image.shape
    middle = transform.EuclideanTransform(translation=((width - 1) / 2, (height - 1) / 2))
    moved = transform.EuclideanTransform(
        translation=(shift * width * draws[3], shift * height * draws[4])
    )
    slanted = np.eye(3)
    slanted[0, 1] = np.tan(np.deg2rad(shear * draws[1]))
    turned = transform.EuclideanTransform(rotation=np.deg2rad(rotation * draws[0]))
    resized = transform.SimilarityTransform(scale=1 / (1 + scale * draws[2]))
    parts = middle.params @ turned.params @ resized.params @ slanted
    matrix = parts @ np.linalg.inv(middle.params) @ np.linalg.inv(moved.params)
    return transform.warp(image, transform.AffineTransform(matrix=matrix), order=1)


def test_images_are_moved_as_by_scikit_image(photo, rng):
    draws = rng.uniform(-1, 1, (5, 20)).astype(np.float32)
    matrices = affine_matrices(draws, 24, 36, **AMOUNTS)
    moved = warp(tf.repeat(photo[np.newaxis], 20, axis=0), matrices)
    for image, draw in zip(moved.numpy(), draws.T, strict=True):
        np.testing.assert_allclose(image, reference(photo, draw, **AMOUNTS), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "draw", "amount", "expected"),
    [
        ("rotation", 0, 90, lambda image: np.rot90(image)),
        ("shift", 3, 0.25, lambda image: np.pad(image, ((0, 0), (6, 0), (0, 0)))[:, :24]),
        ("shift", 4, 0.25, lambda image: np.pad(image, ((6, 0), (0, 0), (0, 0)))[:24]),
    ],
)
def test_what_each_amount_does(name, draw, amount, expected, photo):
    square = photo[:, :24]
    draws = np.zeros((5, 1), np.float32)
    draws[draw] = 1
    moved = warp(tf.constant(square[np.newaxis]), affine_matrices(draws, 24, 24, **{name: amount}))
    np.testing.assert_allclose(moved[0], expected(square), atol=1e-4)


def test_the_share_of_mirrored_images(photo):
    recipe = Recipe(model="cae", augmentation={"flip": 0.25})
    flipped = make_augmentation(recipe.batch_spec)(
        tf.repeat(photo[np.newaxis], 400, axis=0), [3, 7]
    ).numpy()
    mirrored = (flipped == photo[:, ::-1]).all(axis=(1, 2, 3))
    assert (mirrored | (flipped == photo).all(axis=(1, 2, 3))).all()
    assert 60 <= mirrored.sum() <= 140
    moved = make_augmentation(BatchSpec(augmentation={"flip": 1, "shift": 0.2}))
    plain = make_augmentation(BatchSpec(augmentation={"shift": 0.2}))
    few = tf.repeat(photo[np.newaxis], 4, axis=0)
    np.testing.assert_array_equal(moved(few, [3, 7]), plain(few[:, :, ::-1], [3, 7]))


def test_crops_are_parts_of_the_image_enlarged():
    rows, columns = np.mgrid[:24, :36].astype(np.float32)
    ramps = tf.repeat(np.stack([columns, rows, rows], axis=-1)[np.newaxis], 200, axis=0)
    crops = make_augmentation(BatchSpec(augmentation={"crop": 0.5}))(ramps, [3, 7])
    assert crops.shape == ramps.shape
    for channel, axis, last in ((0, 2, 35), (1, 1, 23)):
        values = crops.numpy()[..., channel]
        ends = np.take(values, [0, -1], axis=axis).mean(axis=3 - axis)
        np.testing.assert_allclose(np.diff(values, 2, axis=axis), 0, atol=1e-4)
        parts = (ends[:, 1] - ends[:, 0]) / last
        assert 0.5 <= parts.min() < 0.55
        assert 0.95 < parts.max() <= 1
        assert ends.min() >= 0
        assert ends.max() <= last + 1e-4
        assert ends[:, 0].max() > 0.3 * last
        assert ends[:, 1].min() < 0.7 * last


def test_scale_above_one_enlarges():
    square = np.zeros((1, 24, 24, 1), np.float32)
    square[:, 8:16, 8:16] = 1
    draws = np.zeros((5, 1), np.float32)
    draws[2] = 1
    moved = warp(tf.constant(square), affine_matrices(draws, 24, 24, scale=0.5))
    assert float(tf.reduce_sum(moved)) == pytest.approx(1.5**2 * square.sum(), rel=0.02)


def test_batches_are_moved_each_in_its_own_way_and_again_the_same(photo):
    augment = make_augmentation(BatchSpec(augmentation=AMOUNTS))
    images = tf.repeat(photo[np.newaxis], 4, axis=0)
    first = augment(images, tf.constant([0, 7]))
    assert first.shape == images.shape
    assert len({image.numpy().tobytes() for image in first}) == 4
    np.testing.assert_array_equal(first, augment(images, tf.constant([0, 7])))
    assert np.any(first != augment(images, tf.constant([0, 8])))


@pytest.mark.parametrize("amounts", [{}, {"copies": 3}, {"rotation": 0}])
def test_without_amounts_nothing_is_moved(amounts, photo):
    augment = make_augmentation(BatchSpec(augmentation=amounts))
    images = tf.constant(photo[np.newaxis])
    assert augment(images, tf.constant([0, 0])) is images
