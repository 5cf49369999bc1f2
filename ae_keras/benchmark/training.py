"""Images a second in training."""

import importlib.util
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.benchmark.timing import OURS, Alternative, compare, take_turns
from ae_keras.data.batches import make_batches
from ae_keras.data.images import Images, load_images
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.models.autoencoder import Autoencoder
from ae_keras.recipe import Recipe
from ae_keras.registry import build_from_recipe, recipe_for
from ae_keras.system.pixels import to_unit_range
from ae_keras.training.compilation import compile_model

Tensor = Any

# For Keras's own grouped convolutions, which take seconds a step.
_FEW_STEPS = 1


def benchmark_training(
    name: str, batch_size: int = 128, steps: int = 25, rounds: int = 11
) -> list[tuple[str, str, str]]:
    """Compare our training with plain Keras and, where it is installed, with PyTorch.

    Plain Keras is `fit` with its defaults on the same model and the same images as a NumPy array
    of float32; for a model with grouped convolutions, a second one has those of Keras, and for
    the transposed ones of a group each, as Keras has none. PyTorch trains the same architecture,
    once in each of two memory formats; where it is not installed, or we have no such model for
    it, its rows are missing.

    Args:
        name: str. A registered model.
        batch_size: int.
        steps: int. Batches in each measurement.
        rounds: int. Measurements of each.

    Returns:
        Rows of the alternative, images a second, and our speed as a multiple of its.

    Raises:
        ValueError: if the model is unknown or no autoencoder, or there are no rounds.
    """
    recipe = recipe_for(name, "skimage", batch_size=batch_size)
    model = build_from_recipe(recipe)
    if not isinstance(model, Autoencoder):
        raise ValueError(f"{name!r} is no autoencoder, which alone can be compared.")
    images = np.resize(
        load_images(recipe.data_spec, ["train"])["train"].images,
        (batch_size * steps, *recipe.image_shape),
    )
    alternatives = {
        OURS: our_training(recipe, images),
        "Keras fit, its defaults": _plain_keras(model, recipe, images),
    }
    if any(isinstance(layer, GroupedConv2D) for layer in model.encoder.layers):
        few = images[: batch_size * min(steps, _FEW_STEPS)]
        native = with_native_groups(model)
        alternatives["Keras fit, its grouped convolutions"] = _plain_keras(native, recipe, few)
    alternatives |= _torch_trainings(name, images, batch_size)
    return compare(take_turns(alternatives, rounds))


def our_training(recipe: Recipe, images: np.ndarray) -> Alternative:
    """Return an epoch of a recipe's training on uint8 images, to be timed."""
    data = Images(images)
    model, batches = compile_model(recipe, data), make_batches(data, recipe.batch_spec)
    return Alternative(
        lambda: model.fit(batches.training(epoch=0), shuffle=False, verbose=0), len(images)
    )


def _plain_keras(model: Autoencoder, recipe: Recipe, images: np.ndarray) -> Alternative:
    model.compile(keras.optimizers.Adam(recipe.learning_rate), recipe.loss)
    floats = to_unit_range(images)
    return Alternative(
        lambda: model.fit(floats, floats, batch_size=recipe.batch_size, verbose=0), len(images)
    )


class _NativeConv2D(GroupedConv2D):
    """What a user of Keras would write: padding, and `Conv2D` with groups."""

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        rows, columns = self.padding
        padded = ops.pad(inputs, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
        outputs = ops.conv(padded, self.kernel, self.strides, "valid")
        return self.activation(outputs + self.bias)


class _NativeConv2DTranspose(GroupedConv2DTranspose):
    """What a user of Keras would write: a transposed convolution for each group."""

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        outputs = ops.concatenate(
            [
                ops.conv_transpose(images, kernel, self.strides, "valid")
                for images, kernel in zip(
                    ops.split(inputs, self.groups, axis=-1),
                    ops.split(self.kernel, self.groups, axis=-1),
                    strict=True,
                )
            ],
            axis=-1,
        )
        (top, left), (height, width) = self.padding, self.compute_output_shape(inputs.shape)[1:3]
        return self.activation(outputs[:, top : top + height, left : left + width] + self.bias)


def with_native_groups(model: Autoencoder) -> Autoencoder:
    """Return the same model, its grouped layers computed as Keras does; its weights are new."""
    native: dict[type, Any] = {
        GroupedConv2D: _NativeConv2D,
        GroupedConv2DTranspose: _NativeConv2DTranspose,
    }

    def swap(layer: keras.Layer) -> keras.Layer:
        kind = native.get(type(layer), type(layer))
        return kind.from_config(layer.get_config())

    encoder, decoder = (
        keras.models.clone_model(part, clone_function=swap)
        for part in (model.encoder, model.decoder)
    )
    return Autoencoder(encoder, decoder)


def _torch_trainings(name: str, images: np.ndarray, batch_size: int) -> dict[str, Alternative]:
    if not importlib.util.find_spec("torch"):
        return {}
    import torch

    from ae_keras.benchmark.torch_models import LOSSES

    if name not in LOSSES:
        return {}
    layouts = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
    floats = torch.from_numpy(images.astype(np.float32).transpose(0, 3, 1, 2) / 255)
    return {
        f"PyTorch, {layout}": _torch_training(LOSSES[name](), floats, batch_size, memory_format)
        for layout, memory_format in layouts.items()
    }


def _torch_training(loss: Any, floats: Tensor, batch_size: int, memory_format: Any) -> Alternative:
    import torch

    floats = floats.contiguous(memory_format=memory_format)
    loss = loss.to(memory_format=memory_format)
    optimizer = torch.optim.Adam(loss.parameters())

    def epoch() -> None:
        for batch in torch.split(floats, batch_size):
            optimizer.zero_grad()
            loss(batch).backward()
            optimizer.step()

    return Alternative(epoch, len(floats))
