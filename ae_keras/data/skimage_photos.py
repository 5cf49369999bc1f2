"""Patches of the photographs that ship inside scikit-image: real images without a download.

Nine colour photographs, 5.6 megapixels. Each is cut into bands of rows, one patch high, and whole
bands belong to training, validation or test: patches of different parts never share a pixel. Both
pictures of the stereo pair are cut alike, because their rows show the same scene.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from PIL import Image

from ae_keras.data.image_files import fit_image

_TRAIN, _VALIDATION, _TEST = range(3)


def _photographs() -> list[list[np.ndarray]]:
    """Return the photographs, those of one scene together."""
    from skimage import data

    return [
        [data.astronaut()],
        [data.chelsea()],
        [data.coffee()],
        [data.rocket()],
        [data.retina()],
        [data.hubble_deep_field()],
        [data.immunohistochemistry()],
        list(data.stereo_motorcycle()[:2]),
    ]


def _assign_bands(count: int, splits: tuple[float, float, float]) -> np.ndarray:
    """Spread `count` bands over the three parts in these shares, as evenly as possible."""
    shares = np.asarray(splits)
    taken = np.zeros(3)
    parts = np.empty(count, int)
    for band in range(count):
        parts[band] = np.argmax(shares * (band + 1) - taken)
        taken[parts[band]] += 1
    return parts


def _cut(rows: np.ndarray, height: int, width: int, overlap: bool) -> Iterator[np.ndarray]:
    """Yield the patches of some rows of a photograph, side by side or overlapping by half."""
    down, across = (max(1, height // 2), max(1, width // 2)) if overlap else (height, width)
    for top in range(0, rows.shape[0] - height + 1, down):
        for left in range(0, rows.shape[1] - width + 1, across):
            yield rows[top : top + height, left : left + width]


def _regions(parts: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield `(first band, one past the last band, part)` of each run of equal parts."""
    edges = [0, *(np.flatnonzero(np.diff(parts)) + 1), len(parts)]
    for first, last in itertools.pairwise(edges):
        if first < last:
            yield first, last, parts[first]


def cut_photographs(
    image_shape: tuple[int, int, int], splits: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the photographs into patches, in the same way on every machine.

    Patches of the training part overlap by half among themselves; those of the validation and
    test parts do not overlap.

    Args:
        image_shape: `(height, width, channels)` of a patch.
        splits: Shares of training, validation and test bands.

    Returns:
        The patches, uint8 `(count, height, width, channels)`, and the part of each: 0 training,
        1 validation, 2 test.

    Raises:
        ValueError: if the patches are too large to fill the three parts.
    """
    height, width, _ = image_shape
    scenes = _photographs()
    bands = [scene[0].shape[0] // height for scene in scenes]
    parts_of = np.split(_assign_bands(sum(bands), splits), np.cumsum(bands)[:-1])
    patches, parts = [], []
    for scene, scene_parts in zip(scenes, parts_of, strict=True):
        for first, last, part in _regions(scene_parts):
            for photograph in scene:
                rows = photograph[first * height : last * height]
                for patch in _cut(rows, height, width, overlap=part == _TRAIN):
                    patches.append(fit_image(Image.fromarray(patch), image_shape))
                    parts.append(part)
    if {_TRAIN, _VALIDATION, _TEST} - set(parts):
        raise ValueError(
            f"Patches of {height}x{width} pixels are too large for the data set 'skimage': "
            "expected at most about 256x256. Set a smaller `image_shape` or use another data set."
        )
    return np.stack(patches), np.asarray(parts, np.int8)
