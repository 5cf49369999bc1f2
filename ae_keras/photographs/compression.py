"""Image files to `.aek` files and back."""

from dataclasses import dataclass

from ae_keras import metrics
from ae_keras.codec.bitstream import Header, read_bitstream, read_header
from ae_keras.codec.image_codec import MAX_PIXELS, ImageCodec
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.rate_control import codec_for_rate
from ae_keras.codec.steps import step_of_quality
from ae_keras.photographs.job_files import (
    check_target,
    encode_image,
    read_pixels,
    read_source,
    write_target,
)
from ae_keras.photographs.jobs import Job, Result

SUFFIX = ".aek"


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
        measure: bool. Restore each image, to know its PSNR.
        force: bool. Replace files that are there.
    """

    model: str
    quality: int | None = None
    step: int | None = None
    target_bpp: float | None = None
    overlap: int | None = None
    label: int | None = None
    measure: bool = True
    force: bool = False

    def __call__(self, job: Job) -> Result:
        """Compress one file.

        Raises:
            ValueError: if it is not an image, or does not fit the model.
            OSError: if files cannot be read or written.
        """
        check_target(job, self.force)
        image = read_pixels(job.source)
        codec = self.load()
        if self.target_bpp is not None:
            codec = codec_for_rate(codec, image, self.target_bpp)
        data = codec.compress(image)
        psnr = None
        if self.measure:
            # No larger than the image that was just read.
            restored = codec.with_max_pixels(image.size).decompress(data)
            psnr = metrics.image_psnr(image, restored)
        write_target(job.target, data)
        return Result(job, size=len(data), shape=image.shape, psnr=psnr)

    def load(self) -> ImageCodec:
        """Return the codec.

        Raises:
            FileNotFoundError: if there is no such model.
            ValueError: if a setting is out of range.
        """
        step = self.step if self.quality is None else step_of_quality(self.quality)
        codec = load_codec(self.model, step=step, overlap=self.overlap, label=self.label)
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
        header, _, _ = read_header(data)
        run = self.model or str(find_run_of(header))
        image = load_codec(run).with_max_pixels(self.max_pixels).decompress(data)
        write_target(job.target, encode_image(image, job.target))
        return Result(job, size=len(data), shape=image.shape)


def read_info(source: str) -> tuple[Header, int]:
    """Return the header of a file, and its size in bytes.

    Raises:
        BitstreamError: if it is damaged.
        OSError: if it cannot be read.
    """
    data = read_source(source)
    header, _ = read_bitstream(data)
    return header, len(data)
