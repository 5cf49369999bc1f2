"""Photographs by our codecs and by others, in one process and without its start."""

import contextlib
import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ae_keras.benchmark.samples import sample_photographs
from ae_keras.benchmark.timing import check_rounds
from ae_keras.codec.classical import make_codec
from ae_keras.codec.loading import load_codec
from ae_keras.data.image_files import SUFFIXES, read_image
from ae_keras.photographs.jobs import find_sources

# What they are compared with, at a quality that takes about as many bytes as ours by default.
_CLASSICAL = {"JPEG": 75, "WEBP": 75, "AVIF": 60}


@contextlib.contextmanager
def photograph_files(folder: str | None, most: int) -> Iterator[list[str]]:
    """Yield the paths of the photographs to measure on.

    Args:
        folder: A folder. Default: the photographs of scikit-image, as PNG files that are there for
            the time of the context.
        most: int. Further files are left out.

    Raises:
        FileNotFoundError: if there is no such folder.
        ModuleNotFoundError: if scikit-image is not installed.
        ValueError: if no images are in the folder, or none are wanted.
    """
    if most < 1:
        raise ValueError(f"`images` must be at least 1. Received: {most}")
    if folder is not None:
        yield [file for file, _ in find_sources([folder], SUFFIXES)][:most]
        return
    with tempfile.TemporaryDirectory() as place:
        files = []
        for number, image in enumerate(sample_photographs()[:most]):
            files.append(str(Path(place) / f"{number}.png"))
            Image.fromarray(image).save(files[-1])
        yield files


def benchmark_photographs(
    files: Sequence[str], models: Sequence[str], rounds: int = 3
) -> list[tuple[str, ...]]:
    """Time codecs on photographs, which they compress and decompress one after the other.

    Ours, at their default quality, are beside JPEG, WebP and AVIF by Pillow, and the hyperpriors of
    CompressAI where that is installed: these are not trained, and the bytes of their files say
    nothing. The codecs take turns.

    Args:
        files: Image files.
        models: Runs with a codec, or their names. The ratios are those to the first.
        rounds: int. Measurements of each codec, of which the medians are taken.

    Returns:
        For each codec its name; bits per pixel; milliseconds an image to encode it and to decode
        it; the same a megapixel; and the ratios of both times to those of the first codec.

    Raises:
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if there are no rounds, a file is no image, or what CompressAI needs is missing.
        OSError: if a file cannot be read.
    """
    check_rounds(rounds)
    codecs = _codecs(models)
    images = list(map(_read, files))
    measured: dict[str, list[tuple[float, float, int]]] = {name: [] for name in codecs}
    for _ in range(rounds):
        for name, codec in codecs.items():
            measured[name].append(_time(codec, images))
    megapixels = sum(image.shape[0] * image.shape[1] for image in images) / 1e6
    ours = np.array(measured[models[0]])
    return [
        _row(name, np.array(each), ours, len(images), megapixels) for name, each in measured.items()
    ]


def _read(file: str) -> np.ndarray:
    try:
        return np.asarray(read_image(file).convert("RGB"))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _codecs(models: Sequence[str]) -> dict[str, Any]:
    """Return what is compared, by name; each has `compress` and `decompress`."""
    codecs: dict[str, Any] = {model: load_codec(model) for model in models}
    Image.init()  # all formats that Pillow has here
    for format, quality in _CLASSICAL.items():
        if format in Image.SAVE:
            codec = make_codec(format.lower()).with_quality(quality)
            codecs[f"{format}, quality {quality}"] = codec
    return codecs | _compressai_codecs()


def _compressai_codecs() -> dict[str, Any]:
    """Return the codecs of CompressAI by name; none where it is not installed."""
    if not importlib.util.find_spec("compressai"):
        return {}
    try:
        from ae_keras.benchmark.compressai_codecs import make_compressai_codecs
    except ModuleNotFoundError as error:  # it is installed without what it needs
        raise ValueError(f"compressai needs {error.name!r}: pip install {error.name}") from error
    return make_compressai_codecs()


def _time(codec: Any, images: Sequence[np.ndarray]) -> tuple[float, float, int]:
    """Return the seconds to encode and to decode all images, and the bytes, 0 if unknown."""
    # Not timed: the threads of the codec before may still be waiting for work.
    codec.decompress(codec.compress(images[0]))
    start = time.perf_counter()
    compressed = [codec.compress(image) for image in images]
    encoded = time.perf_counter()
    for data in compressed:
        codec.decompress(data)
    decoded = time.perf_counter()
    size = sum(len(data) for data in compressed if isinstance(data, bytes))
    return encoded - start, decoded - encoded, size


def _row(
    name: str, measured: np.ndarray, ours: np.ndarray, count: int, megapixels: float
) -> tuple[str, ...]:
    times, size = measured[:, :2], measured[0, 2]
    milliseconds = 1000 * np.median(times, axis=0)
    ratios = np.median(times / ours[:, :2], axis=0)
    return (
        name,
        f"{8 * size / megapixels / 1e6:.2f}" if size else "-",
        *(f"{value / count:.1f}" for value in milliseconds),
        *(f"{value / megapixels:.0f}" for value in milliseconds),
        *(f"{ratio:.3f}" for ratio in ratios),
    )
