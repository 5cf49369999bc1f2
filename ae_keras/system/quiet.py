"""Silence for libraries that write to stderr from C++, whatever their log level is."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what is written to stderr to nowhere; exceptions pass."""
    with open(os.devnull, "w") as nowhere, contextlib.ExitStack() as stack:
        stderr = os.dup(2)
        stack.callback(os.close, stderr)
        stack.callback(os.dup2, stderr, 2)
        os.dup2(nowhere.fileno(), 2)
        yield
