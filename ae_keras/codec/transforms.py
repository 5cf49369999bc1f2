"""What a codec needs of a model: arrays to latents, latents to arrays, and how large tiles may be.

A transform is any object with the attributes of `KerasTransform`; `PrincipalComponents` is another.
"""

import hashlib

import keras
import numpy as np

from ae_keras.recipe import Recipe
from ae_keras.registry import build_model

# Images that are larger are cut, even if the model takes any size: it bounds the memory.
_LARGEST_TILE = 512
_WIDE_OVERLAP = 16
# The share of a tile of fixed size that overlaps the next: seams all but vanish, and the rate grows
# by 15 %. Twice the overlap leaves none, at 35 %.
_OVERLAP_SHARE = 16


class KerasTransform:
    """The encoder and decoder of an autoencoder on arrays.

    Args:
        model: Autoencoder.
        recipe: Recipe. That of the model, to build it for images of any size if it takes them.

    Raises:
        ValueError: if the model has no latent.
    """

    def __init__(self, model, recipe: Recipe):
        if not model.has_latent:
            raise ValueError(f"{recipe.model!r} has no latent that stands for an image.")
        wide = _build_for_any_size(model, recipe)
        self.classes = model.classes
        self.channels = model.image_shape[-1]
        self.tile = model.image_shape[:2]
        self.latent_shape = model.latent_shape
        self.takes_any_size = wide is not None
        self._factor = self.tile[0] // self.latent_shape[0] if wide else None
        self._model = wide or model
        if keras.config.backend() == "tensorflow":
            # XLA slows convolutions on a CPU, and would compile again for every size.
            self._model.encoder.jit_compile = self._model.decoder.jit_compile = False

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
            raise ValueError(f"An overlap of {overlap} pixels is more than half of any tile.")
        return tuple(self._fit_tile(side, overlap) for side in size), overlap

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

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the latents, float32, of tiles in [0, 1]."""
        return np.asarray(self._model.encoder.predict_on_batch(images), np.float32)

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the tiles, float32 in [0, 1], of latents; a conditional model needs labels."""
        inputs = latents if labels is None else [latents, labels]
        return np.asarray(self._model.decoder.predict_on_batch(inputs), np.float32)


def _build_for_any_size(model, recipe: Recipe):
    """Return the same model for images of any size, or None if it is not fully convolutional."""
    height, width, channels = model.image_shape
    try:
        wide = build_model(
            recipe.model,
            model.classes,
            image_shape=(None, None, channels),
            **recipe.model_arguments,
        )
    except ValueError:
        return None
    twice = wide.encoder.compute_output_shape((1, 2 * height, 2 * width, channels))
    shape = model.latent_shape
    if tuple(twice[1:]) != (2 * shape[0], 2 * shape[1], shape[2]):
        return None
    wide.set_weights(model.get_weights())
    return wide


def digest_weights(model) -> str:
    """Return a digest of the values of all weights of a model, as a hexadecimal text."""
    checksum = hashlib.sha256()
    for weight in model.get_weights():
        checksum.update(repr(weight.shape).encode())
        checksum.update(np.ascontiguousarray(weight, "<f4").tobytes())
    return checksum.hexdigest()[:16]
