"""Images of any size, cut into tiles of one size and put together again.

Tiles lie in rows, from left to right and from top to bottom, and share `overlap` pixels with their
neighbours: tile `n` of an axis begins at pixel `n (tile - overlap)`, and there are as few of them
as cover the image. Where the last ones reach over the edge, the image's last row and column are
repeated. In an overlap each pixel is a weighted mean: of `overlap` pixels, the one at place `k` has
the share `(k + 1/2) / overlap` of the tile that begins there, so that no seam shows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tiling:
    """How an image is cut.

    Args:
        size: `(height, width)` of the image, in pixels.
        tile: `(height, width)` of a tile.
        overlap: int. At most half of a side of a tile that is shorter than the image's.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    overlap: int = 0

    @property
    def grid(self) -> tuple[int, int]:
        """Number of rows of tiles, and of tiles in a row."""
        return self._count_along(0), self._count_along(1)

    def _count_along(self, axis: int) -> int:
        size, tile = self.size[axis], self.tile[axis]
        return 1 if tile >= size else -(-(size - self.overlap) // (tile - self.overlap))

    @property
    def count(self) -> int:
        """Number of tiles."""
        rows, columns = self.grid
        return rows * columns

    def cut(self, image: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the tiles of an image `(height, width, channels)`, a row of them at a time.

        Yields:
            Array `(tiles, tile height, tile width, channels)`.
        """
        rows, columns = self.grid
        across = self._indices(1, np.arange(columns)).ravel()
        for row in range(rows):
            down = self._indices(0, row)
            strip = image[down[0] : down[-1] + 1][down - down[0]]
            strip = strip[:, across].reshape(self.tile[0], columns, self.tile[1], -1)
            yield strip.swapaxes(0, 1)

    def _indices(self, axis: int, number: int | np.ndarray) -> np.ndarray:
        """Return the rows or columns of the image that tiles take."""
        starts = np.asarray(number)[..., np.newaxis] * (self.tile[axis] - self.overlap)
        return np.minimum(starts + np.arange(self.tile[axis]), self.size[axis] - 1)

    def _weights(self, axis: int) -> np.ndarray:
        """Return the shares `(number of tiles along an axis, tile size)` of tiles in pixels."""
        weights = np.ones((self.grid[axis], self.tile[axis]), np.float32)
        if self.overlap and self.grid[axis] > 1:
            ramp = (np.arange(self.overlap, dtype=np.float32) + 0.5) / self.overlap
            weights[1:, : self.overlap] = ramp
            weights[:-1, -self.overlap :] = 1 - ramp
        return weights

    def join(self, tiles: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Put tiles together, with no more of the image in memory than a row of them.

        Args:
            tiles: Of each row its tiles, float32 `(tiles, tile height, tile width, channels)`.

        Yields:
            The next rows of the image, float32 `(rows, width, channels)`.
        """
        (height, width), overlap = self.size, self.overlap
        down, across = self._weights(0), self._weights(1)
        stride, done, rest = self.tile[1] - overlap, 0, None
        for row, weights in zip(tiles, down, strict=True):
            wide = (self.tile[0], stride * len(row) + overlap, row.shape[-1])
            strip = np.zeros(wide, np.float32)
            for number, (tile, share) in enumerate(zip(row, across, strict=True)):
                left = number * stride
                strip[:, left : left + self.tile[1]] += tile * share[:, np.newaxis]
            strip *= weights[:, np.newaxis, np.newaxis]
            if rest is not None:
                strip[:overlap] += rest
            is_last = done + self.tile[0] >= height
            finished = strip if is_last else strip[: self.tile[0] - overlap]
            rest = strip[self.tile[0] - overlap :]
            yield finished[: height - done, :width]
            done += len(finished)


def regroup(arrays: Iterable[np.ndarray], sizes: Iterable[int]) -> Iterator[np.ndarray]:
    """Yield the rows of arrays again, in groups of given sizes; the last may be smaller."""
    arrays, parts, ready = iter(arrays), [], 0
    for size in sizes:
        while ready < size and (array := next(arrays, None)) is not None:
            parts.append(array)
            ready += len(array)
        if not ready:
            return
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        yield joined[:size]
        parts, ready = [joined[size:]], max(ready - size, 0)
