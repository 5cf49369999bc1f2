"""The logs of a run for TensorBoard."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.runs.pictures import SHOWN_IMAGES, reconstruct


class TensorBoard:
    """Writes the scalars of each epoch and the reconstructions of some validation images.

    Args:
        folder: Path. Of the logs.
        validation: Images.
        recipe: Recipe.
    """

    def __init__(self, folder: Path, validation: Images, recipe: Recipe):
        self._writer = tf.summary.create_file_writer(str(folder))
        self._examples = validation.pick(SHOWN_IMAGES)
        self._recipe = recipe

    def write(self, model: keras.Model, epoch: int, scalars: dict[str, float]) -> None:
        """Write the logs of an epoch."""
        inputs, outputs = reconstruct(model, self._examples, self._recipe)
        pairs = np.concatenate([inputs, outputs], axis=1)
        with self._writer.as_default(step=epoch):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
            tf.summary.image("input over reconstruction", pairs, max_outputs=len(pairs))
        self._writer.flush()
