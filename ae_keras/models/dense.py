"""Autoencoders of fully connected layers.

- `mlp`: one layer down to `latent_dim` values and one layer up, from a study of MNIST.
- `lossless_mlp`: four layers as wide as an MNIST image, from a study of lossy and nearly lossless
  autoencoders. It compresses nothing by itself: the point that others are compared with.
"""

import math
from collections.abc import Callable

import keras
from keras import layers

from ae_keras.models.autoencoder import Autoencoder
from ae_keras.models.checks import check_count, check_known
from ae_keras.models.image_model import ImageShape
from ae_keras.models.registration import register_model
from ae_keras.recipe import Recipe


# python scripts/train.py --model mlp --dataset mnist: test MSE 0.0097; with --set
# latent_dim=1 0.0644, with 128 0.0018.
@register_model(
    recipe=Recipe(
        model="mlp",
        dataset="mnist",
        image_shape=(28, 28, 1),
        batch_size=128,
        epochs=10,
        learning_rate=2e-3,
        schedule="cosine",
    ),
    search=("latent_dim=4:512:log2",),
)
def mlp(
    image_shape: ImageShape = (28, 28, 1), latent_dim: int = 32, name: str = "mlp"
) -> Autoencoder:
    """Build the autoencoder `mlp`: flatten, dense to the latent, dense to the pixels, sigmoid.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: int. Length of the latent.
        name: str.

    Returns:
        An `Autoencoder`, latent `(latent_dim,)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    return _build(image_shape, latent_dim, lambda width: [layers.Dense(width)], name)


# Of each of its four layers: what pixels are multiplied with, what is added, and the slope of
# PReLU below zero. Together, and with the sigmoid, they give back the 256 grey levels with an
# error of 0.000015 (mean square, weighed as MNIST's pixels are): found by minimizing that.
_PIXELWISE = (
    (1.125, -0.037, 15.9),
    (1.245, -1.198, 0.183),
    (1.739, 0.305, 2.315),
    (10.546, -1.417, 0.88),
)


# python scripts/train.py --model lossless_mlp --dataset mnist
@register_model(
    recipe=Recipe(
        model="lossless_mlp",
        dataset="mnist",
        image_shape=(28, 28, 1),
        batch_size=100,
        epochs=10,
        # The start is near the optimum, which larger steps would leave.
        learning_rate=5e-5,
        schedule="cosine",
    ),
    search=("latent_dim=4:512:log2",),
)
def lossless_mlp(
    image_shape: ImageShape = (28, 28, 1),
    latent_dim: int = 784,
    start: str = "pixelwise",
    name: str = "lossless_mlp",
) -> Autoencoder:
    """Build the autoencoder `lossless_mlp`.

    Twice dense and PReLU in the encoder, twice in the decoder, each as wide as the latent; the
    last is as wide as the image. Then a sigmoid.

    A latent as wide as the image can hold all of it, and from random weights training finds that
    slowly. So it begins with multiples of the identity, and with slopes of PReLU that bend a
    straight line into the logit that the sigmoid undoes. The study that this model is from trained
    random weights: `start="random"`, 300 epochs of five moved copies, with an exponential schedule
    (`DIGIT_AUGMENTATION`, decay rate 0.98 an epoch).

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: int. Length of the latent.
        start: str. `"pixelwise"`, or `"random"`; with a latent of another width than the image it
            is always random.
        name: str.

    Returns:
        An `Autoencoder`, latent `(latent_dim,)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    if start not in ("pixelwise", "random"):
        raise ValueError(f"`start` must be pixelwise or random. Received: {start!r}")
    is_pixelwise = start == "pixelwise" and latent_dim == math.prod(check_known(image_shape, name))
    starts = iter(_PIXELWISE if is_pixelwise else 4 * (None,))

    def half(width: int) -> list[keras.Layer]:
        return [*_lossless_layer(latent_dim, next(starts)), *_lossless_layer(width, next(starts))]

    return _build(image_shape, latent_dim, half, name)


def _lossless_layer(width: int, start: tuple[float, float, float] | None) -> list[keras.Layer]:
    """Return a dense layer and its PReLU, which begin as `_PIXELWISE` says, or at random."""
    if start is None:
        return [layers.Dense(width), layers.PReLU()]
    scale, offset, slope = start
    dense = layers.Dense(
        width,
        kernel_initializer=keras.initializers.Identity(scale),
        bias_initializer=keras.initializers.Constant(offset),
    )
    return [dense, layers.PReLU(alpha_initializer=keras.initializers.Constant(slope))]


def _build(
    image_shape: ImageShape, latent_dim: int, half: Callable[[int], list[keras.Layer]], name: str
) -> Autoencoder:
    """Build an autoencoder of two halves; `half` makes the layers that lead to a width."""
    check_count("latent_dim", latent_dim)
    shape = check_known(image_shape, name)
    encoder = _encoder(shape, half(latent_dim))
    decoder = _decoder(latent_dim, half(math.prod(shape)), shape)
    return Autoencoder(encoder, decoder, name=name)


def _encoder(image_shape: ImageShape, middle: list[keras.Layer]) -> keras.Model:
    images = keras.Input(image_shape, name="images")
    return keras.Sequential([images, layers.Flatten(), *middle], name="encoder")


def _decoder(latent_dim: int, middle: list[keras.Layer], image_shape: ImageShape) -> keras.Model:
    latents = keras.Input((latent_dim,), name="latents")
    # In float32 under mixed precision too: images have finer steps than float16.
    last = [layers.Reshape(image_shape), layers.Activation("sigmoid", dtype="float32")]
    return keras.Sequential([latents, *middle, *last], name="decoder")
