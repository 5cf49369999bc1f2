"""A run's model in LiteRT and in Keras: the same codec, and which of them is taken."""

import concurrent.futures
import shutil

import numpy as np
import pytest
from conftest import smooth_images

import ae_keras
from ae_keras.codec.fitting import fit_run
from ae_keras.codec.keras_transform import KerasTransform
from ae_keras.codec.litert_transform import LiteRTTransform
from ae_keras.codec.loading import load_codec
from ae_keras.codec.runtimes import load_litert_form
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.shipped import PRETRAINED

SHIPPED = [RunFolder(path) for path in sorted(PRETRAINED.iterdir()) if path.is_dir()]
CODECS = [run for run in SHIPPED if run.entropy_tables.is_file()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of random weights with its model for LiteRT."""
    folder = tmp_path_factory.mktemp("runs")
    np.savez(folder / "images.npz", images=smooth_images(np.random.default_rng(0), 20, 16, 16, 3))
    recipe = ae_keras.recipe_for("cae", str(folder / "images.npz"), image_shape=(16, 16, 3))
    run = RunFolder(folder / "run")
    run.path.mkdir()
    run.start(recipe)
    write_model(run)
    ae_keras.write_litert(run.path)
    return run


@pytest.fixture
def run(whole, tmp_path):
    """A copy of it."""
    return RunFolder(shutil.copytree(whole.path, tmp_path / "run"))


def write_model(run):
    run.write_model(build_from_recipe(run.recipe), run.model)
    fit_run(run)


def known_latents(codec, data, monkeypatch):
    """Return what the model's decoder is given of the image in a file, and the image."""
    transform = getattr(codec, "transform", None) or codec._transform
    name = "decode" if hasattr(transform, "decode") else "synthesize"
    given, function = [], getattr(transform, name)

    def note(latents, *others):
        given.append(np.array(latents))
        return function(latents, *others)

    with monkeypatch.context() as context:
        context.setattr(transform, name, note)
        image = codec.decompress(data)
    return np.concatenate([latents.ravel() for latents in given]), image


@pytest.mark.parametrize("shipped", CODECS, ids=lambda run: run.path.name)
def test_files_of_both_runtimes_have_the_same_symbols(shipped, rng, monkeypatch):
    codecs = [load_codec(shipped.path, runtime=runtime) for runtime in ("keras", "litert")]
    assert codecs[0].entropy_model.digest == codecs[1].entropy_model.digest
    image = smooth_images(rng, 1, 70, 90, codecs[0].channels)[0]
    for writer in codecs:
        data = writer.compress(image)
        (ours, first), (theirs, second) = (
            known_latents(codec, data, monkeypatch) for codec in codecs
        )
        np.testing.assert_array_equal(ours, theirs)
        assert np.abs(first.astype(int) - second).max() <= 1


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda run: run.path.name)
def test_models_that_ship_are_there_for_litert(shipped):
    model, description = load_litert_form(shipped)
    assert description.quantization == "none"
    assert model.signatures
    assert shipped.litert.stat().st_size < 5_000_000


def test_litert_is_taken_first_and_keras_where_it_is_wanted(run, monkeypatch):
    assert isinstance(load_codec(run.path).transform, LiteRTTransform)
    assert isinstance(load_codec(run.path, runtime="keras").transform, KerasTransform)
    monkeypatch.setenv("AE_KERAS_RUNTIME", "keras")
    assert isinstance(load_codec(run.path).transform, KerasTransform)
    assert isinstance(load_codec(run.path, runtime="litert").transform, LiteRTTransform)
    monkeypatch.setenv("AE_KERAS_RUNTIME", "tensorflow")
    with pytest.raises(ValueError, match=r"AE_KERAS_RUNTIME must be keras or litert.*'tensorflow'"):
        load_codec(run.path)
    with pytest.raises(ValueError, match="`runtime` must be keras or litert"):
        load_codec(run.path, runtime="onnx")


def test_a_run_without_it_is_run_by_keras(run):
    run.litert.unlink()
    assert isinstance(load_codec(run.path).transform, KerasTransform)
    with pytest.raises(FileNotFoundError, match=r"has no 'model.tflite'.*--in-run"):
        load_codec(run.path, runtime="litert")


def test_a_model_of_other_weights_is_not_taken(run):
    write_model(run)
    assert isinstance(load_codec(run.path).transform, KerasTransform)
    with pytest.raises(FileNotFoundError, match=r"is not of the run's 'model.keras'.*--in-run"):
        load_codec(run.path, runtime="litert")


def test_tables_of_other_weights_are_refused(run, tmp_path):
    other = RunFolder(shutil.copytree(run.path, tmp_path / "other"))
    write_model(other)
    run.entropy_tables.write_bytes(other.entropy_tables.read_bytes())
    with pytest.raises(ValueError, match="of other weights"):
        load_codec(run.path)


def test_training_on_takes_it_away(run):
    data = run.litert.read_bytes()
    run.extend(ae_keras.change_recipe(run.recipe, epochs=100))
    assert not run.litert.exists()
    run.litert.write_bytes(data)
    run.start(ae_keras.change_recipe(run.recipe, seed=7))
    assert not run.litert.exists()


def test_threads_are_those_of_litert(run, rng):
    image = smooth_images(rng, 1, 40, 50, 3)[0]
    files = [load_codec(run.path, threads=threads).compress(image) for threads in (1, 2)]
    assert files[0] == files[1]
    for threads in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="`threads` must be a whole number of at least 1"):
            load_codec(run.path, threads=threads)
        with pytest.raises(ValueError, match="`threads` must be"):
            load_codec("a.tflite", threads=threads)
    with pytest.raises(ValueError, match="`threads` are those of LiteRT, and Keras runs 'run'"):
        load_codec(run.path, runtime="keras", threads=2)


def test_it_is_no_codec_without_its_run(run):
    with pytest.raises(ValueError, match=r"is a part of a run. Give its folder: '.*/run'"):
        load_codec(run.litert)


def test_an_exported_file_is_not_for_keras(tmp_path):
    with pytest.raises(ValueError, match="is a model for LiteRT"):
        load_codec(tmp_path / "model.tflite", runtime="keras")


@pytest.mark.parametrize("name", ["photo", "vae_v2-cifar10", "cae in keras"])
def test_several_threads_use_one_codec_at_once(name, run, rng):
    model = (run.path, "keras") if name == "cae in keras" else (name, "litert")
    # Not loaded before: what is made at the first call is made by several threads too.
    codec = load_codec(model[0], runtime=model[1])
    images = [smooth_images(rng, 1, height, 80 - height, 3)[0] for height in (16, 20, 50, 64)]

    def do(image):
        data = codec.compress(image, quality=50 + len(image) % 30)
        return data, codec.decompress(data)

    with concurrent.futures.ThreadPoolExecutor(len(images)) as pool:
        together = list(pool.map(do, images))
    for (data, restored), image in zip(together, images, strict=True):
        expected, expected_image = do(image)
        assert data == expected
        np.testing.assert_array_equal(restored, expected_image)


def test_a_quality_may_be_given_with_the_image(run, rng):
    codec, image = load_codec(run.path), smooth_images(rng, 1, 20, 20, 3)[0]
    assert codec.compress(image, quality=75) == codec.with_quality(75).compress(image)
    assert codec.compress(image, quality=75) != codec.compress(image)
    with pytest.raises(ValueError, match="101"):
        codec.compress(image, quality=101)
