"""Which images are for training, for validation and for the test.

The parts never depend on a recipe's seed, so that runs of different seeds are tested on the same
images.
"""

import numpy as np

from ae_keras.recipe import DEFAULT_SPLITS

PARTS = ("train", "validation", "test")


def shuffled_parts(count: int, splits: tuple[float, float, float]) -> np.ndarray:
    """Assign images to the three parts at random, in the same way each time."""
    train, validation, _ = splits
    first, second = round(train * count), round((train + validation) * count)
    parts = np.full(count, 2, np.int8)
    order = np.random.default_rng(0).permutation(count)
    parts[order[:first]] = 0
    parts[order[first:second]] = 1
    return parts


def complete_parts(parts: np.ndarray) -> np.ndarray:
    """Set a tenth of the images aside for each part, validation or test, that has none."""
    parts = np.array(parts, np.int8)
    train = np.random.default_rng(0).permutation(np.flatnonzero(parts == 0))
    tenth = max(1, len(train) // 10)
    for part in (2, 1):
        if not (parts == part).any():
            parts[train[:tenth]] = part
            train = train[tenth:]
    return parts


def assign_parts(
    count: int, own: np.ndarray | None, splits: tuple[float, float, float] | None
) -> np.ndarray:
    """Assign images to parts by a recipe's shares, or else as the data set itself does, if so."""
    if splits or own is None:
        return shuffled_parts(count, splits or DEFAULT_SPLITS)
    return complete_parts(own)
