import dataclasses
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from conftest import assert_same_results, train_and_die

import ae_keras
from ae_keras.models.autoencoder import Autoencoder
from ae_keras.training import compilation, epoch


def build_with_dropout(recipe, classes):
    """Build an autoencoder whose training needs random numbers of its own."""
    encoder = keras.Sequential(
        [
            keras.Input(recipe.image_shape),
            keras.layers.Dropout(0.3),
            keras.layers.Conv2D(4, 3, 2, "same", activation="relu"),
            keras.layers.BatchNormalization(),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input(encoder.output_shape[1:]),
            keras.layers.Conv2DTranspose(3, 3, 2, "same", activation="sigmoid"),
        ]
    )
    return Autoencoder(encoder, decoder, name=recipe.model)


@pytest.mark.parametrize("steps_per_execution", [1, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param(
            {
                "task": "denoising",
                "noise": 0.2,
                "schedule": "cosine",
                "augmentation": {"shear": 20},
            },
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            {"precision": "mixed_float16", "schedule": "exponential", "optimizer": "sgd"},
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_resume_is_exact_from_any_batch(
    changes, steps_per_execution, tiny_recipe, tmp_path, monkeypatch
):
    monkeypatch.setattr(compilation, "build_from_recipe", build_with_dropout)
    monkeypatch.setattr(compilation, "_STEPS_PER_EXECUTION", steps_per_execution)
    monkeypatch.setattr(epoch, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    recipe = dataclasses.replace(tiny_recipe, batch_size=5, **changes)
    ae_keras.train(recipe, tmp_path / "whole", verbose=0)
    for batches in (1, 3, 4):
        train_and_die(recipe, tmp_path / "pieces", batches)
    ae_keras.train(recipe, tmp_path / "pieces", verbose=0)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


@pytest.mark.thorough
def test_resume_of_a_conditional_variational_model_is_exact(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(compilation, "_STEPS_PER_EXECUTION", 1)
    monkeypatch.setattr(epoch, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    path = tmp_path / "images.npz"
    images = rng.integers(0, 256, (40, 8, 8, 1), np.uint8)
    np.savez(path, images=images, labels=np.arange(40) % 3)
    recipe = ae_keras.recipe_for(
        "vae_v2",
        str(path),
        image_shape=(8, 8, 1),
        batch_size=5,
        epochs=3,
        conditional=True,
        kl_warmup=3,
        task="denoising",
        noise=0.1,
    )
    ae_keras.train(recipe, tmp_path / "whole", verbose=0)
    for batches in (1, 3, 4):
        train_and_die(recipe, tmp_path / "pieces", batches)
    ae_keras.train(recipe, tmp_path / "pieces", verbose=0)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


def start_process(recipe, folder):
    code = (
        "import sys, ae_keras; from pathlib import Path; "
        "recipe = ae_keras.Recipe.from_json(Path(sys.argv[1]).read_text()); "
        "ae_keras.train(recipe, sys.argv[2], verbose=0)"
    )
    path = folder.with_suffix(".json")
    path.write_text(recipe.to_json())
    return subprocess.Popen(
        [sys.executable, "-c", code, path, folder], stderr=subprocess.PIPE, text=True
    )


def kill_at_random(recipe, folder, kills, seed):
    """Train in processes of which some are killed; return how many ran."""
    moments = np.random.default_rng(seed).uniform(0.0, 3.0, kills)
    for moment in moments:
        process = start_process(recipe, folder)
        while not (folder / "recipe.json").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        time.sleep(moment)
        process.kill()
        process.communicate()
    process = start_process(recipe, folder)
    _, stderr = process.communicate()
    assert process.returncode == 0, stderr


@pytest.mark.thorough
def test_killed_process_resumes_exactly(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=40)
    ae_keras.train(recipe, tmp_path / "whole", verbose=0)
    kill_at_random(recipe, tmp_path / "pieces", kills=2, seed=0)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


@pytest.mark.slow
def test_process_killed_five_times_resumes_exactly(tmp_path):
    recipe = ae_keras.recipe_for("cae", "skimage", epochs=6)
    ae_keras.train(recipe, tmp_path / "whole", verbose=0)
    kill_at_random(recipe, tmp_path / "pieces", kills=5, seed=1)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")


@pytest.fixture(scope="module")
def whole_runs(tmp_path_factory):
    """Where runs that were not interrupted are kept, for tests of the same images."""
    return tmp_path_factory.mktemp("whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("steps_per_execution", [1, 16])
def test_interrupt_saves_and_says_how_to_continue(
    steps_per_execution, number, tiny_recipe, whole_runs, tmp_path, monkeypatch
):
    monkeypatch.setattr(compilation, "_STEPS_PER_EXECUTION", steps_per_execution)
    original = epoch.WithinEpoch.on_train_batch_end

    def interrupt(self, batch, logs=None):
        os.kill(os.getpid(), number)
        original(self, batch, logs)

    whole = whole_runs / str(steps_per_execution)
    if not whole.exists():
        ae_keras.train(tiny_recipe, whole, verbose=0)
    with monkeypatch.context() as context:
        context.setattr(epoch.WithinEpoch, "on_train_batch_end", interrupt)
        with pytest.raises(KeyboardInterrupt, match=r"state is saved\. Run the same command again"):
            ae_keras.train(tiny_recipe, tmp_path / "pieces", verbose=0)
    assert (tmp_path / "pieces" / "checkpoint.npz").is_file()
    ae_keras.train(tiny_recipe, tmp_path / "pieces", verbose=0)
    assert_same_results(whole, tmp_path / "pieces")
