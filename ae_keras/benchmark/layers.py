"""Milliseconds of a grouped convolution, forward and backward."""

import importlib.util

import numpy as np
import tensorflow as tf

from ae_keras.benchmark.timing import OURS, Alternative, take_turns
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.registry import build_model

_STEPS = 10


def benchmark_layers(name: str, batch_size: int = 128, rounds: int = 11) -> list[tuple[str, ...]]:
    """Compare each grouped layer of a model with PyTorch's, where that is installed.

    A step computes the output, and from a gradient of it those of input, kernel and bias.

    Args:
        name: str. A registered model.
        batch_size: int.
        rounds: int. Measurements of each.

    Returns:
        Rows of the layer, our milliseconds, those of PyTorch in each of two memory formats, and
        ours as a share of these.

    Raises:
        ValueError: if the model is unknown, or there are no rounds.
    """
    model = build_model(name)
    layers = [
        layer
        for part in (model.encoder, model.decoder)
        for layer in part.layers
        if isinstance(layer, GroupedConv2D | GroupedConv2DTranspose)
    ]
    return [_row(layer, batch_size, rounds) for layer in layers]


def _row(layer, batch_size, rounds) -> tuple[str, ...]:
    shape = (batch_size, *layer.input.shape[1:])
    rng = np.random.default_rng(0)
    images = rng.standard_normal(shape).astype(np.float32)
    direction = rng.standard_normal(layer.compute_output_shape(shape)).astype(np.float32)
    alternatives = {OURS: _our_layer(layer, images, direction)}
    if importlib.util.find_spec("torch"):
        alternatives |= _torch_layers(layer, images, direction)
    seconds = take_turns(alternatives, rounds)
    times = [f"{1000 * np.median(values):.2f}" for values in seconds.values()]
    others = [values for name, values in seconds.items() if name != OURS]
    ratios = [f"{np.median(seconds[OURS] / values):.2f}" for values in others]
    kind = "transposed" if isinstance(layer, GroupedConv2DTranspose) else "convolution"
    sizes = f"{shape[1]}x{shape[2]}x{shape[3]} to {'x'.join(map(str, direction.shape[1:]))}"
    return (f"{kind}, {layer.groups} groups, {sizes}", *times, *ratios)


def _our_layer(layer, images, direction) -> Alternative:
    images, direction = tf.constant(images), tf.constant(direction)
    sources = [weight.value for weight in layer.trainable_weights]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=True)
        return tape.gradient(outputs, [images, *sources], output_gradients=direction)

    return Alternative(lambda: [step() for _ in range(_STEPS)], _STEPS)


def _torch_layers(layer, images, direction) -> dict[str, Alternative]:
    import torch

    formats = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
    alternatives = {}
    for name, memory_format in formats.items():
        inputs, outputs = (
            torch.from_numpy(array.transpose(0, 3, 1, 2)).contiguous(memory_format=memory_format)
            for array in (images, direction)
        )
        twin = _torch_twin(layer).to(memory_format=memory_format)
        run = _torch_steps(twin, inputs.requires_grad_(True), outputs)
        alternatives[f"PyTorch, {name}"] = Alternative(run, _STEPS)
    return alternatives


def _torch_twin(layer):
    from torch import nn

    arguments = (layer.kernel_size, layer.strides, layer.padding)
    channels = layer.input.shape[-1]
    if isinstance(layer, GroupedConv2DTranspose):
        return nn.ConvTranspose2d(channels, layer.filters, *arguments, groups=layer.groups)
    return nn.Conv2d(channels, layer.filters, *arguments, groups=layer.groups)


def _torch_steps(twin, inputs, direction):
    def run():
        for _ in range(_STEPS):
            twin.zero_grad()
            inputs.grad = None
            twin(inputs).backward(direction)

    return run
