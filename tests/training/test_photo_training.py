"""Training on crops of photographs: the photo codec, and any other model."""

import numpy as np
import pytest
from conftest import SMALL, assert_same_results, smooth_images, train_and_die
from PIL import Image

import ae_keras
from ae_keras.runs.folder import RunFolder
from ae_keras.training import compilation, epoch


@pytest.fixture
def recipe(tmp_path, rng):
    """A recipe of a tiny model, for a few small photographs of two kinds."""
    for split, count in (("train", 4), ("validation", 2)):
        for number, image in enumerate(smooth_images(rng, count, 70, 90, 3)):
            path = (
                tmp_path / "photographs" / split / f"{('film', 'studio')[number % 2]}-{number}.png"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    return ae_keras.recipe_for(
        "photo",
        str(tmp_path / "photographs"),
        image_shape=(64, 64, 3),
        epochs=2,
        steps_per_epoch=4,
        batch_size=2,
        schedule_arguments={"warmup_epochs": 0.5},
        **SMALL["photo"],
    )


@pytest.mark.thorough
def test_photo_resumes_exactly_and_knows_its_rate(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(compilation, "_STEPS_PER_EXECUTION", 1)
    monkeypatch.setattr(epoch, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    ae_keras.train(recipe, tmp_path / "whole", verbose=0)
    train_and_die(recipe, tmp_path / "pieces", batches=3)
    ae_keras.train(recipe, tmp_path / "pieces", verbose=0)
    assert_same_results(tmp_path / "whole", tmp_path / "pieces")
    row = RunFolder(tmp_path / "whole").history[-1]
    rates = [row[f"val_bpp_{quality}"] for quality in (8, 33, 59, 84, 100)]
    assert np.all(np.diff(rates) > 0)
    assert np.all(np.diff([row[f"val_psnr_{quality}"] for quality in (8, 33, 59, 84, 100)]) > 0)
    assert {"loss", "val_loss", "bpp", "psnr", "bd_rate", "bd_rate_film", "learning_rate"} <= set(
        row
    )


def test_photo_needs_photographs(recipe, tmp_path):
    whole = ae_keras.change_recipe(recipe, "skimage", crops=None, steps_per_epoch=None)
    with pytest.raises(ValueError, match="is trained on crops of photographs: set `crops`"):
        ae_keras.train(whole, tmp_path / "run", verbose=0)


def test_any_model_trains_on_crops(photo_folder, tmp_path):
    settings = {"image_shape": (16, 16, 3), "epochs": 1, "steps_per_epoch": 3}
    recipe = ae_keras.recipe_for("cae", str(photo_folder), crops={"grid": 2}, **settings)
    result = ae_keras.train(recipe, tmp_path / "run", verbose=0)
    assert np.isfinite(result["test"]["mse"])
    assert result["test"]["images"] == 4 * 4
    measured, _ = ae_keras.evaluate(tmp_path / "run")
    assert measured["mse"] == pytest.approx(result["test"]["mse"])
    codec = ae_keras.load_codec(tmp_path / "run")
    image = np.zeros((20, 30, 3), np.uint8)
    assert codec.decompress(codec.compress(image)).shape == image.shape
