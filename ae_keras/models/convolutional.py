"""Convolutional autoencoders.

- `conv`: strided convolutions and as many transposed ones, from a study of MNIST.
- `cae`: the small autoencoder of a study of CIFAR-10 compression and colourization. Three
  convolutions down to a latent of a third of the input's values, and back. A good first model:
  ten epochs take about a minute and a half on two CPU cores.
- `lossy_cae`: 32 values for an MNIST image, from a study of lossy and nearly lossless autoencoders.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from ae_keras.layers import Standardization, UpsamplingConv2D
from ae_keras.models.autoencoder import Autoencoder
from ae_keras.models.checks import check_count, check_counts, check_divisible
from ae_keras.models.image_model import ImageShape
from ae_keras.models.registration import register_model
from ae_keras.recipe import DEFAULT_SPLITS, DIGIT_AUGMENTATION, Recipe


# python scripts/train.py --model conv --dataset mnist --epochs 3: test MSE 0.0009.
# The cross-entropy, because with the squared error wide models fall into all black at once.
@register_model(
    recipe=Recipe(
        model="conv",
        dataset="mnist",
        image_shape=(28, 28, 1),
        batch_size=128,
        epochs=10,
        schedule="cosine",
        loss="binary_crossentropy",
    ),
    search=("filters=8:128:log2", "depth=1,2"),
)
def conv(
    image_shape: ImageShape = (28, 28, 1), filters: int = 64, depth: int = 2, name: str = "conv"
) -> Autoencoder:
    """Build the convolutional autoencoder `conv`.

    ```
    image -> `depth` times conv of stride 2, ReLU: latent
    latent -> `depth` times transposed conv of stride 2, ReLU -> conv to the channels -> sigmoid
    ```

    Args:
        image_shape: `(height, width, channels)`; sizes divisible by `2 ** depth`, or `None`.
        filters: int. Feature maps of each layer, and of the latent. All kernels are 3x3.
        depth: int. Layers in the encoder, each of which halves the resolution.
        name: str.

    Returns:
        An `Autoencoder`, latent `(height / 2**depth, width / 2**depth, filters)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    check_count("filters", filters)
    check_count("depth", depth)
    check_divisible(image_shape, 2**depth, "conv")

    def repeat(layer: type[keras.Layer]) -> list[keras.Layer]:
        options = {"strides": 2, "padding": "same", "activation": "relu"}
        return [layer(filters, 3, **options) for _ in range(depth)]

    images = keras.Input(image_shape, name="images")
    encoder = keras.Sequential([images, *repeat(layers.Conv2D)], name="encoder")
    decoder = keras.Sequential(
        [
            keras.Input(encoder.output_shape[1:], name="latents"),
            *repeat(layers.Conv2DTranspose),
            layers.Conv2D(image_shape[-1], 3, padding="same"),
            layers.Activation("sigmoid", dtype="float32"),
        ],
        name="decoder",
    )
    return Autoencoder(encoder, decoder, name=name)


# python scripts/train.py --model cae --dataset cifar10
@register_model(
    recipe=Recipe(
        model="cae",
        dataset="cifar10",
        splits=DEFAULT_SPLITS,
        image_shape=(32, 32, 3),
        batch_size=16,
        epochs=10,
        learning_rate=2e-3,
        schedule="cosine",
    ),
    search=("filters_1=4:32:4", "filters_2=4:32:4", "filters_3=4:32:4", "convolutions=1,2"),
)
def cae(
    image_shape: ImageShape = (32, 32, 3),
    filters: Sequence[int] = (8, 12, 16),
    convolutions: int = 1,
    name: str = "cae",
) -> Autoencoder:
    """Build the convolutional autoencoder `cae`.

    ```
    image 32x32x3 -> standardize -> conv 8 -> pool -> conv 12 -> pool -> conv 16: latent 8x8x16
    latent -> upsample, transposed conv 12 -> upsample, transposed conv 3 -> sigmoid: image
    ```

    All kernels are 3x3 of stride 1, with ReLU between them. Each channel is
    standardized with the mean and standard deviation of the training images.

    Args:
        image_shape: `(height, width, channels)`. Height and width must be divisible by 2 for each
            pooling, or `None`: any such size.
        filters: Two or more ints. Feature maps at each resolution; the last is the latent's.
        convolutions: int. Convolutions at each resolution of the encoder, and of the decoder below
            that of the image.
        name: str.

    Returns:
        An `Autoencoder`, latent `(height / 4, width / 4, filters[2])` with three `filters`.

    Raises:
        ValueError: if the image shape, `filters` or `convolutions` do not fit.
    """
    _check_cae(image_shape, filters)
    check_count("convolutions", convolutions)
    encoder = _cae_encoder(image_shape, filters, convolutions)
    maps = (image_shape[-1], *filters[1:-1])
    decoder = _cae_decoder(encoder.output_shape[1:], maps, convolutions)
    return Autoencoder(encoder, decoder, name=name)


def _check_cae(image_shape: ImageShape, filters: Sequence[int]) -> None:
    check_counts("filters", filters)
    check_divisible(image_shape, 2 ** (len(filters) - 1), "cae")


def _convolution(maps: int) -> keras.Layer:
    return layers.Conv2D(maps, 3, padding="same", activation="relu")


def _cae_encoder(image_shape: ImageShape, filters: Sequence[int], convolutions: int) -> keras.Model:
    parts = [keras.Input(image_shape, name="images"), Standardization()]
    for maps in filters:
        parts += [*(_convolution(maps) for _ in range(convolutions)), layers.MaxPooling2D(2)]
    return keras.Sequential(parts[:-1], name="encoder")


def _cae_decoder(
    latent_shape: Sequence[int], maps: Sequence[int], convolutions: int
) -> keras.Model:
    """Build the decoder; `maps` are those of the image, and of the resolutions below."""
    parts = [keras.Input(latent_shape, name="latents")]
    for count in maps[:0:-1]:
        parts += [UpsamplingConv2D(count, activation="relu")]
        parts += [_convolution(count) for _ in range(convolutions - 1)]
    # In float32 under mixed precision too: images have finer steps than float16.
    last = [UpsamplingConv2D(maps[0]), layers.Activation("sigmoid", dtype="float32")]
    return keras.Sequential([*parts, *last], name="decoder")


# python scripts/train.py --model lossy_cae --dataset mnist: test MSE 0.0057. The study took
# batches of 100, Adam 1e-3 with a decay of 0.98 an epoch, and 300 epochs of five-fold data.
# Beside larger steps it is the cross-entropy that helps: the squared error of a sigmoid near 0
# has next to no gradient, and most pixels are black.
@register_model(
    recipe=Recipe(
        model="lossy_cae",
        dataset="mnist",
        image_shape=(28, 28, 1),
        augmentation=DIGIT_AUGMENTATION,
        batch_size=50,
        epochs=30,
        optimizer_arguments={"weight_decay": 1e-9},
        learning_rate=3e-3,
        schedule="cosine",
        schedule_arguments={"warmup_epochs": 0.5},
        loss="binary_crossentropy",
    ),
)
def lossy_cae(image_shape: ImageShape = (28, 28, 1), name: str = "lossy_cae") -> Autoencoder:
    """Build the convolutional autoencoder `lossy_cae`, for images of 28x28.

    ```
    image 28x28x1 -> conv 64 -> pool 2 -> conv 128 -> pool 2 -> conv 64 -> pool 7 -> conv 32, 1x1:
      latent 1x1x32
    latent -> transposed conv 32, 3x3 -> 32, 5x5 -> 16, 7x7 -> 16, 10x10 -> 8, 5x5 -> 1, 3x3
      -> sigmoid: image of 1, 3, 7, 13, 22, 26, 28 pixels a side
    ```

    The other kernels are 3x3, the pooling takes means, and the transposed convolutions are
    unpadded and of stride 1. After each but the last stands a PReLU with one weight a channel.

    The initial weights keep the size of the differences between images on their way through the
    network. With Keras's defaults these have shrunk to 1e-6 at the output: there, a pixel of the
    unpadded layers has fewer inputs than a kernel has taps, and the mean of 7x7 pixels differs
    little between images.

    Args:
        image_shape: `(28, 28, channels)`.
        name: str.

    Returns:
        An `Autoencoder`, latent `(1, 1, 32)`.

    Raises:
        ValueError: if the image shape does not fit.
    """
    if tuple(image_shape[:2]) != (28, 28):
        raise ValueError(f"'lossy_cae' takes images of 28x28. Received: {tuple(image_shape)}")
    encoder = _lossy_encoder(image_shape)
    return Autoencoder(encoder, _lossy_decoder(encoder, image_shape[-1]), name=name)


# What PReLU multiplies negative values with, before training; as in PyTorch.
_SLOPE = 0.25


def _prelu() -> keras.Layer:
    slope = keras.initializers.Constant(_SLOPE)
    return layers.PReLU(alpha_initializer=slope, shared_axes=(1, 2))


def _preserving(inputs: float, gain: float = 1.0) -> keras.Initializer:
    """Return normal weights that keep the variance of PReLU's outputs through a layer.

    Args:
        inputs: float. Inputs that an output has, on average.
        gain: float. Makes up for a loss elsewhere.
    """
    return keras.initializers.RandomNormal(stddev=gain * math.sqrt(2 / (1 + _SLOPE**2) / inputs))


def _lossy_encoder(image_shape: ImageShape) -> keras.Model:
    # The gains make the differences between images of MNIST as large as 1 after each layer.
    def convolution(filters: int, inputs: int, gain: float, kernel: int = 3) -> keras.Layer:
        initializer = _preserving(inputs * kernel**2, gain)
        return layers.Conv2D(filters, kernel, padding="same", kernel_initializer=initializer)

    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            *(convolution(64, image_shape[-1], 3.0), _prelu(), layers.AveragePooling2D(2)),
            *(convolution(128, 64, 1.15), _prelu(), layers.AveragePooling2D(2)),
            *(convolution(64, 128, 1.45), _prelu(), layers.AveragePooling2D(7)),
            *(convolution(32, 64, 4.0, kernel=1), _prelu()),
        ],
        name="encoder",
    )


def _lossy_decoder(encoder: keras.Model, channels: int) -> keras.Model:
    parts = [keras.Input(encoder.output_shape[1:], name="latents")]
    size, maps = encoder.output_shape[2:]
    for filters, kernel in ((32, 3), (32, 5), (16, 7), (16, 10), (8, 5)):
        parts += [_unpadded(filters, kernel, size, maps), _prelu()]
        size, maps = size + kernel - 1, filters
    # Small at first: a sigmoid that starts near 0 or 1 hardly learns.
    parts += [_unpadded(channels, 3, size, maps, gain=0.3)]
    parts += [layers.Activation("sigmoid", dtype="float32")]
    return keras.Sequential(parts, name="decoder")


def _unpadded(filters: int, kernel: int, size: int, maps: int, gain: float = 1.0) -> keras.Layer:
    """Return an unpadded transposed convolution of stride 1, of an image `size` pixels wide."""
    inputs = maps * (size * kernel / (size + kernel - 1)) ** 2
    initializer = _preserving(inputs, gain)
    return layers.Conv2DTranspose(filters, kernel, kernel_initializer=initializer)
