"""Images to bytes and back with a trained model.

```
image -> tiles -> encoder -> quantizer -> entropy coder -> sections -> file
```

Tiles pass through in batches, and no more than a row of them is in memory as floating-point
numbers.

A decoder does this. An image is one or more planes of the model's channels, see
`ae_keras.codec.planes`; each is cut into tiles, see `ae_keras.codec.tiling`, and the tiles of all
planes, one plane after the other, are put into sections of `section tiles`. A tile has a latent
`(..., channels)`: of a model of fixed size always the same, of a convolutional one `(height / f,
width / f, channels)` with the factor `f` of the model. A section holds, channel after channel with
the table of each, the symbols of all its tiles: tile after tile, and row by row within a tile.
Symbols become latents, see `ae_keras.codec.quantizer`, and these pass through the model's decoder.
The image is clipped to [0, 1], multiplied by 255 and rounded, halves to even.
"""

import copy
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ae_keras.codec.bitstream import Header, read_bitstream, write_bitstream
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError, WrongModelError
from ae_keras.codec.geometry import (
    SECTION_PIXELS,
    batch_size,
    check_sections,
    check_width,
    geometry_of,
    section_sizes,
    tiling_of,
)
from ae_keras.codec.planes import (
    count_planes,
    from_plane,
    read_alpha,
    split_alpha,
    to_planes,
    write_alpha,
)
from ae_keras.codec.quantizer import (
    COARSEST_STEP,
    FINEST_STEP,
    Quantizer,
    check_step,
    step_of_quality,
)
from ae_keras.codec.tiling import Tiling, regroup

# Images with more are not decoded, unless the caller asks for it.
MAX_PIXELS = 2**28


