"""From a data set to a trained model and a study where TensorFlow cannot be imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import require_backend

ROOT = Path(__file__).parents[2]

PROGRAM = """
import json
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

class WithoutTensorFlow(PathFinder):
    # As if it was not installed. Keras and PyTorch look for it in ways that
    # `sys.modules["tensorflow"] = None`, or an error here, would not survive.
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] == "tensorflow"
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTensorFlow

import keras
import numpy as np
import ae_keras
from ae_keras import build_model, recipe_for
from ae_keras.commands import run_command
from ae_keras.data.batches import make_batches
from ae_keras.data.images import load_images
from ae_keras.data.photographs import load_photographs
from ae_keras.evaluation.reconstruction import measure
from ae_keras.runs.pictures import reconstruct, write_augmentation

assert keras.config.backend() == sys.argv[1]
small = {"image_shape": (16, 16, 3), "batch_size": 8}
for settings in ({"task": "denoising", "noise": 0.1, "augmentation": {"flip": 0.5, "shift": 0.1}},
                 {"crops": {"grain": 3}, "steps_per_epoch": 5}):
    recipe = recipe_for("cae", sys.argv[2], **small, **settings)
    images = load_images(recipe.data_spec)
    data = images if recipe.crops is None else load_photographs(recipe.data_spec)
    model = build_model("cae", image_shape=recipe.image_shape)
    model.compile("adam", "mse")
    train, validation = (make_batches(data[s], recipe.batch_spec) for s in ("train", "validation"))
    history = model.fit(
        train.training(0, 1), validation_data=validation.evaluation(), shuffle=False, verbose=0
    ).history
    assert np.isfinite([*history["loss"], *history["val_loss"]]).all()
    assert measure(model, images["test"], recipe)["images"] == 4
    assert reconstruct(model, images["test"], recipe)[1].shape == (4, 16, 16, 3)
    if recipe.crops is None:
        write_augmentation(images["train"], recipe, sys.argv[3])
        continue
    image, position = keras.Input((16, 16, 3)), keras.Input(())
    scale = keras.layers.Dense(3)(keras.layers.Reshape((1, 1, 1))(position))
    model = keras.Model([image, position], keras.layers.Multiply()([image, scale]))
    model.compile("adam", "mse")
    batches = make_batches(data["train"], recipe.batch_spec, lambda p: (1 + p)[:, None, None])
    history = model.fit(batches.training(0), shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"]).all()
settings = {"image_shape": (64, 64, 3), "enlarge": True, "epochs": 1, "steps_per_epoch": 2}
if sys.argv[5] == "photo":
    settings |= {"filters": 8, "blocks": 1, "latent_channels": 12, "hyper_filters": 8}
    settings |= {"features": 12, "hyper_channels": 6, "schedule_arguments": {}}
recipe = recipe_for(sys.argv[5], sys.argv[2], crops={}, batch_size=2, **settings)
backend, *_, folder, name = sys.argv[1:]
file = Path(folder) / "recipe.json"
file.write_text(recipe.to_json())
sys.argv[1:] = ["--recipe", str(file), "--output", str(Path(folder) / "run")]
run_command("train")
metrics = json.loads((Path(folder) / "run" / "metrics.json").read_text())
assert np.isfinite(metrics["test"]["mse"])
if backend == "jax" and name == "cae":
    sys.argv[1:] = ["celeba_models", "--quick", "--output", str(Path(folder) / "studies")]
    os.chdir(folder)
    run_command("study")
print("tensorflow" in sys.modules)
"""


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("backend", "model"),
    [
        ("jax", "cae"),
        ("torch", "photo"),
        # JAX compiles each operation of the validation by itself, for each shape.
        pytest.param("jax", "photo", marks=pytest.mark.slow),
    ],
)
def test_a_model_is_trained(backend, model, photo_folder, tmp_path):
    require_backend(backend)
    run = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, backend, str(photo_folder)),
            *(str(tmp_path / "moved.png"), str(tmp_path), model),
        ],
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "TensorBoard's logs are left out" in run.stdout
    assert run.stdout.split()[-1] == "False"
    assert (tmp_path / "moved.png").is_file()
