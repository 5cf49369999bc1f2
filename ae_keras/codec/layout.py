"""Where the tiles of a file lie, and what of it would not fit into memory."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError
from ae_keras.codec.planes import Planes
from ae_keras.codec.tiling import Tiling

# Pixels that are coded as one section, and that the model is given at a time.
SECTION_PIXELS = 2**20
BATCH_PIXELS = 2**18
# What a file may ask for: pixels of a section, and of a row of tiles.
_LARGEST_SECTION = 2**23
_LARGEST_STRIP = 2**25


def batch_size(tile: tuple[int, int]) -> int:
    """Return how many tiles the model is given at a time."""
    return max(1, BATCH_PIXELS // math.prod(tile))


@dataclass(frozen=True)
class Layout:
    """How the image of a file is cut: into planes, these into tiles, and tiles into sections.

    Files of equal layouts can be decoded together.

    Args:
        tiling: Tiling. Of each plane.
        planes: Planes. Those of the image, one after the other.
        section_tiles: int. Tiles in a section; the last one may have fewer.
    """

    tiling: Tiling
    planes: Planes
    section_tiles: int

    @classmethod
    def of(cls, header: Header, model_channels: int) -> "Layout":
        """Return the layout of a file, for a model of so many channels that it fits."""
        tiling = Tiling((header.height, header.width), header.tile, header.overlap)
        return cls(tiling, Planes(header.channels, model_channels), header.section_tiles)

    @classmethod
    def plan(cls, tiling: Tiling, planes: Planes) -> "Layout":
        """Return the layout of an image to be coded; its sections are of a moderate size."""
        most = max(1, SECTION_PIXELS // math.prod(tiling.tile))
        return cls(tiling, planes, min(planes.count * tiling.count, most))

    @property
    def tiles(self) -> int:
        """Number of tiles of all planes."""
        return self.planes.count * self.tiling.count

    @property
    def section_sizes(self) -> list[int]:
        """The number of tiles in each section."""
        full, rest = divmod(self.tiles, self.section_tiles)
        return [self.section_tiles] * full + [rest] * (rest > 0)

    @property
    def batch_size(self) -> int:
        """How many tiles the model is given at a time."""
        return batch_size(self.tiling.tile)

    def cut(self, colour: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the tiles of an image `(height, width, channels)`, a row of them at a time."""
        for plane in self.planes.split(colour):
            yield from self.tiling.cut(plane)

    def join(self, rows: Iterator[np.ndarray], colour: np.ndarray) -> None:
        """Put the tiles of an image together.

        Args:
            rows: The rows of tiles of all planes, float32 in [0, 1]; no more of them are taken.
            colour: uint8 array `(height, width, channels)`, where the image is written.
        """
        count, width = self.tiling.grid[0], self.planes.width
        for plane in range(self.planes.count):
            channels = slice(plane * width, (plane + 1) * width)
            done = 0
            for part in self.tiling.join(itertools.islice(rows, count)):
                colour[done : done + len(part), :, channels] = self.planes.to_pixels(part)
                done += len(part)

    def check_width(self) -> None:
        """Refuse images of which a row of tiles alone would fill the memory.

        Raises:
            ImageTooLargeError: if it would.
        """
        tile = self.tiling.tile
        if self.tiling.grid[1] * math.prod(tile) > _LARGEST_STRIP:
            raise ImageTooLargeError(
                f"The image is {self.tiling.size[1]} pixels wide, too many for tiles of {tile}."
            )

    def check_sections(self, count: int) -> None:
        """Refuse a file whose sections are too large, or not as many as its image needs.

        Args:
            count: int. The image's sections in the file.

        Raises:
            InconsistentError: if they are.
        """
        pixels = math.prod(self.tiling.tile)
        if self.section_tiles * pixels > max(_LARGEST_SECTION, pixels):
            raise InconsistentError("The image's sections are too large.")
        if count != -(-self.tiles // self.section_tiles):
            raise InconsistentError("The file has not as many sections as its image needs.")
