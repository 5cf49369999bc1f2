"""Write golden files of models: of those that ship, and of a tiny codec of photographs.

python tests/golden/make.py

Those that are there are never changed. A file is written with the model in LiteRT; beside it are
the latents that its symbols stand for, exactly, and the pixels. `photo` is the run of the tiny
codec: its integer networks and tables, and its model for Keras and for LiteRT.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import SMALL, shaken, smooth_images
from decoded import FOLDER, PHOTO, decode
from older_files import as_version_1

import ae_keras
from ae_keras.codec.fitting import fit_run
from ae_keras.codec.hyperprior import strips
from ae_keras.data.images import Images
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model
from ae_keras.runs.shipped import PRETRAINED
from ae_keras.runs.shipping import ship


def make_photo(rng):
    """Write the run of a tiny codec of photographs; its weights have 16 bits."""
    images = smooth_images(rng, 40, 64, 64, 3)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/images.npz", images=images)
        recipe = ae_keras.recipe_for(
            "photo", f"{folder}/images.npz", image_shape=(64, 64, 3), **SMALL["photo"]
        )
        model = build_from_recipe(recipe)
        model.adapt(images)
        run = RunFolder(f"{folder}/run")
        run.path.mkdir()
        run.start(recipe)
        run.write_model(shaken(model, rng, 0.02), run.model)
        ship(run.path, PHOTO, "smooth-images")
        fit_run(RunFolder(PHOTO), Images(images), load_model(RunFolder(PHOTO).model))
        ae_keras.write_litert(PHOTO, f"{folder}/images.npz")


def write(name, codec, image, version=2):
    """Write a golden file, unless it is there."""
    path = FOLDER / f"{name}.aek"
    if path.exists():
        return
    data = codec.compress(image)
    data = as_version_1(data) if version == 1 else data
    latents, pixels = decode(codec, data)
    path.write_bytes(data)
    np.savez_compressed(path.with_suffix(".npz"), latents=latents, pixels=pixels)


def main():
    """Write what is missing."""
    rng = np.random.default_rng(7)
    if not PHOTO.exists():
        make_photo(rng)
    for run in sorted(PRETRAINED.glob("*/entropy_tables.npz")):
        name = run.parent.name
        codec = ae_keras.load_codec(run.parent, runtime="litert")
        image = smooth_images(rng, 1, 40, 35, codec.channels)[0]
        write(name, codec.with_quality(60), image, version=2 if name.startswith("photo") else 1)
    strips._STRIP_PIXELS = 2 * 64**2
    photo = ae_keras.load_codec(PHOTO, runtime="litert")
    for name, quality, shape in (
        ("photo-rgb", 50, (70, 50, 3)),
        ("photo-grey", 20, (30, 40, 1)),
        ("photo-alpha", 80, (20, 90, 4)),
        ("photo-strips", 70, (200, 60, 3)),
    ):
        write(name, photo.with_quality(quality), smooth_images(rng, 1, *shape)[0])
    harsh = rng.integers(0, 2, (30, 30, 3), np.uint8) * 255
    write("photo-escapes", photo.with_quality(100), harsh)


if __name__ == "__main__":
    main()
