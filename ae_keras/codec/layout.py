"""How the tiles of a file lie, and what of it would not fit into memory."""

import math

from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError
from ae_keras.codec.planes import count_planes
from ae_keras.codec.tiling import Tiling

# Pixels that are coded as one section, and that the model is given at a time.
SECTION_PIXELS = 2**20
BATCH_PIXELS = 2**18
# What a file may ask for: pixels of a section, and of a row of tiles.
_LARGEST_SECTION = 2**23
_LARGEST_STRIP = 2**25


def tiling_of(header: Header) -> Tiling:
    """Return how the image of a file is cut."""
    return Tiling((header.height, header.width), header.tile, header.overlap)


def geometry_of(header: Header) -> tuple:
    """Return all that must be equal in files that are decoded together."""
    return tiling_of(header), header.channels, header.section_tiles


def count_tiles(header: Header, channels: int) -> int:
    """Return the number of tiles of all planes, for a model of so many channels."""
    return count_planes(header.channels, channels) * tiling_of(header).count


def section_sizes(header: Header, channels: int) -> list[int]:
    """Return the number of tiles in each section of an image."""
    full, rest = divmod(count_tiles(header, channels), header.section_tiles)
    return [header.section_tiles] * full + [rest] * (rest > 0)


def batch_size(tile: tuple[int, int]) -> int:
    """Return how many tiles the model is given at a time."""
    return max(1, BATCH_PIXELS // math.prod(tile))


def check_sections(header: Header, channels: int, sections: int) -> None:
    """Refuse a file whose sections are too large, or not as many as its image needs.

    Raises:
        InconsistentError: if they are.
    """
    pixels = math.prod(header.tile)
    if header.section_tiles * pixels > max(_LARGEST_SECTION, pixels):
        raise InconsistentError("The image's sections are too large.")
    expected = -(-count_tiles(header, channels) // header.section_tiles) + header.has_alpha
    if sections != expected:
        raise InconsistentError("The file has not as many sections as its image needs.")


def check_width(header: Header) -> None:
    """Refuse images of which a row of tiles alone would fill the memory.

    Raises:
        ImageTooLargeError: if it would.
    """
    if tiling_of(header).grid[1] * math.prod(header.tile) > _LARGEST_STRIP:
        raise ImageTooLargeError(
            f"The image is {header.width} pixels wide, too many for tiles of {header.tile}."
        )
