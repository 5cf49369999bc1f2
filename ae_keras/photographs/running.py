"""Jobs done one after the other, or several at a time."""

import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ae_keras.photographs.jobs import STANDARD, Job, Result
from ae_keras.system import notices, storage
from ae_keras.system.threads import map_in_threads

# Each image in work takes memory: 12 megapixels about 1 GB.
_MOST_WORKERS = 4


def run_jobs(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: int | None = 1,
    skip_existing: bool = False,
) -> Iterator[Result]:
    """Do jobs one after the other, or several at a time; yield their results in order.

    A job that fails does not keep the others from being done.

    Args:
        work: Does a job; for several workers it must be safe to call from several threads.
        jobs: What is to be done.
        workers: int. Threads. None: as many as there are processors, up to 4.
        skip_existing: bool. Do no job whose target is there: files appear whole or not at all.

    Raises:
        ValueError: if there are no workers.
    """
    if workers is None:
        workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}")
    doing = functools.partial(attempt, work, skip_existing)
    workers = min(workers, len(jobs))
    # NumPy's small products in several threads each would only get in the way of each other.
    limits = {"limits": 1 if workers > 1 else None, "user_api": "blas"}
    progress = tqdm(total=len(jobs), unit="file", disable=None if len(jobs) > 1 else True)
    with threadpool_limits(**limits), progress:
        for result in map_in_threads(doing, jobs, workers):
            progress.update()
            notices.add(result.noted)
            yield result


def attempt(work: Callable[[Job], Result], skip_existing: bool, job: Job) -> Result:
    """Do a job; what it notes, and why it fails if it does, is in the result."""
    start = time.perf_counter()
    with notices.collected() as noted:
        try:
            result = _skip(job) if skip_existing and _is_made(job) else work(job)
        except Exception as error:  # whatever one file does, the others are done
            if os.environ.get("AE_KERAS_DEBUG"):
                raise
            result = Result(job, error=_describe(error))
    return replace(result, noted=tuple(noted), seconds=time.perf_counter() - start)


def _is_made(job: Job) -> bool:
    if job.target == STANDARD or not storage.is_file(job.target):
        return False
    return job.source == STANDARD or not storage.is_same(job.target, job.source)


def _skip(job: Job) -> Result:
    notices.note("its output is there, and it was skipped", job.source)
    sizes = [0 if name == STANDARD else storage.size(name) for name in (job.source, job.target)]
    return Result(job, is_skipped=True, input_size=sizes[0], size=sizes[1])


def _describe(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return str(error) or "out of memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, ValueError | OSError | ArithmeticError):
        return str(error)
    return f"{type(error).__name__}: {error}"
