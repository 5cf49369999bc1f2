"""Several processes that train one model together, on the loopback interface."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    assert_one_clear_line,
    assert_same_results,
    require_backend,
    run_here,
    smooth_images,
)
from test_devices import assert_close_results

from ae_keras.training.processes import Processes, connected

SCRIPT = Path(__file__).parent / "train_in_process.py"
CONNECT_SECONDS = 200  # of a busy machine


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("host", 2, 0), "HOST:PORT of process 0. Received: 'host'"),
        (("host:0", 2, 0), "HOST:PORT"),
        ((":80", 2, 0), "HOST:PORT"),
        (("host:80", 2, 2), "Received: process 2 of 2"),
        (("host:80", 0, 0), "Received: process 0 of 0"),
        (("host:80", 2, -1), "from 0 on, below --processes"),
    ],
)
def test_wrong_places_are_refused(values, words):
    with pytest.raises(ValueError, match="--") as error:
        Processes(*values)
    assert words in str(error.value)


def test_only_jax_trains_in_several_processes():
    with (
        pytest.raises(ValueError, match="set KERAS_BACKEND=jax"),
        connected(Processes("127.0.0.1:80", 2, 0)),
    ):
        pass


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--coordinator", "host:80"), "--process go together"),
        (("--processes", 2, "--process", 2, "--coordinator", "host:80"), "process 2 of 2"),
        (("--devices", "some"), "'some'"),
        (("--devices", 99), "99 are asked for"),
        (("--devices", 0), "from 1 on"),
    ],
)
def test_wrong_options_are_one_clear_line(arguments, words, monkeypatch, capsys, tmp_path):
    output = tmp_path / "run"
    arguments = ("--model", "cae", "--output", output, *arguments)
    status, _, stderr = run_here(monkeypatch, capsys, "train.py", *arguments)
    assert_one_clear_line(status, stderr, words)
    assert not output.exists()


def free_port():
    with socket.socket() as a_socket:
        a_socket.bind(("127.0.0.1", 0))
        return a_socket.getsockname()[1]


class Command:
    """Commands that train a tiny model together, each in a process."""

    def __init__(self, folder):
        self.folder, rng = folder, np.random.default_rng(0)
        np.savez(folder / "images.npz", images=smooth_images(rng, 103, 16, 16, 3))

    def start(self, name, index, count=2, port=None, seconds=CONNECT_SECONDS):
        """Start a process; without a port, one that trains alone."""
        together = ("--coordinator", f"127.0.0.1:{port}", "--processes", count, "--process", index)
        arguments = (
            *("--model", "vae_v2", "--dataset", self.folder / "images.npz", "--epochs", 4),
            *("--batch-size", 8, "--set", "image_shape=16,16,3"),
            *("--output", self.folder / f"{name}-{index}", *(together if port else ())),
        )
        weights = self.folder / f"{name}-{index}.npz"
        return subprocess.Popen(
            [sys.executable, SCRIPT, *map(str, (seconds, weights, *arguments))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"KERAS_BACKEND": "jax", "PYTHONUNBUFFERED": "1"},
        )

    def run(self, name):
        """Train with two processes."""
        port = free_port()
        for process in [self.start(name, index, port=port) for index in range(2)]:
            _, stderr = process.communicate()
            assert process.returncode == 0, stderr


def kill_after(process, epoch):
    """Kill a process when it has begun an epoch."""
    for line in process.stdout:
        if line.startswith(f"Epoch {epoch}/"):
            break
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_go_on_after_a_kill(tmp_path):
    require_backend("jax")
    command = Command(tmp_path)
    command.run("whole")
    first, second = (np.load(tmp_path / f"whole-{index}.npz") for index in range(2))
    for name in first.files:
        np.testing.assert_array_equal(first[name], second[name])
    assert not (tmp_path / "whole-1").exists()
    alone = command.start("alone", 0)
    _, stderr = alone.communicate()
    assert alone.returncode == 0, stderr
    assert_close_results(tmp_path / "alone-0", tmp_path / "whole-0", 1e-5)
    for victim in (1, 0):
        port = free_port()
        processes = [command.start("pieces", index, port=port) for index in range(2)]
        kill_after(processes[victim], epoch=3 - victim)
        before = time.monotonic()
        _, stderr = processes[1 - victim].communicate()
        assert time.monotonic() - before < 60
        assert_one_clear_line(processes[1 - victim].returncode, stderr, "was lost", "go on from")
    command.run("pieces")
    assert_same_results(tmp_path / "whole-0", tmp_path / "pieces-0")


@pytest.mark.slow
def test_processes_that_do_not_meet_say_so(tmp_path):
    require_backend("jax")
    command = Command(tmp_path)
    alone = command.start("far", 1, port=free_port(), seconds=3)
    port = free_port()
    different = [command.start("other", index, 2 + index, port) for index in range(2)]
    _, stderr = alone.communicate()
    assert_one_clear_line(alone.returncode, stderr, "Not all 2 processes have met at 127.0.0.1:")
    for process in different:
        _, stderr = process.communicate()
        assert_one_clear_line(process.returncode, stderr, "differ in the number of --processes")
