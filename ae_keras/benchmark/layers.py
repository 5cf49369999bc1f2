"""Milliseconds of a grouped convolution, forward and backward."""

import importlib.util
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ae_keras.benchmark.timing import OURS, Alternative, take_turns
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.registry import build_model

Tensor = Any


def benchmark_layers(
    name: str, batch_size: int = 128, rounds: int = 11, steps: int = 10
) -> list[tuple[str, ...]]:
    """Compare each grouped layer of a model with PyTorch's, where that is installed.

    A step computes the output, activation included, and from a gradient of it those of input,
    kernel and bias.

    Args:
        name: str. A registered model.
        batch_size: int.
        rounds: int. Measurements of each.
        steps: int. In each measurement.

    Returns:
        Rows of the layer, our milliseconds, those of PyTorch in each of two memory formats, and
        ours as a share of these.

    Raises:
        ValueError: if the model is unknown or has no such layers, or there are no rounds or images.
    """
    return [_row(layer, batch_size, rounds, steps) for layer in grouped_layers(name)]


def grouped_layers(name: str) -> list[keras.Layer]:
    """Return the grouped layers of a model, in the order of its data.

    Raises:
        ValueError: if the model is unknown, or has none.
    """
    model = build_model(name)
    layers = [
        layer
        for part in ((model.encoder, model.decoder) if model.has_latent else ())
        for layer in part.layers
        if isinstance(layer, GroupedConv2D | GroupedConv2DTranspose)
    ]
    if not layers:
        raise ValueError(f"{name!r} has no grouped layers, which are measured here.")
    return layers


def label(layer: keras.Layer) -> str:
    """Return the kind of a grouped layer, its kernel and groups, and the shapes of an image."""
    kind = "transposed" if isinstance(layer, GroupedConv2DTranspose) else "convolution"
    before, after = ("x".join(map(str, side.shape[1:])) for side in (layer.input, layer.output))
    kernel = "x".join(map(str, layer.kernel_size))
    return f"{kind} {kernel}, {layer.groups} groups, {before} to {after}"


def random_batch(layer: keras.Layer, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images for a layer, and a gradient of its output.

    Raises:
        ValueError: if the batch has no images.
    """
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be at least 1. Received: {batch_size}")
    rng = np.random.default_rng(0)
    images, direction = (
        rng.standard_normal((batch_size, *side.shape[1:])).astype(np.float32)
        for side in (layer.input, layer.output)
    )
    return images, direction


def _row(layer: keras.Layer, batch_size: int, rounds: int, steps: int) -> tuple[str, ...]:
    images, direction = random_batch(layer, batch_size)
    alternatives = {OURS: our_layer(layer, images, direction, steps)}
    if importlib.util.find_spec("torch"):
        alternatives |= _torch_layers(layer, images, direction, steps)
    seconds = take_turns(alternatives, rounds)
    times = [f"{1000 * np.median(values):.2f}" for values in seconds.values()]
    others = [values for name, values in seconds.items() if name != OURS]
    ratios = [f"{np.median(seconds[OURS] / values):.2f}" for values in others]
    return (label(layer), *times, *ratios)


def our_layer(
    layer: keras.Layer, images: np.ndarray, direction: np.ndarray, steps: int
) -> Alternative:
    """Return some steps of a layer, forward and backward, to be timed."""
    inputs, gradient = tf.constant(images), tf.constant(direction)
    sources = [weight.value for weight in layer.trainable_weights]

    def step() -> tuple[Tensor, list[Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        return outputs, tape.gradient(outputs, [inputs, *sources], output_gradients=gradient)

    # As in training, Python is left for several steps. TensorFlow would leave out an output that
    # nobody asks for.
    @tf.function
    def run() -> tuple[Tensor, list[Tensor]]:
        outputs, gradients = step()
        for _ in tf.range(steps - 1):
            outputs, gradients = step()
        return outputs, gradients

    return Alternative(run, steps)


def _torch_layers(
    layer: keras.Layer, images: np.ndarray, direction: np.ndarray, steps: int
) -> dict[str, Alternative]:
    import torch

    formats = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
    alternatives = {}
    for name, memory_format in formats.items():
        inputs, outputs = (
            torch.from_numpy(array.transpose(0, 3, 1, 2)).contiguous(memory_format=memory_format)
            for array in (images, direction)
        )
        twin = _torch_twin(layer).to(memory_format=memory_format)
        run = _torch_steps(twin, inputs.requires_grad_(True), outputs, steps)
        alternatives[f"PyTorch, {name}"] = Alternative(run, steps)
    return alternatives


def _torch_twin(layer: keras.Layer) -> Any:
    from torch import nn

    arguments = (layer.kernel_size, layer.strides, layer.padding)
    channels = layer.input.shape[-1]
    kind = nn.ConvTranspose2d if isinstance(layer, GroupedConv2DTranspose) else nn.Conv2d
    twin = kind(channels, layer.filters, *arguments, groups=layer.groups)
    if layer.activation is keras.activations.leaky_relu:
        return nn.Sequential(twin, nn.LeakyReLU(0.2))
    return twin


def _torch_steps(twin: Any, inputs: Tensor, direction: Tensor, steps: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(steps):
            twin.zero_grad()
            inputs.grad = None
            twin(inputs).backward(direction)

    return run
