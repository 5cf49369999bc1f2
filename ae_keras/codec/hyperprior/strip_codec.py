"""Photographs of any size to bytes and back, with a model that takes the wanted quality.

```
image -> strips with margins -> encoder -> latents, hyper-latents -> entropy model -> one section
```

The image's right and lower borders are repeated up to a multiple of 64 pixels. A strip is some rows
of 64x64 pixels of the whole width; a file says how high its strips are, which decides the order of
its symbols. Encoder and decoder see as much around a strip as their results depend on, so that
there are no seams, and never more than a few strips are in memory.

Of a grey image the model sees three equal channels, and the mean of those it gives back is grey.

A picture of an eighth of the size needs no decoder: latents are, but for a scale, the coefficients
of a linear transform of 16x16 pixels, and tell the mean of each 8x8 of them.
"""

import math
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import ImageTooLargeError, InconsistentError
from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.hyperprior.networks import HYPER_BLOCK
from ae_keras.codec.hyperprior.section import Analysed
from ae_keras.codec.hyperprior.strips import BLOCK, PREVIEW, Strips
from ae_keras.codec.learned_codec import MAX_PIXELS, LearnedCodec
from ae_keras.codec.planes import Planes
from ae_keras.codec.progress import part_of
from ae_keras.codec.protocols import QualityTransform
from ae_keras.codec.reduction import reduced_size
from ae_keras.system.pixels import to_unit_range
from ae_keras.system.quality import position_of_quality

# What a file may ask for: pixels of a strip, but for one of a single row of blocks.
_LARGEST_STRIP = 2**22
_WIDEST = 2**18
# Pixels on a side of the square that a latent stands for.
_LATENT = BLOCK // HYPER_BLOCK


