"""Photographs through a network, in windows, and the denoiser that goes through them."""

import keras
import numpy as np
import pytest
from conftest import SMALL

import ae_keras
from ae_keras.codec.loading import load_codec
from ae_keras.export.litert_form import write_litert
from ae_keras.photographs import windows
from ae_keras.photographs.colourization import PhotoColourizer
from ae_keras.photographs.denoising import Denoiser
from ae_keras.photographs.windows import run_in_windows
from ae_keras.runs.folder import RunFolder


def change_last_layers(model, rng):
    for weight in model.weights:
        if not np.any(weight):
            weight.assign(rng.normal(0, 0.05, weight.shape))


def join(network, image, multiple=8):
    result, times = np.empty(image.shape, np.float32), np.zeros(image.shape[:2], int)
    for part, pixels in run_in_windows(network, multiple, image):
        result[part] = pixels
        times[part] += 1
    assert (times == 1).all()
    return result


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 50, 1), (200, 9, 3), (260, 330, 3)])
def test_windows_cover_each_pixel_once(shape, rng, monkeypatch):
    monkeypatch.setattr(windows, "_WINDOW", 64)
    monkeypatch.setattr(windows, "_MARGIN", 16)
    image, sizes = rng.integers(0, 256, shape, np.uint8), []

    def network(images):
        sizes.append(images.shape[1:3])
        return images.copy()

    np.testing.assert_allclose(join(network, image), image / 255, atol=1e-6)
    assert all(side % 8 == 0 and side <= 64 for size in sizes for side in size)


def test_windows_leave_no_seams(rng, monkeypatch):
    """The whole denoiser, of its own depth, sees no further than the margin."""
    keras.utils.set_random_seed(0)
    model = ae_keras.build_model("denoiser", filters=(8, 8, 8))
    change_last_layers(model, rng)
    image = rng.integers(0, 256, (150, 333, 3), np.uint8)
    whole = join(model.predict_on_batch, image)
    monkeypatch.setattr(windows, "_WINDOW", 2 * windows._MARGIN + 64)
    parts = join(model.predict_on_batch, image)
    assert np.abs(whole - image / 255).max() > 0.05
    np.testing.assert_allclose(parts, whole, atol=1e-4)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a denoiser that was trained for two steps, in half precision."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("denoiser")
    np.save(folder / "data.npy", rng.integers(0, 256, (20, 16, 16, 3), np.uint8))
    recipe = ae_keras.recipe_for(
        "denoiser", str(folder / "data.npy"), image_shape=(16, 16, 3), steps_per_epoch=2, epochs=1,
        batch_size=2, schedule="constant", schedule_arguments={}, **SMALL["denoiser"],
    )  # fmt: skip
    metrics = ae_keras.train(recipe, folder / "run", verbose=0)
    assert set(metrics["test"]) >= {"mse", "psnr"}
    return RunFolder(folder / "run")


@pytest.mark.parametrize("shape", [(1, 1), (37, 50), (37, 50, 2), (37, 50, 3), (37, 50, 4)])
def test_both_runtimes_clean_images_of_any_kind(shape, run, rng):
    if not run.litert.exists():
        write_litert(run.path)
    image = rng.integers(0, 256, shape, np.uint8)
    cleaned = {runtime: Denoiser(str(run.path), runtime)(image) for runtime in ("keras", "litert")}
    for result in cleaned.values():
        assert result.shape == shape
        assert result.dtype == np.uint8
        if shape[-1] in (2, 4):
            np.testing.assert_array_equal(result[..., -1], image[..., -1])
    assert np.abs(cleaned["keras"].astype(int) - cleaned["litert"]).max() <= 1


def test_a_denoiser_is_no_colourizer_and_no_codec(run):
    if not run.litert.exists():
        write_litert(run.path)
    for runtime in ("keras", "litert"):
        with pytest.raises(ValueError, match="'denoiser', which is no colourizer"):
            PhotoColourizer(str(run.path), runtime=runtime)
        with pytest.raises(ValueError, match="no latent"):
            load_codec(run.path, runtime=runtime)


def test_evaluation_measures_a_run(run):
    result, files = ae_keras.evaluate(run.path, split="validation")
    assert result["psnr"] > 0
    assert all(file.is_file() for file in files)
