"""How near the colours of a photograph are to its own."""

import numpy as np
from PIL import Image

from ae_keras import metrics
from ae_keras.codec.planes import split_alpha
from ae_keras.system.pixels import to_unit_range

# A larger photograph is scored and shown on a smaller copy.
_JUDGED_SIZE = 512


def as_rgb(photograph: np.ndarray) -> np.ndarray:
    """Return a photograph `(height, width, 1 or 3)` with three channels."""
    return np.broadcast_to(photograph, (*photograph.shape[:2], 3))


def judged_copy(image: np.ndarray) -> np.ndarray:
    """Return an image as uint8 RGB, with alpha if it has any, smaller if it is large."""
    photograph, alpha = split_alpha(image, 3)
    colours = as_rgb(photograph)
    copy = Image.fromarray(colours if alpha is None else np.dstack([colours, alpha]))
    copy.thumbnail((_JUDGED_SIZE, _JUDGED_SIZE), Image.Resampling.BOX)
    return np.asarray(copy)


def has_any_colour(image: np.ndarray) -> bool:
    """Whether a uint8 image has colours that can be seen; a large one is judged by a copy."""
    return bool(np.ptp(metrics.visible_colours(judged_copy(image)), axis=-1).any())


def score_colours(image: np.ndarray, colourized: np.ndarray) -> dict[str, float]:
    """Return how near given colours are to those of an image, as means over the visible pixels.

    Args:
        image: uint8 array `(height, width, 3 or 4)`. A large one is scored on a smaller copy.
        colourized: uint8 array of the same shape and alpha.

    Raises:
        ModuleNotFoundError: if scikit-image is not installed.
    """
    original, result = (metrics.visible_colours(judged_copy(each)) for each in (image, colourized))
    # Slow to import, and not needed where photographs are grey.
    from ae_keras.metrics import colour as colour_metrics

    originals, results = (
        to_unit_range(each)[np.newaxis, np.newaxis] for each in (original, result)
    )
    return {
        "ab-RMSE": float(np.sqrt(colour_metrics.chroma_mse(originals, results))[0]),
        "PSNR [dB]": float(metrics.psnr(metrics.mse(originals, results))[0]),
        "Delta E 2000": float(colour_metrics.delta_e(originals, results)[0]),
    }
