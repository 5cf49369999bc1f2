"""A whole folder as the commands work through it: files are read and written."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ae_keras.benchmark.timing import check_rounds
from ae_keras.photographs.compression import SUFFIX, Compression, Decompression
from ae_keras.photographs.jobs import Job, Result
from ae_keras.photographs.running import run_jobs
from ae_keras.system import notices

# What does a job, and the jobs.
_Work = tuple[Callable[[Job], Result], list[Job]]


def benchmark_folder(
    files: Sequence[str], models: Sequence[str], rounds: int = 3, workers: int | None = None
) -> list[tuple[str, str, str, str]]:
    """Time the compression and decompression of files, without the start of the program.

    All take turns, after one round that does not count: it loads the models.

    Args:
        files: Image files.
        models: Runs with a codec, or their names.
        rounds: int. Measurements, of which the medians are taken.
        workers: int. Files at a time. Default: as many as there are processors, up to 4.

    Returns:
        For each model, to compress, to compress without measuring the PSNR, and to decompress:
        what it is, its seconds, and the images and megapixels a second.

    Raises:
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if there are no rounds or workers, or a file fails.
    """
    check_rounds(rounds)
    do = partial(run_jobs, workers=workers)
    with tempfile.TemporaryDirectory() as place:
        works: dict[str, _Work] = {}
        for model in models:
            works |= _works(model, files, Path(place))
        seconds, megapixels = _take_turns(do, works, rounds)
    return [
        (name, f"{each:.2f}", f"{len(files) / each:.1f}", f"{megapixels / each:.1f}")
        for name, each in seconds.items()
    ]


def _works(model: str, files: Sequence[str], place: Path) -> dict[str, _Work]:
    """Return what to time of a model, by what it is called in the table."""
    small = [str(place / f"{number}{SUFFIX}") for number in range(len(files))]
    to_small = list(map(Job, files, small))
    to_large = [Job(path, f"{path}.png") for path in small]
    compression = Compression(model, force=True)
    compression.load()  # a wrong model is told once, not for each file
    return {
        f"{model}: compress": (compression, to_small),
        f"{model}: compress --no-psnr": (replace(compression, measure=False), to_small),
        f"{model}: decompress": (Decompression(model, force=True), to_large),
    }


def _take_turns(
    do: Callable[[Callable[[Job], Result], list[Job]], Iterator[Result]],
    works: Mapping[str, _Work],
    rounds: int,
) -> tuple[dict[str, float], float]:
    """Return the median seconds of each, and the megapixels of the images."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, (work, jobs) in works.items():
            start = time.perf_counter()
            results = list(do(work, jobs))
            seconds[name] += [time.perf_counter() - start] if number > 0 else []
            _check(results)
    pixels = sum(result.shape[0] * result.shape[1] for result in results)
    return {name: float(np.median(each)) for name, each in seconds.items()}, pixels / 1e6


def _check(results: Sequence[Result]) -> None:
    # Not of interest here: files of a preview, for one, will not be read for ever.
    notices.take()
    for result in results:
        if result.error is not None:
            raise ValueError(f"{result.job.source}: {result.error}")
