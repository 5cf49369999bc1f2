"""Work that is killed and started again, and compared with work that was not."""

import contextlib
import functools
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from kill_checks import assert_same, check_all_whole, leftovers
from kill_works import WORKS, Work

_MOST_IN_A_ROW = 9
# Of all moments, those up to this share of the time that the work takes.
_LAST_MOMENT = 1.1


def kill_all(names: Sequence[str], kills: int, seed: int) -> None:
    """Kill works, and print a line for each."""
    for each in names:
        with tempfile.TemporaryDirectory() as folder:
            rng = np.random.default_rng(seed)
            done, ends = kill_often(WORKS[each], Path(folder), kills, rng)
        print(f"{each}: killed {done} times, ended {ends} times, always the same", flush=True)


def kill_often(work: Work, folder: Path, kills: int, rng: np.random.Generator) -> tuple[int, int]:
    """Kill work so often; return how often it was killed, and how often it came to its end."""
    inputs, whole = folder / "inputs", folder / "whole"
    run_to_end(functools.partial(work.prepare, inputs), folder)
    start = time.monotonic()
    run_to_end(functools.partial(work.run, inputs, whole), folder)
    last_moment = _LAST_MOMENT * (time.monotonic() - start)
    expected = work.contents(whole)
    if work.alone is not None:
        run_to_end(functools.partial(work.alone, inputs, folder / "alone"), folder)
        assert_same(expected, work.contents(folder / "alone"))
    done = ends = 0
    while done < kills:
        output = folder / f"pieces-{ends}"
        run = functools.partial(work.run, inputs, output)
        for _ in range(min(_MOST_IN_A_ROW, kills - done)):
            if not run_and_kill(run, folder, rng.uniform(0, last_moment), rng):
                break
            done += 1
            check_all_whole(output)
        run_to_end(run, folder)
        check_all_whole(output)
        assert_same(work.contents(output), expected)
        left = leftovers(output) + leftovers(folder / "temporary")
        assert not left, f"left over: {left}"
        ends += 1
        print(f"{done} of {kills} kills", file=sys.stderr, flush=True)
    return done, ends


def run_to_end(function: Callable[[], None], folder: Path) -> None:
    """Run a function in a process of its own."""
    status = os.waitpid(_fork(function, folder), 0)[1]
    assert status == 0, f"it ended with {status}: {_log(folder)}"


def run_and_kill(
    function: Callable[[], None], folder: Path, seconds: float, rng: np.random.Generator
) -> bool:
    """Run a function in a process, and kill that after some time; return whether it was at work.

    If it has started others, these are killed too, or else end because it is no more.
    """
    process = _fork(function, folder)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            assert status == 0, f"it ended with {status}: {_log(folder)}"
            return False
        time.sleep(0.002)
    others = _children_of(process) if rng.integers(2) else []
    for each in (process, *others):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    return os.waitpid(process, 0)[1] == signal.SIGKILL


def _children_of(process: int) -> list[int]:
    return [
        int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


def _fork(function: Callable[[], None], folder: Path) -> int:
    """Start a process that runs a function; what it writes goes into a file."""
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        function()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)


def _log(folder: Path) -> str:
    return (folder / "log.txt").read_text(errors="replace")[-2000:]
