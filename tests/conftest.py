import os

# Before TensorFlow is imported by any test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def photo_folder(tmp_path, rng):
    """Forty small colour images in nested folders."""
    folder = tmp_path / "photos"
    for number in range(40):
        path = folder / f"set{number % 3}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth = rng.integers(0, 256, (6, 7, 3), np.uint8)
        Image.fromarray(smooth).resize((50, 40), Image.Resampling.BICUBIC).save(path)
    return folder


@pytest.fixture
def tiny_recipe(photo_folder):
    """A recipe that trains in a second or two."""
    from ae_keras import recipe_for

    return recipe_for(
        "cae",
        str(photo_folder),
        image_shape=(16, 16, 3),
        epochs=3,
        batch_size=8,
        learning_rate=1e-3,
        schedule="constant",
    )


def require_dataset(name):
    """Skip the test, saying so, where a TFDS data set is not on this machine."""
    import tensorflow_datasets as tfds

    if not tfds.builder(name).is_prepared():
        pytest.skip(f"data set {name!r} is not in {os.environ.get('TFDS_DATA_DIR', 'the default')}")
