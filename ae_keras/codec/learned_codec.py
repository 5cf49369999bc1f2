"""What all codecs of a trained model do, whatever their files hold of an image.

A file is a header, the sections of the image's colours, one of alpha, and some of metadata. The
colours are the affair of the codec: `image_codec.ImageCodec` cuts them into tiles. Everything
else is done here.
"""

import abc
import copy
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np

from ae_keras.codec.bitstream import Header, read_bitstream, write_bitstream
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError, WrongModelError
from ae_keras.codec.metadata import NO_METADATA, Metadata, write_metadata
from ae_keras.codec.planes import fits_model, read_alpha, split_alpha, write_alpha
from ae_keras.codec.progress import Progress, silent
from ae_keras.codec.protocols import EntropyModel
from ae_keras.codec.reduction import check_factor, reduce_image
from ae_keras.codec.sections import Section, SectionKind, sections_of

# Images with more are not decoded, unless the caller asks for it.
MAX_PIXELS = 2**28


Model = TypeVar("Model", bound=EntropyModel)


class LearnedCodec(abc.ABC, Generic[Model]):
    """Compresses images with a model; a child says what the sections of the colours are.

    Args:
        entropy_model: EntropyModel. What is known of the model's latents.
        name: str. Of the model, for the file.
        channels: int. Of the images that the model takes.
        step: int. Of the quantization. Default: the entropy model's.
        max_pixels: int. Larger images are not decoded.
    """

    takes_quality = True
    is_lossless = False
    # From coarse to fine, those that show what a codec is for.
    usual_qualities: Sequence[int] = ()

    def __init__(
        self,
        entropy_model: Model,
        name: str,
        channels: int,
        step: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ):
        self.entropy_model, self.name, self.channels = entropy_model, name, channels
        self.step = entropy_model.default_step if step is None else step
        self.max_pixels = max_pixels
        self.progress: Progress = silent

    def with_quality(self, quality: int) -> Self:
        """Return this codec at a quality from 1 to 100."""
        return self._with(step=self.entropy_model.step_of_quality(quality))

    def with_step(self, step: int) -> Self:
        """Return this codec at a step, whose meaning is the entropy model's."""
        return self._with(step=step)

    def with_overlap(self, overlap: int) -> Self:
        """Return this codec with so many pixels that tiles share; itself if it has no tiles."""
        return self

    def with_max_pixels(self, max_pixels: int) -> Self:
        """Return this codec with another limit to the size of images that it decodes."""
        return self._with(max_pixels=max_pixels)

    def with_progress(self, progress: Progress) -> Self:
        """Return this codec telling which share of the images that it was given is done.

        Args:
            progress: Called with a number from 0 to 1, at the start and after each row of tiles
                or strip.
        """
        return self._with(progress=progress)

    def _with(self, **changes: Any) -> Self:
        codec = copy.copy(self)
        vars(codec).update(changes)
        return codec

    def check_settings(self) -> None:
        """Raise `ValueError` if a setting of this codec cannot be that of a file."""
        self.entropy_model.check_step(self.step)

    @abc.abstractmethod
    def _plan(self, height: int, width: int, channels: int) -> Header:
        """Return the header of a file.

        Args:
            height: int. Of the image, in pixels.
            width: int.
            channels: int. Of the image, without alpha; they fit the model.

        Raises:
            ValueError: if this codec does not take such an image.
        """

    @abc.abstractmethod
    def _encode(self, colours: Sequence[np.ndarray], header: Header) -> Iterator[list[bytes]]:
        """Yield the sections of the colours of each image.

        Args:
            colours: uint8 arrays `(height, width, channels)`.
            header: Header. What `_plan` returned for them.
        """

    @abc.abstractmethod
    def _check_geometry(self, header: Header, sections: int) -> Hashable:
        """Refuse what this codec cannot decode, before memory is taken for it.

        Args:
            header: Header. Its channels and step fit the model.
            sections: int. How many sections of colours the file has.

        Returns:
            What files have in common that are decoded together.

        Raises:
            BitstreamError: if it cannot be decoded.
        """

    @abc.abstractmethod
    def _decode(
        self, files: Sequence[tuple[Header, list[bytes]]], colours: Sequence[np.ndarray]
    ) -> None:
        """Decode the colours of files that have passed `_check_geometry`.

        Args:
            files: The header, and the sections of the colours, of each file.
            colours: uint8 arrays `(height, width, channels)`, where they are written.

        Raises:
            BitstreamError: if a section does not hold what its header promises.
        """

    def compress(
        self,
        image: np.ndarray,
        metadata: Metadata = NO_METADATA,
        *,
        quality: int | None = None,
    ) -> bytes:
        """Compress an image.

        Args:
            image: uint8 array `(height, width)` or `(height, width, 1 to 4)`: grey, grey and
                alpha, RGB, RGB and alpha.
            metadata: Metadata. What else is to be kept in the file.
            quality: int. From 1 to 100. Default: that of this codec, see `with_quality`.

        Returns:
            The bytes of an `.aek` file.

        Raises:
            ValueError: if it is not such an array, or does not fit the model; or if a setting of
                this codec is out of range.
        """
        codec = self if quality is None else self.with_quality(quality)
        return codec.compress_many([image], metadata)[0]

    def compress_many(
        self, images: Sequence[np.ndarray], metadata: Metadata = NO_METADATA
    ) -> list[bytes]:
        """Compress images of one shape, together in the model's batches; see `compress`."""
        self.progress(0.0)
        self.check_settings()
        pairs = [split_alpha(image, self.channels) for image in images]
        kinds = {(colour.shape, alpha is not None) for colour, alpha in pairs}
        if len(kinds) != 1:
            raise ValueError("Expected images of one shape.")
        (((height, width, channels), _),) = kinds
        header = self._plan(height, width, channels)
        coded = self._encode([colour for colour, _ in pairs], header)
        further = write_metadata(metadata)
        return [
            write_bitstream(header, [*_image_sections(sections, alpha), *further])
            for sections, (_, alpha) in zip(coded, pairs, strict=True)
        ]

    def decompress(self, data: bytes) -> np.ndarray:
        """Decompress the bytes of an `.aek` file; `read_metadata` tells what else is in it.

        Returns:
            uint8 array, of the shape that `compress` was given; grey `(height, width)`.

        Raises:
            BitstreamError: if the file is damaged, too large, or of another model.
        """
        return self.decompress_many([data])[0]

    def decompress_many(self, files: Sequence[bytes]) -> list[np.ndarray]:
        """Decompress files of one geometry, together in the model's batches; see `decompress`."""
        self.progress(0.0)
        read = [read_bitstream(data) for data in files]
        coded = [(header, sections_of(sections, SectionKind.IMAGE)) for header, sections in read]
        if len({self._check(header, len(sections)) for header, sections in coded}) > 1:
            raise InconsistentError("The files are not of one geometry.")
        images = []
        for header, sections in read:
            alpha = _read_alphas(header, sections)
            shape = header.height, header.width, header.channels + len(alpha)
            image = np.empty(shape, np.uint8)
            for plane in alpha:
                image[..., -1:] = plane
            images.append(image)
        colours = [
            image[..., : header.channels] for image, (header, _) in zip(images, read, strict=True)
        ]
        self._decode(coded, colours)
        return [_without_single_channel(image) for image in images]

    def decompress_small(self, data: bytes, factor: int) -> np.ndarray:
        """Decompress a small picture of the image in an `.aek` file.

        Args:
            data: bytes. Of the file.
            factor: int. 2, 4 or 8: how many times smaller the picture is. Its height and width
                are rounded up.

        Returns:
            uint8 array, of as many channels as `decompress` returns. Its pixels are the means of
            squares of the image's, each channel for itself; some codecs estimate these.

        Raises:
            ValueError: if the factor is another.
            BitstreamError: if the file is damaged, too large, or of another model.
        """
        check_factor(factor)
        self.progress(0.0)
        header, sections = read_bitstream(data)
        coded = sections_of(sections, SectionKind.IMAGE)
        self._check(header, len(coded))
        alpha = [reduce_image(plane, factor) for plane in _read_alphas(header, sections)]
        colour = self._decode_small(header, coded, factor)
        return _without_single_channel(np.concatenate([colour, *alpha], axis=-1))

    def _decode_small(self, header: Header, sections: list[bytes], factor: int) -> np.ndarray:
        """Return the small picture's colours, uint8 `(height, width, channels)`."""
        colour = np.empty((header.height, header.width, header.channels), np.uint8)
        self._decode([(header, sections)], [colour])
        return reduce_image(colour, factor)

    def _check(self, header: Header, sections: int) -> Hashable:
        """Refuse what cannot be decoded, before memory is taken for it; return its geometry."""
        if header.digest != self.entropy_model.digest:
            raise WrongModelError(
                f"The file was written by another model, {header.model!r} ({header.digest.hex()}), "
                f"not by {self.name!r} ({self.entropy_model.digest.hex()})."
            )
        if header.height * header.width > self.max_pixels:
            raise ImageTooLargeError(
                f"The image has {header.width}x{header.height} pixels, more than the "
                f"{self.max_pixels:,} that are allowed."
            )
        if not fits_model(header.channels, self.channels):
            raise InconsistentError("The image's channels do not fit the model.")
        if header.bank:
            raise InconsistentError(f"The model has no bank {header.bank} of tables.")
        try:
            self.entropy_model.check_step(header.step)
        except ValueError as error:
            raise InconsistentError(f"The step {header.step} is out of range.") from error
        return self._check_geometry(header, sections)


def _read_alphas(header: Header, sections: Sequence[Section]) -> list[np.ndarray]:
    """Return the alpha of an image, uint8 `(height, width, 1)`, if it has any."""
    size = header.height, header.width
    alphas = sections_of(sections, SectionKind.ALPHA)
    return [read_alpha(data, size)[..., np.newaxis] for data in alphas]


def _without_single_channel(image: np.ndarray) -> np.ndarray:
    return image[..., 0] if image.shape[2] == 1 else image


def _image_sections(colours: Sequence[bytes], alpha: np.ndarray | None) -> list[Section]:
    sections = [Section(SectionKind.IMAGE, data) for data in colours]
    if alpha is not None:
        sections.append(Section(SectionKind.ALPHA, write_alpha(alpha)))
    return sections
