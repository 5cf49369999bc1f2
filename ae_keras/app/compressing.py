"""A photograph as an `.aek` file, beside JPEG, WebP and AVIF files of the same number of bytes."""

from argparse import ArgumentTypeError
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ae_keras import metrics
from ae_keras.app.files import (
    check_size,
    format_notes,
    has_alpha,
    new_folder,
    read_upload,
    write_picture,
)
from ae_keras.app.quality import Quality, measure_quality, middle
from ae_keras.codec.bitstream import MAGIC, read_bitstream, read_header
from ae_keras.codec.classical import make_codec
from ae_keras.codec.file_info import info_of
from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.metadata import read_metadata
from ae_keras.codec.progress import Progress, silent
from ae_keras.codec.rate_control import Compressed, Target, compress_below, compress_to_target
from ae_keras.command_line import format_info, parse_size
from ae_keras.data.metadata import has_position
from ae_keras.system.text_tables import to_markdown

ORIGINAL, OURS = "original", ".aek"
# What an `.aek` file is compared with, by the names of `codec.classical`.
FORMATS = {"JPEG": "jpeg", "WebP": "webp", "AVIF": "avif"}
# At these the curve of a photograph is measured.
CURVE_QUALITIES = (5, 25, 50, 75, 95)
_HEADER = ("file", "bytes", "bits per pixel", "PSNR [dB]", "MS-SSIM")
_NO_COMPARISON = "JPEG has no transparency, so that it is not compared with other formats"
_POSITION = "its GPS position is in the .aek file too"


@dataclass(frozen=True)
class Version:
    """A file of a photograph.

    Args:
        size: int. Its bytes.
        quality: Quality. Of the picture that comes back of it.
    """

    size: int
    quality: Quality


