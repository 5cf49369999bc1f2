"""How far a codec is with its images: it tells whoever asks, and nobody otherwise."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

# Is told the share that is done, from 0 to 1, of what a codec was called for.
Progress = Callable[[float], None]


def silent(share: float) -> None:
    """Tell nobody."""


def part_of(progress: Progress, number: int, count: int) -> Progress:
    """Return the progress of one of several images, as that of all."""
    return lambda share: progress((number + share) / count)


def counted(batches: Iterable[np.ndarray], total: int, progress: Progress) -> Iterator[np.ndarray]:
    """Yield batches, and tell which share of a total their rows are, once each is there."""
    done = 0
    for batch in batches:
        done += len(batch)
        progress(done / total)
        yield batch
