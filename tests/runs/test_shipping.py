import keras
import numpy as np

import ae_keras
from ae_keras.runs.shipping import ship


def test_shipped_model_has_its_weights_in_16_bits(run, tmp_path):
    original = ae_keras.load("mine")
    path = ship("mine", tmp_path / "shipped", "some-photographs")
    assert path.stat().st_size < 0.8 * run.model.stat().st_size
    shipped = ae_keras.load(path.parent)
    for before, after in zip(original.get_weights(), shipped.get_weights(), strict=True):
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before.astype(np.float16).astype(before.dtype))
    assert keras.saving.load_model(path).name == original.name
    recipe = ae_keras.Recipe.read(path.parent / "recipe.json")
    assert recipe == ae_keras.change_recipe(run.recipe, dataset="some-photographs", splits=None)


def test_training_starts_from_a_shipped_model(run, tmp_path, photo_folder):
    ship("mine", tmp_path / "shipped", "some-photographs")
    recipe = ae_keras.fine_tune(str(tmp_path / "shipped"), str(photo_folder), epochs=1)
    assert "mse" in ae_keras.train(recipe, tmp_path / "tuned", verbose=0)["test"]
