"""Image files to `.aek` files and back."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ae_keras.codec.bitstream import read_bitstream
from ae_keras.codec.file_info import FileInfo, info_of
from ae_keras.codec.learned_codec import MAX_PIXELS, LearnedCodec
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.metadata import Metadata, read_metadata
from ae_keras.codec.rate_control import Compressed, Target, compress_to_target, measure_psnr
from ae_keras.data.image_files import SUFFIXES
from ae_keras.data.metadata import has_position
from ae_keras.photographs.job_files import (
    check_target,
    encode_photograph,
    note_all,
    notes_of_kind,
    read_photograph,
    read_source,
    write_target,
)
from ae_keras.photographs.jobs import STANDARD, Job, Result, plan
from ae_keras.photographs.progress import show_progress
from ae_keras.runs.loading import PREVIEWS

SUFFIX = ".aek"
_POSITION = "its GPS position is stored; --strip-metadata leaves it out"
# Said of files of the models that are `ae_keras.runs.loading.PREVIEWS`.
PREVIEW = "the model is a preview, and later versions will not read its files: keep the original"

_LARGER = "its .aek file is larger than the file itself; a lower quality takes fewer bytes"


def plan_compression(inputs: Sequence[str], output: str) -> list[Job]:
    """Return what to make of what, as `plan` does, where `.aek` files are made.

    Args:
        inputs: Image files, folders or `"-"`.
        output: A file, a folder or `"-"`.

    Raises:
        FileNotFoundError: if an input is missing.
        ValueError: if inputs and output do not fit each other, or a file ends as of other kinds.
    """
    jobs = plan(inputs, output, SUFFIX, SUFFIXES)
    for target in (job.target for job in jobs if job.target != STANDARD):
        ending = Path(target).suffix
        if ending.lower() not in (SUFFIX, ""):
            raise ValueError(
                f"The compressed file is an {SUFFIX} file, and {output!r} ends in "
                f"{ending!r}. Name it {target.removesuffix(ending) + SUFFIX!r} or, for a folder, "
                f"{output + '/'!r}"
            )
    return jobs


@dataclass(frozen=True)
class Compression:
    """How to compress files.

    Args:
        model: str. A run folder, its name, or a `.tflite` file.
        quality: int. From 1 to 100.
        step: int. Of the quantization, instead of a quality. Default: the model's.
        target_bpp: float. The most bits per pixel, instead of a quality.
        target_size: int. The most bytes of the file, instead of a quality.
        target_psnr: float. The lowest PSNR of the restored image in dB, instead of a quality.
        overlap: int. Pixels that tiles share.
        label: int. Of the images, for a conditional model.
        strip_metadata: bool. Leave out ICC profile, EXIF, XMP and resolution.
        measure: bool. Restore each image, to know its PSNR.
        force: bool. Replace files that are there.
        progress: bool. Show a bar on stderr for each large image.
        runtime: str. That runs the model, see `ae_keras.load_codec`.
        threads: int. Of LiteRT.
        effort: int. From 1 to 9: how long to look for smaller files.
    """

    model: str
    quality: int | None = None
    step: int | None = None
    target_bpp: float | None = None
    target_size: int | None = None
    target_psnr: float | None = None
    overlap: int | None = None
    label: int | None = None
    strip_metadata: bool = False
    measure: bool = True
    force: bool = False
    progress: bool = False
    runtime: str | None = None
    threads: int | None = None
    effort: int = 1

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
        with show_progress(self.progress, job, image.shape[:2]) as progress:
            done = self._compress(codec.with_progress(progress), image, metadata)
        write_target(job, done.data)
        size, input_size = len(done.data), photograph.size
        notes = [*photograph.notes, *notes_of_kind(image, codec.channels)]
        notes += [_LARGER] if size > input_size else []
        notes += [_POSITION] if has_position(metadata) else []
        notes += [PREVIEW] if codec.name in PREVIEWS else []
        note_all(job, notes)
        return Result(job, input_size=input_size, size=size, shape=image.shape, psnr=done.psnr)

    def _compress(self, codec: LearnedCodec, image: np.ndarray, metadata: Metadata) -> Compressed:
        done = compress_to_target(codec, image, self._target, metadata)
        if self.measure and done.psnr is None:
            done = Compressed(done.data, measure_psnr(codec, image, done.data))
        return done

    @property
    def _target(self) -> Target:
        return Target(self.target_bpp, self.target_size, self.target_psnr)

    def load(self) -> LearnedCodec:
        """Return the codec.

        Raises:
            FileNotFoundError: if there is no such model.
            ValueError: if a setting is out of range, or several say how small files are to be.
        """
        if self._target.is_given and (self.quality, self.step) != (None, None):
            raise ValueError("Give a quality, a step or a target, not several of them.")
        codec = load_codec(
            self.model,
            self.step,
            self.overlap,
            self.label,
            runtime=self.runtime,
            threads=self.threads,
            effort=self.effort,
        )
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
        factor: int. 2, 4 or 8 for pictures that are so many times smaller; 1 for whole images.
        output_quality: int. From 1 to 100, of JPEG, WebP and AVIF files. Default: (almost) no loss.
        progress: bool. Show a bar on stderr for each large image.
        runtime: str. That runs the model, see `ae_keras.load_codec`.
        threads: int. Of LiteRT.
    """

    model: str | None = None
    force: bool = False
    max_pixels: int = MAX_PIXELS
    factor: int = 1
    output_quality: int | None = None
    progress: bool = False
    runtime: str | None = None
    threads: int | None = None

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
        metadata = read_metadata(sections)
        run = self.model or str(find_run_of(header))
        codec = load_codec(run, runtime=self.runtime, threads=self.threads)
        codec = codec.with_max_pixels(self.max_pixels)
        with show_progress(self.progress, job, (header.height, header.width)) as progress:
            codec = codec.with_progress(progress)
            if self.factor == 1:
                image = codec.decompress(data)
            else:
                image = codec.decompress_small(data, self.factor)
                metadata = _reduced(metadata, self.factor)
        restored, notes = encode_photograph(image, metadata, job.target, self.output_quality)
        write_target(job, restored)
        note_all(job, notes)
        return Result(job, input_size=len(data), size=len(restored), shape=image.shape)

    def load(self) -> None:
        """Load the model, if one is named.

        Raises:
            FileNotFoundError: if there is no such model.
            ValueError: if it is damaged, or is no codec.
        """
        if self.model:
            load_codec(self.model, runtime=self.runtime, threads=self.threads)


def _reduced(metadata: Metadata, factor: int) -> Metadata:
    """Return the metadata of a smaller picture, which is as large in inches."""
    if metadata.resolution is None:
        return metadata
    across, down = metadata.resolution
    return dataclasses.replace(metadata, resolution=(across / factor, down / factor))


def read_info(source: str) -> FileInfo:
    """Return what a file, or the standard input for `"-"`, says of itself.

    Raises:
        BitstreamError: if it is damaged.
        OSError: if it cannot be read.
    """
    return info_of(read_source(source))
