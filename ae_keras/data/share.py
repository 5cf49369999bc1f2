"""Which images of a batch a process makes, and where they go.

All of them, unless several processes train together.
"""

from typing import Any, NamedTuple, Protocol


class Share(NamedTuple):
    """A part of a batch.

    Args:
        images: int. How many the whole batch has.
        rows: slice. Those that are meant; by default all of them.
    """

    images: int
    rows: slice = slice(None)


class Placement(Protocol):
    """Where batches go."""

    def share(self, count: int) -> Share:
        """Return which of so many images of a batch this process makes."""

    def place(self, batch: Any, share: Share) -> Any:
        """Return what `fit` takes for the arrays of a share."""


class Here:
    """One process makes all images, for itself."""

    def share(self, count: int) -> Share:
        """Return all of them."""
        return Share(count)

    def place(self, batch: Any, share: Share) -> Any:
        """Return the batch."""
        return batch
