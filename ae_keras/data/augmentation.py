"""Random affine transforms, parts and mirroring of training images."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ae_keras.data.spec import BatchSpec

# Keep the draws of moving, of mirroring, of cropping and of noise apart.
_STREAM = 1
_FLIP_STREAM = 2
_CROP_STREAM = 3


def make_augmentation(spec: BatchSpec) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the function that moves a batch of images as an `augmentation` says.

    The function takes float32 images and a pair of integers that seeds its draws, so that the
    same batch of the same epoch is always the same. Rotation, scale, shear and shift are uniform
    and independent, about the middle of the image; a crop is enlarged to the image's size.
    """
    amounts = {name: value for name, value in spec.augmentation.items() if name != "copies"}
    flip, crop = amounts.pop("flip", 0), amounts.pop("crop", 0)
    moves = any(amounts.values())

    def augment(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        if flip:
            images = _mirror(images, flip, seed)
        if moves:
            images = _move(images, amounts, seed)
        return _crop(images, crop, seed) if crop else images

    return augment


def _mirror(images: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    seed = tf.random.experimental.stateless_fold_in(seed, _FLIP_STREAM)
    draws = tf.random.stateless_uniform((tf.shape(images)[0], 1, 1, 1), seed)
    return tf.where(draws < share, images[:, :, ::-1], images)


def _move(images: tf.Tensor, amounts: dict[str, float], seed: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(images)
    seed = tf.random.experimental.stateless_fold_in(seed, _STREAM)
    draws = tf.random.stateless_uniform((5, shape[0]), seed, -1.0, 1.0)
    return warp(images, affine_matrices(draws, shape[1], shape[2], **amounts))


def _crop(images: tf.Tensor, most: float, seed: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(images)
    seed = tf.random.experimental.stateless_fold_in(seed, _CROP_STREAM)
    cut, *places = tf.unstack(tf.random.stateless_uniform((3, shape[0]), seed))
    cut, zero = most * cut, tf.zeros_like(cut)
    # A part that is `1 - cut` as high and as wide begins at most `cut` of the image from its edge.
    across, down = (
        cut * place * tf.cast(size - 1, tf.float32)
        for place, size in zip(places, (shape[2], shape[1]), strict=True)
    )
    rows = [tf.stack([1 - cut, zero, across], axis=-1), tf.stack([zero, 1 - cut, down], axis=-1)]
    return warp(images, tf.stack(rows, axis=1))


def affine_matrices(
    draws: Any,
    height: Any,
    width: Any,
    rotation: float = 0.0,
    shear: float = 0.0,
    shift: float = 0.0,
    scale: float = 0.0,
) -> tf.Tensor:
    """Return matrices that lead from the pixels of a moved image to those of the original.

    Args:
        draws: Tensor `(5, batch)`, from -1 to 1: how far of each amount, for rotation, shear,
            scale, and shift along width and height.
        height: int.
        width: int.
        rotation: float. Degrees.
        shear: float. Degrees, along the width.
        shift: float. Share of height and width.
        scale: float. Share of 1.

    Returns:
        Tensor `(batch, 2, 3)`, for `(x, y, 1)` in pixels.
    """
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    degree = np.pi / 180
    angle = rotation * degree * draws[0]
    slope = tf.tan(shear * degree * draws[1])
    size = 1.0 + scale * draws[2]
    cosine, sine = tf.cos(angle) / size, tf.sin(angle) / size
    # A rotation after a shear along x; both about the middle.
    linear = tf.stack(
        [
            tf.stack([cosine, cosine * slope - sine], axis=-1),
            tf.stack([sine, sine * slope + cosine], axis=-1),
        ],
        axis=1,
    )
    middle = tf.stack([width - 1, height - 1]) / 2
    moved = tf.stack([shift * width * draws[3], shift * height * draws[4]], axis=-1)
    offset = middle - tf.linalg.matvec(linear, middle + moved)
    return tf.concat([linear, offset[..., tf.newaxis]], axis=-1)


def warp(images: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Return images whose pixel `(x, y)` is the original's at `matrix @ (x, y, 1)`.

    Values between pixels are bilinear; outside the image they are 0.
    """
    rows = tf.reshape(matrices, (-1, 6))
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.pad(rows, ((0, 0), (0, 2))),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.ensure_shape(moved, images.shape)
