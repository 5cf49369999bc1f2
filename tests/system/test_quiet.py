"""A library says nothing of how TensorFlow starts."""

import os
import subprocess
import sys
import threading

import pytest

import ae_keras
from ae_keras.system import quiet


def test_use_of_the_library_prints_no_lines_of_tensorflow():
    environment = {name: value for name, value in os.environ.items() if "TF_CPP" not in name}
    code = "import ae_keras; ae_keras.load_codec('cae-cifar10')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("backend", "calls"), [("tensorflow", 1), ("jax", 0)])
def test_tensorflow_is_imported_where_it_is_the_backend(backend, calls, monkeypatch):
    imports = []
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(quiet, "import_tensorflow_quietly", lambda: imports.append(1))
    # A test that replaced it has put back what it found, in the module itself.
    monkeypatch.delitem(vars(ae_keras), "train", raising=False)
    assert callable(ae_keras.train)
    assert len(imports) == calls
    assert callable(ae_keras.load_codec)  # which may do without
    assert len(imports) == calls


def test_threads_that_silence_stderr_leave_it_as_it_was():
    before, entered, leave = os.fstat(2), threading.Event(), threading.Event()

    def second():
        with quiet.quiet_stderr():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=second)
    with quiet.quiet_stderr():
        thread.start()
        entered.wait(0.1)  # it should not
    leave.set()
    thread.join()
    after = os.fstat(2)
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)
