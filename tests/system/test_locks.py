"""Only what is quick to import: the processes of these tests import this file."""

import multiprocessing
import subprocess
import sys
import time

import pytest

from ae_keras.system.locks import LOCK_NAME, lock_folder

HOLD = """
import sys, time
from ae_keras.system.locks import lock_folder
with lock_folder(sys.argv[1], "busy"):
    print("locked", flush=True)
    time.sleep(60)
"""


def hold_in_another_process(folder):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"locked\n"
    return holder


def test_one_process_at_a_time(tmp_path):
    with lock_folder(tmp_path, "busy"):
        assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
        with (
            pytest.raises(BlockingIOError, match="It is busy"),
            lock_folder(tmp_path, "It is busy"),
        ):
            pass
        assert (tmp_path / LOCK_NAME).exists()
    assert list(tmp_path.iterdir()) == []
    with lock_folder(tmp_path, "busy"):
        pass


def test_an_error_within_passes_and_lets_go_of_the_lock(tmp_path):
    with pytest.raises(BlockingIOError, match="another thing"), lock_folder(tmp_path, "busy"):
        raise BlockingIOError("another thing")
    with lock_folder(tmp_path, "busy"):
        pass


def test_a_folder_that_is_another_way_to_it_is_locked_too(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    with (
        lock_folder(tmp_path / "folder", "busy"),
        pytest.raises(BlockingIOError),
        lock_folder(tmp_path / "link", "busy"),
    ):
        pass


def test_the_folder_is_made_if_need_be(tmp_path):
    with lock_folder(tmp_path / "new" / "one", "busy"):
        pass
    assert (tmp_path / "new" / "one").is_dir()


def test_a_killed_process_lets_go_of_the_lock(tmp_path):
    holder = hold_in_another_process(tmp_path)
    with pytest.raises(BlockingIOError), lock_folder(tmp_path, "busy"):
        pass
    holder.kill()
    holder.communicate()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    with lock_folder(tmp_path, "busy"):
        pass
    assert list(tmp_path.iterdir()) == []


def count_often(folder):
    """Add one to a number in a file two hundred times, each time with the lock."""
    file = folder / "number"
    for _ in range(200):
        done = False
        while not done:
            try:
                with lock_folder(folder, "busy"):
                    number = int(file.read_text())
                    time.sleep(0.0002)
                    file.write_text(str(number + 1))
                    done = True
            except BlockingIOError:
                time.sleep(0)


def test_locks_that_come_and_go_never_admit_two(tmp_path):
    (tmp_path / "number").write_text("0")
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=count_often, args=(tmp_path,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert (tmp_path / "number").read_text() == "800"
    assert [path.name for path in tmp_path.iterdir()] == ["number"]
