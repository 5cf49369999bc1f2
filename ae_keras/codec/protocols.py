"""What codecs, their transforms and their entropy models must have, whatever they are made of."""

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np


class Codec(Protocol):
    """Images to bytes and back."""

    @property
    def takes_quality(self) -> bool:
        """Whether `with_quality` changes anything."""
        ...

    @property
    def is_lossless(self) -> bool:
        """Whether images come back as they were."""
        ...

    def with_quality(self, quality: int) -> Self:
        """Return this codec at a quality from 1 to 100."""
        ...

    def with_overlap(self, overlap: int) -> Self:
        """Return this codec with so many pixels that tiles share; itself if it has no tiles."""
        ...

    def compress(self, image: np.ndarray) -> bytes:
        """Return the bytes of a uint8 image `(height, width)` or `(height, width, channels)`."""
        ...

    def decompress(self, data: bytes) -> np.ndarray:
        """Return the uint8 image that bytes stand for."""
        ...

    def compress_many(self, images: Sequence[np.ndarray]) -> list[bytes]:
        """Compress images of one shape: in batches, where the codec is faster in these."""
        ...

    def decompress_many(self, files: Sequence[bytes]) -> list[np.ndarray]:
        """Decompress what `compress_many` returned."""
        ...


class Transform(Protocol):
    """An encoder and a decoder on arrays, and how large the tiles are that they take."""

    @property
    def tile(self) -> tuple[int, int]:
        """`(height, width)` of the images that it was made for."""
        ...

    @property
    def channels(self) -> int:
        """Number of channels of these."""
        ...

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent of such an image; its last axis is that of the channels."""
        ...

    @property
    def classes(self) -> int | None:
        """Number of labels that the decoder knows; None if it takes none."""
        ...

    def tile_for(
        self, size: tuple[int, int], overlap: int | None = None
    ) -> tuple[tuple[int, int], int]:
        """Return the tile, and the overlap, for an image of `(height, width)`.

        Args:
            size: `(height, width)`.
            overlap: int. Where there are several tiles. Default: the transform's choice.

        Raises:
            ValueError: if it is too large.
        """
        ...

    def latent_shape_of(self, tile: tuple[int, int]) -> tuple[int, ...] | None:
        """Return the shape of the latent of a tile; None if the transform does not take it."""
        ...

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the latents of tiles, float32 in [0, 1]."""
        ...

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the tiles, about in [0, 1], of latents; with `classes`, of latents and labels."""
        ...


class QualityTransform(Protocol):
    """An encoder and a decoder of images of any size, which take the wanted quality."""

    @property
    def channels(self) -> int:
        """Number of channels of the images."""
        ...

    def analyse(self, images: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return latents and hyper-latents, not rounded.

        Args:
            images: `(batch, height, width, channels)` in [0, 1], height and width divisible by 64.
            positions: `(batch,)`, see `ae_keras.layers.quality`.
        """
        ...

    def synthesize(self, latents: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Return the images, in [0, 1], of known latents."""
        ...


class LatentCoder(Protocol):
    """Latents to bytes and back, under one step; both sides have the same symbols."""

    def encode(self, latents: np.ndarray) -> bytes:
        """Return the bytes of a section.

        Args:
            latents: Array `(tiles, ..., channels)`.

        Raises:
            ValueError: if a latent is not a number, or too large.
        """
        ...

    def decode(self, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
        """Return the float32 latents, of a shape, that the bytes of a section stand for.

        Raises:
            InconsistentError: if the bytes are not those of such latents.
        """
        ...


class EntropyModel(Protocol):
    """What is known of the latents of a model: it makes symbols of them, and these short.

    Where the probability of a symbol comes from is the entropy model's own affair: a table of its
    channel (`ae_keras.codec.quantizer.Quantizer`), or what has been decoded before it
    (`ae_keras.codec.hyperprior.entropy_model.HyperpriorModel`).
    """

    @property
    def digest(self) -> bytes:
        """Eight bytes of all that decoding depends on."""
        ...

    @property
    def default_step(self) -> int:
        """The step of a codec that is given none."""
        ...

    def step_of_quality(self, quality: int) -> int:
        """Return the step of a quality from 1 to 100.

        What a step is, is the entropy model's own affair too: that of a quantization
        (`ae_keras.codec.steps`), or the quality itself. It is a whole number from 1 to 2^32 - 1.

        Raises:
            ValueError: if the quality is not such a number.
        """
        ...

    def rounded(self, latents: np.ndarray) -> np.ndarray:
        """Return the whole numbers that latents `(..., channels)` become at the default step."""
        ...

    def quality_of_step(self, step: int) -> int:
        """Return the quality whose step is nearest to a given one."""
        ...

    def check_step(self, step: object) -> None:
        """Raise `ValueError` unless a step is one that files may have."""
        ...


class TileEntropyModel(EntropyModel, Protocol):
    """An entropy model whose latents are coded tile after tile."""

    def at(self, step: int) -> LatentCoder:
        """Return the coder of files with a step."""
        ...
