"""The contract of all models: an autoencoder is an encoder and a decoder."""

import keras

from ae_keras.layers import Standardization


@keras.saving.register_keras_serializable(package="ae_keras")
class Autoencoder(keras.Model):
    """An encoder followed by a decoder.

    ```
    images in [0, 1] --encoder--> latents --decoder--> reconstructions in [0, 1]
    ```

    Both parts are functional Keras models, and so is the whole: `fit`, `evaluate`, `save`,
    `export` and `summary` are Keras's own. What a model needs before and after (standardization,
    rescaling) happens in its graph.

    Args:
        encoder: keras.Model. Images to latents.
        decoder: keras.Model. Latents to images.
        name: str.

    Input shape:
        `(batch, height, width, channels)`, float32 in [0, 1].

    Output shape:
        The input's.

    Raises:
        ValueError: if the decoder does not take what the encoder gives, or does not give back
            images of the encoder's shape.
    """

    def __init__(self, encoder, decoder, name=None, **kwargs):
        if encoder.output_shape != decoder.input_shape:
            raise ValueError(
                "The decoder must take the encoder's output. Received: encoder output "
                f"{encoder.output_shape}, decoder input {decoder.input_shape}."
            )
        if encoder.input_shape != decoder.output_shape:
            raise ValueError(
                "The decoder must give images of the encoder's input shape. Received: encoder "
                f"input {encoder.input_shape}, decoder output {decoder.output_shape}."
            )
        images = keras.Input(batch_shape=encoder.input_shape, name="images")
        super().__init__(inputs=images, outputs=decoder(encoder(images)), name=name, **kwargs)
        self.encoder = encoder
        self.decoder = decoder

    @property
    def image_shape(self):
        """`(height, width, channels)` of the images; `None` where any size is taken."""
        return tuple(self.input_shape[1:])

    @property
    def latent_shape(self):
        """Shape of the latent of one image, without the batch."""
        return tuple(self.encoder.output_shape[1:])

    def encode(self, images, training=False):
        """Return the latents of a batch of images in [0, 1]."""
        return self.encoder(images, training=training)

    def decode(self, latents, training=False):
        """Return the reconstructions, in [0, 1], of a batch of latents."""
        return self.decoder(latents, training=training)

    def set_statistics(self, mean, variance):
        """Set what the `Standardization` layers work with, if the model has any.

        Args:
            mean: Sequence of float. Mean of each channel over the training images, in [0, 1].
            variance: Sequence of float. Variance of each channel.
        """
        for layer in self.encoder.layers:
            if isinstance(layer, Standardization):
                layer.set_statistics(mean, variance)

    def get_config(self):
        """Return the configurations of encoder and decoder."""
        return {
            "name": self.name,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build an autoencoder, with new weights, from what `get_config` returned."""
        parts = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects=custom_objects)
            for part in ("encoder", "decoder")
        }
        return cls(**parts, name=config["name"])
