"""A few changed files of each kind, chosen blindly; `scripts/fuzz.py` reads millions, guided."""

import importlib.util
import random

import pytest
from fuzz_changes import damage_with
from fuzz_judge import Judge
from fuzz_targets import TARGETS, Target


@pytest.mark.parametrize("name", TARGETS)
def test_changed_files_are_read_or_refused(name):
    if name == "manifest" and importlib.util.find_spec("pyarrow") is None:
        pytest.skip("manifests need pyarrow, of the extra [ray]")
    rng, seeds = random.Random(name), TARGETS[name].seeds()
    judge = Judge(TARGETS[name])
    for _ in range(20 if name == "tables" else 100):
        judge.read(judge.change(rng, rng.choice(seeds), damage_with(rng)))
    assert judge.faults == {}
    assert judge.counts["refused"] > 0.3 * judge.counts["streams"]
    assert (judge.counts["repaired"] > 0) == TARGETS[name].has_checksums


def judged(read, data=b"changed"):
    """What is noted of a file, of which a whole one is `whole`."""
    target = Target(lambda: [b"whole"], read, lambda rng, data, mutate: data)
    judge = Judge(target)
    judge._last, judge._is_repaired = data, False
    judge.read(data)
    return list(judge.faults)


def test_what_no_file_may_do_is_noted():
    def fail(data):
        return {b"whole": b""}[data]

    assert judged(lambda data: b"") == []
    assert judged(lambda data: data) == ["silent error"]
    (fault,) = judged(fail)
    assert fault.startswith("KeyError test_fuzz.py:")


def test_what_takes_long_is_noted(monkeypatch):
    monkeypatch.setattr("fuzz_judge.LONGEST", -1)
    assert judged(lambda data: b"") == ["hang of 0 s"]


def test_what_takes_memory_is_noted(monkeypatch):
    monkeypatch.setattr("fuzz_judge.MOST_MEMORY", 2**24)

    def read(data):
        return b"" if data == b"whole" else (b"x" * 2**26)[:0]

    assert judged(read) == ["memory"]
