"""A run's own model for LiteRT."""

import keras
import numpy as np
import pytest
from conftest import assert_one_clear_line, run_here, smooth_images

import ae_keras
from ae_keras.codec.litert import LiteRTModel, unpack
from ae_keras.codec.litert_transform import LiteRTTransform
from ae_keras.codec.runtimes import load_litert_form
from ae_keras.export import Export
from ae_keras.export.export_run import export_run
from ae_keras.export.litert_form import write_litert
from ae_keras.export.signatures import Signature, _specs
from ae_keras.export.writers import convert_to_litert, halve_constants
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder


@pytest.fixture
def colourizer(tmp_path, rng):
    np.savez(tmp_path / "images.npz", images=smooth_images(rng, 20, 16, 16, 3))
    recipe = ae_keras.recipe_for(
        "colourizer", str(tmp_path / "images.npz"), image_shape=(16, 16, 3), filters=(4, 8)
    )
    run = RunFolder(tmp_path / "colourizer")
    run.path.mkdir()
    run.start(recipe)
    run.write_model(build_from_recipe(recipe), run.model)
    return run


@pytest.mark.parametrize("is_exact", [True, False])
def test_constants_are_halved_where_nothing_changes(is_exact, rng):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((40,), name="images"), keras.layers.Dense(60)])
    weights = [0.1 + each for each in model.get_weights()]
    if is_exact:
        weights = [each.astype(np.float16).astype(np.float32) for each in weights]
    model.set_weights(weights)

    def function(images):
        return {"latents": model(images)}

    signature = Signature("encode", function, _specs(model, None), tuple(model.weights))
    whole = convert_to_litert([signature])
    halved = halve_constants(whole)
    assert (len(halved) < len(whole) - 4000) == is_exact
    inputs = {"images": rng.random((3, 40), np.float32)}
    ours, theirs = (LiteRTModel(each).run("encode", inputs)["latents"] for each in (whole, halved))
    np.testing.assert_array_equal(ours, theirs)


def test_chroma_is_that_of_keras(colourizer, rng):
    path, parity = write_litert(colourizer.path)
    assert path == colourizer.litert
    assert set(parity) == {"chroma"}
    model, description = load_litert_form(colourizer, "litert")
    assert description.part == "chroma"
    assert description.multiple == ae_keras.load(colourizer.path).multiple
    grey = rng.random((2, 24, 32, 1), np.float32)
    expected = ae_keras.load(colourizer.path).predict_chroma(grey)
    chroma = model.run("chroma", {"grey": grey})["chroma"]
    assert chroma.shape == (2, 12, 16, 2)
    np.testing.assert_allclose(chroma, expected, atol=1e-3)


def test_chroma_is_a_part_of_colourizers_alone(colourizer, run):
    path, report = export_run(colourizer.path, Export("litert", part="chroma"), threads=())
    assert set(report["parity"]) == {"chroma"}
    assert path.name == "colourizer-chroma.tflite"
    with pytest.raises(ValueError, match="'cae' has no chroma"):
        export_run(run.path, Export("litert", part="chroma"), threads=())


def test_an_existing_file_is_kept(colourizer):
    colourizer.litert.write_text("mine")
    with pytest.raises(FileExistsError, match=r"model.tflite' exists.*--overwrite"):
        write_litert(colourizer.path)
    assert colourizer.litert.read_text() == "mine"
    write_litert(colourizer.path, overwrite=True)
    assert unpack(colourizer.litert.read_bytes())[1].name == "colourizer"


def test_commands_write_it(run, monkeypatch, capsys):
    monkeypatch.setattr(ae_keras, "train", lambda *_, **__: {"test": {"mse": 0.1}}, raising=False)
    words = ("--model", "cae", "--output", run.path, "--export", "litert")
    assert run_here(monkeypatch, capsys, "train.py", *words)[0] == 0
    assert isinstance(ae_keras.load_codec("mine").transform, LiteRTTransform)
    run.litert.unlink()
    export = ("export.py", "mine", "--format", "litert", "--in-run")
    status, output, _ = run_here(monkeypatch, capsys, *export)
    assert (status, output.split(":")[0]) == (0, "saved_models/mine/model.tflite")
    assert isinstance(ae_keras.load_codec("mine").transform, LiteRTTransform)
    for words in (export, (*export, "--overwrite", "--quantize", "int8")):
        status, _, error = run_here(monkeypatch, capsys, *words)
        assert_one_clear_line(status, error, "--overwrite" if words == export else "--in-run is")
