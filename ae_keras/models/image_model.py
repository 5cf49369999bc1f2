"""What training, evaluation and run folders expect of any model."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from ae_keras.layers.types import Tensor

# Height, width and channels of images; None: any height or width.
ImageShape = tuple[int | None, int | None, int]


class ImageModel(keras.Model):
    """A functional Keras model that gives images in [0, 1].

    A subclass overrides what is other than here: this one has no latent, no prior, no labels and no
    quality, and learns nothing from its training images before training.

    What any caller may ask of a model:

    - `has_latent`: whether it is `encoder` and `decoder` with a `latent_shape` between them;
    - `takes_quality`: whether a position from 0 to 1, that of the wanted quality, is an input of
      encoder and decoder (see `ae_keras.layers.quality`);
    - `is_conditional`: whether a label is an input.

    `inputs_for` gives the inputs that it takes for a batch of images.
    """

    tasks: tuple[str, ...] = ("reconstruction", "denoising")
    has_latent = False
    takes_quality = False
    is_conditional = False
    # Of a model that takes a quality: from positions to the weights of errors in the loss.
    weigh: Callable[[np.ndarray], Any] | None = None

    @property
    def is_variational(self) -> bool:
        """Whether the latents have a prior to draw from."""
        return False

    @property
    def classes(self) -> int | None:
        """Number of labels that a conditional model knows; None if it takes none."""
        return None

    def inputs_for(
        self, images: Tensor, labels: Tensor | None = None, quality: Any = None
    ) -> Tensor | list[Tensor]:
        """Return what the model takes for a batch of images.

        Args:
            images: In [0, 1]; of a colourizer grey.
            labels: Integers, if the model is conditional.
            quality: A number from 1 to 100, or one for each image, if the model takes one. Default:
                its own choice.

        Raises:
            ValueError: if labels are missing, or labels or a quality are not taken.
        """
        if self.is_conditional != (labels is not None):
            raise ValueError(
                f"{self.name!r} {'needs' if self.is_conditional else 'takes no'} labels."
            )
        if quality is not None:
            raise ValueError(f"{self.name!r} takes no quality.")
        return images if labels is None else [images, labels]

    @property
    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return sum(math.prod(weight.shape) for weight in self.trainable_weights)

    def adapt(self, images: np.ndarray) -> None:
        """Set what is not trained but depends on the training images, uint8, if anything."""

    def set_warmup(self, share: float) -> None:
        """Set the share of `kl_weight`, from 0 to 1, that training takes; if the model has one."""

    def split_loss(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Return the parts, if any, that make up a loss that `fit` reported in `logs`."""
        return {}

    def name_loss(self, loss: str) -> str:
        """Return what the loss is, in words, of a recipe whose loss is called `loss`."""
        return loss
