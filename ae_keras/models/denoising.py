"""A denoiser for photographs: a network that finds the noise of an image, to be taken away.

It is blind: nobody tells it how strong the noise is. It has no biases, so that it scales: what it
makes of a darker copy of a noisy image is a darker copy of the result. By that, Mohan et al. found,
such networks stay good at noise of a strength that they were not trained for. The architecture, a
U-Net that begins at half the resolution, is ours.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from ae_keras.layers import Clip, DepthToSpace, ResidualBlock, SpaceToDepth
from ae_keras.layers.residual import pointwise
from ae_keras.models.checks import check_blocks, check_counts, check_divisible
from ae_keras.models.image_model import ImageModel, ImageShape
from ae_keras.models.registration import register_model
from ae_keras.recipe import Recipe


@keras.saving.register_keras_serializable(package="ae_keras")
class ResidualDenoiser(ImageModel):
    """A network that predicts the noise of images, and subtracts it.

    Args:
        image_shape: `(height, width, channels)`; `None`: any.
        filters: Sequence of int. See `denoiser`.
        blocks: Sequence of int. See `denoiser`.
        precision: str. Dtype policy of the network's products. Its sums are float32.
        name: str.

    Input shape:
        `(batch, height, width, channels)`, float32 in [0, 1]; height and width multiples of
        `multiple`.

    Output shape:
        The input's; clipped to [0, 1] at inference alone.

    Raises:
        ValueError: if an argument does not fit.
    """

    tasks: tuple[str, ...] = ("denoising",)

    def __init__(
        self,
        image_shape: ImageShape,
        filters: Sequence[int],
        blocks: Sequence[int],
        precision: str = "float32",
        name: str | None = None,
        **kwargs: Any,
    ):
        check_counts("filters", filters)
        check_counts("blocks", blocks)
        check_blocks(sum(blocks))
        if len(filters) != len(blocks):
            raise ValueError(
                "`filters` and `blocks` must be of one length. "
                f"Received: filters={filters}, blocks={blocks}"
            )
        check_divisible(image_shape, 2 ** len(filters), str(name))
        noisy = keras.Input(image_shape, name="noisy")
        noise = _predict_noise(noisy, filters, blocks, precision)
        cleaned = layers.Subtract(dtype="float32")([noisy, noise])
        super().__init__(noisy, Clip(dtype="float32", name="clip")(cleaned), name=name, **kwargs)
        self._settings: dict[str, Any] = {
            "image_shape": tuple(image_shape),
            "filters": tuple(filters),
            "blocks": tuple(blocks),
            "precision": precision,
        }

    @property
    def multiple(self) -> int:
        """What height and width of the images must be multiples of."""
        return 2 ** len(self._settings["filters"])

    @property
    def image_shape(self) -> ImageShape:
        """`(height, width, channels)` of the images; `None`: any size."""
        return self._settings["image_shape"]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {"name": self.name, **self._settings}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "ResidualDenoiser":
        """Build a model, with new weights, from what `get_config` returned."""
        return cls(**config)


def _predict_noise(
    noisy: keras.KerasTensor, filters: Sequence[int], blocks: Sequence[int], precision: str
) -> keras.KerasTensor:
    """Return the noise of images, which is zero before any training."""

    def mix(features: keras.KerasTensor, count: int, scale: float = 1.0) -> keras.KerasTensor:
        return pointwise(count, scale, use_bias=False, dtype=precision)(features)

    def refine(features: keras.KerasTensor, count: int) -> keras.KerasTensor:
        for _ in range(count):
            features = ResidualBlock(use_bias=False, dtype=precision)(features)
        return features

    features, skips = noisy, []
    for count, depth in zip(filters, blocks, strict=True):
        features = mix(SpaceToDepth(2, dtype="float32")(features), count)
        features = refine(features, depth)
        skips.append(features)
    for count, depth, skip in zip(filters[-2::-1], blocks[-2::-1], skips[-2::-1], strict=True):
        features = DepthToSpace(2, dtype="float32")(mix(features, 4 * count))
        features = refine(layers.Add(dtype="float32")([features, skip]), depth)
    return DepthToSpace(2, dtype="float32")(mix(features, 4 * noisy.shape[-1], 0))


# python scripts/train.py --model denoiser: on the photographs inside scikit-image
@register_model(
    recipe=Recipe(
        model="denoiser",
        image_shape=(96, 96, 3),
        task="denoising",
        noise=(0.02, 0.3),
        crops={},
        steps_per_epoch=500,
        batch_size=16,
        epochs=5,
        optimizer="muon",
        optimizer_arguments={"global_clipnorm": 1.0},
        learning_rate=1e-2,
        schedule="trapezoid",
        schedule_arguments={"warmup_epochs": 0.4, "decay_epochs": 2},
        loss="mae",
        average=0.999,
        precision="mixed_bfloat16",
        parallel="across",
    ),
    search=("filters_1=16:64:16", "filters_2=32:128:32", "filters_3=64:256:64"),
)
def denoiser(
    image_shape: ImageShape = (None, None, 3),
    filters: Sequence[int] = (48, 96, 128),
    blocks: Sequence[int] = (1, 2, 4),
    name: str = "denoiser",
) -> ResidualDenoiser:
    """Build the denoiser.

    ```
    image -> [space to depth 2, Dense, blocks] 48, 96, 128
      -> [Dense, depth to space 2, plus the features of that size, blocks] 96, 48
      -> Dense, depth to space 2: noise; image - noise
    ```

    The blocks are `ae_keras.layers.ResidualBlock`. No layer has a bias.

    Args:
        image_shape: `(height, width, channels)`, divisible by 8; `None`: any.
        filters: Sequence of at least two int. At half the resolution, and at each half of it.
        blocks: Sequence of as many int. Residual blocks at each; on the way up again, but of the
            last.
        name: str.

    Returns:
        A `ResidualDenoiser`, with products in the global precision.

    Raises:
        ValueError: if an argument does not fit.

    Reference:
        - [Mohan et al., 2020](https://arxiv.org/abs/1906.05478): no biases
        - [Zhang, Zuo and Zhang, 2018](https://arxiv.org/abs/1710.04026): half the resolution
    """
    precision = keras.config.dtype_policy().name
    return ResidualDenoiser(image_shape, filters, blocks, precision, name=name)
