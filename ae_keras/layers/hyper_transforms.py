"""The networks of the hyperprior: `HyperEncoder`, `HyperDecoder` and `CheckerboardContext`.

They hold nothing but pointwise and depthwise layers, LeakyReLU, asinh of latents and one
modulation, so that the two that a decoder runs can be computed in fixed point.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from ae_keras.layers.depth_to_space import DepthToSpace, SpaceToDepth
from ae_keras.layers.quality import Modulation
from ae_keras.layers.residual import ResidualBlock, depthwise, leaky_relu, pointwise
from ae_keras.layers.types import Shape, Tensor


def arcsinh(values: Tensor) -> Tensor:
    """Return the inverse hyperbolic sine, in a form that trains three times as fast on a CPU."""
    distances = ops.abs(values)
    return ops.sign(values) * ops.log(distances + ops.sqrt(ops.square(distances) + 1))


@keras.saving.register_keras_serializable(package="ae_keras")
class HyperEncoder(layers.Layer):
    """Latents to hyper-latents, at a quarter of the resolution.

    ```
    asinh -> first: Dense -> modulation -> block
      -> space to depth 2 -> second: Dense -> block -> space to depth 2 -> last: Dense
    ```

    Args:
        filters: int. Feature maps.
        channels: int. Channels of the hyper-latents.

    Input shape:
        A pair: scaled latents `(batch, height, width, latent channels)`, height and width
        divisible by 4, and positions `(batch,)` in [0, 1].

    Output shape:
        `(batch, height / 4, width / 4, channels)`.
    """

    def __init__(self, filters: int = 128, channels: int = 96, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        self.filters, self.channels = filters, channels

    def build(self, input_shape: Shape) -> None:
        """Create the layers."""
        latents, position = input_shape
        dtype, filters = self.dtype_policy, self.filters
        maps, wide = (None, None, None, filters), (None, None, None, 4 * filters)
        self.first = pointwise(filters, name="first", dtype=dtype)
        self.modulation = Modulation(name="modulation")
        self.first_block = ResidualBlock(name="first_block", dtype=dtype)
        self.to_depth = SpaceToDepth(2, name="to_depth", dtype="float32")
        self.second = pointwise(filters, name="second", dtype=dtype)
        self.second_block = ResidualBlock(name="second_block", dtype=dtype)
        self.last = pointwise(self.channels, name="last", dtype=dtype)
        self.first.build(latents)
        self.modulation.build([maps, position])
        self.first_block.build(maps)
        self.second.build(wide)
        self.second_block.build(maps)
        self.last.build(wide)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the hyper-latents, not yet scaled."""
        latents, position = inputs
        features = self.modulation([self.first(arcsinh(latents)), position])
        features = self.second(self.to_depth(self.first_block(features)))
        return self.last(self.to_depth(self.second_block(features)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        batch, height, width, _ = input_shape[0]
        return (batch, height and height // 4, width and width // 4, self.channels)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "filters": self.filters, "channels": self.channels}


@keras.saving.register_keras_serializable(package="ae_keras")
class HyperDecoder(layers.Layer):
    """Hyper-latents to features from which the latents' means and scales are predicted.

    ```
    first: Dense -> depth to space 2 -> block
      -> second: Dense -> depth to space 2 -> modulation -> block
    ```

    Args:
        filters: int. Feature maps at half of the latents' resolution.
        features: int. Feature maps of the output.

    Input shape:
        A pair: `(batch, height, width, channels)`, and positions `(batch,)` in [0, 1].

    Output shape:
        `(batch, 4 * height, 4 * width, features)`.
    """

    def __init__(self, filters: int = 128, features: int = 192, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        self.filters, self.features = filters, features

    def build(self, input_shape: Shape) -> None:
        """Create the layers."""
        dtype, filters, features = self.dtype_policy, self.filters, self.features
        maps, last_maps = (None, None, None, filters), (None, None, None, features)
        self.first = pointwise(4 * filters, name="first", dtype=dtype)
        self.first_block = ResidualBlock(name="first_block", dtype=dtype)
        self.to_space = DepthToSpace(2, name="to_space", dtype="float32")
        self.second = pointwise(4 * features, name="second", dtype=dtype)
        self.modulation = Modulation(name="modulation")
        self.second_block = ResidualBlock(name="second_block", dtype=dtype)
        self.first.build(input_shape[0])
        self.first_block.build(maps)
        self.second.build(maps)
        self.modulation.build([last_maps, input_shape[1]])
        self.second_block.build(last_maps)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the features."""
        hyper_latents, position = inputs
        features = self.first_block(self.to_space(self.first(hyper_latents)))
        features = self.to_space(self.second(features))
        return self.second_block(self.modulation([features, position]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        batch, height, width, _ = input_shape[0]
        return (batch, height and 4 * height, width and 4 * width, self.features)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "filters": self.filters, "features": self.features}


@keras.saving.register_keras_serializable(package="ae_keras")
class CheckerboardContext(layers.Layer):
    """Corrections of means and scales, where latents around each place are known.

    `last(leaky(depthwise(leaky(first(features, asinh(known))))))`. It starts at zero.

    Args:
        units: int. Channels of the corrections.

    Input shape:
        A pair: features `(batch, height, width, channels)`, and known latents
        `(batch, height, width, latent channels)`, zero where they are not known.

    Output shape:
        `(batch, height, width, units)`.

    Reference:
        - [He et al., 2021](https://arxiv.org/abs/2103.15306): checkerboard contexts.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)
        self.units = units

    def build(self, input_shape: Shape) -> None:
        """Create the layers, as wide as the features."""
        (*_, channels), (*_, latent_channels) = input_shape
        dtype, maps = self.dtype_policy, (None, None, None, channels)
        self.first = pointwise(channels, name="first", dtype=dtype)
        self.depthwise = depthwise(name="depthwise")
        self.last = pointwise(self.units, 0, name="last", dtype=dtype)
        self.first.build((None, None, None, channels + latent_channels))
        self.depthwise.build(maps)
        self.last.build(maps)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the corrections."""
        features, known = inputs
        mixed = self.first(ops.concatenate([features, arcsinh(known)], axis=-1))
        return self.last(leaky_relu(self.depthwise(leaky_relu(mixed))))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output."""
        return (*input_shape[0][:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        return {**super().get_config(), "units": self.units}
