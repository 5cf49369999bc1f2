"""A codec for photographs, with one model for all rates: `photo`.

Encoder and decoder are a linear transform of 16x16 pixels, which starts as the principal
components of the training patches, and beside it a network that corrects it and starts at zero. So
an untrained model already is a transform coder. The entropy model between them is a mean-scale
hyperprior with a checkerboard context.

The wanted quality is the second input of all parts: a *position* from 0 to 1 on the scale
of lambda (see `ae_keras.layers.quality`).
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.layers import Gain, Hyperprior
from ae_keras.layers.hyperprior import LATENT_BLOCK, sample_weights
from ae_keras.layers.types import Tensor
from ae_keras.models.checks import check_count, check_divisible
from ae_keras.models.hyperprior_networks import make_decoder, make_encoder, make_inputs
from ae_keras.models.image_model import ImageModel, ImageShape
from ae_keras.models.principal_components import principal_components
from ae_keras.models.registration import register_model
from ae_keras.recipe import Recipe
from ae_keras.system.pixels import to_uint8, to_unit_range
from ae_keras.system.quality import position_of_quality

# Height and width of an image are multiples of this: a hyper-latent stands for 64x64 pixels.
BLOCK = 4 * LATENT_BLOCK
_DEFAULT_QUALITY = 50  # where none is asked for


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
        filters: int. See `photo`, as for the next five.
        blocks: int.
        latent_channels: int.
        hyper_filters: int.
        features: int.
        hyper_channels: int.
        precision: str. Dtype policy of the pointwise layers' products; all else is float32.
        name: str.

    Input shape:
        A pair: images `(batch, height, width, 3)` in [0, 1], and positions `(batch,)` in [0, 1].

    Output shape:
        That of the images.

    Raises:
        ValueError: if an argument does not fit.
    """

    tasks: tuple[str, ...] = ("reconstruction",)
    has_latent = True
    takes_quality = True

    def __init__(
        self,
        image_shape: ImageShape,
        filters: int,
        blocks: int,
        latent_channels: int,
        hyper_filters: int,
        features: int,
        hyper_channels: int,
        precision: str = "float32",
        name: str | None = None,
        **kwargs: Any,
    ):
        settings: dict[str, Any] = {
            "filters": filters,
            "blocks": blocks,
            "latent_channels": latent_channels,
            "hyper_filters": hyper_filters,
            "features": features,
            "hyper_channels": hyper_channels,
        }
        _check(image_shape, settings, name)
        gain = Gain(name="gain", dtype="float32")
        # For any size, whatever the whole is for: photographs are validated as they are.
        any_size = (None, None, image_shape[-1])
        encoder = make_encoder(any_size, gain, filters, blocks, latent_channels, precision)
        decoder = make_decoder(encoder.output_shape[1:], filters, blocks, precision)
        entropy_model = Hyperprior(
            gain, hyper_filters, features, hyper_channels, precision, name="hyperprior"
        )
        images, position = make_inputs(image_shape, "images")
        latents = entropy_model([encoder([images, position]), position])
        super().__init__([images, position], decoder([latents, position]), name=name, **kwargs)
        self.encoder, self.decoder, self.entropy_model = encoder, decoder, entropy_model
        self._settings: dict[str, Any] = {
            "image_shape": tuple(image_shape),
            **settings,
            "precision": precision,
        }

    @property
    def image_shape(self) -> ImageShape:
        """`(height, width, 3)` of the images; `None` where any size is taken."""
        return tuple(self.input_shape[0][1:])

    @property
    def latent_shape(self) -> ImageShape:
        """Shape of the latent of one image, without the batch and without the hyper-latent."""
        height, width = (
            None if size is None else size // LATENT_BLOCK for size in self.image_shape[:2]
        )
        return height, width, self.encoder.output_shape[-1]

    def inputs_for(
        self, images: Tensor, labels: Tensor | None = None, quality: Any = None
    ) -> list[Tensor]:
        """Return `[images, positions]`.

        Args:
            images: `(batch, height, width, 3)` in [0, 1].
            labels: None.
            quality: A number from 1 to 100, or one for each image. Default: 50.

        Raises:
            ValueError: if there are labels, or the quality is out of range.
        """
        super().inputs_for(images, labels)
        position = position_of_quality(_DEFAULT_QUALITY if quality is None else quality)
        return [images, np.full(len(images), position, np.float32)]

    def encode(self, images: Tensor, position: Tensor) -> Tensor:
        """Return the scaled latents, rounded, of a batch of images in [0, 1]."""
        inputs = _to_tensors(images, position)
        rounded, _ = self.entropy_model.code(self.encoder(inputs), inputs[1])
        return rounded

    def decode(self, latents: Tensor, position: Tensor) -> Tensor:
        """Return the reconstructions, in [0, 1], of a batch of scaled latents."""
        return self.decoder(_to_tensors(latents, position))

    def analyse(self, images: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Return latents and hyper-latents, both scaled and not rounded, of a batch."""
        inputs = _to_tensors(images, position)
        latents = self.encoder(inputs)
        return latents, self.entropy_model.analyse(latents, inputs[1])

    def estimate(self, images: np.ndarray, position: Any) -> tuple[np.ndarray, np.ndarray]:
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
        padded = to_unit_range(np.pad(images, padding, mode="edge"))
        latents = self.encoder([ops.convert_to_tensor(padded), position])
        rounded, bits = self.entropy_model.code(latents, position)
        outputs = ops.convert_to_numpy(self.decoder([rounded, position]))
        pixels = to_uint8(outputs[:, :height, :width])
        return ops.convert_to_numpy(bits) / (height * width), pixels

    def adapt(self, images: np.ndarray) -> None:
        """Set the linear transform to the principal components of patches of 16x16 pixels.

        Args:
            images: uint8 array `(count, height, width, 3)`. Training images or crops of them.
        """
        channels = self.encoder.output_shape[-1]
        components, deviations = principal_components(images, LATENT_BLOCK, channels)
        self.encoder.get_layer("klt").kernel.assign(components)
        self.decoder.get_layer("inverse_klt").kernel.assign(components.T)
        self.entropy_model.log_deviation.assign(np.log(deviations))

    @staticmethod
    def weigh(position: Any) -> Any:
        """Return what `sample_weights` does."""
        return sample_weights(position)

    def split_loss(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Return the bits per pixel, a running mean, that are a part of the loss."""
        return {"bpp": float(ops.convert_to_numpy(self.entropy_model.rate))}

    def in_float32(self) -> "HyperpriorAutoencoder":
        """Return a model of the same weights whose products are float32, as files need them."""
        same = type(self)(name=self.name, **{**self._settings, "precision": "float32"})
        same.set_weights(self.get_weights())
        return same

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"name": self.name, **self._settings}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "HyperpriorAutoencoder":
        """Build a model, with new weights, from what `get_config` returned."""
        return cls(**{**config, "image_shape": tuple(config["image_shape"])})


