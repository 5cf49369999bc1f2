"""Reads changed files, counts them, and notes what no file may do."""

import contextlib
import random
import resource
import time
import traceback
from collections import Counter
from hashlib import sha256
from pathlib import Path

from fuzz_changes import Mutate, damage
from fuzz_targets import REFUSALS, Target

# Seconds of one processor, and bytes beyond what reading whole files takes.
LONGEST = 2.0
MOST_MEMORY = 2**28


class Judge:
    """Tells what a target does with files that were changed.

    Args:
        target: Target.
    """

    def __init__(self, target: Target):
        self._target = target
        self.counts: Counter[str] = Counter()
        self.faults: dict[str, bytes] = {}
        self.slowest = 0.0
        self.most_memory = 0
        self._seeds = target.seeds()
        # What files hold whose checksums are right.
        self._known = {_digest(target.read(data)) for data in self._seeds}
        self._last, self._is_repaired = b"", False
        self._memory = _reset_peak()

    def change(self, rng: random.Random, data: bytes, mutate: Mutate) -> bytes:
        """Return a file that was changed; of half of them the checksums are repaired."""
        self._is_repaired = not self._target.has_checksums or rng.randrange(2) == 0
        changed = None
        if self._is_repaired:
            for whole in (data, *rng.choices(self._seeds, k=9)):
                # Of many types: it is damaged already, or cannot be changed so.
                with contextlib.suppress(Exception):
                    changed = self._target.change(rng, whole, mutate)
                    break
        self._is_repaired = changed is not None
        self._last = damage(rng, data) if changed is None else changed
        return self._last

    def read(self, data: bytes) -> None:
        """Read a file, and note a fault if it has one; those not from `change` are not counted."""
        is_changed = data == self._last
        if is_changed:
            self.counts["streams"] += 1
            self.counts["repaired"] += self._is_repaired and self._target.has_checksums
        start = time.process_time()
        try:
            content = self._target.read(data)
        except REFUSALS:
            self.counts["refused"] += is_changed
        except Exception as error:
            self._note(f"{type(error).__name__} {_place_of(error)}: {error}", data)
        else:
            self._compare(content, data, is_changed)
        self._measure(time.process_time() - start, data)

    def _compare(self, content: bytes, data: bytes, is_changed: bool) -> None:
        """Note a silent error: what was read of a damaged file is not what anyone wrote."""
        if not is_changed or self._is_repaired or not self._target.has_checksums:
            self._known.add(_digest(content))
        elif _digest(content) not in self._known:
            self._note("silent error", data)

    def _measure(self, seconds: float, data: bytes) -> None:
        self.slowest = max(self.slowest, seconds)
        if seconds > LONGEST:
            self._note(f"hang of {seconds:.0f} s", data)
        peak = _peak()
        if peak - self._memory > 2**20:
            self.most_memory = max(self.most_memory, peak - self._memory)
            if peak - self._memory > MOST_MEMORY:
                self._note("memory", data)
            self._memory = _reset_peak()

    def _note(self, fault: str, data: bytes) -> None:
        self.counts["faults"] += 1
        self.faults.setdefault(fault[:300], data)


def _digest(content: bytes) -> bytes:
    return sha256(content).digest()


def _place_of(error: BaseException) -> str:
    """Return the line of this library that an error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "ae_keras" in Path(frame.filename).parts]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _peak() -> int:
    """Return the most bytes that this process has had in memory."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _reset_peak() -> int:
    """Have the peak be what it is now, on Linux, and return it."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")
    return _peak()
