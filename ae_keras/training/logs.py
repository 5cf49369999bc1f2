"""The logs of a run, for TensorBoard."""

import os
from pathlib import Path
from typing import Protocol

import keras
import numpy as np

from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.runs.pictures import SHOWN_IMAGES, reconstruct
from ae_keras.training.devices import Devices


class Logs(Protocol):
    """What is written of each epoch."""

    def write(self, model: keras.Model, epoch: int, scalars: dict[str, float]) -> None:
        """Write the logs of an epoch."""


def open_logs(folder: Path, validation: Images, recipe: Recipe, devices: Devices) -> Logs:
    """Return the logs of a run; they need TensorFlow, and are left out, with a line, without it.

    Args:
        folder: Path. Of the logs.
        validation: Images.
        recipe: Recipe.
        devices: Devices. That train the model.
    """
    if keras.config.backend() == "tensorflow":
        return TensorBoard(folder, validation, recipe, devices)
    print(
        f"TensorBoard's logs are left out: they need the backend TensorFlow, not "
        f"{keras.config.backend()!r}."
    )
    return NoLogs()


class NoLogs:
    """Nothing."""

    def write(self, model: keras.Model, epoch: int, scalars: dict[str, float]) -> None:
        """Write nothing."""


class TensorBoard:
    """Writes the scalars of each epoch and the reconstructions of some validation images.

    Args:
        folder: Path. Of the logs.
        validation: Images.
        recipe: Recipe.
        devices: Devices. That train the model.
    """

    def __init__(self, folder: Path, validation: Images, recipe: Recipe, devices: Devices):
        import tensorflow as tf

        self._summary = tf.summary
        # As bytes, which need not be a text.
        self._writer = tf.summary.create_file_writer(os.fsencode(folder))
        self._examples = validation.pick(SHOWN_IMAGES)
        self._recipe, self._devices = recipe, devices

    def write(self, model: keras.Model, epoch: int, scalars: dict[str, float]) -> None:
        """Write the logs of an epoch."""
        alone = self._devices.local(model)
        inputs, outputs = reconstruct(alone, self._examples, self._recipe)
        pairs = np.concatenate([inputs, outputs], axis=1)
        with self._writer.as_default(step=epoch):
            for name, value in scalars.items():
                self._summary.scalar(name, value)
            self._summary.image("input over reconstruction", pairs, max_outputs=len(pairs))
        self._writer.flush()
