"""Training that starts from another run."""

import dataclasses
import shutil

import numpy as np
import pytest
from conftest import assert_same_results, train_and_die

import ae_keras
from ae_keras.runs.folder import RunFolder
from ae_keras.training import starting
from ae_keras.training.checkpoint import read_step


@pytest.fixture
def trained(tiny_recipe, tmp_path):
    ae_keras.train(dataclasses.replace(tiny_recipe, epochs=1), tmp_path / "first", verbose=0)
    return tmp_path / "first"


def test_fine_tuning_begins_with_the_weights_of_the_run(trained, tmp_path):
    recipe = starting.fine_tune(str(trained), learning_rate=1e-12, seed=5)
    assert recipe.start_from["name"] == str(trained)
    ae_keras.train(recipe, tmp_path / "second", verbose=0)
    weights = [ae_keras.load(path).get_weights() for path in (trained, tmp_path / "second")]
    for before, after in zip(*weights, strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6)


def test_fine_tuning_on_other_images_keeps_their_shape(trained, tmp_path, photo_folder):
    other = shutil.copytree(photo_folder, tmp_path / "other")
    recipe = starting.fine_tune(str(trained), str(other), epochs=2)
    assert (recipe.dataset, recipe.image_shape, recipe.epochs) == (str(other), (16, 16, 3), 2)


def test_what_has_changed_since_is_refused(trained, tiny_recipe, tmp_path):
    recipe = starting.fine_tune(str(trained))
    other = dataclasses.replace(tiny_recipe, epochs=1, seed=9)
    ae_keras.train(other, trained, overwrite=True, verbose=0)
    with pytest.raises(ValueError, match="has changed since the recipe was made"):
        ae_keras.train(recipe, tmp_path / "second", verbose=0)


def test_weights_of_another_architecture_are_refused(trained, tmp_path):
    recipe = ae_keras.change_recipe(starting.fine_tune(str(trained)), filters=(4, 4, 4))
    with pytest.raises(ValueError, match="is of another architecture"):
        ae_keras.train(recipe, tmp_path / "second", verbose=0)


def test_a_decay_goes_on_from_the_checkpoint_and_leaves_the_run_alone(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=9, average=0.9, schedule="trapezoid")
    train_and_die(recipe, tmp_path / "long", batches=4)
    run = RunFolder(tmp_path / "long")
    checkpoint, step = run.checkpoint.read_bytes(), read_step(run.checkpoint)
    decayed = starting.decay(str(run.path), epochs=2)
    assert decayed.start_from["step"] == step > 0
    ae_keras.train(decayed, tmp_path / "decayed", verbose=0)
    assert run.checkpoint.read_bytes() == checkpoint
    history = RunFolder(tmp_path / "decayed").history
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[0]["learning_rate"] == pytest.approx(recipe.learning_rate / 2, rel=1e-5)
    assert history[1]["learning_rate"] == 0


@pytest.mark.thorough
def test_a_decay_resumes_exactly_though_the_run_has_gone_on(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=9, schedule="trapezoid")
    train_and_die(recipe, tmp_path / "long", batches=3)
    decayed = starting.decay(str(tmp_path / "long"), epochs=2)
    ae_keras.train(decayed, tmp_path / "whole", verbose=0)
    train_and_die(decayed, tmp_path / "pieces", batches=1)
    train_and_die(recipe, tmp_path / "long", batches=5)
    again = starting.decay(str(tmp_path / "long"), epochs=2)
    assert again.start_from != decayed.start_from
    ae_keras.train(again, tmp_path / "pieces", verbose=0)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


def test_runs_without_a_checkpoint_or_a_constant_rate_are_refused(trained, tiny_recipe, tmp_path):
    (trained / "checkpoint.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no 'checkpoint\.npz'.+--start-from"):
        starting.decay(str(trained))
    recipe = dataclasses.replace(tiny_recipe, schedule="cosine")
    train_and_die(recipe, tmp_path / "cosine", batches=2)
    with pytest.raises(ValueError, match="goes on from a run of the schedule 'trapezoid'"):
        starting.decay(str(tmp_path / "cosine"))
