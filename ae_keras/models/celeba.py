"""Convolutional autoencoders of photographs of faces, from a study of CelebA with a grid search.

Both bring 128x128 pixels down to a latent of 256 values.

- `celeba_conv`: strided convolutions with batch normalization.
- `celeba_pool`: every other of those replaced by pooling, and by upsampling on the way back.
"""

from typing import Any

import keras
from keras import layers

from ae_keras.models.autoencoder import Autoencoder
from ae_keras.models.checks import check_count, check_divisible, check_known
from ae_keras.models.image_model import ImageShape
from ae_keras.models.registration import register_model
from ae_keras.recipe import Recipe

_TRAINING: dict[str, Any] = {
    "dataset": "celeb_a",
    "image_shape": (128, 128, 3),
    "batch_size": 64,
    "epochs": 8,
    "learning_rate": 2e-4,
    "optimizer_arguments": {"beta_1": 0.9, "beta_2": 0.999},
}


# python scripts/train.py --model celeba_conv --dataset FOLDER --set filters=16: test MSE 0.0113
# with 9,000 faces of half size and --set enlarge=true
@register_model(
    recipe=Recipe(model="celeba_conv", **_TRAINING),
    search=("filters=16:128:log2", "latent_dim=64:512:log2"),
)
def celeba_conv(
    image_shape: ImageShape = (128, 128, 3),
    filters: int = 64,
    latent_dim: int = 256,
    name: str = "celeba_conv",
) -> Autoencoder:
    """Build the convolutional autoencoder `celeba_conv`.

    ```
    image 128x128x3 -> conv n -> conv 2n -> conv 4n -> conv 8n -> conv 16n: 4x4 pixels
      -> conv 256, 4x4 unpadded: latent 1x1x256
    latent -> the mirror image, of transposed convolutions -> tanh, rescaled to [0, 1]
    ```

    All kernels are 4x4; all but the last and first beside the latent have stride 2 and padding 1.
    Batch normalization and LeakyReLU (in the decoder ReLU) follow each layer but the last of the
    encoder and the last of the decoder.

    Args:
        image_shape: `(height, width, channels)`. Height and width must be divisible by 32.
        filters: int. `n`, the feature maps of the first convolution: 16, 32, 64 or 128 in the
            study.
        latent_dim: int. Channels of the latent.
        name: str.

    Returns:
        An `Autoencoder`, latent `(height / 32 - 3, width / 32 - 3, latent_dim)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    check_count("filters", filters)
    check_count("latent_dim", latent_dim)
    check_divisible(image_shape, 32, name)
    if any(size is not None and size < 128 for size in image_shape[:2]):
        raise ValueError(
            f"'celeba_conv' takes images of at least 128x128. Received: {tuple(image_shape)}"
        )
    maps = [filters * 2**power for power in range(5)]
    down = [part for count in maps for part in _normalized(_halve(count), "leaky_relu")]
    encoder = _encoder(image_shape, [*down, layers.Conv2D(latent_dim, 4)])
    blocks = [layers.Conv2DTranspose(maps[-1], 4), *(_double(count) for count in maps[-2::-1])]
    parts = [part for block in blocks for part in _normalized(block, "relu")]
    decoder = _decoder(encoder, [*parts, _double(image_shape[-1])])
    return Autoencoder(encoder, decoder, name=name)


# python scripts/train.py --model celeba_pool --dataset FOLDER: 0.0173 with the same
@register_model(
    recipe=Recipe(model="celeba_pool", **_TRAINING),
    search=("filters=8:64:log2",),
)
def celeba_pool(
    image_shape: ImageShape = (128, 128, 3), filters: int = 16, name: str = "celeba_pool"
) -> Autoencoder:
    """Build the convolutional autoencoder `celeba_pool`.

    ```
    image 128x128x3 -> conv n -> pool -> conv 2n -> pool -> conv 4n -> pool: 2x2x64
      -> flatten: latent 256
    latent -> the mirror image, of upsampling and transposed convolutions -> tanh, rescaled
    ```

    The convolutions, batch normalization and activations are those of `celeba_conv`. Pooling
    takes the largest of 2x2 values; upsampling repeats the nearest.

    Args:
        image_shape: `(height, width, channels)`. Height and width must be divisible by 64.
        filters: int. `n`, the feature maps of the first convolution.
        name: str.

    Returns:
        An `Autoencoder`, latent `(height / 64 * width / 64 * 4 * filters,)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    check_count("filters", filters)
    check_divisible(image_shape, 64, name)
    height, width, channels = check_known(image_shape, name)
    maps = [filters, 2 * filters, 4 * filters]
    down: list[keras.Layer] = []
    up: list[keras.Layer] = []
    for count in maps[:-1]:
        down += [*_normalized(_halve(count), "leaky_relu"), layers.MaxPooling2D(2)]
        up = [layers.UpSampling2D(2), *_normalized(_double(count), "relu"), *up]
    down += [_halve(maps[-1]), layers.MaxPooling2D(2), layers.Flatten()]
    encoder = _encoder(image_shape, down)
    unflatten = layers.Reshape((height // 64, width // 64, maps[-1]))
    last = [layers.UpSampling2D(2), _double(channels)]
    return Autoencoder(encoder, _decoder(encoder, [unflatten, *up, *last]), name=name)


def _halve(filters: int) -> keras.Layer:
    return layers.Conv2D(filters, 4, strides=2, padding="same")


def _double(filters: int) -> keras.Layer:
    return layers.Conv2DTranspose(filters, 4, strides=2, padding="same")


def _normalized(convolution: keras.Layer, activation: str) -> list[keras.Layer]:
    # With Keras's momentum of 0.99, the statistics lag behind in runs of a few hundred steps.
    return [convolution, layers.BatchNormalization(momentum=0.9), layers.Activation(activation)]


def _encoder(image_shape: ImageShape, parts: list[keras.Layer]) -> keras.Model:
    images = keras.Input(image_shape, name="images")
    features = images * 2.0 - 1.0
    for part in parts:
        features = part(features)
    return keras.Model(images, features, name="encoder")


def _decoder(encoder: keras.Model, parts: list[keras.Layer]) -> keras.Model:
    # In float32 under mixed precision too: images have finer steps than float16.
    activation = layers.Activation("tanh", dtype="float32")
    latents = features = keras.Input(encoder.output_shape[1:], name="latents")
    for part in [*parts, activation]:
        features = part(features)
    return keras.Model(latents, (features + 1.0) * 0.5, name="decoder")
