"""Strips: whole rows of 64x64 pixels, so that images of any size need little memory."""

from dataclasses import dataclass

# Pixels on a side of the square that a hyper-latent stands for.
BLOCK = 64
# Pixels on a side of the squares whose means make the preview of an image.
PREVIEW = 8
# Pixels of a strip; a row of blocks is never cut.
_STRIP_PIXELS = 2**21


@dataclass(frozen=True)
class Strips:
    """How an image is cut into strips.

    Args:
        size: `(height, width)` of the image, in pixels.
        rows: int. Rows of blocks in a strip; the last one may have fewer.
    """

    size: tuple[int, int]
    rows: int

    @classmethod
    def plan(cls, size: tuple[int, int]) -> "Strips":
        """Return strips of a moderate size."""
        whole = cls(size, 1)
        rows = max(1, _STRIP_PIXELS // (BLOCK**2 * whole.grid[1]))
        return cls(size, min(rows, whole.grid[0]))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of blocks that cover the image."""
        return -(-self.size[0] // BLOCK), -(-self.size[1] // BLOCK)

    @property
    def count(self) -> int:
        """Number of strips."""
        return -(-self.grid[0] // self.rows)

    def blocks(self, number: int, margin: int = 0) -> range:
        """Return the rows of blocks of a strip, and of so many above and below that there are."""
        start = number * self.rows
        stop = min(start + self.rows, self.grid[0])
        return range(max(start - margin, 0), min(stop + margin, self.grid[0]))
