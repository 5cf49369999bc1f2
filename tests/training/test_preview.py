"""What is shown before and beside a run: summary, samples, augmentation."""

import dataclasses

import pytest
from PIL import Image

import ae_keras
from ae_keras import figures
from ae_keras.runs.folder import RunFolder
from ae_keras.training.preview import compression_ratios, preview

AUGMENTATION = {"rotation": 30, "shift": 0.2, "copies": 2}


def test_preview_tells_layers_latent_and_ratio(tiny_recipe, tmp_path):
    text, written = preview(tiny_recipe, tmp_path / "run")
    for words in ("standardization", "(None, 4, 4, 16)", "Total params: 4,917", "Param #", "1,744"):
        assert words in text
    assert "image   16x16x3: 768 values" in text
    assert "latent  4x4x16: 256 values" in text
    assert "0.75 to images as uint8, 3 to images as float32" in text
    assert [path.name for path in written] == ["dataset.png"]


def test_preview_shows_how_images_are_moved(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, augmentation=AUGMENTATION)
    _, written = preview(recipe, tmp_path / "run")
    assert [path.name for path in written] == ["dataset.png", "augmentation.png"]


@pytest.mark.thorough
def test_training_goes_on_in_the_folder_of_a_preview(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=1, augmentation=AUGMENTATION)
    preview(recipe, tmp_path / "run")
    ae_keras.train(recipe, tmp_path / "run", verbose=0)
    run = RunFolder(tmp_path / "run")
    assert run.is_finished
    assert run.augmentation_figure.is_file()
    assert run.dataset_figure.is_file()


def test_preview_leaves_a_run_of_another_recipe_alone(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, epochs=1, augmentation=AUGMENTATION)
    ae_keras.train(recipe, tmp_path / "run", verbose=0)
    before = {path: path.read_bytes() for path in (tmp_path / "run").glob("*.*")}
    preview(recipe, tmp_path / "run")
    with pytest.raises(FileExistsError, match="finished run"):
        preview(dataclasses.replace(recipe, augmentation={"shift": 0.5}), tmp_path / "run")
    assert all(path.read_bytes() == content for path, content in before.items())


def test_preview_refuses_what_cannot_be_trained(tiny_recipe, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, schedule_arguments={"foo": 1})
    with pytest.raises(ValueError, match="unknown schedule arguments foo"):
        preview(recipe, tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "uint8", "float32"), [("cae", 0.75, 3), ("lossy_cae", 6.125, 24.5)]
)
def test_compression_ratios(name, uint8, float32):
    model = ae_keras.build_model(name)
    assert compression_ratios(model) == {"uint8": uint8, "float32": float32}


@pytest.mark.parametrize(("count", "rows"), [(3, 1), (10, 1), (25, 3)])
def test_image_grid_has_a_place_for_each_image(count, rows, tmp_path, rng):
    images = rng.random((count, 8, 8, 3))
    figures.save_image_grid(tmp_path / "grid.png", images, "title", list(map(str, range(count))))
    with Image.open(tmp_path / "grid.png") as grid:
        width, height = grid.size
    assert width == pytest.approx(1650, abs=2)
    assert height == pytest.approx(150 * (1.3 * rows + 0.4), abs=2)
