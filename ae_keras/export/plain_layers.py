"""Layers as runtimes of exported models like them: plain convolutions with ready kernels.

What our layers make of their kernels in each call is worked out here, once. A grouped convolution
becomes the runtime's own, which is many times faster there than what is fastest in training; its
transpose, which runtimes lack, becomes a grouped convolution whose outputs are blocks of pixels.
The pooling of a whole image becomes a mean, because in integers pooling keeps the scale of its
inputs, which is too coarse for means.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose, UpsamplingConv2D

Tensor = Any
Convolve = Callable[[Tensor, Tensor], Tensor]


def make_plain(model: keras.Model) -> keras.Model:
    """Return a functional model that computes what another does, with plain layers.

    Layers that are plain already belong to both.
    """
    return keras.models.clone_model(model, clone_function=_plain_layer)


def _plain_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, keras.Model):
        return make_plain(layer)
    makers = {
        GroupedConv2D: _plain_convolution,
        GroupedConv2DTranspose: _plain_transpose,
        UpsamplingConv2D: _plain_upsampling,
    }
    if type(layer) in makers:
        return _PlainLayer(layer, *makers[type(layer)](layer), name=layer.name)
    if isinstance(layer, keras.layers.AveragePooling2D) and (
        tuple(layer.pool_size) == tuple(layer.input.shape[1:3])
    ):
        return keras.layers.GlobalAveragePooling2D(keepdims=True, name=layer.name)
    return layer


class _PlainLayer(keras.layers.Layer):
    """A convolution in place of a layer whose bias and activation it takes.

    Args:
        layer: keras.Layer.
        kernel: Array. What is made of the layer's kernel.
        convolve: Callable. From images and the kernel to their convolution.
    """

    def __init__(
        self, layer: keras.layers.Layer, kernel: Tensor, convolve: Convolve, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self._bias, self._activation, self._convolve = layer.bias, layer.activation, convolve
        self._kernel = self.add_weight(kernel.shape, "zeros", name="plain_kernel")
        self._kernel.assign(kernel)

    def call(self, inputs: Tensor) -> Tensor:
        outputs = self._convolve(inputs, self._kernel)
        if self._bias is not None:
            outputs = tf.nn.bias_add(outputs, self._bias)
        return self._activation(outputs)


def _plain_convolution(layer: GroupedConv2D) -> tuple[Tensor, Convolve]:
    def convolve(images: Tensor, kernel: Tensor) -> Tensor:
        axes = layer.axes(images.shape)
        if all(axis.is_same for axis in axes):
            return tf.nn.conv2d(images, kernel, layer.strides, "SAME")
        images = tf.pad(images, [(0, 0), *((axis.before, axis.after) for axis in axes), (0, 0)])
        return tf.nn.conv2d(images, kernel, layer.strides, "VALID")

    return layer.kernel, convolve


def _plain_upsampling(layer: UpsamplingConv2D) -> tuple[Tensor, Convolve]:
    def convolve(images: Tensor, kernel: Tensor) -> Tensor:
        return keras.ops.conv_transpose(images, kernel, strides=2, padding="same")

    return layer.transposed_kernel(), convolve


def _plain_transpose(layer: GroupedConv2DTranspose) -> tuple[Tensor, Convolve]:
    """Make the transposed convolution one whose outputs are blocks of `strides` pixels.

    Pixel `m * stride + r` of the uncropped output is the sum over `a` of the input's pixel `m - a`
    times tap `a * stride + r`: a convolution for each `r`, with every `stride`-th tap, mirrored.
    """
    axes = layer.axes((None, None, None, None))
    reach = [-(-max(axis.kernel, axis.kernel - axis.after) // axis.stride) for axis in axes]
    rows, columns = (
        slice(axis.before, axis.kernel - axis.after - taps * axis.stride or None)
        for axis, taps in zip(axes, reach, strict=True)
    )

    def convolve(images: Tensor, kernel: Tensor) -> Tensor:
        images = tf.pad(images, [(0, 0), *((taps - 1, taps - 1) for taps in reach), (0, 0)])
        blocks = tf.nn.conv2d(images, kernel, 1, "VALID")
        return _unfold(blocks, layer.strides, layer.groups)[:, rows, columns]

    kernel = keras.ops.convert_to_numpy(layer.kernel)
    return _block_kernel(kernel, reach, layer.strides, layer.groups), convolve


def _block_kernel(
    kernel: np.ndarray, reach: Sequence[int], strides: Sequence[int], groups: int
) -> np.ndarray:
    """Return `(*reach, small, groups * rows * columns * big)` of `(height, width, big, small)`."""
    big, small = kernel.shape[2], kernel.shape[3] // groups
    lacking = [
        (0, taps * stride - size)
        for taps, stride, size in zip(reach, strides, kernel.shape[:2], strict=True)
    ]
    kernel = np.pad(kernel, [*lacking, (0, 0), (0, 0)])
    kernel = kernel.reshape(reach[0], strides[0], reach[1], strides[1], big, groups, small)
    kernel = kernel[::-1, :, ::-1].transpose(0, 2, 6, 5, 1, 3, 4)
    return kernel.reshape(*reach, small, -1)


def _unfold(blocks: Tensor, strides: Sequence[int], groups: int) -> Tensor:
    """Return the pixels of blocks `(batch, height, width, groups * rows * columns * maps)`."""
    height, width = (blocks.shape[axis] or tf.shape(blocks)[axis] for axis in (1, 2))
    rows, columns = strides
    maps = blocks.shape[3] // (groups * rows * columns)
    if groups > 1:  # the groups of a pixel are its channels
        blocks = tf.reshape(blocks, (-1, groups, rows * columns, maps))
        blocks = tf.transpose(blocks, (0, 2, 1, 3))
    lines = tf.reshape(blocks, (-1, width, rows, columns * groups * maps))
    lines = tf.transpose(lines, (0, 2, 1, 3))
    return tf.reshape(lines, (-1, height * rows, width * columns, groups * maps))
