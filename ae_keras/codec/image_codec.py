"""Images to bytes and back with a trained model.

```
image -> tiles -> encoder -> latents -> entropy model -> sections -> file
```

Tiles pass through in batches, and no more than a row of them is in memory as floating-point
numbers.

A decoder does this. An image is one or more planes of the model's channels, see
`ae_keras.codec.planes`; each is cut into tiles, see `ae_keras.codec.tiling`, and the tiles of all
planes, one plane after the other, are put into sections of `section tiles`. A tile has a latent
`(..., channels)`: of a model of fixed size always the same, of a convolutional one `(height / f,
width / f, channels)` with the factor `f` of the model. A section holds the latents
of all its tiles as the entropy model codes them. With the one that all models have,
`ae_keras.codec.quantizer`, these are, channel after channel with the table of each, the symbols of
all tiles: tile after tile, and row by row within a tile. Symbols become latents, and these pass
through the model's decoder. The image is clipped to [0, 1], multiplied by 255 and rounded, halves
to even.
"""

import copy
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ae_keras.codec.bitstream import Header, read_bitstream, write_bitstream
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError, WrongModelError
from ae_keras.codec.layout import Layout
from ae_keras.codec.planes import Planes, fits_model, read_alpha, split_alpha, write_alpha
from ae_keras.codec.protocols import EntropyModel, Transform
from ae_keras.codec.steps import check_step, is_step, step_of_quality
from ae_keras.codec.tiling import Tiling, regroup
from ae_keras.system.pixels import to_unit_range

# Images with more are not decoded, unless the caller asks for it.
MAX_PIXELS = 2**28


