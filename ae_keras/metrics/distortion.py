"""Quality of reconstructions. Images are arrays `(count, height, width, channels)` in [0, 1].

Every function returns one value for each image, or says that it does not.
"""

import numpy as np
import numpy.typing as npt

# Wang et al., 2004: a Gaussian window of 11x11 pixels, and constants for a range of 1.
_SIGMA = 1.5
_RADIUS = 5
_WINDOW = 2 * _RADIUS + 1
_C1 = 0.01**2
_C2 = 0.03**2

# Wang, Simoncelli and Bovik, 2003: from the full resolution to a sixteenth of it.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _check_pair(
    images: npt.ArrayLike, reconstructions: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    images, reconstructions = np.asarray(images), np.asarray(reconstructions)
    if images.shape != reconstructions.shape or images.ndim != 4:
        raise ValueError(
            "Expected two arrays of one shape (count, height, width, channels). "
            f"Received: {images.shape} and {reconstructions.shape}."
        )
    return images.astype(np.float64), reconstructions.astype(np.float64)


def channel_mse(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> np.ndarray:
    """Return the mean squared error of each channel of each image, `(count, channels)`.

    Raises:
        ValueError: if the arrays are not of one shape `(count, height, width, channels)`.
    """
    images, reconstructions = _check_pair(images, reconstructions)
    return np.mean((images - reconstructions) ** 2, axis=(1, 2))


def mse(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> np.ndarray:
    """Return the mean squared error of each image, in units of [0, 1] squared.

    Raises:
        ValueError: if the arrays are not of one shape `(count, height, width, channels)`.
    """
    return np.mean(channel_mse(images, reconstructions), axis=-1)


def psnr(mean_squared_error: npt.ArrayLike) -> np.ndarray:
    """Return the peak signal-to-noise ratio in dB of mean squared errors: `-10 log10(MSE)`.

    The mean of the PSNR of each image, and the PSNR of the mean MSE, are different numbers: the
    first is never the smaller one. An error of 0 gives infinity.
    """
    with np.errstate(divide="ignore"):
        return -10.0 * np.log10(mean_squared_error)


def _smooth(images: np.ndarray) -> np.ndarray:
    """Return the Gaussian-weighted mean around each pixel whose window is inside the image."""
    from scipy import ndimage  # slow to import, and not needed to compress

    sigma = (0, _SIGMA, _SIGMA, 0)
    smooth = ndimage.gaussian_filter(images, sigma, radius=(0, _RADIUS, _RADIUS, 0))
    return smooth[:, _RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _similarity(images: np.ndarray, reconstructions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return SSIM and its contrast-structure term for each image and channel."""
    mean_x, mean_y = _smooth(images), _smooth(reconstructions)
    variances = _smooth(images**2 + reconstructions**2) - mean_x**2 - mean_y**2
    covariance = _smooth(images * reconstructions) - mean_x * mean_y
    structure = (2 * covariance + _C2) / (variances + _C2)
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return np.mean(luminance * structure, axis=(1, 2)), np.mean(structure, axis=(1, 2))


def _check_window(shape: tuple[int, ...]) -> None:
    if min(shape[1:3]) < _WINDOW:
        raise ValueError(
            f"SSIM needs images of at least {_WINDOW}x{_WINDOW} pixels. "
            f"Received: {shape[1]}x{shape[2]}."
        )


def ssim(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> np.ndarray:
    """Return the structural similarity of each image, at most 1; the mean over its channels.

    Means, variances and covariance are weighted by a Gaussian of standard deviation 1.5 in a
    window of 11x11 pixels, and averaged over the windows that lie inside the image.

    Raises:
        ValueError: if the shapes differ, or the images are smaller than 11x11 pixels.

    Reference:
        - [Wang et al., 2004](https://doi.org/10.1109/TIP.2003.819861)
    """
    images, reconstructions = _check_pair(images, reconstructions)
    _check_window(images.shape)
    return np.mean(_similarity(images, reconstructions)[0], axis=-1)


def _halve(images: np.ndarray) -> np.ndarray:
    """Return the images at half their resolution: means of 2x2 pixels; an odd last row is cut."""
    count, height, width, channels = images.shape
    height, width = height // 2, width // 2
    blocks = images[:, : 2 * height, : 2 * width]
    return blocks.reshape(count, height, 2, width, 2, channels).mean(axis=(2, 4))


def count_scales(height: int, width: int) -> int:
    """Return how many of the five scales of MS-SSIM fit into an image of this size."""
    scales = 0
    while scales < len(_SCALE_WEIGHTS) and min(height, width) >= _WINDOW:
        scales, height, width = scales + 1, height // 2, width // 2
    return scales


def ms_ssim(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> np.ndarray:
    """Return the multi-scale structural similarity of each image, at most 1.

    The full five scales need images of at least 176x176 pixels. Smaller ones are compared on as
    many scales as fit (`count_scales`; two for 32x32), with the weights of these rescaled to a sum
    of 1, so that values for images of different sizes are not comparable.

    Raises:
        ValueError: if the shapes differ, or the images are smaller than 11x11 pixels.

    Reference:
        - [Wang, Simoncelli and Bovik, 2003](https://doi.org/10.1109/ACSSC.2003.1292216)
    """
    images, reconstructions = _check_pair(images, reconstructions)
    _check_window(images.shape)
    weights = np.asarray(_SCALE_WEIGHTS[: count_scales(*images.shape[1:3])])
    weights = weights / weights.sum()
    product = 1.0
    for scale, weight in enumerate(weights):
        full, structure = _similarity(images, reconstructions)
        term = full if scale == len(weights) - 1 else structure
        # A negative similarity has no real power; it counts as none.
        product = product * np.maximum(term, 0) ** weight
        images, reconstructions = _halve(images), _halve(reconstructions)
    return np.mean(product, axis=-1)


def sharpness(images: npt.ArrayLike) -> np.ndarray:
    """Return the mean size of the gradient of each image: differences of neighbouring pixels."""
    images = np.asarray(images, np.float64)
    down = np.diff(images, axis=1)[:, :, :-1]
    across = np.diff(images, axis=2)[:, :-1]
    return np.hypot(down, across).mean(axis=(1, 2, 3))
