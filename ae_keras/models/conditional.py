"""Decoders that are told the label of the image: one mechanism for every model."""

import keras
from keras import layers

from ae_keras.models.autoencoder import Autoencoder
from ae_keras.models.checks import check_count
from ae_keras.models.image_model import ImageModel


def make_conditional(model: ImageModel, classes: int) -> Autoencoder:
    """Return a model whose decoder takes the label of the image beside the latent.

    An embedding gives each label a value for each channel of the latent, which is added to the
    latent before it is decoded: at every pixel, if the latent has pixels. The encoder is not
    changed, so the latent need not tell what the label does.

    Args:
        model: Autoencoder, not conditional. Its encoder and decoder become parts of the new one.
        classes: int. Number of labels.

    Returns:
        An `Autoencoder` of `[images, labels]`.

    Raises:
        ValueError: if `classes` is not a whole number of at least 1, or the model is not
            an `Autoencoder`.
    """
    check_count("classes", classes)
    if not isinstance(model, Autoencoder):
        raise ValueError(f"{model.name!r} takes no labels.")
    latents = keras.Input(model.latent_shape, name="latents")
    labels = keras.Input((), dtype="int32", name="labels")
    *pixels, channels = model.latent_shape
    condition = layers.Embedding(classes, channels, name="label_embedding")(labels)
    condition = layers.Reshape((*(1 for _ in pixels), channels))(condition)
    images = model.decoder(layers.Add()([latents, condition]))
    decoder = keras.Model([latents, labels], images, name="conditional_decoder")
    return Autoencoder(model.encoder, decoder, name=model.name)
