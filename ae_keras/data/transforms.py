"""What is done to a batch of images on its way to the model."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ae_keras.data.spec import BatchSpec
from ae_keras.system.colour import LUMINANCE

# Keeps the draws of the deviations of noise apart from those of the noise.
_DEVIATIONS = 1


def to_unit_range(images: tf.Tensor) -> tf.Tensor:
    """Return uint8 images as float32 in [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0


def to_grey(images: tf.Tensor) -> tf.Tensor:
    """Return the grey images that are as light as sRGB ones, as `system.colour.to_grey` does."""
    bright = ((tf.maximum(images, 0.04045) + 0.055) / 1.055) ** 2.4
    light = tf.where(images > 0.04045, bright, images / 12.92) @ LUMINANCE[:, np.newaxis]
    bright = 1.055 * tf.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return tf.clip_by_value(tf.where(light > 0.0031308, bright, light * 12.92), 0.0, 1.0)


def make_pair(spec: BatchSpec) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return the function that makes a task's (input, target) of a batch of images.

    The function takes float32 images in [0, 1] and a pair of integers that seeds its noise, so
    that the same batch of the same epoch is always the same.
    """
    if spec.task == "denoising":

        def pair(images: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if isinstance(spec.noise, tuple):
                drawn = tf.random.experimental.stateless_fold_in(seed, _DEVIATIONS)
                shape = (tf.shape(images)[0], 1, 1, 1)
                deviations = tf.random.stateless_uniform(shape, drawn, *spec.noise)
            else:
                deviations = spec.noise
            noise = deviations * tf.random.stateless_normal(tf.shape(images), seed)
            return tf.clip_by_value(images + noise, 0.0, 1.0), images

    elif spec.task == "colourization":

        def pair(images: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return to_grey(images), images

    else:

        def pair(images: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return images, images

    return pair
