import subprocess
import sys

import numpy as np
import pytest

import ae_keras
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model


@pytest.fixture
def saved(tmp_path, tiny_recipe):
    """A run folder with an untrained model, and the model."""
    run = RunFolder(tmp_path / "saved_models" / "mine")
    run.path.mkdir(parents=True)
    run.start(tiny_recipe)
    model = build_from_recipe(tiny_recipe)
    run.write_model(model, run.model)
    return run, model


def test_load_by_path_and_by_name(saved, monkeypatch, tmp_path, rng):
    run, model = saved
    monkeypatch.chdir(tmp_path)
    images = rng.random((2, 16, 16, 3), np.float32)
    for name in (run.path, str(run.path), "mine"):
        np.testing.assert_array_equal(ae_keras.load(name)(images), model(images))


def test_pretrained_models_are_found_by_name(saved, monkeypatch, tmp_path):
    run, _ = saved
    run.path.rename(tmp_path / "moved")
    (tmp_path / "saved_models" / "pretrained").mkdir()
    (tmp_path / "moved").rename(tmp_path / "saved_models" / "pretrained" / "theirs")
    monkeypatch.chdir(tmp_path)
    assert find_run("theirs").path.parent.name == "pretrained"


@pytest.mark.parametrize("name", ["nobody", "no/where", "/nowhere"])
def test_missing_run_says_what_was_expected(name):
    with pytest.raises(FileNotFoundError, match=f"No trained model at '{name}'.+model.keras"):
        ae_keras.load(name)


def test_damaged_model_is_refused(saved):
    run, _ = saved
    run.model.write_bytes(run.model.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"Cannot load .+model\.keras' as a model"):
        ae_keras.load(run.path)


def test_other_keras_model_is_refused(tmp_path):
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="holds a Sequential, not an Autoencoder"):
        load_model(tmp_path / "other.keras")


def test_model_loads_in_a_fresh_process(saved):
    code = "import sys, ae_keras; print(ae_keras.load(sys.argv[1]).latent_shape)"
    done = subprocess.run(
        [sys.executable, "-c", code, saved[0].path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(4, 4, 16)"


def test_process_killed_before_its_first_file_leaves_a_usable_folder(tmp_path, tiny_recipe):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (run.path / ".partial-recipe.json").write_text("{half")
    run.check(tiny_recipe)
    run.start(tiny_recipe)
    assert [path.name for path in run.path.iterdir()] == ["recipe.json"]
    assert run.recipe == tiny_recipe


def test_a_folder_with_a_lock_alone_is_usable(tmp_path, tiny_recipe):
    run = RunFolder(tmp_path / "run")
    with run.lock():
        run.check(tiny_recipe)
        with pytest.raises(BlockingIOError, match="Another process is training in"), run.lock():
            pass
        run.start(tiny_recipe)
    assert [path.name for path in run.path.iterdir()] == ["recipe.json"]


def test_leftovers_of_a_killed_process_are_removed(saved, tiny_recipe):
    run, _ = saved
    leftover = run.path / ".partial-model.keras"
    leftover.write_text("half")
    run.start(tiny_recipe)
    assert not leftover.exists()
    assert run.model.exists()
