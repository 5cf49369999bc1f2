"""One target under Atheris, in a process of its own: python fuzz_child.py TARGET SECONDS FOLDER.

FOLDER holds the corpus, and gets the files of faults and, in the end, `report.json`.
"""

import json
import os
import random
import resource
import sys
import time
from hashlib import sha256
from pathlib import Path

# Of the address space, beyond what is taken when all is loaded: a bomb is then an error.
_ROOM = 2**32
# A file that takes longer on the clock ends the process; see `fuzz_judge` for what is a hang.
_CLOCK_SECONDS = 120
_LARGEST_FILE = 2**18
_SECONDS_BETWEEN_REPORTS = 5


def main(name: str, seconds: float, folder: Path) -> None:
    """Read changed files until the time is over; does not return."""
    import atheris

    with atheris.instrument_imports(include=["ae_keras"]):
        from fuzz_judge import Judge
        from fuzz_targets import TARGETS

        judge = Judge(TARGETS[name])
    corpus, seeds, faults = (folder / part for part in ("corpus", "seeds", "faults"))
    for each in (corpus, seeds, faults):
        each.mkdir(parents=True, exist_ok=True)
    for data in TARGETS[name].seeds():
        (seeds / sha256(data).hexdigest()[:16]).write_bytes(data)
    _limit_memory()
    report = _Report(judge, folder, time.monotonic() + seconds)

    def change(data: bytes, _: int, seed: int) -> bytes:
        def mutate(part: bytes) -> bytes:
            return atheris.Mutate(part, max(2 * len(part), 64))

        return judge.change(random.Random(seed), data, mutate)

    def read(data: bytes) -> None:
        judge.read(data)
        report.write_now_and_then()

    options = [f"-max_len={_LARGEST_FILE}", f"-timeout={_CLOCK_SECONDS}", "-rss_limit_mb=4096"]
    options += [
        "-len_control=0",
        "-reload=0",
        f"-artifact_prefix={faults}/",
        "-print_final_stats=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus), str(seeds)], read, custom_mutator=change)
    atheris.Fuzz()


class _Report:
    """Writes what a judge has counted, and ends the process when its time is over."""

    def __init__(self, judge: "Judge", folder: Path, end: float):  # noqa: F821
        self._judge, self._folder, self._end = judge, folder, end
        self._next, self._noted = 0.0, 0

    def write_now_and_then(self) -> None:
        """Write every few seconds, at once after a fault, and in the end."""
        now, faults = time.monotonic(), len(self._judge.faults)
        if now < min(self._next, self._end) and faults == self._noted:
            return
        self._noted = faults
        self._next = now + _SECONDS_BETWEEN_REPORTS
        for fault, data in self._judge.faults.items():
            (self._folder / "faults" / sha256(fault.encode()).hexdigest()[:16]).write_bytes(data)
        values = {
            **self._judge.counts,
            "slowest": self._judge.slowest,
            "most_memory": self._judge.most_memory,
            "found": sorted(self._judge.faults),
        }
        temporary = self._folder / "report.json.new"
        temporary.write_text(json.dumps(values, indent=2))
        temporary.replace(self._folder / "report.json")
        if now >= self._end:
            os._exit(0)  # Atheris knows no other way


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    room = pages * resource.getpagesize() + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
