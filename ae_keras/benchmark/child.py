"""The time and the peak memory of a command, in a process of its own.

    python child.py COMMAND ...

This file is itself the small program that starts the command and waits for it. What a process of
Linux has had at most counts the memory of the one that started it: that of a bare Python, of about
10 MB, is below that of all that is measured; that of a benchmark is not.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Args:
        seconds: float. From its start to its end.
        megabytes: float. The peak of its memory; None where the system does not tell.
        processor_seconds: float. Of all processors together; None where the system does not tell.
    """

    seconds: float
    megabytes: float | None
    processor_seconds: float | None = None


def measure_command(command: Sequence[str]) -> Measured:
    """Run a command and measure it.

    Raises:
        ChildProcessError: if it fails, with the last line that it wrote to stderr.
    """
    # Without site-packages, which take time and memory.
    starter = [sys.executable, "-I", "-S", __file__, *command]
    done = subprocess.run(starter, capture_output=True)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ChildProcessError(f"Cannot time {' '.join(command)!r}: {' '.join(reason)}")
    return Measured(*json.loads(done.stdout))


def _main(command: list[str]) -> None:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    used = _wait(process)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(1)
    print(json.dumps([seconds, *used]))


def _wait(process: subprocess.Popen) -> tuple[float | None, float | None]:
    """Wait for a process; return the peak of its memory in MB and its processor seconds.

    Both are None on Windows.
    """
    if not hasattr(os, "wait4"):
        process.wait()
        return None, None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    megabytes = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return megabytes, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    _main(sys.argv[1:])
