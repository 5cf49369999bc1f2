"""Variational autoencoders of grouped convolutions, from a study of CIFAR-10 compression.

Groups grow as the resolution falls, so that late layers do not look like dense ones.

- `vae_v1`: four layers, with up to 64 groups, down to a latent of 2x2x768. 136,827 parameters.
- `vae_v2`: three layers, with up to 8 groups, down to 5x5x128. 24,075 parameters.

The study does not document the activations, the weight of the divergence and the optimizer; they
are ours.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ae_keras.layers import (
    GroupedConv2D,
    GroupedConv2DTranspose,
    QuantizationNoise,
    Sampling,
    Standardization,
)
from ae_keras.models.autoencoder import Autoencoder
from ae_keras.models.checks import check_known
from ae_keras.models.image_model import ImageShape
from ae_keras.models.registration import register_model
from ae_keras.recipe import Recipe

Convolutions = Sequence[tuple[int, int, int, int, int]]

# Groups, filters, kernel size, stride and padding of each convolution of the encoder. The last is
# there twice, for the mean and for the logarithm of the variance. The decoder is the mirror image.
V1: Convolutions = ((1, 12, 4, 2, 1), (4, 48, 4, 2, 1), (16, 192, 4, 2, 1), (64, 768, 4, 2, 1))
V2: Convolutions = ((1, 12, 6, 2, 2), (4, 40, 4, 2, 2), (8, 128, 3, 2, 1))

# Keras's default takes the filters of all groups for outputs of each input, and starts too small.
_INITIALIZER = "he_normal"

_TRAINING: dict[str, Any] = {
    "dataset": "cifar10",
    "batch_size": 128,
    "learning_rate": 6e-3,
    "schedule": "cosine",
}


# python scripts/train.py --model vae_v1 --dataset cifar10: test PSNR 30.3 dB
@register_model(
    recipe=Recipe(model="vae_v1", epochs=110, **_TRAINING),
    search=("kl_weight=1e-5:1e-1:log", "step=0.25:4:log2"),
)
def vae_v1(
    image_shape: ImageShape = (32, 32, 3),
    kl_weight: float = 1e-3,
    step: float = 1.0,
    activation: str = "leaky_relu",
    grouped: bool = True,
    name: str = "vae_v1",
) -> Autoencoder:
    """Build the variational autoencoder `vae_v1`.

    ```
    image 32x32x3 -> standardize -> conv 12 -> conv 48, 4 groups -> conv 192, 16 groups -> noise
      -> mean and log variance: conv 768, 64 groups -> sample: latent 2x2x768
    latent -> transposed conv 192, 64 groups -> 48, 16 groups -> 12, 4 groups -> 3 -> sigmoid
    ```

    All kernels are 4x4 with stride 2 and padding 1. While training, uniform noise as wide as
    `step` is added before mean and variance are computed, and the latent is a sample; at
    inference there is no noise, and the latent is the mean.

    Args:
        image_shape: `(height, width, channels)`, at least 16x16.
        kl_weight: float. Weight of the divergence, see `Sampling`.
        step: float. Width of the noise, see `QuantizationNoise`.
        activation: str. Keras activation between the layers.
        grouped: bool. Without, each convolution is one of all channels.
        name: str.

    Returns:
        An `Autoencoder`, latent `(height // 16, width // 16, 768)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    shape = check_known(image_shape, name)
    if min(shape[:2]) < 16:
        raise ValueError(f"{name!r} takes images of at least 16x16. Received: {shape}")
    return _vae(shape, V1, kl_weight, step, activation, grouped, name)


# python scripts/train.py --model vae_v2 --dataset cifar10: test PSNR 31.4 dB
@register_model(
    recipe=Recipe(model="vae_v2", epochs=25, **_TRAINING),
    search=("kl_weight=1e-5:1e-1:log", "step=0.25:4:log2"),
)
def vae_v2(
    image_shape: ImageShape = (32, 32, 3),
    kl_weight: float = 1e-3,
    step: float = 1.0,
    activation: str = "leaky_relu",
    grouped: bool = True,
    name: str = "vae_v2",
) -> Autoencoder:
    """Build the variational autoencoder `vae_v2`.

    ```
    image 32x32x3 -> standardize -> conv 12, 6x6 -> conv 40, 4x4, 4 groups -> noise
      -> mean and log variance: conv 128, 3x3, 8 groups -> sample: latent 5x5x128
    latent -> transposed conv 40, 3x3, 8 groups -> 12, 4x4, 4 groups -> 3, 6x6 -> sigmoid
    ```

    All strides are 2. Noise and sample are as in `vae_v1`.

    Args:
        image_shape: `(height, width, channels)`.
        kl_weight: float. Weight of the divergence, see `Sampling`.
        step: float. Width of the noise, see `QuantizationNoise`.
        activation: str. Keras activation between the layers.
        grouped: bool. Without, each convolution is one of all channels.
        name: str.

    Returns:
        An `Autoencoder`, latent 5x5x128 for images of 32x32.

    Raises:
        ValueError: if an argument does not fit.
    """
    shape = check_known(image_shape, name)
    return _vae(shape, V2, kl_weight, step, activation, grouped, name)


def _vae(
    image_shape: tuple[int, int, int],
    convolutions: Convolutions,
    kl_weight: float,
    step: float,
    activation: str,
    grouped: bool,
    name: str,
) -> Autoencoder:
    if type(grouped) is not bool:
        raise ValueError(f"`grouped` must be true or false. Received: {grouped!r}")
    if not grouped:
        convolutions = [
            (1, filters, kernel, stride, padding)
            for _, filters, kernel, stride, padding in convolutions
        ]
    pixels = image_shape[0] * image_shape[1]
    encoder = _encoder(image_shape, convolutions, Sampling(pixels, kl_weight), step, activation)
    return Autoencoder(encoder, _decoder(encoder, convolutions, activation), name=name)


def _encoder(
    image_shape: tuple[int, int, int],
    convolutions: Convolutions,
    sampling: Sampling,
    step: float,
    activation: str,
) -> keras.Model:
    def convolution(
        groups: int, filters: int, kernel: int, stride: int, padding: int, **arguments: str
    ) -> GroupedConv2D:
        return GroupedConv2D(
            filters, kernel, stride, padding, groups, kernel_initializer=_INITIALIZER, **arguments
        )

    images = keras.Input(image_shape, name="images")
    features = Standardization()(images)
    for arguments in convolutions[:-1]:
        features = convolution(*arguments, activation=activation)(features)
    features = QuantizationNoise(step)(features)
    mean = convolution(*convolutions[-1], name="mean")(features)
    log_variance = convolution(*convolutions[-1], name="log_variance")(features)
    return keras.Model(images, sampling([mean, log_variance]), name="encoder")


def _decoder(encoder: keras.Model, convolutions: Convolutions, activation: str) -> keras.Model:
    """Mirror an encoder: each transposed convolution leads to its convolution's input shape."""
    latents = features = keras.Input(encoder.output_shape[1:], name="latents")
    for arguments, after in zip(
        mirror(encoder.input_shape[1:], convolutions),
        [*(activation for _ in convolutions[1:]), None],
        strict=True,
    ):
        layer = GroupedConv2DTranspose(
            **arguments, kernel_initializer=_INITIALIZER, activation=after
        )
        features = layer(features)
    images = layers.Activation("sigmoid", dtype="float32")(features)
    return keras.Model(latents, images, name="decoder")


def mirror(image_shape: Sequence[int], convolutions: Convolutions) -> list[dict[str, Any]]:
    """Return the arguments of the transposed convolutions that lead back through some others.

    Args:
        image_shape: `(height, width, channels)`.
        convolutions: Of an encoder.
    """
    mirrored: list[dict[str, Any]] = []
    (height, width, channels) = image_shape
    for groups, filters, kernel, stride, padding in convolutions:
        small = [(size + 2 * padding - kernel) // stride + 1 for size in (height, width)]
        missing = [
            size - ((less - 1) * stride - 2 * padding + kernel)
            for size, less in zip((height, width), small, strict=True)
        ]
        mirrored.append(
            {
                "filters": channels,
                "kernel_size": kernel,
                "strides": stride,
                "padding": padding,
                "groups": groups,
                "output_padding": missing,
            }
        )
        (height, width), channels = small, filters
    return mirrored[::-1]