class ImageCodec:
    """Compresses images with a model; see `ae_keras.codec.load_codec` for one of a run.

    Args:
        transform: Transform, or another object with its attributes.
        quantizer: Quantizer. That of the model.
        name: str. Of the model, for the file.
        step: int. Of the quantization. Default: the quantizer's.
        overlap: int. Pixels that tiles share. Default: the transform's choice.
        label: int. Of the images, for a conditional model.
        max_pixels: int. Larger images are not decoded.
    """

    def __init__(
        self,
        transform,
        quantizer: Quantizer,
        name: str,
        step=None,
        overlap=None,
        label=None,
        max_pixels=MAX_PIXELS,
    ):
        self.transform, self.quantizer, self.name = transform, quantizer, name
        self.step = quantizer.default_step if step is None else step
        self.overlap, self.label, self.max_pixels = overlap, label, max_pixels

    @classmethod
    def load(cls, path, **settings) -> "ImageCodec":
        """Load the codec of an exported model; neither TensorFlow nor Keras is needed.

        Args:
            path: A `.tflite` file of encoder and decoder, as `scripts/export.py` writes it.
            settings: Arguments of the class: `step`, `overlap`, `label`, `max_pixels`.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is damaged, or lacks the encoder, the decoder or the entropy tables.
        """
        from ae_keras.codec.litert_transform import load_exported

        return cls(*load_exported(path), **settings)

    def with_quality(self, quality: int) -> "ImageCodec":
        """Return this codec at a quality from 1 to 100."""
        return self._with(step=step_of_quality(quality))

    def with_step(self, step: int) -> "ImageCodec":
        """Return this codec at a step, see `ae_keras.codec.quantizer`."""
        return self._with(step=step)

    def with_overlap(self, overlap: int) -> "ImageCodec":
        """Return this codec with so many pixels that tiles share."""
        return self._with(overlap=overlap)

    def with_label(self, label: int | None) -> "ImageCodec":
        """Return this codec for images with a label, of a conditional model."""
        return self._with(label=label)

    def with_max_pixels(self, max_pixels: int) -> "ImageCodec":
        """Return this codec with another limit to the size of images that it decodes."""
        return self._with(max_pixels=max_pixels)

    def _with(self, **changes) -> "ImageCodec":
        codec = copy.copy(self)
        vars(codec).update(changes)
        return codec

    def compress(self, image: np.ndarray) -> bytes:
        """Compress an image.

        Args:
            image: uint8 array `(height, width)` or `(height, width, 1 to 4)`: grey, grey and
                alpha, RGB, RGB and alpha.

        Returns:
            The bytes of an `.aek` file.

        Raises:
            ValueError: if it is not such an array, or does not fit the model; or if the step, the
                overlap or the label of this codec is out of range.
        """
        return self.compress_many([image])[0]

    def compress_many(self, images: Sequence[np.ndarray]) -> list[bytes]:
        """Compress images of one shape, together in the model's batches; see `compress`."""
        self.check_settings()
        pairs = [split_alpha(image, self.transform.channels) for image in images]
        kinds = {(colour.shape, alpha is not None) for colour, alpha in pairs}
        if len(kinds) != 1:
            raise ValueError("Expected images of one shape.")
        (((height, width, channels), has_alpha),) = kinds
        header = self._make_header(height, width, channels, has_alpha)
        tiles = itertools.chain.from_iterable(
            tiling_of(header).cut(plane)
            for colour, _ in pairs
            for plane in to_planes(colour, self.transform.channels)
        )
        sizes = section_sizes(header, self.transform.channels)
        sections = self._encode(tiles, header, sizes * len(images))
        return [
            write_bitstream(
                header,
                list(itertools.islice(sections, len(sizes)))
                + ([] if alpha is None else [write_alpha(alpha)]),
            )
            for _, alpha in pairs
        ]

    def _make_header(self, height, width, channels, has_alpha) -> Header:
        tile, overlap = self.transform.tile_for((height, width), self.overlap)
        tiling = Tiling((height, width), tile, overlap)
        tiles = count_planes(channels, self.transform.channels) * tiling.count
        header = Header(
            self.name,
            self.quantizer.digest,
            height,
            width,
            channels,
            self.step,
            tile,
            overlap,
            min(tiles, max(1, SECTION_PIXELS // (tile[0] * tile[1]))),
            self.label,
            has_alpha,
        )
        check_width(header)
        return header

    def _encode(self, tiles, header: Header, sizes) -> Iterator[bytes]:
        """Yield the sections of a stream of tiles."""
        tables = self.quantizer.tables(header.step)
        latents = (
            self.transform.encode(batch.astype(np.float32) / 255)
            for batch in regroup(tiles, itertools.repeat(batch_size(header.tile)))
        )
        for section in regroup(latents, sizes):
            symbols = self.quantizer.symbols(section, header.step)
            yield tables.encode(symbols.ravel(), [symbols.shape[1]] * len(tables))

    def decompress(self, data: bytes) -> np.ndarray:
        """Decompress the bytes of an `.aek` file.

        Returns:
            uint8 array, of the shape that `compress` was given; grey `(height, width)`.

        Raises:
            BitstreamError: if the file is damaged, too large, or of another model.
        """
        return self.decompress_many([data])[0]

    def decompress_many(self, files: Sequence[bytes]) -> list[np.ndarray]:
        """Decompress files of one geometry, together in the model's batches; see `decompress`."""
        read = [read_bitstream(data) for data in files]
        header = read[0][0]
        for other, sections in read:
            self._check(other, sections)
            if geometry_of(other) != geometry_of(header):
                raise InconsistentError("The files are not of one geometry.")
        sizes = section_sizes(header, self.transform.channels)
        payload = (section for other, sections in read for section in sections[: len(sizes)])
        steps = (other.step for other, _ in read for _ in sizes)
        labels = [other.label for other, _ in read for _ in range(sum(sizes))]
        tiles = self._decode(payload, header, sizes * len(read), steps, labels)
        columns = tiling_of(header).grid[1]
        rows = regroup(tiles, itertools.repeat(columns))
        return [self._assemble(rows, other, sections[-1]) for other, sections in read]

    def _decode(self, sections, header: Header, sizes, steps, labels) -> Iterator[np.ndarray]:
        """Yield the tiles of a stream of sections, in batches."""
        latents = self._decode_latents(sections, header, sizes, steps)
        done = 0
        for batch in regroup(latents, itertools.repeat(batch_size(header.tile))):
            some = labels[done : done + len(batch)]
            done += len(batch)
            labelled = self.transform.classes is not None
            yield self.transform.decode(batch, np.array(some, np.int32) if labelled else None)

    def _decode_latents(self, sections, header, sizes, steps) -> Iterator[np.ndarray]:
        shape = self.transform.latent_shape_of(header.tile)
        positions, channels = int(np.prod(shape[:-1])), shape[-1]
        for section, size, step in zip(sections, sizes, steps, strict=True):
            tables = self.quantizer.tables(step)
            symbols = tables.decode(section, [size * positions] * channels)
            symbols = symbols.reshape(channels, -1)
            yield self.quantizer.latents(symbols, step).reshape(size, *shape)

    def _assemble(self, rows: Iterator[np.ndarray], header: Header, last: bytes) -> np.ndarray:
        """Return an image from its rows of tiles and, if it has alpha, its last section."""
        tiling = tiling_of(header)
        shape = (header.height, header.width, header.channels + header.has_alpha)
        image = np.empty(shape, np.uint8)
        planes = count_planes(header.channels, self.transform.channels)
        width = header.channels // planes
        for plane in range(planes):
            done = 0
            for part in tiling.join(itertools.islice(rows, tiling.grid[0])):
                part = from_plane(part, width)
                image[done : done + len(part), :, plane * width : (plane + 1) * width] = part
                done += len(part)
        if header.has_alpha:
            image[..., -1] = read_alpha(last, (header.height, header.width))
        return image[..., 0] if image.shape[2] == 1 else image

    def _check(self, header: Header, sections: Sequence[bytes]) -> None:
        """Refuse what cannot be decoded, before memory is taken for it."""
        if header.digest != self.quantizer.digest:
            raise WrongModelError(
                f"The file was written by another model, {header.model!r} "
                f"({header.digest.hex()}), not by {self.name!r} ({self.quantizer.digest.hex()})."
            )
        if header.height * header.width > self.max_pixels:
            raise ImageTooLargeError(
                f"The image has {header.width}x{header.height} pixels, more than the "
                f"{self.max_pixels:,} that are allowed."
            )
        is_known = self.transform.latent_shape_of(header.tile) is not None
        if not is_known or count_planes(header.channels, self.transform.channels) is None:
            raise InconsistentError("The image's tiles or channels do not fit the model.")
        if not FINEST_STEP <= header.step <= COARSEST_STEP:
            raise InconsistentError(f"The step {header.step} is out of range.")
        check_width(header)
        check_sections(header, self.transform.channels, len(sections))
        self._check_label(header.label)

    def check_settings(self) -> None:
        """Raise `ValueError` if step, overlap or label cannot be those of a file."""
        check_step(self.step)
        if self.overlap is not None and (type(self.overlap) is not int or self.overlap < 0):
            raise ValueError(
                f"`overlap` must be a whole number of pixels. Received: {self.overlap!r}"
            )
        self._check_label(self.label)

    def _check_label(self, label: int | None) -> None:
        classes = self.transform.classes
        if classes is None and label is not None:
            raise InconsistentError(f"The model {self.name!r} takes no label.")
        if classes is not None and (type(label) is not int or not 0 <= label < classes):
            raise InconsistentError(
                f"The model {self.name!r} needs a label from 0 to {classes - 1}. Received: {label}"
            )
