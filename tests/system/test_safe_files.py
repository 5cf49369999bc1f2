"""Only what is quick to import: the processes of these tests import this file."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from PIL import Image

from ae_keras.system import safe_files
from ae_keras.system.safe_files import (
    libraries_in_scratch,
    remove_leftovers,
    scratch_folder,
    write_folder_safely,
    write_safely,
    write_text,
)

LONGEST_NAME = "x" + "é" * 124 + ".keras"  # 255 bytes: all that a file system takes


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_is_replaced_only_when_all_went_well(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), write_safely(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    write_text(path, "new")
    assert names(tmp_path) == ["file.txt"]
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_folder_is_replaced_as_a_whole_or_not_at_all(error, tmp_path):
    target = tmp_path / "new" / "folder"
    for number in range(2):
        with write_folder_safely(target) as temporary:
            (temporary / f"{number}.txt").write_text("good")
        assert names(target) == [f"{number}.txt"]
    with pytest.raises(error), write_folder_safely(target) as temporary:  # noqa: PT012
        (temporary / "2.txt").write_text("bad")
        raise error
    assert names(target) == ["1.txt"]
    assert names(target.parent) == ["folder"]


def test_writers_of_one_file_have_temporaries_of_their_own(tmp_path):
    path = tmp_path / LONGEST_NAME
    with write_safely(path) as first, write_safely(path) as second:
        assert first != second
        assert first.suffix == second.suffix == ".keras"
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    with write_folder_safely(path.with_suffix("")) as first:
        (first / "file").write_text("first")
    assert names(tmp_path) == [path.stem, path.name]


def write_often(target, text):
    for _ in range(200):
        write_text(target, text)


def write_folder_often(target, text):
    for _ in range(100):
        with write_folder_safely(target) as folder:
            for name in ("a", "b"):
                (folder / name).write_text(text)


@pytest.mark.parametrize("write", [write_often, write_folder_often])
def test_two_processes_that_write_the_same_leave_one_whole(write, tmp_path):
    target, texts = tmp_path / "target", ["1" * 100_000, "2" * 100_000]
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write, args=(target, text)) for text in texts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    if target.is_dir():
        assert names(target) == ["a", "b"]
    files = [target] if target.is_file() else list(target.iterdir())
    assert {path.read_text() for path in files} in ({texts[0]}, {texts[1]})
    assert names(tmp_path) == ["target"]


DIE = """
import os, signal, sys
from ae_keras.system.safe_files import write_folder_safely, write_safely
with {writer}(sys.argv[1]) as path:
    {work}
    os.kill(os.getpid(), signal.SIGKILL)
"""


def die_while_writing(path, writer, work):
    code = DIE.format(writer=writer, work=work)
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("writer", "work"),
    [("write_safely", "path.write_text('half')"), ("write_folder_safely", "(path / 'x').touch()")],
)
def test_leftovers_of_killed_processes_are_removed_and_those_of_living_ones_are_not(
    writer, work, tmp_path
):
    with write_safely(tmp_path / "mine.txt") as path:
        path.write_text("whole")
        die_while_writing(tmp_path / "target", writer, work)
        assert len(names(tmp_path)) == 2
        remove_leftovers(tmp_path)
        assert names(tmp_path) == [path.name]
    assert names(tmp_path) == ["mine.txt"]


def test_first_file_that_a_process_writes_into_a_folder_cleans_it(tmp_path):
    die_while_writing(tmp_path / "file.txt", "write_safely", "path.write_text('half')")
    write_text(tmp_path / "file.txt", "whole")
    assert names(tmp_path) == ["file.txt"]


def test_folder_that_was_put_aside_by_a_killed_process_is_put_back(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "good").touch()
    aside = f"import pathlib; pathlib.Path({str(target)!r}).rename(path.parent / 'old')"
    die_while_writing(target, "write_folder_safely", aside)
    assert not target.exists()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["folder"]
    assert names(target) == ["good"]


def test_leftovers_of_other_machines_are_removed_when_they_are_old(tmp_path):
    leftover = tmp_path / ".partial-00000000-1-00000000.txt"
    leftover.touch()
    remove_leftovers(tmp_path)
    assert leftover.exists()
    yesterday = time.time() - 25 * 3600
    os.utime(leftover, (yesterday, yesterday))
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_long_names_that_end_alike_are_not_mixed_up_by_workers(tmp_path):
    """The files of two processes equal those of one."""
    from ae_keras.photographs.jobs import plan
    from ae_keras.photographs.running import run_jobs

    for number in range(24):
        path = tmp_path / "in" / f"{number:03}_{'x' * 70}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((64, 64), number, np.uint8)).save(path)
    contents = []
    for workers in (1, 2):
        output = tmp_path / f"out{workers}"
        jobs = plan([str(tmp_path / "in")], str(output), ".aek", [".png"])
        assert all(result.error is None for result in run_jobs(copy, jobs, workers))
        contents.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert len(contents[0]) == 24
    assert contents[0] == contents[1]


def copy(job):
    """Stands for a codec: writes its input many times, slowly enough to meet the others."""
    from ae_keras.photographs.job_files import read_source, write_target
    from ae_keras.photographs.jobs import Result

    data = read_source(job.source)
    for _ in range(20):
        write_target(job, data)
    return Result(job, size=len(data))


def test_scratch_folders_of_killed_processes_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed = tmp_path / f".partial-{safe_files._machine()}-{2**30}-00"
    killed.mkdir()
    (killed / "model").write_text("large")
    with scratch_folder() as folder:
        assert names(tmp_path) == [folder.name]
        (folder / "part").write_text("x")
    assert names(tmp_path) == []


def test_libraries_write_to_a_scratch_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with libraries_in_scratch():
        (scratch,) = tmp_path.iterdir()
        assert os.path.dirname(tempfile.mkdtemp()) == str(scratch)
    assert (tempfile.tempdir, names(tmp_path)) == (str(tmp_path), [])
