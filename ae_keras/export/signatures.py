"""What an exported model computes: functions of named tensors.

```
encode        images            -> latents
decode        latents (labels)  -> reconstructions
reconstruct   images (labels)   -> reconstructions
colourize     grey              -> images
chroma        grey              -> chroma
denoise       noisy             -> images
```

Each takes what the one before gives, by its name. A model that takes a quality takes its
`position` beside images and latents, and `encode` gives `hyper_latents` too. Latents are those
before rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from ae_keras.codec.keras_transform import build_for_any_size
from ae_keras.export.plain_layers import make_plain
from ae_keras.recipe import Recipe
from ae_keras.registry import build_from_recipe

Tensor = Any
_CODEC_PARTS = ("autoencoder", "encoder", "decoder")


@dataclass(frozen=True)
class Signature:
    """A function of an exported model.

    Args:
        name: str.
        function: Callable. From tensors to a dict of them.
        inputs: tf.TensorSpec of each argument, with its name.
        weights: keras.Variable. Those that the function uses.
    """

    name: str
    function: Callable
    inputs: tuple
    weights: tuple


def rebuild(model: keras.Model, recipe: Recipe, any_size: bool) -> keras.Model:
    """Return a model with the same weights that computes in float32.

    Args:
        model: ImageModel.
        recipe: Recipe. That of the model.
        any_size: bool. Whether it is for images of any size, if it is fully convolutional.
    """
    wide = build_for_any_size(model, recipe) if model.has_latent and any_size else None
    if wide is not None:
        return wide
    # What has no latent is fully convolutional.
    is_wide = any_size and not model.has_latent
    shape = (None, None, recipe.image_shape[2]) if is_wide else recipe.image_shape
    same = build_from_recipe(recipe, model.classes, shape)
    same.set_weights(model.get_weights())
    return same


def make_signatures(
    model: keras.Model, recipe: Recipe, part: str, batch_size: int | None
) -> list[Signature]:
    """Return the functions that make up a part of a model.

    Args:
        model: ImageModel, from `rebuild`.
        recipe: Recipe. That of the model.
        part: str. `"autoencoder"`: `encode` and `decode`; `"encoder"` or `"decoder"` alone. Of a
            colourizer the whole, `colourize`, or `"chroma"`; of a denoiser the whole, `denoise`.
        batch_size: int. None: any.

    Raises:
        ValueError: if the model has no such part.
    """
    is_colourizer = "colourization" in model.tasks
    others = ("chroma",) if is_colourizer else ()
    if part not in (_CODEC_PARTS if model.has_latent else ("autoencoder", *others)):
        raise ValueError(f"{recipe.model!r} has no {part}; it is exported as a whole.")
    if is_colourizer:
        size = (None, None) if batch_size is None else recipe.image_shape[:2]
        return [_colourizer(model, part, tf.TensorSpec((batch_size, *size, 1), tf.float32, "grey"))]
    if not model.has_latent:
        return [_signature("denoise", model, "images", batch_size)]
    if model.takes_quality:
        encode = _quality_encoder(model, batch_size)
    else:
        encode = _signature("encode", model.encoder, "latents", batch_size)
    decode = _signature("decode", model.decoder, "reconstructions", batch_size)
    parts = {"autoencoder": [encode, decode], "encoder": [encode], "decoder": [decode]}
    return parts[part]


def _colourizer(model: keras.Model, part: str, grey: tf.TensorSpec) -> Signature:
    def colourize(grey: Tensor) -> dict[str, Tensor]:
        return {"images": model(grey, training=False)}

    def chroma(grey: Tensor) -> dict[str, Tensor]:
        return {"chroma": model.predict_chroma(grey)}

    function = chroma if part == "chroma" else colourize
    return Signature(function.__name__, function, (grey,), tuple(model.weights))


def _quality_encoder(model: keras.Model, batch_size: int | None) -> Signature:
    entropy_model = model.entropy_model

    def function(images: Tensor, position: Tensor) -> dict[str, Tensor]:
        latents, hyper_latents = model.analyse(images, position)
        return {"latents": latents, "hyper_latents": hyper_latents}

    used = (*entropy_model.hyper_encoder.weights, entropy_model.hyper_gains)
    specs = _specs(model.encoder, batch_size)
    return Signature("encode", function, specs, (*model.encoder.weights, *used))


def _specs(model: keras.Model, batch_size: int | None) -> tuple:
    return tuple(
        tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, tensor.name)
        for tensor in model.inputs
    )


def _signature(name: str, model: keras.Model, output: str, batch_size: int | None) -> Signature:
    plain = make_plain(model)

    def function(*tensors: Tensor) -> dict[str, Tensor]:
        inputs = list(tensors) if len(tensors) > 1 else tensors[0]
        return {output: plain(inputs, training=False)}

    return Signature(name, function, _specs(plain, batch_size), tuple(plain.weights))


def join(signatures: list[Signature]) -> Signature:
    """Return `encode` followed by `decode` as one function, `reconstruct`; another one alone."""
    if len(signatures) == 1:
        return signatures[0]
    encode, decode = signatures

    # By name: a position is an input of both.
    specs = {spec.name: spec for spec in (*encode.inputs, *decode.inputs) if spec.name != "latents"}

    def reconstruct(*tensors: Tensor) -> dict[str, Tensor]:
        values = dict(zip(specs, tensors, strict=True))
        values |= encode.function(*(values[spec.name] for spec in encode.inputs))
        return decode.function(*(values[spec.name] for spec in decode.inputs))

    weights = encode.weights + decode.weights
    return Signature("reconstruct", reconstruct, tuple(specs.values()), weights)
