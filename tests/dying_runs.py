"""Runs that end before their time, and comparing them with runs that do not."""

import numpy as np
import pytest

import ae_keras
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model
from ae_keras.training import epoch


class Killed(Exception):  # noqa: N818
    """Stands for the end of the process."""


def train_and_die(recipe, folder, batches, overwrite=False):
    """Train until some batches, counted over all epochs, are done, and die."""
    original, done = epoch.WithinEpoch.on_train_batch_end, [0]

    def on_train_batch_end(self, batch, logs=None):
        done[0] += 1
        if done[0] > batches:
            raise Killed
        original(self, batch, logs)

    with pytest.MonkeyPatch.context() as context:
        context.setattr(epoch.WithinEpoch, "on_train_batch_end", on_train_batch_end)
        with pytest.raises(Killed):
            ae_keras.train(recipe, folder, overwrite=overwrite, verbose=0)


def results(folder):
    run = RunFolder(folder)
    models = [load_model(path) for path in (run.model, run.last_model)]
    return [weight for model in models for weight in model.get_weights()], (
        run.path / "history.csv"
    ).read_text()


def assert_same_results(first, second):
    (weights, history), (other_weights, other_history) = results(first), results(second)
    assert history == other_history
    for ours, theirs in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
