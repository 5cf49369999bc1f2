"""Image files to `.aek` files and back, for programs."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from ae_keras.codec import DEFAULT_MODEL
from ae_keras.photographs.compression import Compression, Decompression
from ae_keras.photographs.jobs import Job, Result
from ae_keras.system import notices


def compress_file(
    source: str | Path,
    target: str | Path,
    model: str | Path = DEFAULT_MODEL,
    *,
    quality: int | None = None,
    target_size: int | None = None,
    strip_metadata: bool = False,
    overwrite: bool = False,
    runtime: str | None = None,
    threads: int | None = None,
    effort: int = 1,
) -> int:
    """Compress an image file; what the command tells on stderr becomes warnings.

    Args:
        source: The image, in any format that Pillow reads.
        target: The `.aek` file to write.
        model: A run folder, its name, or a `.tflite` file. Default: the codec of photographs.
        quality: int. From 1 to 100. Default: the model's own.
        target_size: int. The most bytes of the file, instead of a quality.
        strip_metadata: bool. Leave out ICC profile, EXIF, XMP and resolution.
        overwrite: bool. Replace the file that is there.
        runtime: str. That runs the model, see `ae_keras.load_codec`.
        threads: int. Of LiteRT.
        effort: int. From 1 to 9: how long to look for a smaller file, see `ae_keras.load_codec`.

    Returns:
        The bytes of the file.

    Raises:
        FileExistsError: if the file is there.
        ValueError: if the source is no image, or does not fit the model; or if a setting is wrong.
        OSError: if a file or the model is missing, or files cannot be read or written.

    Example:
        >>> size = ae_keras.compress_file("photo.jpg", "photo.aek", quality=60)
    """
    work = Compression(
        str(model),
        quality=quality,
        target_size=target_size,
        strip_metadata=strip_metadata,
        measure=False,
        force=overwrite,
        runtime=runtime,
        threads=threads,
        effort=effort,
    )
    return _do(work, source, target, overwrite).size


def decompress_file(
    source: str | Path,
    target: str | Path,
    model: str | Path | None = None,
    *,
    overwrite: bool = False,
    runtime: str | None = None,
    threads: int | None = None,
) -> None:
    """Restore the image of an `.aek` file; what cannot be kept of its metadata becomes warnings.

    Args:
        source: The `.aek` file.
        target: The image to write, in the format of its ending.
        model: A run folder, its name, or a `.tflite` file. Default: the one that the file names.
        overwrite: bool. Replace the file that is there.
        runtime: str. That runs the model, see `ae_keras.load_codec`.
        threads: int. Of LiteRT.

    Raises:
        FileExistsError: if the image is there.
        BitstreamError: if the file is damaged, or its model is missing.
        ValueError: if the image cannot be written in that format.
        OSError: if files cannot be read or written.

    Example:
        >>> ae_keras.decompress_file("photo.aek", "photo.png")
    """
    named = None if model is None else str(model)
    work = Decompression(named, overwrite, runtime=runtime, threads=threads)
    _do(work, source, target, overwrite)


def _do(
    work: Callable[[Job], Result], source: str | Path, target: str | Path, overwrite: bool
) -> Result:
    if not overwrite and os.path.lexists(target):
        raise FileExistsError(f"{str(target)!r} exists. Replace it with overwrite=True.")
    try:
        with notices.collected() as noted:
            return work(Job(str(source), str(target)))
    finally:
        for sentence, file, count in noted:
            text = sentence.replace("{count}", str(count))
            warnings.warn(f"{file}: {text}.", stacklevel=3)
