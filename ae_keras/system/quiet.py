"""Silence for libraries that write to stderr from C++, whatever their log level is."""

import contextlib
import importlib
import os
import threading
from collections.abc import Iterator
from typing import Any

_lock = threading.RLock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what is written to stderr to nowhere; exceptions pass.

    Of several threads, one at a time does: each would take nowhere for stderr as it was before.
    """
    with _lock, open(os.devnull, "w") as nowhere, contextlib.ExitStack() as stack:
        stderr = os.dup(2)
        stack.callback(os.close, stderr)
        stack.callback(os.dup2, stderr, 2)
        os.dup2(nowhere.fileno(), 2)
        yield


def import_tensorflow_quietly() -> Any:
    """Import TensorFlow without what its C++ code prints to stderr whatever its log level is.

    Returns:
        The module.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        module = importlib.import_module("tensorflow")
        module.config.list_physical_devices()
    return module


def is_tensorflow_wanted() -> bool:
    """Whether the environment leaves Keras its backend TensorFlow."""
    return os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"


def import_backend_quietly() -> None:
    """Import TensorFlow in that way before Keras does, unless Keras has another backend."""
    if is_tensorflow_wanted():
        with contextlib.suppress(ModuleNotFoundError):  # the backend may be set in a file
            import_tensorflow_quietly()
