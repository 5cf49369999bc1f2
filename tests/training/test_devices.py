"""Several devices of one machine share each batch: virtual ones of a CPU."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import SMALL, assert_same_results, require_backend, results, smooth_images
from PIL import Image

import ae_keras
from ae_keras.runs.folder import RunFolder
from ae_keras.training.checkpoint import set_state, state_of
from ae_keras.training.devices import Devices, open_devices
from ae_keras.training.mirrored import Mirrored

SCRIPT = Path(__file__).parent / "train_on_devices.py"


def write_recipe(folder, name, **changes):
    """Write a recipe of a tiny model; two devices cannot share the last batch evenly."""
    path = folder / "images.npz"
    if not path.exists():
        rng = np.random.default_rng(0)
        np.savez(path, images=smooth_images(rng, 103, 16, 16, 3), labels=np.arange(103) % 3)
    settings = {"image_shape": (16, 16, 3), "batch_size": 8, "epochs": 2, **changes}
    recipe = ae_keras.recipe_for(name.partition("-")[0], str(path), **settings)
    (folder / f"{name}.json").write_text(recipe.to_json())
    return recipe


def train(backend, folder, *runs):
    environment = os.environ | {"KERAS_BACKEND": backend}
    process = subprocess.run(
        [sys.executable, SCRIPT, folder, *runs], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stderr[-3000:]


def assert_close_results(first, second, tolerance):
    """Weights are alike in comparison with the largest of each array, losses in themselves."""
    (weights, _), (others, _) = results(first), results(second)
    for ours, theirs in zip(weights, others, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(ours).max())
    for row, other in zip(RunFolder(first).history, RunFolder(second).history, strict=True):
        for name in ("loss", "val_loss"):
            assert row[name] == pytest.approx(other[name], rel=tolerance), name


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_train_as_one_does(backend, tmp_path):
    require_backend(backend)
    for name in ("cae", "vae_v2"):
        assert write_recipe(tmp_path, name).batch_size == 8  # 82 images: 22 steps
    runs = [f"{name}-{devices}" for name in ("cae", "vae_v2") for devices in ("1", "2")]
    train(backend, tmp_path, *runs, "vae_v2-2to2", "vae_v2-2to1", "vae_v2-1to2")
    assert_close_results(tmp_path / "cae-1", tmp_path / "cae-2", 1e-5)
    for run in ("vae_v2-2", "vae_v2-2to1", "vae_v2-1to2"):
        assert_close_results(tmp_path / "vae_v2-1", tmp_path / run, 1e-5)
    assert_same_results(tmp_path / "vae_v2-2", tmp_path / "vae_v2-2to2")


@pytest.mark.thorough
def test_two_devices_train_on_large_batches(tmp_path):
    # Of which one would still be made while an iterator goes; TensorFlow crashed then.
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", images=smooth_images(rng, 800, 32, 32, 3))
    write_recipe(tmp_path, "cae", image_shape=(32, 32, 3), batch_size=100, epochs=3)
    train("tensorflow", tmp_path, "cae-2")
    assert len(RunFolder(tmp_path / "cae-2").history) == 3


def test_devices_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="has 1 device, and 2 are asked for"):
        open_devices(2)
    for wanted in (0, "some"):
        with pytest.raises(ValueError, match="from 1 on, or 'all'"):
            open_devices(wanted)
    assert [open_devices(wanted).count for wanted in (None, 1, "all")] == [1, 1, 1]


def test_batches_that_devices_cannot_share_are_refused(tmp_path):
    recipe = write_recipe(tmp_path, "cae", batch_size=9)
    with pytest.raises(ValueError, match="a --batch-size that is a multiple of 2"):
        Devices(2).check(recipe, {})
    Devices(3).check(recipe, {})
    devices = Mirrored(["CPU:0"])
    devices.count = 3
    devices.check(recipe, {"train": 21, "validation": 18})
    with pytest.raises(ValueError, match="last batch of the 20 images for validation has 2, too"):
        devices.check(recipe, {"train": 21, "validation": 20})
    with pytest.raises(ValueError, match="without XLA"):
        devices.check(write_recipe(tmp_path, "cae", batch_size=9, xla="on"), {})


def test_states_of_several_devices_become_that_of_one():
    for aggregation, expected in (("sum", [4, 6]), ("mean", [2, 3])):
        variable = keras.Variable(np.zeros(2), trainable=False, aggregation=aggregation)
        set_state(variable, np.float32([[1, 2], [3, 4]]))
        np.testing.assert_array_equal(state_of(variable), expected)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_two_devices_train_the_photo_codec_as_one_does(backend, tmp_path):
    require_backend(backend)
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("validation", 2)):
        (tmp_path / "photographs" / split).mkdir(parents=True)
        for number, image in enumerate(smooth_images(rng, count, 70, 90, 3)):
            Image.fromarray(image).save(tmp_path / "photographs" / split / f"{number}.png")
    recipe = ae_keras.recipe_for(
        "photo",
        str(tmp_path / "photographs"),
        **{"image_shape": (64, 64, 3), "epochs": 1, "steps_per_epoch": 20, "batch_size": 4},
        schedule_arguments={"warmup_epochs": 0.5},
        **SMALL["photo"],
    )
    (tmp_path / "photo.json").write_text(recipe.to_json())
    train(backend, tmp_path, "photo-1", "photo-2")
    (one,), (two,) = (RunFolder(tmp_path / f"photo-{count}").history for count in (1, 2))
    for name in ("loss", "val_loss", "bpp", "psnr"):
        assert one[name] == pytest.approx(two[name], rel=1e-3), name