def _to_tensors(*arrays: Tensor) -> list[Tensor]:
    """Return tensors: Keras takes no list of some tensors and some arrays."""
    return [ops.convert_to_tensor(array, "float32") for array in arrays]


def _check(image_shape: ImageShape, settings: dict[str, int], name: str | None) -> None:
    for key, value in settings.items():
        check_count(key, value)
    if settings["latent_channels"] > 3 * LATENT_BLOCK**2:
        raise ValueError(
            f"`latent_channels` must be at most 768. Received: {settings['latent_channels']}"
        )
    if len(image_shape) != 3 or image_shape[-1] != 3:
        raise ValueError(f"{name!r} takes colour images. Received: {tuple(image_shape)}")
    check_divisible(image_shape, BLOCK, str(name))


@register_model(
    # python scripts/train.py --model photo: on the photographs inside scikit-image
    recipe=Recipe(
        model="photo",
        image_shape=(128, 128, 3),
        crops={},
        steps_per_epoch=500,
        batch_size=16,
        epochs=5,
        optimizer="muon",
        optimizer_arguments={"global_clipnorm": 1.0},
        learning_rate=1e-2,
        schedule="trapezoid",
        schedule_arguments={"warmup_epochs": 0.4, "decay_epochs": 1},
        average=0.999,
        precision="mixed_bfloat16",
        parallel="across",
    ),
    search=("filters=48:128:16", "blocks=2:6"),
)
def photo(
    image_shape: ImageShape = (None, None, 3),
    filters: int = 96,
    blocks: int = 4,
    latent_channels: int = 320,
    hyper_filters: int = 128,
    features: int = 192,
    hyper_channels: int = 96,
    name: str = "photo",
) -> HyperpriorAutoencoder:
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
