"""What learned codecs are compared with, behind the same two methods.

- Files that Pillow writes: JPEG, WebP, AVIF, PNG.
- Linear transforms, quantized and entropy coded as the latents of a model are: the truncated
  singular value decomposition of each image, and the principal components of training images.
"""

import abc
import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from ae_keras.codec.catalogue import find_classical, number_in, unknown_codec
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.protocols import Codec
from ae_keras.codec.table_fitting import fit_quantizer
from ae_keras.system.pixels import to_unit_range

# Share of the variance that the principal components keep before quantization.
_KEPT_VARIANCE = 0.9995
_FITTED_IMAGES = 20_000


class PillowCodec:
    """A format that Pillow writes.

    Args:
        format: str. `"JPEG"`, `"WEBP"`, `"AVIF"` or `"PNG"`.
        options: What Pillow's `save` takes for it.
        is_lossless: bool. Whether images come back as they were; it takes no quality then.
    """

    def __init__(self, format: str, options: Mapping[str, object], is_lossless: bool = False):
        self.format, self.options, self.is_lossless = format, dict(options), is_lossless

    @property
    def takes_quality(self) -> bool:
        """Whether `with_quality` changes anything."""
        return not self.is_lossless

    def with_quality(self, quality: int) -> "PillowCodec":
        """Return this codec at one of the format's own qualities, 1 to 100."""
        return PillowCodec(self.format, self.options | {"quality": quality}, self.is_lossless)

    def with_overlap(self, overlap: int) -> "PillowCodec":
        """Return this codec, which has no tiles that could share pixels."""
        return self

    def compress(self, image: np.ndarray) -> bytes:
        """Return the file of a uint8 image `(height, width)` or `(height, width, channels)`."""
        file = io.BytesIO()
        pixels = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        Image.fromarray(pixels).save(file, self.format, **self.options)
        return file.getvalue()

    def decompress(self, data: bytes) -> np.ndarray:
        """Return the uint8 image of a file; WebP and AVIF turn grey into colour."""
        return np.asarray(Image.open(io.BytesIO(data), formats=[self.format]))

    def compress_many(self, images: Sequence[np.ndarray]) -> list[bytes]:
        """Compress images one by one."""
        return [self.compress(image) for image in images]

    def decompress_many(self, files: Sequence[bytes]) -> list[np.ndarray]:
        """Decompress files one by one."""
        return [self.decompress(data) for data in files]


class LinearTransform(abc.ABC):
    """What linear transforms share: tiles of the size of the training images.

    Args:
        image_shape: `(height, width, channels)` of the training images.
    """

    classes = None

    def __init__(self, image_shape: Sequence[int]):
        height, width, self.channels = image_shape
        self.tile = (height, width)

    @property
    @abc.abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent of an image."""

    def tile_for(
        self, size: tuple[int, int], overlap: int | None = None
    ) -> tuple[tuple[int, int], int]:
        """Return the tile, and the overlap, for an image of `(height, width)`."""
        return self.tile, overlap or 0

    def latent_shape_of(self, tile: tuple[int, int]) -> tuple[int, ...] | None:
        """Return the shape of the latent of a tile; None if it is of another size."""
        return self.latent_shape if tuple(tile) == self.tile else None

    @abc.abstractmethod
    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the latents of images."""

    @abc.abstractmethod
    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the images of latents."""


class SingularValues(LinearTransform):
    """The truncated singular value decomposition of each image, of one channel.

    The best approximation of an image, as a matrix, of a given rank. A singular value is shared out
    between its two vectors, so that the latent has `height + width` numbers for each.

    Args:
        image_shape: `(height, width, 1)`.
        rank: int. Singular values that are kept.
    """

    def __init__(self, image_shape: Sequence[int], rank: int):
        super().__init__((*image_shape[:2], 1))
        self.rank = min(rank, *self.tile)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent of an image."""
        return sum(self.tile), self.rank

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the scaled singular vectors `(count, height + width, rank)`."""
        left, values, right = np.linalg.svd(images[..., 0], full_matrices=False)
        latents = np.concatenate([left, right.swapaxes(1, 2)], axis=1)[..., : self.rank]
        # Vectors are known up to a common sign; with one rule their values spread less.
        signs = np.where(latents[:, : self.tile[0]].sum(axis=1) < 0, -1, 1)
        return latents * (signs * np.sqrt(values[:, : self.rank]))[:, np.newaxis]

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the images."""
        left, right = np.split(latents, [self.tile[0]], axis=1)
        return (left @ right.swapaxes(1, 2))[..., np.newaxis]


