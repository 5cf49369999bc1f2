"""The grouped convolutions of `vae_v1` and `vae_v2`, trained for the bits that files take.

- `factorized_v1`: the convolutions of `vae_v1`, latent 2x2x768.
- `factorized_v2`: those of `vae_v2`, latent 5x5x128.

The variational models weigh the divergence from N(0, 1), which is not what an entropy coder with
a table for each channel pays. Here the loss has the bits under such tables, see `FactorizedPrior`;
the convolution of the variance is not needed. Training begins with the linear transform that the
convolutions can hold: each group's principal components of 2x2 blocks, layer by layer. All
activations pass everything at first (PReLU with a slope of 1), and there is no sigmoid.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ae_keras.layers import Clip, FactorizedPrior, GroupedConv2D, GroupedConv2DTranspose, Rescale
from ae_keras.layers.types import Tensor
from ae_keras.models.autoencoder import Autoencoder
from ae_keras.models.checks import check_known
from ae_keras.models.image_model import ImageShape
from ae_keras.models.registration import register_model
from ae_keras.models.variational import V1, V2, Convolutions, mirror
from ae_keras.recipe import Recipe
from ae_keras.system.pixels import to_unit_range

# Images in [0, 1] become about as wide as N(0, 1).
_SCALE = 4.0
# Training images that the components are those of.
_FITTED_IMAGES = 4000

_TRAINING: dict[str, Any] = {
    "dataset": "cifar10",
    "batch_size": 128,
    "epochs": 40,
    "learning_rate": 2e-3,
    "schedule": "cosine",
}


@keras.saving.register_keras_serializable(package="ae_keras")
class FactorizedAutoencoder(Autoencoder):
    """An autoencoder of strided convolutions that begins as a linear transform.

    Args:
        encoder: keras.Model. `Rescale`, convolutions of stride 2, and `FactorizedPrior`.
        decoder: keras.Model. As many transposed convolutions of the same kernels.
        name: str.
    """

    @property
    def _prior(self) -> FactorizedPrior:
        return self.encoder.layers[-1]

    def compute_loss(
        self,
        x: Tensor | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss, in which an error counts as the step of its image lets it."""
        weights = ops.reshape(self._prior.error_weights, (-1, 1, 1))
        return super().compute_loss(x, y, y_pred, weights, training)

    def adapt(self, images: np.ndarray) -> None:
        """Set kernels to principal components of training images, uint8, and the prior to these."""
        step = -(-len(images) // _FITTED_IMAGES)
        features = _SCALE * (to_unit_range(images[::step]) - 0.5)
        downs = [layer for layer in self.encoder.layers if isinstance(layer, GroupedConv2D)]
        ups = [layer for layer in self.decoder.layers if isinstance(layer, GroupedConv2DTranspose)]
        for down, up in zip(downs, reversed(ups), strict=True):
            kernel = _component_kernel(features, down)
            down.kernel.assign(kernel)
            up.kernel.assign(kernel)
            features = ops.convert_to_numpy(down(features))
        flat = features.reshape(-1, features.shape[-1])
        self._prior.set_statistics(flat.mean(axis=0), flat.std(axis=0))


def _component_kernel(features: np.ndarray, layer: GroupedConv2D) -> np.ndarray:
    """Return the kernel whose groups are the principal components of blocks of 2x2 features.

    Only the taps of the block that an output pixel stands for are other than zero.

    Args:
        features: Array `(count, height, width, channels)`, the layer's inputs.
        layer: GroupedConv2D. Of stride 2.
    """
    count, height, width, channels = features.shape
    rows, columns, groups = height // 2, width // 2, layer.groups
    blocks = features[:, : 2 * rows, : 2 * columns]
    blocks = blocks.reshape(count, rows, 2, columns, 2, groups, channels // groups)
    blocks = blocks.transpose(5, 0, 1, 3, 2, 4, 6).reshape(groups, count * rows * columns, -1)
    kernel = np.zeros(layer.kernel.shape, np.float32)
    filters = layer.filters // groups
    top, left = layer.padding
    for number, block in enumerate(blocks):
        vectors = np.linalg.eigh(block.T @ block)[1][:, ::-1][:, :filters]
        own = slice(number * filters, (number + 1) * filters)
        kernel[top : top + 2, left : left + 2, :, own] = vectors.reshape(2, 2, -1, filters)
    return kernel


# python scripts/train.py --model factorized_v1 --dataset cifar10: test PSNR 34.7 dB unquantized;
# in mosaics 0.4 % more bits than principal components, 13 % less than WebP.
@register_model(
    recipe=Recipe(model="factorized_v1", **_TRAINING),
    search=("rate_weight=1e-4:1e-2:log",),
)
def factorized_v1(
    image_shape: ImageShape = (32, 32, 3),
    rate_weight: float = 2.2e-3,
    steps: tuple[float, float] = (0.3, 3.0),
    name: str = "factorized_v1",
) -> FactorizedAutoencoder:
    """Build `factorized_v1`: the convolutions of `vae_v1`, trained for real bits.

    Args:
        image_shape: `(height, width, channels)`; height and width multiples of 16.
        rate_weight: float. Weight of the bits in the loss, see `FactorizedPrior`.
        steps: Pair of float. The least and the largest quantization step of the training.
        name: str.

    Returns:
        A `FactorizedAutoencoder`, latent `(height / 16, width / 16, 768)`.

    Raises:
        ValueError: if an argument does not fit.
    """
    return _build(image_shape, V1, rate_weight, steps, name)


# python scripts/train.py --model factorized_v2 --dataset cifar10
@register_model(
    recipe=Recipe(model="factorized_v2", **_TRAINING),
    search=("rate_weight=1e-4:1e-2:log",),
)
def factorized_v2(
    image_shape: ImageShape = (32, 32, 3),
    rate_weight: float = 2.2e-3,
    steps: tuple[float, float] = (0.3, 3.0),
    name: str = "factorized_v2",
) -> FactorizedAutoencoder:
    """Build `factorized_v2`: the convolutions of `vae_v2`, trained for real bits.

    Args:
        image_shape: `(height, width, channels)`.
        rate_weight: float. Weight of the bits in the loss, see `FactorizedPrior`.
        steps: Pair of float. The least and the largest quantization step of the training.
        name: str.

    Returns:
        A `FactorizedAutoencoder`, latent 5x5x128 for images of 32x32.

    Raises:
        ValueError: if an argument does not fit.
    """
    return _build(image_shape, V2, rate_weight, steps, name)


def _build(
    image_shape: ImageShape,
    convolutions: Convolutions,
    rate_weight: float,
    steps: tuple[float, float],
    name: str,
) -> FactorizedAutoencoder:
    shape = check_known(image_shape, name)
    images = keras.Input(shape, name="images")
    features = Rescale(_SCALE, -_SCALE / 2)(images)
    for groups, filters, kernel, stride, padding in convolutions[:-1]:
        layer = GroupedConv2D(filters, kernel, stride, padding, groups)
        features = _activation()(layer(features))
    groups, filters, kernel, stride, padding = convolutions[-1]
    features = GroupedConv2D(filters, kernel, stride, padding, groups)(features)
    prior = FactorizedPrior(shape[0] * shape[1], rate_weight, steps)
    encoder = keras.Model(images, prior(features), name="encoder")
    latents = features = keras.Input(encoder.output_shape[1:], name="latents")
    *before, last = mirror(shape, convolutions)
    for mirrored in before:
        features = _activation()(GroupedConv2DTranspose(**mirrored)(features))
    features = GroupedConv2DTranspose(**last)(features)
    # In float32 under mixed precision too: images have finer steps than float16.
    decoded = Rescale(1 / _SCALE, 0.5, dtype="float32")(features)
    decoded = Clip(dtype="float32")(decoded)
    return FactorizedAutoencoder(encoder, keras.Model(latents, decoded, name="decoder"), name=name)


def _activation() -> keras.Layer:
    return layers.PReLU(alpha_initializer="ones", shared_axes=(1, 2))
