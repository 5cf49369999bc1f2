"""What an exported model computes: functions of named tensors.

```
encode        images            -> latents
decode        latents (labels)  -> reconstructions
reconstruct   images (labels)   -> reconstructions
colourize     grey              -> images
```

Each takes what the one before gives, by its name.
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


@dataclass(frozen=True)
class Signature:
    """A function of an exported model.

    Args:
        name: str.
        function: Callable. From tensors to a dict of them.
        inputs: tf.TensorSpec of each argument, with its name.
        models: keras.Model. Those whose variables the function uses.
    """

    name: str
    function: Callable
    inputs: tuple
    models: tuple


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
    same = build_from_recipe(recipe, model.classes)
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
            colourizer only the whole: `colourize`.
        batch_size: int. None: any.

    Raises:
        ValueError: if the model has no such part.
    """
    if not model.has_latent:
        if part != "autoencoder":
            raise ValueError(f"{recipe.model!r} has no {part}; it is exported as a whole.")
        size = (None, None) if batch_size is None else recipe.image_shape[:2]
        grey = tf.TensorSpec((batch_size, *size, 1), tf.float32, "grey")

        def colourize(grey: Tensor) -> dict[str, Tensor]:
            return {"images": model(grey, training=False)}

        return [Signature("colourize", colourize, (grey,), (model,))]
    parts = {
        "encoder": _signature("encode", model.encoder, "latents", batch_size),
        "decoder": _signature("decode", model.decoder, "reconstructions", batch_size),
    }
    return list(parts.values()) if part == "autoencoder" else [parts[part]]


def _signature(name: str, model: keras.Model, output: str, batch_size: int | None) -> Signature:
    plain = make_plain(model)
    specs = [
        tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, tensor.name)
        for tensor in plain.inputs
    ]

    def function(*tensors: Tensor) -> dict[str, Tensor]:
        inputs = list(tensors) if len(tensors) > 1 else tensors[0]
        return {output: plain(inputs, training=False)}

    return Signature(name, function, tuple(specs), (plain,))


def join(signatures: list[Signature]) -> Signature:
    """Return `encode` followed by `decode` as one function, `reconstruct`; another one alone."""
    if len(signatures) == 1:
        return signatures[0]
    encode, decode = signatures

    def reconstruct(images: Tensor, *labels: Tensor) -> dict[str, Tensor]:
        return decode.function(encode.function(images)["latents"], *labels)

    inputs = (*encode.inputs, *decode.inputs[1:])
    return Signature("reconstruct", reconstruct, inputs, encode.models + decode.models)