class PrincipalComponents(LinearTransform):
    """The principal components of training images: the best linear transform for them.

    Args:
        images: uint8 array `(count, height, width, channels)`.
    """

    def __init__(self, images: np.ndarray):
        from sklearn.decomposition import PCA

        super().__init__(images.shape[1:])
        chosen = np.linspace(0, len(images) - 1, min(len(images), _FITTED_IMAGES)).astype(int)
        pixels = to_unit_range(np.asarray(images[chosen]).reshape(len(chosen), -1))
        fitted = PCA(_KEPT_VARIANCE, svd_solver="covariance_eigh")
        fitted.fit(pixels)
        self._mean, self._components = fitted.mean_, fitted.components_

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of the latent of an image."""
        return (len(self._components),)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Return the coordinates `(count, components)`."""
        return (images.reshape(len(images), -1) - self._mean) @ self._components.T

    def decode(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the images."""
        pixels = latents @ self._components + self._mean
        return pixels.reshape(-1, *self.tile, self.channels)


def make_singular_values(training: np.ndarray, rank: int | None = None) -> ImageCodec:
    """Return a codec of truncated singular value decompositions.

    Args:
        training: uint8 array `(count, height, width, channels)`; the channels of a colour image
            are so many grey images.
        rank: int. Singular values that are kept. Default: all, so that only the quantization
            decides.
    """
    grey = np.moveaxis(training, -1, 1).reshape(-1, *training.shape[1:3], 1)
    transform = SingularValues(training.shape[1:], rank or min(training.shape[1:3]))
    return ImageCodec(transform, fit_quantizer(transform, grey), "svd")


def make_principal_components(training: np.ndarray, side: int | None = None) -> ImageCodec:
    """Return a codec of the principal components of training images.

    Args:
        training: uint8 array `(count, height, width, channels)`.
        side: int. Of square blocks that images are cut into. Default: the components are those of
            whole images.

    Raises:
        ValueError: if images do not consist of such blocks.
    """
    if side is not None:
        training = _cut_blocks(training, side)
    transform = PrincipalComponents(training)
    return ImageCodec(transform, fit_quantizer(transform, training), "pca")


def _cut_blocks(images: np.ndarray, side: int) -> np.ndarray:
    count, height, width, channels = images.shape
    if height % side or width % side:
        raise ValueError(f"Images of {height}x{width} do not consist of blocks of {side}x{side}.")
    blocks = images.reshape(count, height // side, side, width // side, side, channels)
    return blocks.swapaxes(2, 3).reshape(-1, side, side, channels)


def make_codec(name: str, training: np.ndarray | None = None) -> Codec:
    """Return a classical codec.

    Args:
        name: One of `ae_keras.codec.CLASSICAL`; or, with any number, `"svd-5"` for a truncated
            decomposition of that rank, `"pca-16"` for the components of blocks of 16x16 pixels.
        training: uint8 array `(count, height, width, channels)`, to fit the linear ones.

    Raises:
        ValueError: if the name is unknown, or training images are missing or do not fit.
    """
    known = find_classical(name)
    if known is None:
        raise unknown_codec(name)
    if known.format is not None:
        return PillowCodec(known.format, known.options, known.is_lossless)
    if training is None:
        raise ValueError(f"{name!r} is fitted to training images, and there are none.")
    make = make_principal_components if name.startswith("pca") else make_singular_values
    return make(training, number_in(name))
