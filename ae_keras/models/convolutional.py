"""Convolutional autoencoders.

- `cae`: the small autoencoder of a study of CIFAR-10 compression and colourization. Three
  convolutions down to a latent of a third of the input's values, and back. A good first model:
  ten epochs take about a minute and a half on two CPU cores.
"""

import keras
from keras import layers

from ae_keras.layers import Standardization, UpsamplingConv2D
from ae_keras.models.autoencoder import Autoencoder
from ae_keras.recipe import DEFAULT_SPLITS, Recipe


def cae(image_shape=(32, 32, 3), filters=(8, 12, 16), name="cae"):
    """Build the convolutional autoencoder `cae`.

    ```
    image 32x32x3 -> standardize -> conv 8 -> pool -> conv 12 -> pool -> conv 16: latent 8x8x16
    latent -> upsample, transposed conv 12 -> upsample, transposed conv 3 -> sigmoid: image
    ```

    All kernels are 3x3 of stride 1, with ReLU between them. Each channel is
    standardized with the mean and standard deviation of the training images.

    Args:
        image_shape: `(height, width, channels)`. Height and width must be divisible by 4, or
            `None`: any such size.
        filters: Three ints. Feature maps of the convolutions; the last is the latent's.
        name: str.

    Returns:
        An `Autoencoder`, latent `(height / 4, width / 4, filters[2])`.

    Raises:
        ValueError: if the image shape or the number of `filters` does not fit.
    """
    _check_cae(image_shape, filters)
    encoder = _cae_encoder(image_shape, filters)
    decoder = _cae_decoder(encoder.output_shape[1:], filters[1], image_shape[-1])
    return Autoencoder(encoder, decoder, name=name)


def _check_cae(image_shape, filters):
    height, width, _ = image_shape
    if (height or 0) % 4 or (width or 0) % 4:
        raise ValueError(
            f"`image_shape` of 'cae' must be divisible by 4. Received: {tuple(image_shape)}"
        )
    counts = filters if isinstance(filters, list | tuple) else ()
    if len(counts) != 3 or not all(type(count) is int and count > 0 for count in counts):
        raise ValueError(f"`filters` of 'cae' must be three whole numbers. Received: {filters!r}")


def _cae_encoder(image_shape, filters):
    def convolution(maps):
        return layers.Conv2D(maps, 3, padding="same", activation="relu")

    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            Standardization(),
            convolution(filters[0]),
            layers.MaxPooling2D(2),
            convolution(filters[1]),
            layers.MaxPooling2D(2),
            convolution(filters[2]),
        ],
        name="encoder",
    )


def _cae_decoder(latent_shape, maps, channels):
    return keras.Sequential(
        [
            keras.Input(latent_shape, name="latents"),
            UpsamplingConv2D(maps, activation="relu"),
            UpsamplingConv2D(channels),
            # In float32 under mixed precision too: images have finer steps than float16.
            layers.Activation("sigmoid", dtype="float32"),
        ],
        name="decoder",
    )


RECIPES = {
    # python scripts/train.py --model cae --dataset cifar10
    "cae": Recipe(
        model="cae",
        dataset="cifar10",
        splits=DEFAULT_SPLITS,
        image_shape=(32, 32, 3),
        batch_size=16,
        epochs=10,
        learning_rate=2e-3,
        schedule="cosine",
    ),
}
