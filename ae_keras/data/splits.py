"""Which images are for training, for validation and for the test.

The splits never depend on a recipe's seed, so that runs of different seeds are tested on the same
images.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ae_keras.data.spec import DEFAULT_SPLITS

SPLITS = ("train", "validation", "test")
# In the place of a split: the images of all three.
ALL = "all"


def check_splits(splits: Sequence[str]) -> None:
    """Raise `ValueError` unless all are names of splits, or `"all"`."""
    for split in splits:
        if split not in (*SPLITS, ALL):
            names = ", ".join((*SPLITS, ALL))
            raise ValueError(f"`splits` must be of {names}. Received: {split!r}")


def is_of(codes: npt.ArrayLike, split: str) -> np.ndarray:
    """Return whether images are of a split, by their codes 0 to 2, or True for `"all"`."""
    return np.full(np.shape(codes), True) if split == ALL else np.equal(codes, SPLITS.index(split))


def shuffled_splits(count: int, shares: tuple[float, float, float]) -> np.ndarray:
    """Assign images to the three splits at random, in the same way each time."""
    train, validation, _ = shares
    first, second = round(train * count), round((train + validation) * count)
    splits = np.full(count, 2, np.int8)
    order = np.random.default_rng(0).permutation(count)
    splits[order[:first]] = 0
    splits[order[first:second]] = 1
    return splits


def complete_splits(splits: np.ndarray) -> np.ndarray:
    """Set a tenth of the images aside for each split, validation or test, that has none."""
    splits = np.array(splits, np.int8)
    train = np.random.default_rng(0).permutation(np.flatnonzero(splits == 0))
    tenth = max(1, len(train) // 10)
    for split in (2, 1):
        if not (splits == split).any():
            splits[train[:tenth]] = split
            train = train[tenth:]
    return splits


def assign_splits(
    count: int, own: np.ndarray | None, shares: tuple[float, float, float] | None
) -> np.ndarray:
    """Assign images to splits by given shares, or else as the data set itself does, if so."""
    if shares or own is None:
        return shuffled_splits(count, shares or DEFAULT_SPLITS)
    return complete_splits(own)
