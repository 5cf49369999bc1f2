"""What a source of images is: images in three splits, of which the wanted ones can be read."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ae_keras.data.image_files import fit_image
from ae_keras.data.spec import DataSpec

# Images that are read at a time.
BATCH_SIZE = 1000


@dataclass(frozen=True)
class Batch:
    """Some images as they were read.

    Args:
        indices: int array. Which images of the source these are.
        images: uint8 array `(count, height, width, channels)`.
        labels: int array, or None.
    """

    indices: np.ndarray
    images: np.ndarray
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class ImageSource:
    """Images that can be read.

    Args:
        splits: int8 array. 0, 1 or 2 for each image: training, validation or test.
        read: Takes sorted indices, yields them as `Batch`es. Unreadable images, where they are
            to be left out, are missing.
        fingerprint: str. Changes when the images do.
        class_names: Names of the labels, if any.
        paths: The file of each image, if each is a file.
    """

    splits: np.ndarray
    read: Callable[[np.ndarray], Iterator[Batch]]
    fingerprint: str
    class_names: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()


def default_memory_limit() -> int:
    """Return the bytes of images that are kept in memory: a quarter of this machine's."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError):  # not on Windows
        return 2**31


def conform(images: np.ndarray, spec: DataSpec) -> np.ndarray:
    """Return uint8 images `(count, height, width, channels)` in the shape of a specification.

    Raises:
        ValueError: if the images are smaller than that, with the name of their data set.
    """
    shape = spec.image_shape
    if images.shape[1:] == shape:
        return images
    squeezed = images[..., 0] if images.shape[-1] == 1 else images
    try:
        fitted = [fit_image(Image.fromarray(image), shape, spec.enlarge) for image in squeezed]
        return np.stack(fitted)
    except ValueError as error:
        raise ValueError(f"Data set {spec.dataset!r}: {error}") from error
