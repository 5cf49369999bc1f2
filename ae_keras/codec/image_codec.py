"""Images to bytes and back with a trained model.

```
image -> tiles -> encoder -> latents -> entropy model -> sections -> file
```

Tiles pass through in batches, and no more than a row of them is in memory as floating-point
numbers.

What a decoder does stands in `docs/format.md`.
"""

import itertools
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Self

import numpy as np

from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import InconsistentError
from ae_keras.codec.layout import Layout
from ae_keras.codec.learned_codec import MAX_PIXELS, LearnedCodec
from ae_keras.codec.planes import Planes
from ae_keras.codec.progress import counted
from ae_keras.codec.protocols import TileEntropyModel, Transform
from ae_keras.codec.tiling import Tiling, regroup
from ae_keras.system.pixels import to_unit_range


class ImageCodec(LearnedCodec[TileEntropyModel]):
    """Compresses images with a model; see `ae_keras.load_codec` for one of a run.

    Args:
        transform: Transform. The model's encoder and decoder.
        entropy_model: TileEntropyModel. What is known of the model's latents.
        name: str. Of the model, for the file.
        step: int. Of the quantization. Default: the entropy model's.
        overlap: int. Pixels that tiles share. Default: the transform's choice.
        label: int. Of the images, for a conditional model.
        max_pixels: int. Larger images are not decoded.
    """

    # Coarser and finer ones are of little use.
    usual_qualities = (40, 50, 60, 70, 80)

    def __init__(
        self,
        transform: Transform,
        entropy_model: TileEntropyModel,
        name: str,
        step: int | None = None,
        overlap: int | None = None,
        label: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ):
        super().__init__(entropy_model, name, transform.channels, step, max_pixels)
        self.transform, self.overlap, self.label = transform, overlap, label

    def with_overlap(self, overlap: int) -> Self:
        """Return this codec with so many pixels that tiles share."""
        return self._with(overlap=overlap)

    def with_label(self, label: int | None) -> Self:
        """Return this codec for images with a label, of a conditional model."""
        return self._with(label=label)

    def check_settings(self) -> None:
        """Raise `ValueError` if step, overlap or label cannot be those of a file."""
        super().check_settings()
        if self.overlap is not None and (type(self.overlap) is not int or self.overlap < 0):
            raise ValueError(
                f"`overlap` must be a whole number of pixels. Received: {self.overlap!r}"
            )
        self._check_label(self.label)

    def _plan(self, height: int, width: int, channels: int) -> Header:
        tile, overlap = self.transform.tile_for((height, width), self.overlap)
        tiling = Tiling((height, width), tile, overlap)
        layout = Layout.plan(tiling, Planes(channels, self.channels))
        header = Header(
            model=self.name,
            digest=self.entropy_model.digest,
            height=height,
            width=width,
            channels=channels,
            step=self.step,
            tile=tile,
            overlap=overlap,
            section_tiles=layout.section_tiles,
            label=self.label,
        )
        layout.check_width()
        return header

    def _encode(self, colours: Sequence[np.ndarray], header: Header) -> Iterator[list[bytes]]:
        layout = Layout.of(header, self.channels)
        tiles = itertools.chain.from_iterable(map(layout.cut, colours))
        sections = self._encode_tiles(tiles, layout, len(colours))
        for _ in colours:
            yield list(itertools.islice(sections, len(layout.section_sizes)))

    def _encode_tiles(
        self, tiles: Iterable[np.ndarray], layout: Layout, images: int
    ) -> Iterator[bytes]:
        """Yield the sections of the tiles of some images."""
        coder = self.entropy_model.at(self.step)
        latents = (
            self.transform.encode(to_unit_range(batch))
            for batch in regroup(tiles, itertools.repeat(layout.batch_size))
        )
        watched = counted(latents, layout.tiles * images, self.progress)
        for section in regroup(watched, layout.section_sizes * images):
            yield coder.encode(section)

    def _check_geometry(self, header: Header, sections: int) -> Hashable:
        if self.transform.latent_shape_of(header.tile) is None:
            raise InconsistentError("The image's tiles do not fit the model.")
        layout = Layout.of(header, self.channels)
        layout.check_width()
        layout.check_sections(sections)
        self._check_label(header.label)
        return layout

    def _decode(
        self, files: Sequence[tuple[Header, list[bytes]]], colours: Sequence[np.ndarray]
    ) -> None:
        layout = Layout.of(files[0][0], self.channels)
        tiles = self._decode_tiles(files, layout)
        watched = counted(tiles, layout.tiles * len(files), self.progress)
        rows = regroup(watched, itertools.repeat(layout.tiling.grid[1]))
        for colour in colours:
            layout.join(rows, colour)

    def _decode_tiles(
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
        shape = self.transform.latent_shape_of(files[0][0].tile) or ()
        for header, sections in files:
            coder = self.entropy_model.at(header.step)
            for size, section in zip(layout.section_sizes, sections, strict=True):
                yield coder.decode(section, (size, *shape))

    def _check_label(self, label: object) -> None:
        classes = self.transform.classes
        if classes is None and label is not None:
            raise InconsistentError(f"The model {self.name!r} takes no label.")
        if classes is not None and (type(label) is not int or not 0 <= label < classes):
            raise InconsistentError(
                f"The model {self.name!r} needs a label from 0 to {classes - 1}. Received: {label}"
            )
