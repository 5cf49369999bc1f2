"""Checkpoints that earlier versions wrote are read by this one: runs of days go on with it."""

from pathlib import Path

import numpy as np

from ae_keras.codec.keras_transform import digest_weights
from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.training.checkpoint import read_checkpoint, read_step
from ae_keras.training.compilation import compile_model

FOLDER = Path(__file__).parent / "checkpoints"
# Of a tiny model, after three steps.
WEIGHTS = "0125214867c3bf7e"


def test_checkpoint_of_the_first_long_run_is_read(rng):
    recipe = Recipe.read(FOLDER / "photo-1.json")
    model = compile_model(recipe, Images(rng.integers(0, 256, (4, 64, 64, 3), np.uint8)))
    assert digest_weights(model) != WEIGHTS
    progress = read_checkpoint(FOLDER / "photo-1.npz", model)
    assert digest_weights(model) == WEIGHTS
    assert (progress.epoch, progress.batch, progress.checksum) == (1, 1, 7)
    assert read_step(FOLDER / "photo-1.npz") == int(model.optimizer.iterations) == 3
    assert np.asarray(model.optimizer.variables[-1]).any()
