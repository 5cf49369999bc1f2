"""Files between backends: symbols equal, or they would not be read; pixels within 1."""

import itertools

import numpy as np
import pytest
from conftest import SMALL, require_backend, smooth_images
from PIL import Image

import ae_keras
from ae_keras.codec.fitting import fit_run
from ae_keras.data.images import Images
from ae_keras.evaluation.backends import BACKENDS, compare_backends
from ae_keras.export import Export
from ae_keras.export.export_run import export_run
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder


@pytest.fixture(scope="module")
def photo_run(tmp_path_factory):
    """An untrained codec of photographs, exported, and an image file."""
    tmp_path, rng = tmp_path_factory.mktemp("backends"), np.random.default_rng(0)
    images = smooth_images(rng, 12, 64, 64, 3)
    np.savez(tmp_path / "images.npz", images=images)
    recipe = ae_keras.recipe_for(
        "photo", str(tmp_path / "images.npz"), image_shape=(64, 64, 3), **SMALL["photo"]
    )
    model = build_from_recipe(recipe)
    model.adapt(images)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.start(recipe)
    run.write_model(model, run.model)
    fit_run(run, Images(images), model)
    path, _ = export_run(run.path, Export("litert"), threads=())
    Image.fromarray(smooth_images(rng, 1, 70, 90, 3)[0]).save(tmp_path / "image.png")
    return str(run.path), str(path), str(tmp_path / "image.png")


@pytest.mark.thorough
def test_each_backend_reads_what_the_others_write(photo_run):
    for backend in ("jax", "torch"):
        require_backend(backend)
    differences = compare_backends(*photo_run)
    assert set(differences) == set(itertools.product(BACKENDS, BACKENDS))
    assert max(differences.values()) <= 1


def test_a_backend_that_fails_is_named(photo_run):
    run, exported, _ = photo_run
    with pytest.raises(RuntimeError, match=r"litert: .*missing.png"):
        compare_backends(run, exported, "missing.png", ["litert"])
