"""Image files to `.aek` files and back."""

from dataclasses import dataclass

import numpy as np

from ae_keras import metrics
from ae_keras.codec.bitstream import read_bitstream
from ae_keras.codec.file_info import FileInfo, info_of
from ae_keras.codec.learned_codec import MAX_PIXELS, LearnedCodec
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.metadata import read_metadata
from ae_keras.codec.rate_control import codec_for_rate
from ae_keras.data.metadata import has_position
from ae_keras.photographs.job_files import (
    check_target,
    encode_photograph,
    read_photograph,
    read_source,
    write_target,
)
from ae_keras.photographs.jobs import Job, Result

SUFFIX = ".aek"
_POSITION = "its GPS position is stored; --strip-metadata leaves it out"


@dataclass(frozen=True)
class Compression:
    """How to compress files.

    Args:
        model: str. A run folder, its name, or a `.tflite` file.
        quality: int. From 1 to 100.
        step: int. Of the quantization, instead of a quality. Default: the model's.
        target_bpp: float. The most bits per pixel, instead of a quality.
        overlap: int. Pixels that tiles share.
        label: int. Of the images, for a conditional model.
        strip_metadata: bool. Leave out ICC profile, EXIF, XMP and resolution.
        measure: bool. Restore each image, to know its PSNR.
        force: bool. Replace files that are there.
    """

    model: str
    quality: int | None = None
    step: int | None = None
    target_bpp: float | None = None
    overlap: int | None = None
    label: int | None = None
    strip_metadata: bool = False
    measure: bool = True
    force: bool = False

    def __call__(self, job: Job) -> Result:
        """Compress one file.

        Raises:
            ValueError: if it is not an image, or does not fit the model.
            OSError: if files cannot be read or written.
        """
        check_target(job, self.force)
        photograph = read_photograph(job.source, not self.strip_metadata)
        image, metadata = np.asarray(photograph.pixels), photograph.metadata
        codec = self.load()
        if self.target_bpp is not None:
            codec = codec_for_rate(codec, image, self.target_bpp, metadata)
        data = codec.compress(image, metadata)
        psnr = None
        if self.measure:
            # No larger than the image that was just read.
            restored = codec.with_max_pixels(image.size).decompress(data)
            psnr = _psnr(image, restored)
        write_target(job.target, data)
        notes = [*photograph.notes, *([_POSITION] if has_position(metadata) else [])]
        return Result(job, size=len(data), shape=image.shape, psnr=psnr, notes=notes)

    def load(self) -> LearnedCodec:
        """Return the codec.

        Raises:
            FileNotFoundError: if there is no such model.
            ValueError: if a setting is out of range.
        """
        codec = load_codec(self.model, self.step, self.overlap, self.label)
        if self.quality is not None:
            codec = codec.with_quality(self.quality)
        codec.check_settings()
        return codec


@dataclass(frozen=True)
class Decompression:
    """How to decompress files.

    Args:
        model: str. A run folder, its name, or a `.tflite` file. Default: each file's own, found by
            its digest.
        force: bool. Replace files that are there.
        max_pixels: int. Larger images are refused.
    """

    model: str | None = None
    force: bool = False
    max_pixels: int = MAX_PIXELS

    def __call__(self, job: Job) -> Result:
        """Decompress one file.

        Raises:
            BitstreamError: if it is damaged, or its model is missing.
            ValueError: if the image cannot be written in the format of its name.
            OSError: if files cannot be read or written.
        """
        check_target(job, self.force)
        data = read_source(job.source)
        header, sections = read_bitstream(data)
        run = self.model or str(find_run_of(header))
        image = load_codec(run).with_max_pixels(self.max_pixels).decompress(data)
        restored, notes = encode_photograph(image, read_metadata(sections), job.target)
        write_target(job.target, restored)
        return Result(job, size=len(data), shape=image.shape, notes=notes)


def _psnr(image: np.ndarray, restored: np.ndarray) -> float:
    """Return the PSNR in dB, a row at a time, so that large images need little memory."""
    squares = sum(
        float(np.square(ours.astype(np.float32) - theirs).sum())
        for ours, theirs in zip(image, restored, strict=True)
    )
    return float(metrics.psnr(squares / image.size / 255**2))


def read_info(source: str) -> FileInfo:
    """Return what a file, or the standard input for `"-"`, says of itself.

    Raises:
        BitstreamError: if it is damaged.
        OSError: if it cannot be read.
    """
    return info_of(read_source(source))
