"""A codec for photographs, with one model for all rates: `photo`.

Encoder and decoder are a linear transform of 16x16 pixels, which starts as the principal
components of the training patches, and beside it a network that corrects it and starts at zero. So
an untrained model already is a transform coder. The entropy model between them is a mean-scale
hyperprior with a checkerboard context.

The wanted quality is the second input of all parts: a *position* from 0 to 1 on the scale
of lambda (see `ae_keras.layers.quality`).
"""

import keras
import numpy as np
from keras import layers, ops

from ae_keras.layers.clipping import Clip
from ae_keras.layers.depth_to_space import DepthToSpace, SpaceToDepth
from ae_keras.layers.hyperprior import LATENT_BLOCK, Hyperprior, loss_weight
from ae_keras.layers.quality import Gain, Modulation, lambda_of_position
from ae_keras.layers.residual import ResidualBlock, pointwise
from ae_keras.models.checks import check_count, check_divisible
from ae_keras.models.image_model import ImageModel

# Height and width of an image are multiples of this: a hyper-latent stands for 64x64 pixels.
BLOCK = 4 * LATENT_BLOCK
# The network sees 8-bit values divided by this, so that they are about 1; so do its latents.
_UNIT = 64.0
# Patches of training images that the principal components are found from.
_PATCHES = 2**18


def photo(
    image_shape=(None, None, 3),
    filters=96,
    blocks=4,
    latent_channels=320,
    hyper_filters=128,
    features=192,
    hyper_channels=96,
    name="photo",
):
    """Build the photo codec's model.

    ```
    image -> space to depth 8 -> Dense -> modulation -> blocks -> space to depth 2 -> Dense --+
      `----> space to depth 16 -> Dense (principal components) ------------------------- add -> gain
      -> hyperprior: rounded latents -> inverse gain
      -> Dense -> depth to space 2 -> modulation -> blocks -> Dense -> depth to space 8 --+
      `----> Dense (principal components) -> depth to space 16 ---------------------- add -> image
    ```

    Call `adapt` with training images before training: it sets the principal components.

    Args:
        image_shape: `(height, width, 3)`, divisible by 64; `None`: any.
        filters: int. Feature maps of encoder and decoder.
        blocks: int. Residual blocks of each.
        latent_channels: int. Channels of the latents, at most 768.
        hyper_filters: int. Feature maps of hyper encoder and hyper decoder.
        features: int. Feature maps that means and scales are predicted from.
        hyper_channels: int. Channels of the hyper-latents.
        name: str.

    Returns:
        A `HyperpriorAutoencoder` of `[images, positions]`, with products in the global precision.

    Raises:
        ValueError: if an argument does not fit.
    """
    return HyperpriorAutoencoder(
        image_shape, filters, blocks, latent_channels, hyper_filters, features, hyper_channels,
        precision=keras.config.dtype_policy().name, name=name,
    )  # fmt: skip


def sample_weights(position):
    """Return the weights `(batch, 1, 1)` of the squared errors, in [0, 1], in the loss.

    With them, Keras's `"mse"` is `weight * lambda * 255**2 * MSE`, where `weight` is that of the
    rate too. Two axes of length 1 stand for height and width: Keras multiplies the errors of pixels
    by weights as NumPy would.

    Args:
        position: Array `(batch,)` in [0, 1].
    """
    return (loss_weight(position) * lambda_of_position(position) * 255**2)[:, None, None]


