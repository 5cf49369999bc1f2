"""Photographs to measure on, where the user names none."""

import importlib.util

import numpy as np
from PIL import Image

from ae_keras.data.skimage_photos import load_scenes

# Of Kodak's images, on which the literature measures.
HEIGHT, WIDTH = 512, 768


def sample_photograph() -> np.ndarray:
    """Return a uint8 image `(512, 768, 3)`: scikit-image's astronaut and part of her mirror image.

    Where scikit-image is not installed, it is smooth noise.
    """
    if not importlib.util.find_spec("skimage"):
        noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
        return np.asarray(Image.fromarray(noise).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    astronaut = load_scenes()[0][0]
    image = np.concatenate([astronaut, astronaut[:, ::-1]], axis=1)
    return np.ascontiguousarray(image[:HEIGHT, :WIDTH])


def sample_photographs() -> list[np.ndarray]:
    """Return the nine photographs of scikit-image, uint8 `(height, width, 3)`, 5.6 megapixels.

    Raises:
        ModuleNotFoundError: if scikit-image is not installed.
    """
    return [photograph for scene in load_scenes() for photograph in scene]