@dataclass
class Comparison:
    """A photograph, its `.aek` file, and what it is compared with, as far as that is there.

    Args:
        source: str. The photograph's file.
        model: str. A run.
        quality: int. From 1 to 100.
        shape: `(height, width)`.
        notes: What is to be said of it.
        folder: Path. Of the files that were made.
        versions: Of each name that is in `pictures` too, but for the original.
        pictures: For the browser: the original, that of the `.aek` file, and others, by name.
        points: Bits per pixel and PSNR of the photograph, of a large one of its middle, at some
            qualities of the model.
    """

    source: str
    model: str
    quality: int
    shape: tuple[int, int]
    notes: list[str]
    folder: Path = field(default_factory=new_folder)
    versions: dict[str, Version] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    points: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The `.aek` file."""
        return self.folder / f"{Path(self.source).stem}.aek"

    @property
    def is_wanted(self) -> bool:
        """Whether its user has not gone on to another one, or left."""
        return self.folder.exists()

    def add_version(self, name: str, version: Version, picture: np.ndarray, icc: bytes) -> None:
        """Add what comes back of a file."""
        self.pictures[name] = write_picture(self.folder, name.strip("."), picture, icc)
        self.versions[name] = version

    def table(self) -> str:
        """Return the table of all files, and what is to be said, as Markdown."""
        rows = [
            (
                f"{name}, quality {self.quality}" if name == OURS else name,
                f"{version.size:,}",
                f"{metrics.bits_per_pixel(version.size, *self.shape):.3f}",
                *version.quality.cells(),
            )
            for name, version in self.versions.items()
        ]
        return to_markdown(_HEADER, rows) + format_notes(self.notes)


def parse_target(text: str) -> Target:
    """Return the target of a size such as `"200KB"`; none of an empty text.

    Raises:
        ValueError: if it is no size.
    """
    if not text.strip():
        return Target()
    try:
        return Target(size=parse_size(text.strip().replace(" ", "")))
    except ArgumentTypeError as error:
        raise ValueError(f"Size to reach: {error}.") from error


def compress_upload(
    path: str | None,
    model: str,
    quality: int,
    target: Target,
    max_megapixels: float,
    progress: Progress = silent,
) -> Comparison:
    """Compress a photograph and restore it.

    Args:
        path: str. Its file.
        model: str. A run.
        quality: int. From 1 to 100, unless there is a target.
        target: Target.
        max_megapixels: float. Larger photographs are refused.
        progress: Is told the share that is done, of one pass after the other.

    Raises:
        ValueError: if the file is no image or too large, the target cannot be reached, or the
            image does not fit the model.
        OSError: if the model is missing.
    """
    photograph, notes = read_upload(path, max_megapixels)
    assert path is not None  # which `read_upload` refuses
    image = np.asarray(photograph.pixels)
    codec = load_codec(model).with_quality(quality).with_progress(progress)
    done = compress_to_target(codec, image, target, photograph.metadata)
    notes += [_POSITION] if has_position(photograph.metadata) else []
    restored = codec.with_max_pixels(image.size).decompress(done.data)
    comparison = Comparison(path, model, _quality_of(codec, done), image.shape[:2], notes)
    comparison.file.write_bytes(done.data)
    icc = photograph.metadata.icc_profile
    # MS-SSIM takes longer than all else, and nobody waits for it to see the picture.
    version = Version(len(done.data), Quality(metrics.image_psnr(image, restored), None))
    with ThreadPoolExecutor() as pool:  # each takes as long as a fifth of the coding
        original = pool.submit(write_picture, comparison.folder, ORIGINAL, image, icc)
        comparison.add_version(OURS, version, restored, icc)
        comparison.pictures[ORIGINAL] = original.result()
    return comparison


def _quality_of(codec: LearnedCodec, done: Compressed) -> int:
    header, *_ = read_header(done.data)
    return codec.entropy_model.quality_of_step(header.step)


def plan_steps(comparison: Comparison) -> list[tuple[Any, ...]]:
    """Return what is still to be measured: functions, and their arguments after the first."""
    image, _ = _read_again(comparison)
    steps: list[tuple[Any, ...]] = [(complete,)]
    if has_alpha(image):
        comparison.notes.append(_NO_COMPARISON)
    else:
        steps += [(add_format, name) for name in FORMATS]
    qualities = sorted({*CURVE_QUALITIES, comparison.quality})
    return steps + [(add_point, quality) for quality in qualities]


def complete(comparison: Comparison) -> None:
    """Measure what `compress_upload` did not wait for."""
    image, _ = _read_again(comparison)
    data = comparison.file.read_bytes()
    codec = load_codec(comparison.model).with_max_pixels(image.size)
    restored = codec.decompress(data)
    version = Version(len(data), measure_quality(image, restored))
    comparison.versions[OURS] = version


def add_format(comparison: Comparison, name: str) -> None:
    """Add the best file of another format that is no larger than the `.aek` file.

    If none is so small, it is the smallest.

    Args:
        comparison: Comparison.
        name: str. One of `FORMATS`.
    """
    image, icc = _read_again(comparison)
    codec = make_codec(FORMATS[name])
    data = compress_below(codec, image, comparison.versions[OURS].size)
    restored = codec.decompress(data)
    if image.ndim == 2 and restored.ndim == 3:  # WebP and AVIF know no grey
        restored = np.asarray(Image.fromarray(restored).convert("L"))
    version = Version(len(data), measure_quality(image, restored))
    comparison.add_version(name, version, restored, icc)


def _read_again(comparison: Comparison) -> tuple[np.ndarray, bytes]:
    """Return the pixels and the profile of a photograph, which nothing keeps in memory."""
    photograph, _ = read_upload(comparison.source, float("inf"))
    return np.asarray(photograph.pixels), photograph.metadata.icc_profile


def add_point(comparison: Comparison, quality: int) -> None:
    """Measure the middle of the photograph at a quality of the model."""
    image, _ = _read_again(comparison)
    image = middle(np.atleast_3d(image))
    codec = load_codec(comparison.model).with_quality(quality)
    data = codec.compress(image)
    bpp = metrics.bits_per_pixel(len(data), *image.shape[:2])
    comparison.points[quality] = bpp, metrics.image_psnr(image, codec.decompress(data))


def show_photograph(path: str, max_megapixels: float) -> str:
    """Return the file of a photograph's picture, in a folder of its own, as a browser shows it.

    Raises:
        ValueError: if the file is no image, or too large.
    """
    photograph, _ = read_upload(path, max_megapixels)
    pixels, icc = np.asarray(photograph.pixels), photograph.metadata.icc_profile
    return write_picture(new_folder(), ORIGINAL, pixels, icc)


def is_compressed(path: str) -> bool:
    """Whether a file is an `.aek` file."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def show_compressed(
    path: str, max_megapixels: float, progress: Progress = silent
) -> tuple[str, str]:
    """Restore the picture of an `.aek` file.

    Args:
        path: str. Of the file.
        max_megapixels: float. Larger pictures are refused.
        progress: Is told the share that is done.

    Returns:
        The picture's file, in a folder of its own, and a table of what the `.aek` file says of
        itself, as Markdown.

    Raises:
        BitstreamError: if it is damaged, or its model is missing.
        ValueError: if it is too large.
    """
    data = Path(path).read_bytes()
    header, sections = read_bitstream(data)
    check_size(header.width, header.height, max_megapixels)
    codec = load_codec(find_run_of(header)).with_progress(progress)
    image = codec.decompress(data)
    picture = write_picture(new_folder(), "restored", image, read_metadata(sections).icc_profile)
    return picture, format_info(Path(path).name, info_of(data))
