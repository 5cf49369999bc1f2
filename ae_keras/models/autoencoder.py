"""The contract of all models: an autoencoder is an encoder and a decoder."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.layers import Sampling, Standardization
from ae_keras.layers.standardization import channel_statistics
from ae_keras.layers.types import Tensor
from ae_keras.models.image_model import ImageModel, ImageShape


@keras.saving.register_keras_serializable(package="ae_keras")
class Autoencoder(ImageModel):
    """An encoder followed by a decoder.

    ```
    images in [0, 1] --encoder--> latents --decoder--> reconstructions in [0, 1]
    ```

    Both parts are functional Keras models, and so is the whole: `fit`, `evaluate`, `save`,
    `export` and `summary` are Keras's own. What a model needs before and after (standardization,
    rescaling) happens in its graph. A decoder may take a label beside the latent (see
    `ae_keras.models.conditional`); the whole then takes a pair of images and labels.

    The encoder of a variational autoencoder ends with `Sampling`, which adds to the loss.

    Args:
        encoder: keras.Model. Images to latents.
        decoder: keras.Model. Latents, or latents and labels, to images.
        name: str.

    Input shape:
        `(batch, height, width, channels)`, float32 in [0, 1]; of the labels `(batch,)`, integers.

    Output shape:
        That of the images.

    Raises:
        ValueError: if the decoder does not take what the encoder gives, or does not give back
            images of the encoder's shape.
    """

    has_latent = True

    def __init__(
        self, encoder: keras.Model, decoder: keras.Model, name: str | None = None, **kwargs: Any
    ):
        is_conditional = len(decoder.inputs) == 2
        if encoder.output_shape != tuple(decoder.inputs[0].shape):
            raise ValueError(
                "The decoder must take the encoder's output. Received: encoder output "
                f"{encoder.output_shape}, decoder input {decoder.input_shape}."
            )
        if encoder.input_shape != decoder.output_shape:
            raise ValueError(
                "The decoder must give images of the encoder's input shape. Received: encoder "
                f"input {encoder.input_shape}, decoder output {decoder.output_shape}."
            )
        inputs = images = keras.Input(batch_shape=encoder.input_shape, name="images")
        latents = encoder(images)
        if is_conditional:
            labels = keras.Input((), dtype="int32", name="labels")
            inputs, latents = [images, labels], [latents, labels]
        super().__init__(inputs=inputs, outputs=decoder(latents), name=name, **kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.is_conditional = is_conditional
        sampling = [layer for layer in encoder.layers if isinstance(layer, Sampling)]
        self._sampling: Sampling | None = sampling[0] if sampling else None

    @property
    def image_shape(self) -> ImageShape:
        """`(height, width, channels)` of the images; `None` where any size is taken."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent of one image, without the batch."""
        return tuple(self.encoder.output_shape[1:])

    @property
    def classes(self) -> int | None:
        """Number of labels that a conditional decoder knows; None if it takes none."""
        if not self.is_conditional:
            return None
        return self.decoder.get_layer("label_embedding").input_dim

    def encode(self, images: Tensor, training: bool = False) -> Tensor:
        """Return the latents of a batch of images in [0, 1]."""
        return self.encoder(images, training=training)

    def decode(
        self, latents: Tensor, labels: Tensor | None = None, training: bool = False
    ) -> Tensor:
        """Return the reconstructions, in [0, 1], of a batch of latents.

        Raises:
            ValueError: if labels are missing, or the model takes none.
        """
        if self.is_conditional != (labels is not None):
            raise ValueError(
                f"{self.name!r} {'needs' if self.is_conditional else 'takes no'} labels."
            )
        inputs = latents if labels is None else [latents, labels]
        return self.decoder(inputs, training=training)

    @property
    def is_variational(self) -> bool:
        """Whether the latents have a prior, N(0, 1), to draw from."""
        return self._sampling is not None

    def sample(
        self, count: int, labels: Sequence[int] | None = None, seed: int | None = None
    ) -> Tensor:
        """Return images decoded from latents drawn from the prior N(0, 1).

        Args:
            count: int. How many.
            labels: `count` integers, if the model is conditional.
            seed: int. Of the draw.

        Raises:
            ValueError: if the model is not variational, or labels are missing or not taken.
        """
        self._require_sampling()
        latents = keras.random.normal((count, *self.latent_shape), seed=seed)
        return self.decode(latents, None if labels is None else ops.convert_to_tensor(labels))

    def set_warmup(self, share: float) -> None:
        """Set the share of `kl_weight`, from 0 to 1, that training takes; if the model has one."""
        if self._sampling is not None:
            self._sampling.warmup.assign(share)

    def split_loss(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Return the divergence, in nats of an image, that makes up a loss beside the distortion.

        Args:
            logs: Mapping with `"loss"` and `"distortion"`, of training, and after an epoch with
                `"val_loss"` and `"val_distortion"`; as `fit` reports them if the model is compiled
                with a metric of that name.

        Returns:
            dict: `"kl"` and, after an epoch, `"val_kl"`; empty if the model is not variational.
        """
        if self._sampling is None:
            return {}
        return {
            f"{prefix}kl": (logs[f"{prefix}loss"] - logs[f"{prefix}distortion"])
            / float(self._sampling.loss_weight(training))
            for prefix, training in (("", True), ("val_", False))
            if f"{prefix}loss" in logs
        }

    def divergence(self, images: Tensor) -> Tensor:
        """Return the divergence of each image's latent from the prior, in nats.

        Raises:
            ValueError: if the model is not variational.
        """
        return self._require_sampling().divergence(*self._posterior(images))

    @functools.cached_property
    def _posterior(self) -> keras.Model:
        # Cached, and so set, behind the back of Keras, which would save it as one more part.
        return keras.Model(self.encoder.input, self._require_sampling().input)

    def _require_sampling(self) -> Sampling:
        if self._sampling is None:
            raise ValueError(f"{self.name!r} is not variational: its latents have no prior.")
        return self._sampling

    def adapt(self, images: np.ndarray) -> None:
        """Set what the `Standardization` layers work with, if the model has any.

        Args:
            images: uint8 array `(count, height, width, channels)`. The training images.
        """
        for layer in self.encoder.layers:
            if isinstance(layer, Standardization):
                layer.set_statistics(*channel_statistics(images))

    def get_config(self) -> dict[str, Any]:
        """Return the configurations of encoder and decoder."""
        return {
            "name": self.name,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "Autoencoder":
        """Build an autoencoder, with new weights, from what `get_config` returned."""
        parts = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects=custom_objects)
            for part in ("encoder", "decoder")
        }
        return cls(**parts, name=config["name"])
