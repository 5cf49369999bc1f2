"""The networks of the photo codec: images to scaled latents, and rounded latents to images."""

import keras
from keras import layers

from ae_keras.layers import (
    Clip,
    DepthToSpace,
    Gain,
    Modulation,
    Rescale,
    ResidualBlock,
    SpaceToDepth,
)
from ae_keras.layers.hyperprior import LATENT_BLOCK
from ae_keras.layers.residual import pointwise
from ae_keras.layers.types import Shape
from ae_keras.models.checks import check_blocks

# The networks see 8-bit values divided by this, so that they are about 1; so do their latents.
_UNIT = 64.0


def make_inputs(shape: Shape, name: str) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the inputs of a part: maps or images, and their positions."""
    return keras.Input(shape, name=name), keras.Input((), name="position")


def make_encoder(
    image_shape: Shape, gain: Gain, filters: int, blocks: int, channels: int, precision: str
) -> keras.Model:
    """Return the encoder, from images and positions to scaled latents.

    Args:
        image_shape: `(height, width, 3)`; `None`: any.
        gain: Gain. The layer that scales the latents.
        filters: int. Feature maps.
        blocks: int. Residual blocks.
        channels: int. Of the latents.
        precision: str. Dtype policy of the products of the pointwise layers.

    Raises:
        ValueError: if there are too many blocks.
    """
    check_blocks(blocks)
    images, position = make_inputs(image_shape, "images")
    pixels = Rescale(255.0, -127.5, dtype="float32", name="to_8_bit")(images)
    features = SpaceToDepth(8, dtype="float32")(pixels)
    features = Rescale(1 / _UNIT, dtype="float32")(features)
    features = pointwise(filters, name="encoder_first", dtype=precision)(features)
    features = Modulation(name="encoder_modulation")([features, position])
    for index in range(blocks):
        features = ResidualBlock(name=f"encoder_block_{index}", dtype=precision)(features)
    features = SpaceToDepth(2, dtype="float32")(features)
    detail = pointwise(channels, 0, name="encoder_last", dtype=precision)(features)
    detail = Rescale(_UNIT, dtype="float32")(detail)
    linear = layers.Dense(
        channels, use_bias=False, kernel_initializer="orthogonal", name="klt", dtype="float32"
    )(SpaceToDepth(LATENT_BLOCK, dtype="float32")(pixels))
    latents = gain([layers.Add(dtype="float32")([linear, detail]), position])
    return keras.Model([images, position], latents, name="encoder")


def make_decoder(latent_shape: Shape, filters: int, blocks: int, precision: str) -> keras.Model:
    """Return the decoder, from rounded latents and positions to images in [0, 1].

    Args:
        latent_shape: `(height, width, channels)`; `None`: any.
        filters: int. Feature maps.
        blocks: int. Residual blocks.
        precision: str. Dtype policy of the products of the pointwise layers.
    """
    latents, position = make_inputs(latent_shape, "latents")
    coefficients = Gain(inverse=True, name="inverse_gain", dtype="float32")([latents, position])
    features = Rescale(1 / _UNIT, dtype="float32")(coefficients)
    features = pointwise(4 * filters, name="decoder_first", dtype=precision)(features)
    features = DepthToSpace(2, dtype="float32")(features)
    features = Modulation(name="decoder_modulation")([features, position])
    for index in range(blocks):
        features = ResidualBlock(name=f"decoder_block_{index}", dtype=precision)(features)
    detail = pointwise(3 * 8**2, 0, name="decoder_last", dtype=precision)(features)
    detail = DepthToSpace(8, dtype="float32")(detail)
    detail = Rescale(_UNIT, dtype="float32")(detail)
    linear = layers.Dense(
        3 * LATENT_BLOCK**2,
        use_bias=False,
        kernel_initializer="orthogonal",
        name="inverse_klt",
        dtype="float32",
    )(coefficients)
    linear = DepthToSpace(LATENT_BLOCK, dtype="float32")(linear)
    pixels = layers.Add(dtype="float32")([linear, detail])
    images = Rescale(1 / 255, 0.5, dtype="float32", name="from_8_bit")(pixels)
    return keras.Model(
        [latents, position], Clip(dtype="float32", name="clip")(images), name="decoder"
    )
