import json

import numpy as np
import pytest
from PIL import Image

import ae_keras
from ae_keras import metrics
from ae_keras.data.images import Images, load_images
from ae_keras.evaluation import reconstruction
from ae_keras.evaluation.reconstruction import measure
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.pictures import reconstruct


@pytest.fixture
def model(tiny_recipe):
    return build_from_recipe(tiny_recipe)


def test_measure_agrees_with_the_metrics_over_all_images_at_once(model, tiny_recipe, photo_folder):
    images = load_images(tiny_recipe.data_spec, ["train"])["train"].images
    result = measure(model, Images(images), tiny_recipe)
    originals = images / np.float32(255)
    outputs = np.asarray(model(originals))
    errors = metrics.mse(originals, outputs)
    assert result["images"] == len(images) == 32
    assert result["mse"] == pytest.approx(errors.mean(), rel=1e-5)
    assert result["psnr"] == pytest.approx(metrics.psnr(errors).mean(), rel=1e-5)
    assert result["psnr_of_mean_mse"] == pytest.approx(metrics.psnr(errors.mean()), rel=1e-5)
    assert result["ssim"] == pytest.approx(metrics.ssim(originals, outputs).mean(), rel=1e-4)
    assert result["ms_ssim_scales"] == 1
    expected = ((originals - outputs) ** 2).mean((0, 1, 2)) / originals.var((0, 1, 2))
    assert result["mse_standardized"] == pytest.approx(expected.mean(), rel=1e-4)


class PlainModel:
    """What `measure` asks of a model that takes nothing but images."""

    is_variational = False

    def inputs_for(self, images, labels):
        return images


def test_the_mean_colour_has_a_standardized_error_of_one(tiny_recipe, photo_folder):
    images = load_images(tiny_recipe.data_spec, ["train"])["train"].images

    class MeanColour(PlainModel):
        def predict_on_batch(self, batch):
            return np.broadcast_to((images / 255).mean((0, 1, 2)), batch.shape)

    assert measure(MeanColour(), Images(images), tiny_recipe)["mse_standardized"] == pytest.approx(
        1
    )


def test_perfect_and_constant_images_give_none_instead_of_infinity(tiny_recipe):
    class Perfect(PlainModel):
        def predict_on_batch(self, batch):
            return batch

    result = measure(Perfect(), Images(np.zeros((4, 16, 16, 3), np.uint8)), tiny_recipe)
    assert result["mse"] == 0
    assert result["psnr"] is None
    assert result["mse_standardized"] is None
    json.dumps(result, allow_nan=False)


def test_small_images_have_no_ssim(tiny_recipe):
    model = ae_keras.build_model("cae", image_shape=(8, 8, 3))
    assert "ssim" not in measure(model, Images(np.zeros((4, 8, 8, 3), np.uint8)), tiny_recipe)


def test_reconstruct_returns_noisy_inputs_when_denoising(model, tiny_recipe, rng):
    recipe = ae_keras.change_recipe(tiny_recipe, task="denoising", noise=0.1)
    images = rng.integers(0, 256, (20, 16, 16, 3), np.uint8)
    inputs, outputs = reconstruct(model, Images(images), recipe)
    assert not np.array_equal(inputs, images / np.float32(255))
    np.testing.assert_allclose(outputs, model(inputs), atol=1e-5)


@pytest.mark.parametrize("count", [1, 9, 10, 1000])
def test_picked_images_are_spread_over_all(count):
    images = np.arange(count)
    picked = Images(images, 7 * images).pick(10)
    examples = picked.images
    np.testing.assert_array_equal(picked.labels, 7 * examples)
    assert len(examples) == min(count, 10)
    assert len(set(examples.tolist())) == len(examples)
    assert examples[0] == 0
    assert examples[-1] == count - 1 or count == 1


def test_evaluate_writes_its_files_where_it_is_told(model, tiny_recipe, tmp_path, photo_folder):
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.start(tiny_recipe)
    run.write_model(model, run.model)
    result, files = ae_keras.evaluate(run.path, split="validation", output_dir=tmp_path / "a" / "b")
    assert [path.name for path in files] == [
        "evaluation-photos-validation.json",
        "evaluation-photos-validation.png",
    ]
    assert json.loads(files[0].read_text()) == result
    with Image.open(files[1]) as image:
        assert image.width > image.height


@pytest.fixture
def finished(model, tiny_recipe, tmp_path, monkeypatch):
    """A run whose evaluation draws nothing."""
    monkeypatch.setattr(reconstruction, "write_reconstructions", lambda *_: None)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.start(tiny_recipe)
    run.write_model(model, run.model)
    return run


def write_images(folder, rng, count=12):
    images = rng.integers(0, 256, (count, 16, 16, 3), np.uint8)
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:02}.png")
    return images


@pytest.mark.parametrize("kind", ["folder", "npy", "npz"])
def test_images_that_were_not_trained_on_are_measured_whole(kind, finished, tmp_path, rng):
    images = write_images(tmp_path / "other", rng)
    path = tmp_path / ("other" if kind == "folder" else f"other.{kind}")
    if kind == "npy":
        np.save(path, images)
    elif kind == "npz":
        np.savez(path, images=images)
    result, files = ae_keras.evaluate(finished.path, str(path))
    outputs = np.asarray(ae_keras.load(finished.path)(images / np.float32(255)))
    assert result["images"] == 12
    assert result["mse"] == pytest.approx(np.square(outputs - images / 255).mean(), rel=1e-4)
    assert files[0].name == "evaluation-other-all.json"
    assert ae_keras.evaluate(finished.path, str(path), split="test")[0]["images"] == 1


def test_data_sets_with_splits_are_measured_on_their_test_images(
    finished, photo_folder, tmp_path, rng
):
    assert ae_keras.evaluate(finished.path)[0]["images"] == 4
    assert ae_keras.evaluate(finished.path, str(photo_folder))[0]["images"] == 4
    assert ae_keras.evaluate(finished.path, split="all")[0]["images"] == 40
    images = write_images(tmp_path / "faces", rng)
    np.savez(tmp_path / "split.npz", x_train=images[:7], x_test=images[7:])
    assert ae_keras.evaluate(finished.path, str(tmp_path / "split.npz"))[0]["images"] == 5
    listing = "".join(f"{number:02}.png {2 * (number > 8)}\n" for number in range(12))
    (tmp_path / "faces" / "list_eval_partition.txt").write_text(listing)
    assert ae_keras.evaluate(finished.path, str(tmp_path / "faces"))[0]["images"] == 3


@pytest.mark.parametrize("by", ["recipe", "argument"])
def test_evaluate_leaves_unreadable_files_out(by, model, tiny_recipe, tmp_path, photo_folder):
    for path in photo_folder.rglob("*7.png"):
        path.write_bytes(b"junk")
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.start(ae_keras.change_recipe(tiny_recipe, skip_unreadable=by == "recipe"))
    run.write_model(model, run.model)
    result, _ = ae_keras.evaluate(run.path, split="train", skip_unreadable=by == "argument")
    assert 28 <= result["images"] < 32
