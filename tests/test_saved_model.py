import subprocess
import sys

import numpy as np
import pytest

import ae_keras
from ae_keras.safe_files import write_folder_safely, write_safely
from ae_keras.saved_model import RunFolder, find_run, load_model


@pytest.fixture
def saved(tmp_path, tiny_recipe):
    """A run folder with an untrained model, and the model."""
    run = RunFolder(tmp_path / "saved_models" / "mine")
    run.path.mkdir(parents=True)
    run.start(tiny_recipe)
    model = ae_keras.build_model("cae", image_shape=tiny_recipe.image_shape)
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


def test_write_safely_replaces_only_when_all_went_well(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), write_safely(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    with write_safely(path) as temporary:
        temporary.write_text("new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "new"


def test_process_killed_before_its_first_file_leaves_a_usable_folder(tmp_path, tiny_recipe):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    (run.path / ".partial-recipe.json").write_text("{half")
    run.check(tiny_recipe)
    run.start(tiny_recipe)
    assert [path.name for path in run.path.iterdir()] == ["recipe.json"]
    assert run.recipe == tiny_recipe


def test_leftovers_of_a_killed_process_are_removed(saved, tiny_recipe):
    run, _ = saved
    leftover = run.path / ".partial-model.keras"
    leftover.write_text("half")
    run.start(tiny_recipe)
    assert not leftover.exists()
    assert run.model.exists()


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_folder_is_replaced_as_a_whole_or_not_at_all(error, tmp_path):
    target = tmp_path / "new" / "folder"
    for number in range(2):
        with write_folder_safely(target) as temporary:
            (temporary / f"{number}.txt").write_text("good")
        assert [path.name for path in target.iterdir()] == [f"{number}.txt"]
        (target.parent / ".partial-old-folder" / "rest").mkdir(parents=True)  # of a killed process

    with pytest.raises(error), write_folder_safely(target) as temporary:  # noqa: PT012
        (temporary / "2.txt").write_text("bad")
        raise error
    assert [path.name for path in target.iterdir()] == ["1.txt"]
    assert {path.name for path in target.parent.iterdir()} == {"folder", ".partial-old-folder"}
