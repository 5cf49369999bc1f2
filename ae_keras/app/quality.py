"""How near a picture is to another one, for a page on which nobody waits for long."""

from dataclasses import dataclass

import numpy as np

from ae_keras import metrics
from ae_keras.app.files import has_alpha
from ae_keras.system import pixels
from ae_keras.system.pixels import to_unit_range

# MS-SSIM of more pixels would take longer than all else.
MIDDLE = 1024


@dataclass(frozen=True)
class Quality:
    """How near a picture is to another one.

    Args:
        psnr: float. In dB; infinite if they are the same.
        ms_ssim: float. Of the middle 1024x1024 pixels; None if the picture is too small, or SciPy
            is not installed.
    """

    psnr: float
    ms_ssim: float | None

    def cells(self) -> tuple[str, str]:
        """Return both as texts."""
        return f"{self.psnr:.2f}", "-" if self.ms_ssim is None else f"{self.ms_ssim:.4f}"


def measure_quality(image: np.ndarray, restored: np.ndarray) -> Quality:
    """Return how near a picture is to another one.

    Args:
        image: uint8 array `(height, width)` or `(height, width, channels)`.
        restored: uint8 array of the same shape.
    """
    return Quality(metrics.image_psnr(image, restored), measure_ms_ssim(image, restored))


def measure_ms_ssim(image: np.ndarray, restored: np.ndarray) -> float | None:
    """Return the MS-SSIM of the middle of a picture; see `Quality`."""
    pair = [to_unit_range(middle(np.atleast_3d(each)))[np.newaxis] for each in (image, restored)]
    try:
        return float(metrics.ms_ssim(*pair)[0])
    except (ValueError, ModuleNotFoundError):
        return None


def middle(image: np.ndarray) -> np.ndarray:
    """Return the colours of the middle 1024x1024 pixels of an image; all of a smaller one."""
    return pixels.middle(image, MIDDLE)[..., : image.shape[2] - has_alpha(image)]
