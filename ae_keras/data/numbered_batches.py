"""Batches that are each made from their number alone, for any backend."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import keras

# Made ahead of the model.
_READY_BATCHES = 8
# One thread makes batches beside a model on a CPU; a GPU may need more.
_MOST_WORKERS = 8


def default_workers() -> int:
    """Return how many threads make batches, on this machine."""
    return min(_MOST_WORKERS, max(2, (os.cpu_count() or 1) // 2))


class NumberedBatches(keras.utils.PyDataset):
    """Some of the batches of an epoch, in their order.

    Args:
        make: Callable. Takes a batch's number, from 0, and returns the batch, as NumPy arrays.
        first: int. The first batch.
        count: int. One past the last.
        workers: int. Threads that make batches; of no influence on them.

    Iterating over it yields the batches, one after the other.
    """

    def __init__(self, make: Callable[[int], Any], first: int, count: int, workers: int):
        super().__init__(workers=workers, max_queue_size=_READY_BATCHES)
        self._make, self._first, self._count = make, first, count

    def __len__(self) -> int:
        """Return the number of batches."""
        return self._count - self._first

    def __getitem__(self, index: int) -> Any:
        """Return a batch, counted from the first of these."""
        return self._make(self._first + index)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches."""
        return (self._make(number) for number in range(self._first, self._count))
