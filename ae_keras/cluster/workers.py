"""Workers of Ray, each a process with its own model, and how they share jobs.

A worker does a batch at a time. Its death, whatever the reason, costs the job that batch: another
worker takes its place, and its images are done again, each alone, so that one that is the reason
is found out.
"""

from argparse import Namespace
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ae_keras import __version__
from ae_keras.command_line import prepare
from ae_keras.photographs.jobs import Job, Result
from ae_keras.photographs.running import attempt
from ae_keras.system import notices

# Images in a batch: of small ones, a batch takes longer than to hand it over.
_LARGEST_BATCH = 32
# Of workers: as many may die before one has done anything, or with one image in work.
_MOST_DEATHS = 3


class Worker:
    """A process of Ray that does jobs.

    Args:
        work: `Compression` or `Decompression`.
        arguments: Namespace. Of the command line, for `--import`.
    """

    def __init__(self, work: Any, arguments: Namespace):
        self._work, self._arguments = work, arguments

    def load(self, version: str) -> None:
        """Load the model.

        Args:
            version: str. Of this library, where the job was started.

        Raises:
            ValueError: if this one is another.
        """
        if version != __version__:
            raise ValueError(f"it has ae-keras {__version__}, and the job was started by {version}")
        prepare(self._arguments)
        self._work.load()

    def do(self, jobs: Sequence[Job]) -> list[Result]:
        """Do jobs."""
        return [attempt(self._work, False, job) for job in jobs]


class Pool:
    """Some workers, and the jobs that are left.

    Args:
        ray: The module, connected.
        start: Starts a worker, and returns its handle.
        jobs: What is to be done.
        workers: int. How many.
    """

    def __init__(self, ray: Any, start: Callable[[], Any], jobs: Sequence[Job], workers: int):
        self._ray, self._start, self._workers = ray, start, workers
        self._fresh, self._again = deque(jobs), deque[Job]()
        self._deaths: Counter[Job] = Counter()
        self._failed_starts = 0
        # Of what is asked of workers: of whom, and the jobs; none while it loads the model.
        self._asked: dict[Any, tuple[Any, list[Job]]] = {}

    def results(self) -> Iterator[Result]:
        """Do all jobs; yield their results as they come, each once.

        Raises:
            ValueError: if workers cannot begin.
            OSError: likewise.
        """
        left = len(self._fresh)
        for _ in range(min(self._workers, left)):
            self._add_worker()
        while left:
            (answer,), _ = self._ray.wait(list(self._asked))
            for result in self._take(answer):
                left -= 1
                yield result

    def _add_worker(self) -> None:
        worker = self._start()
        self._asked[worker.load.remote(__version__)] = worker, []

    def _take(self, answer: Any) -> list[Result]:
        """Return what came of an answer, and give its worker more to do."""
        worker, jobs = self._asked.pop(answer)
        try:
            results = self._ray.get(answer) or []
        except self._ray.exceptions.RayTaskError as error:
            raise _reason_of(error) from error
        except self._ray.exceptions.RayError as error:
            self._ray.kill(worker)
            results = self._note_death(jobs, error)
            self._add_worker()
        else:
            self._failed_starts = 0
            self._give(worker)
        return results

    def _give(self, worker: Any) -> None:
        if jobs := self._next_batch():
            self._asked[worker.do.remote(jobs)] = worker, jobs
        else:  # one that takes the place of a dead one may need its processor
            self._ray.kill(worker)

    def _next_batch(self) -> list[Job]:
        if self._again:
            return [self._again.popleft()]
        # Smaller ones at the end, so that all workers end at about the same time.
        fair = len(self._fresh) // (2 * self._workers)
        size = min(len(self._fresh), max(1, min(_LARGEST_BATCH, fair)))
        return [self._fresh.popleft() for _ in range(size)]

    def _note_death(self, jobs: Sequence[Job], error: Exception) -> list[Result]:
        """Have the jobs of a dead worker done by others; return those that are given up."""
        if not jobs:
            self._failed_starts += 1
            if self._failed_starts > _MOST_DEATHS:
                raise OSError(f"Ray's workers die as they begin: {_first_line(error)}") from error
        given_up = []
        for job in jobs:
            self._deaths[job] += 1
            if self._deaths[job] < _MOST_DEATHS:
                notices.note("a worker died at work on it, and others took over", job.source)
                self._again.append(job)
            else:
                reason = f"{_MOST_DEATHS} workers died with it in work: out of memory, or killed"
                given_up.append(Result(job, error=reason))
        return given_up


def _reason_of(error: Any) -> Exception:
    """Return what a worker raised, in one line if that is a user's mistake."""
    cause = error.cause
    if isinstance(cause, OSError | ValueError | ModuleNotFoundError):
        return type(cause)(f"A worker of Ray cannot begin: {cause}")
    return error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