class StripCodec(LearnedCodec[HyperpriorModel]):
    """Compresses photographs; see `ae_keras.load_codec` for the codec of a run.

    Args:
        transform: QualityTransform. The model's encoder and decoder.
        entropy_model: HyperpriorModel. What is known of the model's latents.
        name: str. Of the model, for the file.
        step: int. The quality, from 1 to 100. Default: the entropy model's.
        overlap: None. There are no tiles that could share pixels.
        label: None. The model takes none.
        max_pixels: int. Larger images are not decoded.
    """

    # About lambda 0.0015, 0.006, 0.025, 0.1 and 0.25.
    usual_qualities = (8, 33, 59, 84, 100)

    def __init__(
        self,
        transform: QualityTransform,
        entropy_model: HyperpriorModel,
        name: str,
        step: int | None = None,
        overlap: int | None = None,
        label: int | None = None,
        max_pixels: int = MAX_PIXELS,
    ):
        if overlap is not None:
            raise ValueError(f"The codec of {name!r} has no tiles that could overlap.")
        if label is not None:
            raise ValueError(f"The model {name!r} takes no label.")
        super().__init__(entropy_model, name, transform.channels, step, max_pixels)
        self._transform = transform

    def _plan(self, height: int, width: int, channels: int) -> Header:
        strips = Strips.plan((height, width))
        header = Header(
            model=self.name,
            digest=self.entropy_model.digest,
            height=height,
            width=width,
            channels=channels,
            step=self.step,
            tile=(BLOCK * strips.rows, BLOCK * strips.grid[1]),
        )
        _check_width(width)
        return header

    def _encode(self, colours: Sequence[np.ndarray], header: Header) -> Iterator[list[bytes]]:
        strips = _strips_of(header)
        planes = Planes(header.channels, self.channels)
        for number, colour in enumerate(colours):
            (plane,) = planes.split(colour)
            analysed = self._analyse(plane, strips, header.step)
            progress = part_of(self.progress, number, len(colours))
            yield [self.entropy_model.encode(header.step, strips, analysed, progress)]

    def _analyse(self, plane: np.ndarray, strips: Strips, quality: int) -> Iterator[Analysed]:
        """Yield latents and hyper-latents of each strip, not rounded."""
        margin = self.entropy_model.geometry.encoder_margin // BLOCK
        for number in range(strips.count):
            own, window = strips.blocks(number), strips.blocks(number, margin)
            rows = plane[BLOCK * window.start : BLOCK * window.stop]
            missing = BLOCK * len(window) - len(rows), -plane.shape[1] % BLOCK
            padded = np.pad(rows, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
            (latents,), (hyper_latents,) = self._transform.analyse(
                to_unit_range(padded[np.newaxis]), _positions(quality)
            )
            start, stop = own.start - window.start, own.stop - window.start
            yield latents[HYPER_BLOCK * start : HYPER_BLOCK * stop], hyper_latents[start:stop]

    def _check_geometry(self, header: Header, sections: int) -> Hashable:
        strips = _strips_of(header)
        expected = BLOCK * min(strips.rows, strips.grid[0]), BLOCK * strips.grid[1]
        others = header.overlap, header.section_tiles, sections
        if header.tile != expected or others != (0, 1, 1):
            raise InconsistentError("The image's strips do not fit the model.")
        if header.label is not None:
            raise InconsistentError(f"The model {self.name!r} takes no label.")
        _check_width(header.width)
        if strips.rows > 1 and math.prod(header.tile) > _LARGEST_STRIP:
            raise InconsistentError("The image's strips are too large.")
        return header.height, header.width, header.tile

    def _decode(
        self, files: Sequence[tuple[Header, list[bytes]]], colours: Sequence[np.ndarray]
    ) -> None:
        for number, ((header, (section,)), colour) in enumerate(zip(files, colours, strict=True)):
            progress = part_of(self.progress, number, len(files))
            strips = _strips_of(header)
            planes = Planes(header.channels, self.channels)
            latents = self.entropy_model.decode(header.step, strips, section)
            done = 0
            for part in self._synthesize(latents, header.step):
                rows = part[: len(colour) - done, : colour.shape[1]]
                colour[done : done + len(rows)] = planes.to_pixels(rows)
                done += len(rows)
                progress(done / len(colour))

    def _decode_small(self, header: Header, sections: list[bytes], factor: int) -> np.ndarray:
        if factor != PREVIEW:
            return super()._decode_small(header, sections, factor)
        height, width = reduced_size((header.height, header.width), factor)
        planes = Planes(header.channels, self.channels)
        colour = np.empty((height, width, header.channels), np.uint8)
        steps = self.entropy_model.level(header.step).step
        to_means = steps[:, np.newaxis] * self.entropy_model.preview
        (section,) = sections
        done = 0
        for latents in self.entropy_model.decode(header.step, _strips_of(header), section):
            rows = _arrange(latents @ to_means)[: height - done, :width]
            colour[done : done + len(rows)] = planes.to_pixels((rows + 127.5) / 255)
            done += len(rows)
            self.progress(done / height)
        return colour

    def _synthesize(self, latents: Iterable[np.ndarray], quality: int) -> Iterator[np.ndarray]:
        """Yield the pixels of each strip, float32 in [0, 1], of its latents."""
        margin = self.entropy_model.geometry.decoder_margin // _LATENT
        for window, above, rows in with_margins(latents, margin):
            positions = _positions(quality)
            (pixels,) = self._transform.synthesize(window[np.newaxis], positions)
            yield pixels[_LATENT * above : _LATENT * (above + rows)]


def _arrange(means: np.ndarray) -> np.ndarray:
    """Return means of squares, of each latent's `(row, column, channel)`, as rows of pixels."""
    rows, columns, _ = means.shape
    count = _LATENT // PREVIEW
    squares = means.reshape(rows, columns, count, count, -1).swapaxes(1, 2)
    return squares.reshape(count * rows, count * columns, -1)


def _positions(quality: int) -> np.ndarray:
    return np.array([position_of_quality(quality)], np.float32)


def _strips_of(header: Header) -> Strips:
    return Strips((header.height, header.width), max(1, header.tile[0] // BLOCK))


def _check_width(width: int) -> None:
    """Refuse images of which a row of blocks alone would fill the memory.

    Raises:
        ImageTooLargeError: if it would.
    """
    if width > _WIDEST:
        raise ImageTooLargeError(
            f"The image is {width} pixels wide, more than the {_WIDEST:,} of the largest strip."
        )


def with_margins(
    strips: Iterable[np.ndarray], margin: int
) -> Iterator[tuple[np.ndarray, int, int]]:
    """Yield strips with the rows above and below that there are.

    Args:
        strips: Arrays `(rows, width, channels)`; each but the last has at least `margin` rows.
        margin: int. Rows to add.

    Yields:
        The rows, how many of them are above the strip's own, and how many are its own.
    """
    above, strip = None, None
    for below in strips:
        if strip is not None:
            yield _join(above, strip, below[:margin])
            above = strip[-margin:]
        strip = below
    if strip is not None:
        yield _join(above, strip, None)


def _join(
    above: np.ndarray | None, strip: np.ndarray, below: np.ndarray | None
) -> tuple[np.ndarray, int, int]:
    parts = [part for part in (above, strip, below) if part is not None]
    return np.concatenate(parts), 0 if above is None else len(above), len(strip)
