"""The encoder and the decoder of a Keras model as those of a codec."""

import hashlib
import threading

import keras
import numpy as np

from ae_keras.codec.transform import ModelTransform
from ae_keras.models.image_model import ImageModel
from ae_keras.recipe import Recipe
from ae_keras.registry import build_from_recipe


def check_has_latent(model: ImageModel, name: str) -> None:
    """Raise `ValueError` if a model has no latent, and so is no codec."""
    if not model.has_latent:
        raise ValueError(f"{name!r} has no latent that stands for an image.")


def make_keras_transform(
    model: ImageModel, recipe: Recipe
) -> "KerasTransform | KerasQualityTransform":
    """Return the encoder and decoder of a model.

    Raises:
        ValueError: if it has no latent.
    """
    return KerasQualityTransform(model) if model.takes_quality else KerasTransform(model, recipe)


class KerasTransform(ModelTransform):
    """The encoder and decoder of an autoencoder on arrays.

    Args:
        model: Autoencoder.
        recipe: Recipe. That of the model, to build it for images of any size if it takes them.

    Raises:
        ValueError: if the model has no latent.
    """

    def __init__(self, model: ImageModel, recipe: Recipe):
        check_has_latent(model, recipe.model)
        wide = build_for_any_size(model, recipe)
        super().__init__(model.image_shape, model.latent_shape, wide is not None, model.classes)
        self._model = wide or model
        self._lock = threading.Lock()  # Keras promises nothing of several threads
        if keras.config.backend() == "tensorflow":
            # XLA slows convolutions on a CPU, and would compile again for every size.
            self._model.encoder.jit_compile = self._model.decoder.jit_compile = False

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the latents, float32, of tiles in [0, 1]."""
        with self._lock:
            return np.asarray(self._model.encoder.predict_on_batch(images), np.float32)

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the tiles, float32 in [0, 1], of latents; a conditional model needs labels."""
        inputs = latents if labels is None else [latents, labels]
        with self._lock:
            return np.asarray(self._model.decoder.predict_on_batch(inputs), np.float32)


class KerasQualityTransform:
    """Encoder, hyper encoder and decoder of a model that takes a quality, on arrays.

    Args:
        model: HyperpriorAutoencoder.
    """

    def __init__(self, model: ImageModel):
        model = model.in_float32()
        self.channels = model.image_shape[-1]
        inputs = model.encoder.inputs
        latents = model.encoder(inputs)
        hyper_latents = model.entropy_model.analyse(latents, inputs[1])
        self._encoder = keras.Model(inputs, [latents, hyper_latents])
        self._decoder = model.decoder
        self._lock = threading.Lock()  # see above
        if keras.config.backend() == "tensorflow":
            self._encoder.jit_compile = self._decoder.jit_compile = False

    def analyse(self, images: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return latents and hyper-latents, float32 and not rounded."""
        with self._lock:
            latents, hyper_latents = self._encoder.predict_on_batch([images, positions])
        return np.asarray(latents), np.asarray(hyper_latents)

    def synthesize(self, latents: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Return the images, float32 in [0, 1], of known latents."""
        inputs = [latents.astype(np.float32), positions]
        with self._lock:
            return np.asarray(self._decoder.predict_on_batch(inputs))


def build_for_any_size(model: ImageModel, recipe: Recipe) -> ImageModel | None:
    """Return an autoencoder for images of any size, or None if it is not fully convolutional."""
    height, width, channels = model.image_shape
    try:
        wide = build_from_recipe(recipe, model.classes, (None, None, channels))
    except (ValueError, TypeError):  # what a builder raises that needs to know the size
        return None
    large = (1, 2 * height, 2 * width, channels)
    twice = wide.encoder.compute_output_shape([large, (1,)] if wide.takes_quality else large)
    shape = model.latent_shape
    if tuple(twice[1:]) != (2 * shape[0], 2 * shape[1], shape[2]):
        return None
    wide.set_weights(model.get_weights())
    return wide


def digest_weights(model: ImageModel) -> str:
    """Return a digest of the values of all weights of a model, as a hexadecimal text."""
    checksum = hashlib.sha256()
    for weight in model.get_weights():
        checksum.update(repr(weight.shape).encode())
        checksum.update(np.ascontiguousarray(weight, "<f4").tobytes())
    return checksum.hexdigest()[:16]
