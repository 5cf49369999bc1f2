"""Patches of the photographs that ship inside scikit-image: real images without a download.

Nine colour photographs, 5.6 megapixels. Each is cut into bands of rows, one patch high, and whole
bands belong to training, validation or test: patches of different splits never share a pixel. Both
pictures of the stereo pair are cut alike, because their rows show the same scene.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from PIL import Image

from ae_keras.data.image_files import fit_image

_TRAIN, _VALIDATION, _TEST = range(3)


def load_scenes() -> list[list[np.ndarray]]:
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


def _assign_bands(count: int, shares: tuple[float, float, float]) -> np.ndarray:
    """Spread `count` bands over the three splits in these shares, as evenly as possible."""
    wanted = np.asarray(shares)
    taken = np.zeros(3)
    splits = np.empty(count, int)
    for band in range(count):
        splits[band] = np.argmax(wanted * (band + 1) - taken)
        taken[splits[band]] += 1
    return splits


def _cut(rows: np.ndarray, height: int, width: int, overlap: bool) -> Iterator[np.ndarray]:
    """Yield the patches of some rows of a photograph, side by side or overlapping by half."""
    down, across = (max(1, height // 2), max(1, width // 2)) if overlap else (height, width)
    for top in range(0, rows.shape[0] - height + 1, down):
        for left in range(0, rows.shape[1] - width + 1, across):
            yield rows[top : top + height, left : left + width]


def _regions(splits: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield `(first band, one past the last band, split)` of each run of equal splits."""
    edges = [0, *(np.flatnonzero(np.diff(splits)) + 1), len(splits)]
    for first, last in itertools.pairwise(edges):
        if first < last:
            yield first, last, splits[first]


def split_photographs(
    height: int, shares: tuple[float, float, float]
) -> Iterator[tuple[np.ndarray, int]]:
    """Yield rows of the photographs, and the split of each: 0 training, 1 validation, 2 test.

    Args:
        height: int. Of a band of rows, of which each piece has one or more.
        shares: Those of training, validation and test bands.

    Yields:
        A uint8 array `(rows, width, 3)`, and its split. No two share a pixel.
    """
    scenes = load_scenes()
    bands = [scene[0].shape[0] // height for scene in scenes]
    splits_of = np.split(_assign_bands(sum(bands), shares), np.cumsum(bands)[:-1])
    for scene, scene_splits in zip(scenes, splits_of, strict=True):
        for first, last, split in _regions(scene_splits):
            for photograph in scene:
                yield photograph[first * height : last * height], split


def cut_photographs(
    image_shape: tuple[int, int, int], shares: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the photographs into patches, in the same way on every machine.

    Patches of the training split overlap by half among themselves; those of the validation and
    test splits do not overlap.

    Args:
        image_shape: `(height, width, channels)` of a patch.
        shares: Those of training, validation and test bands.

    Returns:
        The patches, uint8 `(count, height, width, channels)`, and the split of each: 0 training,
        1 validation, 2 test.

    Raises:
        ValueError: if the patches are too large to fill the three splits.
    """
    height, width, _ = image_shape
    patches, splits = [], []
    for rows, split in split_photographs(height, shares):
        for patch in _cut(rows, height, width, overlap=split == _TRAIN):
            patches.append(fit_image(Image.fromarray(patch), image_shape))
            splits.append(split)
    if {_TRAIN, _VALIDATION, _TEST} - set(splits):
        raise ValueError(
            f"Patches of {height}x{width} pixels are too large for the data set 'skimage': "
            "expected at most about 256x256. Set a smaller `image_shape` or use another data set."
        )
    return np.stack(patches), np.asarray(splits, np.int8)
