"""Quality of colour. Images are sRGB arrays `(count, height, width, 3)` in [0, 1].

Every function returns one value for each image.
"""

import numpy as np
import numpy.typing as npt
from skimage import color

# Hasler and Suesstrunk: of the means beside the standard deviations, and the range they count in.
_SHARE_OF_MEANS = 0.3
_RANGE = 255


def chroma_mse(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> np.ndarray:
    """Return the mean squared error of a and b of CIE LAB, over both.

    Raises:
        ValueError: if the arrays are not of one shape `(count, height, width, 3)`.
    """
    images, reconstructions = _to_lab(images, reconstructions)
    return np.mean((images[..., 1:] - reconstructions[..., 1:]) ** 2, axis=(1, 2, 3))


def delta_e(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> np.ndarray:
    """Return the mean colour difference CIEDE2000; 1 is about the least that is seen.

    Raises:
        ValueError: if the arrays are not of one shape `(count, height, width, 3)`.
    """
    return color.deltaE_ciede2000(*_to_lab(images, reconstructions)).mean(axis=(1, 2))


def colourfulness(images: npt.ArrayLike) -> np.ndarray:
    """Return the colourfulness M: from 0 for grey images on.

    Reference:
        - [Hasler and Suesstrunk, 2003](https://doi.org/10.1117/12.477378), `M^(3)`
    """
    red, green, blue = np.moveaxis(_RANGE * np.asarray(images, np.float64), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread = np.hypot(*opponents.std(axis=(2, 3)))
    return spread + _SHARE_OF_MEANS * np.hypot(*opponents.mean(axis=(2, 3)))


def _to_lab(*images: npt.ArrayLike) -> list[np.ndarray]:
    arrays = [np.asarray(array, np.float64) for array in images]
    if len({array.shape for array in arrays}) > 1 or arrays[0].shape[3:] != (3,):
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(f"Expected two arrays (count, height, width, 3). Received: {shapes}.")
    return [color.rgb2lab(array) for array in arrays]