@keras.saving.register_keras_serializable(package="ae_keras")
class HyperpriorAutoencoder(ImageModel):
    """An encoder, a hyperprior that rounds the latents and knows their rate, and a decoder.

    ```
    [images in [0, 1], positions] --encoder--> scaled latents --entropy_model--> rounded latents
      --decoder, with positions--> reconstructions in [0, 1]
    ```

    The loss is `weight * (bits per pixel + lambda * 255**2 * MSE)`, where lambda and the weight are
    those of each image's position: compile with `"mse"` and give `sample_weights(position)`.

    Args:
        image_shape: `(height, width, 3)`; `None`: any.
        filters, blocks, latent_channels, hyper_filters, features, hyper_channels: see `photo`.
        precision: str. Dtype policy of the products of the networks' pointwise layers. All else,
            the linear transform and the rates too, is float32.
        name: str.

    Input shape:
        A pair: images `(batch, height, width, 3)` in [0, 1], and positions `(batch,)` in [0, 1].

    Output shape:
        That of the images.

    Raises:
        ValueError: if an argument does not fit.
    """

    tasks = ("reconstruction",)

    def __init__(
        self,
        image_shape,
        filters,
        blocks,
        latent_channels,
        hyper_filters,
        features,
        hyper_channels,
        precision="float32",
        name=None,
        **kwargs,
    ):
        settings = {
            "filters": filters,
            "blocks": blocks,
            "latent_channels": latent_channels,
            "hyper_filters": hyper_filters,
            "features": features,
            "hyper_channels": hyper_channels,
        }
        _check(image_shape, settings, name)
        gain = Gain(name="gain", dtype="float32")
        encoder = _encoder(image_shape, gain, filters, blocks, latent_channels, precision)
        decoder = _decoder(encoder.output_shape[1:], filters, blocks, precision)
        entropy_model = Hyperprior(
            gain, hyper_filters, features, hyper_channels, precision, name="hyperprior"
        )
        images, position = _inputs(image_shape, "images")
        latents = entropy_model([encoder([images, position]), position])
        super().__init__([images, position], decoder([latents, position]), name=name, **kwargs)
        self.encoder, self.decoder, self.entropy_model = encoder, decoder, entropy_model
        self._settings = {"image_shape": tuple(image_shape), **settings, "precision": precision}

    @property
    def image_shape(self):
        """`(height, width, 3)` of the images; `None` where any size is taken."""
        return tuple(self.encoder.input_shape[0][1:])

    def analyse(self, images, position):
        """Return latents and hyper-latents, both scaled and not rounded, of a batch."""
        latents = self.encoder([images, position])
        return latents, self.entropy_model.analyse(latents, position)

    def estimate(self, images, position):
        """Return what coding images would give.

        Args:
            images: uint8 array `(count, height, width, 3)`, of any size. The right and lower
                borders are repeated up to a multiple of 64 pixels.
            position: float or array `(count,)` in [0, 1].

        Returns:
            Bits per pixel of each image, as estimated by the entropy model, and the
            reconstructions, uint8.
        """
        images = np.asarray(images)
        count, height, width, _ = images.shape
        position = ops.convert_to_tensor(np.full(count, position, "float32"))
        padding = ((0, 0), (0, -height % BLOCK), (0, -width % BLOCK), (0, 0))
        padded = np.pad(images, padding, mode="edge").astype("float32") / 255
        latents = self.encoder([ops.convert_to_tensor(padded), position])
        rounded, bits = self.entropy_model.code(latents, position)
        outputs = ops.convert_to_numpy(self.decoder([rounded, position]))
        pixels = np.round(255 * outputs[:, :height, :width]).astype(np.uint8)
        return ops.convert_to_numpy(bits) / (height * width), pixels

    def adapt(self, images):
        """Set the linear transform to the principal components of patches of 16x16 pixels.

        Args:
            images: uint8 array `(count, height, width, 3)`. Training images or crops of them.
        """
        channels = self.encoder.output_shape[-1]
        values, vectors = np.linalg.eigh(np.cov(_patches(images), rowvar=False))
        components = vectors[:, ::-1][:, :channels]
        deviations = np.sqrt(np.maximum(values[::-1][:channels], 1e-4))
        self.encoder.get_layer("klt").kernel.assign(components)
        self.decoder.get_layer("inverse_klt").kernel.assign(components.T)
        self.entropy_model.log_deviation.assign(np.log(deviations))

    def get_config(self):
        """Return the arguments."""
        return {"name": self.name, **self._settings}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build a model, with new weights, from what `get_config` returned."""
        return cls(**{**config, "image_shape": tuple(config["image_shape"])})


def _check(image_shape, settings, name):
    for key, value in settings.items():
        check_count(key, value)
    if settings["latent_channels"] > 3 * LATENT_BLOCK**2:
        raise ValueError(
            f"`latent_channels` must be at most 768. Received: {settings['latent_channels']}"
        )
    if len(image_shape) != 3 or image_shape[-1] != 3:
        raise ValueError(f"{name!r} takes colour images. Received: {tuple(image_shape)}")
    check_divisible(image_shape, BLOCK, name)


def _inputs(shape, name):
    return keras.Input(shape, name=name), keras.Input((), name="position")


def _encoder(image_shape, gain, filters, blocks, channels, precision):
    images, position = _inputs(image_shape, "images")
    pixels = layers.Rescaling(255.0, -127.5, dtype="float32", name="to_8_bit")(images)
    features = SpaceToDepth(8, dtype="float32")(pixels)
    features = layers.Rescaling(1 / _UNIT, dtype="float32")(features)
    features = pointwise(filters, name="encoder_first", dtype=precision)(features)
    features = Modulation(name="encoder_modulation")([features, position])
    for index in range(blocks):
        features = ResidualBlock(name=f"encoder_block_{index}", dtype=precision)(features)
    features = SpaceToDepth(2, dtype="float32")(features)
    detail = pointwise(channels, 0, name="encoder_last", dtype=precision)(features)
    detail = layers.Rescaling(_UNIT, dtype="float32")(detail)
    linear = layers.Dense(
        channels, use_bias=False, kernel_initializer="orthogonal", name="klt", dtype="float32"
    )(SpaceToDepth(LATENT_BLOCK, dtype="float32")(pixels))
    latents = gain([layers.Add(dtype="float32")([linear, detail]), position])
    return keras.Model([images, position], latents, name="encoder")


def _decoder(latent_shape, filters, blocks, precision):
    latents, position = _inputs(latent_shape, "latents")
    coefficients = Gain(inverse=True, name="inverse_gain", dtype="float32")([latents, position])
    features = layers.Rescaling(1 / _UNIT, dtype="float32")(coefficients)
    features = pointwise(4 * filters, name="decoder_first", dtype=precision)(features)
    features = DepthToSpace(2, dtype="float32")(features)
    features = Modulation(name="decoder_modulation")([features, position])
    for index in range(blocks):
        features = ResidualBlock(name=f"decoder_block_{index}", dtype=precision)(features)
    detail = pointwise(3 * 8**2, 0, name="decoder_last", dtype=precision)(features)
    detail = DepthToSpace(8, dtype="float32")(detail)
    detail = layers.Rescaling(_UNIT, dtype="float32")(detail)
    linear = layers.Dense(
        3 * LATENT_BLOCK**2,
        use_bias=False,
        kernel_initializer="orthogonal",
        name="inverse_klt",
        dtype="float32",
    )(coefficients)
    linear = DepthToSpace(LATENT_BLOCK, dtype="float32")(linear)
    pixels = layers.Add(dtype="float32")([linear, detail])
    images = layers.Rescaling(1 / 255, 0.5, dtype="float32", name="from_8_bit")(pixels)
    return keras.Model(
        [latents, position], Clip(dtype="float32", name="clip")(images), name="decoder"
    )


def _patches(images):
    """Return patches of 16x16 pixels, flat, as 8-bit values; at most 2**18 of them."""
    images = np.asarray(images)
    count, height, width, channels = images.shape
    rows, columns = height // LATENT_BLOCK, width // LATENT_BLOCK
    images = images[:, : rows * LATENT_BLOCK, : columns * LATENT_BLOCK]
    blocks = images.reshape(count, rows, LATENT_BLOCK, columns, LATENT_BLOCK, channels)
    patches = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(count * rows * columns, -1)
    step = -(-len(patches) // _PATCHES)
    return patches[::step].astype(np.float32)
