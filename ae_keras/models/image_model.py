"""What training, evaluation and run folders expect of any model."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

# Height, width and channels of images; None: any height or width.
ImageShape = tuple[int | None, int | None, int]


class ImageModel(keras.Model):
    """A functional Keras model that gives images in [0, 1].

    A subclass overrides what is other than here: this one has no latent, no prior and no labels,
    and learns nothing from its training images before training.
    """

    tasks: tuple[str, ...] = ("reconstruction", "denoising")
    has_latent = False
    is_conditional = False

    @property
    def is_variational(self) -> bool:
        """Whether the latents have a prior to draw from."""
        return False

    @property
    def classes(self) -> int | None:
        """Number of labels that a conditional model knows; None if it takes none."""
        return None

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
