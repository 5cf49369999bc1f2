"""What training, evaluation and run folders expect of any model."""

import math

import keras


class ImageModel(keras.Model):
    """A functional Keras model that gives images in [0, 1].

    A subclass overrides what is other than here: this one has no latent, no prior and no labels,
    and learns nothing from its training images before training.
    """

    tasks = ("reconstruction", "denoising")
    has_latent = False
    is_variational = False
    is_conditional = False
    classes = None

    @property
    def parameter_count(self):
        """Number of trainable parameters."""
        return sum(math.prod(weight.shape) for weight in self.trainable_weights)

    def adapt(self, images):
        """Set what is not trained but depends on the training images, uint8, if anything."""

    def set_warmup(self, share):
        """Set the share of `kl_weight`, from 0 to 1, that training takes; if the model has one."""

    def split_loss(self, logs):
        """Return the parts, if any, that make up a loss that `fit` reported in `logs`."""
        return {}

    def name_loss(self, loss):
        """Return what the loss is, in words, of a recipe whose loss is called `loss`."""
        return loss
