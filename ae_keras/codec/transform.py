"""Trained models as transforms: arrays to latents and back, and how large tiles may be."""

import abc
from collections.abc import Sequence

import numpy as np

# Images that are larger are cut, even if the model takes any size: it bounds the memory.
_LARGEST_TILE = 512
_WIDE_OVERLAP = 16
# The share of a tile of fixed size that overlaps the next: seams all but vanish, and the rate grows
# by 15 %. Twice the overlap leaves none, at 35 %.
_OVERLAP_SHARE = 16


class ModelTransform(abc.ABC):
    """The encoder and decoder of a model; subclasses run them. See `protocols.Transform`.

    Args:
        image_shape: `(height, width, channels)` of the images that the model was trained for.
        latent_shape: Shape of the latent of such an image.
        takes_any_size: bool. Whether it takes multiples of what a pixel of its latent stands for.
        classes: int. Number of labels that the decoder knows, if it takes one.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_shape: Sequence[int],
        takes_any_size: bool = False,
        classes: int | None = None,
    ):
        height, width, self.channels = image_shape
        self.tile = (height, width)
        self.latent_shape = tuple(latent_shape)
        self.takes_any_size = takes_any_size
        self.classes = classes
        # Pixels along a side that one of a latent stands for.
        self._factor = height // latent_shape[0] if takes_any_size else 1

    @abc.abstractmethod
    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the latents, float32, of tiles in [0, 1]."""

    @abc.abstractmethod
    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the tiles, float32 in [0, 1], of latents; a conditional model needs labels."""

    def tile_for(
        self, size: tuple[int, int], overlap: int | None = None
    ) -> tuple[tuple[int, int], int]:
        """Return the tile, and the overlap, for an image of `(height, width)`.

        Args:
            size: `(height, width)`.
            overlap: int. Where there are several tiles. Default: chosen here.

        Raises:
            ValueError: if it is more than half of the largest tile.
        """
        if not self.takes_any_size:
            fits = all(side <= limit for side, limit in zip(size, self.tile, strict=True))
            wanted = min(self.tile) // _OVERLAP_SHARE if overlap is None else overlap
            return self.tile, 0 if fits else wanted
        if max(size) <= _LARGEST_TILE:
            overlap = 0
        elif overlap is None:
            overlap = _WIDE_OVERLAP
        elif overlap > _LARGEST_TILE // 2:
            raise ValueError(
                f"An overlap of {overlap} pixels is more than half of any tile: "
                f"{_LARGEST_TILE // 2} is the most."
            )
        return (self._fit_tile(size[0], overlap), self._fit_tile(size[1], overlap)), overlap

    def _fit_tile(self, side: int, overlap: int) -> int:
        """Return the side of the smallest tiles, and as few as possible, that cover a side."""
        least = side
        if side > _LARGEST_TILE:
            count = -(-(side - overlap) // (_LARGEST_TILE - overlap))
            least = max(-(-(side - overlap) // count) + overlap, 2 * overlap)
        return -(-least // self._factor) * self._factor

    def latent_shape_of(self, tile: tuple[int, int]) -> tuple[int, ...] | None:
        """Return the shape of the latent of a tile; None if the model does not take it."""
        if not self.takes_any_size:
            return self.latent_shape if tuple(tile) == self.tile else None
        if any(side % self._factor or side > _LARGEST_TILE for side in tile):
            return None
        return (*(side // self._factor for side in tile), self.latent_shape[-1])
