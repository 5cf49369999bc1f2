"""What is done to a batch of images on its way to the model, by NumPy.

The twins of `transforms` and `augmentation`, for backends other than TensorFlow's.
"""

from typing import Any

import numpy as np

from ae_keras.data.share import Share
from ae_keras.data.spec import BatchSpec
from ae_keras.system.colour import to_grey


def make_pair(
    images: np.ndarray, spec: BatchSpec, rng: np.random.Generator, share: Share | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return a task's (input, target) of float32 images in [0, 1]; noise comes from `rng`.

    Args:
        images: Array `(count, height, width, channels)`.
        spec: BatchSpec.
        rng: Generator. It draws for the whole batch.
        share: Share. The images of the batch that these are. Default: all of it.
    """
    if spec.task == "denoising":
        count, rows = share or Share(len(images))
        noise = rng.standard_normal((count, *images.shape[1:]), np.float32)[rows]
        if isinstance(spec.noise, tuple):
            deviations = rng.uniform(*spec.noise, (count, 1, 1, 1)).astype(np.float32)[rows]
        else:
            deviations = np.asarray(spec.noise, np.float32)
        return np.clip(images + deviations * noise, 0.0, 1.0), images
    if spec.task == "colourization":
        return to_grey(images), images
    return images, images


def augment(
    images: np.ndarray, spec: BatchSpec, rng: np.random.Generator, share: Share | None = None
) -> np.ndarray:
    """Return images that are moved at random, as an `augmentation` says.

    Rotation, scale, shear and shift are uniform and independent, about the middle of the image; a
    crop is enlarged to the image's size. The arguments are those of `make_pair`.
    """
    count, rows = share or Share(len(images))
    amounts = {name: value for name, value in spec.augmentation.items() if name != "copies"}
    flip, most = amounts.pop("flip", 0), amounts.pop("crop", 0)
    _, height, width, _ = images.shape
    if flip:
        flipped = rng.random((count, 1, 1, 1))[rows] < flip
        images = np.where(flipped, images[:, :, ::-1], images)
    if any(amounts.values()):
        draws = rng.uniform(-1, 1, (5, count))[:, rows]
        images = warp(images, affine_matrices(draws, height, width, **amounts))
    if most:
        cut, across, down = rng.random((3, count))[:, rows]
        images = warp(images, _part_matrices(most * cut, across, down, height, width))
    return images


def _part_matrices(
    cut: np.ndarray, across: np.ndarray, down: np.ndarray, height: int, width: int
) -> np.ndarray:
    matrices = np.zeros((len(cut), 2, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 - cut
    # A part that is `1 - cut` as high and as wide begins at most `cut` of the image from its edge.
    matrices[:, 0, 2], matrices[:, 1, 2] = cut * across * (width - 1), cut * down * (height - 1)
    return matrices


def affine_matrices(
    draws: np.ndarray,
    height: int,
    width: int,
    rotation: float = 0.0,
    shear: float = 0.0,
    shift: float = 0.0,
    scale: float = 0.0,
) -> np.ndarray:
    """Return matrices that lead from the pixels of a moved image to those of the original.

    Args:
        draws: Array `(5, batch)`, from -1 to 1: how far of each amount, for rotation, shear,
            scale, and shift along width and height.
        height: int.
        width: int.
        rotation: float. Degrees.
        shear: float. Degrees, along the width.
        shift: float. Share of height and width.
        scale: float. Share of 1.

    Returns:
        Array `(batch, 2, 3)`, for `(x, y, 1)` in pixels.
    """
    angle, slope = np.deg2rad(rotation * draws[0]), np.tan(np.deg2rad(shear * draws[1]))
    size = 1.0 + scale * draws[2]
    cosine, sine = np.cos(angle) / size, np.sin(angle) / size
    # A rotation after a shear along x; both about the middle.
    rows: Any = [[cosine, cosine * slope - sine], [sine, sine * slope + cosine]]
    linear = np.moveaxis(np.array(rows), -1, 0)
    middle = np.array([width - 1, height - 1]) / 2
    moved = np.stack([shift * width * draws[3], shift * height * draws[4]], axis=-1)
    offset = middle - np.einsum("nij,nj->ni", linear, middle + moved)
    return np.concatenate([linear, offset[..., np.newaxis]], axis=-1)


def warp(images: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Return images whose pixel `(x, y)` is the original's at `matrix @ (x, y, 1)`.

    Values between pixels are bilinear; outside the image they are 0.
    """
    count, height, width, channels = images.shape
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    places = matrices @ np.stack([x, y, np.ones_like(x)])
    # A frame of zeros: whatever is farther out is as if it lay on its outer edge.
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x, y = (np.clip(place + 1, 0, size + 1) for place, size in zip(
        np.moveaxis(places, 1, 0), (width, height), strict=True
    ))  # fmt: skip
    left, top = np.minimum(x.astype(int), width), np.minimum(y.astype(int), height)
    across, down = ((a - b)[..., np.newaxis].astype(images.dtype) for a, b in ((x, left), (y, top)))
    number = np.arange(count)[:, np.newaxis]
    upper, lower = (
        framed[number, row, left] * (1 - across) + framed[number, row, left + 1] * across
        for row in (top, top + 1)
    )
    return (upper * (1 - down) + lower * down).reshape(count, height, width, channels)
