"""A tenth of the kills of `scripts/kill.py`, in a process that has not run TensorFlow."""

import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["train-cae", "train-photo", "tune", "export", "compress", "cache", "ship"]
)
def test_killed_work_goes_on_as_if_it_had_not_been(name):
    command = [sys.executable, ROOT / "scripts" / "kill.py", "--kills", "10", "--work", name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{name}: killed 10 times" in done.stdout
