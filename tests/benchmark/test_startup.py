import importlib.metadata
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import run_here

from ae_keras.benchmark import child, installation, startup
from ae_keras.benchmark.child import Measured, measure_command


def python(code):
    return measure_command([sys.executable, "-c", code])


def test_memory_is_that_of_the_command_and_not_of_who_starts_it():
    mine = np.ones(40_000_000)  # 320 MB
    bare = python("")
    assert 1 < bare.megabytes < 100 < mine.nbytes / 1e6
    assert 140 < python("b'x' * 150_000_000").megabytes - bare.megabytes < 160


def test_time_is_that_of_the_whole_command():
    assert 0.2 <= python("import time; time.sleep(0.2)").seconds < 5


def test_a_command_that_fails_says_why():
    with pytest.raises(ChildProcessError, match=r"Cannot time .*ValueError: of its own"):
        python("raise ValueError('of its own')")


def test_memory_is_left_out_where_the_system_does_not_tell_it(monkeypatch):
    monkeypatch.delattr(os, "wait4")  # as on Windows
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    assert child._wait(process) == (None, None)
    assert process.returncode == 3


def test_whole_commands_are_measured():
    rows = startup.benchmark_startup(["cae-cifar10"], ["litert"], rounds=1)
    names, seconds, ratios, megabytes = zip(*rows, strict=True)
    assert names == (
        startup.BARE,
        "cae-cifar10, litert: load_codec",
        "cae-cifar10, litert: compress",
        "cae-cifar10, litert: decompress",
    )
    assert all(float(number) > 0 for number in (*seconds, *megabytes))
    assert ratios[0] == "1.0"
    assert min(map(float, ratios[1:])) > 1
    # The photograph alone, as float32, takes 5 MB.
    assert float(megabytes[2]) > float(megabytes[0]) + 5


def test_ratios_are_taken_within_a_round_and_the_first_round_does_not_count(monkeypatch):
    """The second and third are twice as slow, on a machine ten times slower in one round."""
    bare = iter([Measured(90, 999), Measured(1, 10), Measured(10, 10), Measured(1, 10)])
    others = [Measured(90, 999), Measured(2, 30.4), Measured(20, 30.4), Measured(2, 30.4)]
    others = iter([each for each in others for _ in range(3)])
    monkeypatch.setattr(
        startup,
        "measure_command",
        lambda command: next(bare if startup.BARE in command else others),
    )
    rows = startup.benchmark_startup(["cae-cifar10"], ["litert"], rounds=3)
    assert rows[0] == (startup.BARE, "1.00", "1.0", "10")
    assert [row[1:] for row in rows[1:]] == [("2.00", "2.0", "30")] * 3


def test_memory_that_is_unknown_is_an_empty_column(monkeypatch):
    monkeypatch.setattr(startup, "measure_command", lambda command: Measured(1, None))
    rows = startup.benchmark_startup(["cae-cifar10"], ["litert"], rounds=1)
    assert {row[3] for row in rows} == {""}


def test_the_command_prints_the_table(monkeypatch, capsys):
    monkeypatch.setattr(startup, "measure_command", lambda command: Measured(1, 50))
    arguments = ("startup", "--model", "cae-cifar10", "--runtime", "litert", "--rounds", "2")
    status, stdout, stderr = run_here(monkeypatch, capsys, "benchmark.py", *arguments)
    assert (status, stderr) == (0, "")
    assert stdout.startswith("Medians of 2 rounds, ")
    assert re.search(r"cae-cifar10, litert: compress +\| +1.00 \| +1.0 \| +50 \|", stdout)


def test_all_codecs_that_ship_are_found():
    assert startup.shipped_codecs() == [
        *("cae-cifar10", "cae-cifar10-searched", "factorized_v1-cifar10", "factorized_v2-cifar10"),
        "lossy_cae-mnist",
        *("photo-1", "photo-2", "vae_v1-cifar10", "vae_v2-cifar10"),
    ]


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A place where this library and some packages are installed; returns what adds one."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(installation, "PACKAGE", tmp_path / "ae_keras")
    monkeypatch.setattr(installation, "PRETRAINED", tmp_path / "ae_keras" / "pretrained")

    def add(name, size, *requirements):
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        lines = [f"Requires-Dist: {each}\n" for each in requirements]
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{''.join(lines)}"
        (folder / "METADATA").write_text(text)
        data = tmp_path / name / "pretrained" / "data"
        data.parent.mkdir(parents=True)
        data.write_bytes(bytes(size))
        (folder / "RECORD").write_text(f"{name}/pretrained/data,,{size}\n{name}/missing,,9\n")

    return add


def test_sizes_are_those_of_all_packages_that_are_needed(packages):
    of_train, of_test = ("a_heavy_one; extra == 'train'", "a_test_one; extra == 'test'")
    packages(
        "ae_keras", 1_000_000, "a-base.one>=1", "not_there; os_name == 'nt'", of_train, of_test
    )
    packages("a_base_one", 2_000_000, "a_deep_one<2", 'a_test_one; extra == "all"')
    packages("a_deep_one", 4_000_000, "a_base_one")
    packages("a_heavy_one", 8_000_000, "a_base_one")
    packages("a_test_one", 16_000_000)
    small, whole = installation.installed_sizes()
    assert small == ("compressing: pip install ae-keras", "7")
    assert whole == ('all: pip install "ae-keras[train]"', "15")


def test_sizes_are_left_out_where_pip_does_not_know_of_the_library(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert installation.installed_sizes() == []