class ImageCodec:
    """Compresses images with a model; see `ae_keras.load_codec` for one of a run.

    Args:
        transform: Transform. The model's encoder and decoder.
        entropy_model: EntropyModel. What is known of the model's latents.
        name: str. Of the model, for the file.
        step: int. Of the quantization. Default: the entropy model's.
        overlap: int. Pixels that tiles share. Default: the transform's choice.
        label: int. Of the images, for a conditional model.
        max_pixels: int. Larger images are not decoded.
    """

    takes_quality = True
    is_lossless = False

    def __init__(
        self,
        transform: Transform,
        entropy_model: EntropyModel,
        name: str,
        step: int | None = None,
        overlap: int | None = None,
        label: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ):
        self.transform, self.entropy_model, self.name = transform, entropy_model, name
        self.step = entropy_model.default_step if step is None else step
        self.overlap, self.label, self.max_pixels = overlap, label, max_pixels

    def with_quality(self, quality: int) -> "ImageCodec":
        """Return this codec at a quality from 1 to 100."""
        return self._with(step=step_of_quality(quality))

    def with_step(self, step: int) -> "ImageCodec":
        """Return this codec at a step, see `ae_keras.codec.steps`."""
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

    def _with(self, **changes: Any) -> "ImageCodec":
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
        layout = self._plan(height, width, channels)
        header = self._make_header(layout, has_alpha)
        tiles = itertools.chain.from_iterable(layout.cut(colour) for colour, _ in pairs)
        sections, count = self._encode(tiles, layout, len(images)), len(layout.section_sizes)
        return [
            write_bitstream(
                header,
                list(itertools.islice(sections, count))
                + ([] if alpha is None else [write_alpha(alpha)]),
            )
            for _, alpha in pairs
        ]

    def _plan(self, height: int, width: int, channels: int) -> Layout:
        """Return the layout of an image's file."""
        tile, overlap = self.transform.tile_for((height, width), self.overlap)
        tiling = Tiling((height, width), tile, overlap)
        return Layout.plan(tiling, Planes(channels, self.transform.channels))

    def _make_header(self, layout: Layout, has_alpha: bool) -> Header:
        tiling = layout.tiling
        header = Header(
            model=self.name,
            digest=self.entropy_model.digest,
            height=tiling.size[0],
            width=tiling.size[1],
            channels=layout.planes.channels,
            step=self.step,
            tile=tiling.tile,
            overlap=tiling.overlap,
            section_tiles=layout.section_tiles,
            label=self.label,
            has_alpha=has_alpha,
        )
        layout.check_width()
        return header

    def _encode(self, tiles: Iterable[np.ndarray], layout: Layout, images: int) -> Iterator[bytes]:
        """Yield the sections of the tiles of some images."""
        coder = self.entropy_model.at(self.step)
        latents = (
            self.transform.encode(to_unit_range(batch))
            for batch in regroup(tiles, itertools.repeat(layout.batch_size))
        )
        for section in regroup(latents, layout.section_sizes * images):
            yield coder.encode(section)

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
        layouts = [self._check(header, sections) for header, sections in read]
        layout = layouts[0]
        if any(other != layout for other in layouts):
            raise InconsistentError("The files are not of one geometry.")
        tiles = self._decode(read, layout)
        rows = regroup(tiles, itertools.repeat(layout.tiling.grid[1]))
        return [self._assemble(rows, layout, header, sections[-1]) for header, sections in read]

    def _decode(
        self, files: Sequence[tuple[Header, list[bytes]]], layout: Layout
    ) -> Iterator[np.ndarray]:
        """Yield the tiles of files, in batches."""
        labels = [header.label for header, _ in files for _ in range(layout.tiles)]
        done = 0
        latents = self._decode_latents(files, layout)
        for batch in regroup(latents, itertools.repeat(layout.batch_size)):
            some = labels[done : done + len(batch)]
            done += len(batch)
            labelled = self.transform.classes is not None
            yield self.transform.decode(batch, np.array(some, np.int32) if labelled else None)

    def _decode_latents(
        self, files: Sequence[tuple[Header, list[bytes]]], layout: Layout
    ) -> Iterator[np.ndarray]:
        """Yield the latents of files, a section at a time."""
        shape = self._latent_shape(files[0][0])
        for header, sections in files:
            coder = self.entropy_model.at(header.step)
            # A section of alpha may follow.
            for size, section in zip(layout.section_sizes, sections, strict=False):
                yield coder.decode(section, (size, *shape))

    def _assemble(
        self, rows: Iterator[np.ndarray], layout: Layout, header: Header, last: bytes
    ) -> np.ndarray:
        """Return an image from its rows of tiles and, if it has alpha, its last section."""
        shape = (header.height, header.width, header.channels + header.has_alpha)
        image = np.empty(shape, np.uint8)
        layout.join(rows, image[..., : header.channels])
        if header.has_alpha:
            image[..., -1] = read_alpha(last, (header.height, header.width))
        return image[..., 0] if image.shape[2] == 1 else image

    def _check(self, header: Header, sections: Sequence[bytes]) -> Layout:
        """Refuse what cannot be decoded, before memory is taken for it; return its layout."""
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
        self._latent_shape(header)
        if not is_step(header.step):
            raise InconsistentError(f"The step {header.step} is out of range.")
        layout = Layout.of(header, self.transform.channels)
        layout.check_width()
        layout.check_sections(len(sections) - header.has_alpha)
        self._check_label(header.label)
        return layout

    def _latent_shape(self, header: Header) -> tuple[int, ...]:
        """Return the shape of the latent of a tile of a file."""
        shape = self.transform.latent_shape_of(header.tile)
        if shape is None or not fits_model(header.channels, self.transform.channels):
            raise InconsistentError("The image's tiles or channels do not fit the model.")
        return shape

    def check_settings(self) -> None:
        """Raise `ValueError` if step, overlap or label cannot be those of a file."""
        check_step(self.step)
        if self.overlap is not None and (type(self.overlap) is not int or self.overlap < 0):
            raise ValueError(
                f"`overlap` must be a whole number of pixels. Received: {self.overlap!r}"
            )
        self._check_label(self.label)

    def _check_label(self, label: object) -> None:
        classes = self.transform.classes
        if classes is None and label is not None:
            raise InconsistentError(f"The model {self.name!r} takes no label.")
        if classes is not None and (type(label) is not int or not 0 <= label < classes):
            raise InconsistentError(
                f"The model {self.name!r} needs a label from 0 to {classes - 1}. Received: {label}"
            )
