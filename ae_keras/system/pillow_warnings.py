"""What happens with Pillow's warnings in one thread, whatever happens with them in others.

`warnings.catch_warnings` changes the filters of the whole process, and of two threads that use it
at once, each may leave those of the other behind.
"""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any

_lock = threading.Lock()
_users = 0
_outer: warnings.catch_warnings | None = None
# `rules`: pairs of a class of warnings and whether these are errors, the innermost last.
_local = threading.local()


@contextlib.contextmanager
def warnings_ignored(*categories: type[Warning]) -> Iterator[None]:
    """Say nothing of Pillow's warnings of some classes."""
    with _rules([(category, False) for category in categories]):
        yield


@contextlib.contextmanager
def warnings_as_errors() -> Iterator[None]:
    """Raise all warnings of Pillow."""
    with _rules([(Warning, True)]):
        yield


@contextlib.contextmanager
def _rules(rules: list[tuple[type[Warning], bool]]) -> Iterator[None]:
    before = getattr(_local, "rules", [])
    _begin()
    _local.rules = [*before, *rules]
    try:
        yield
    finally:
        _local.rules = before
        _end()


def _begin() -> None:
    """Have Pillow's warnings obey the rules of the thread that they are in, if they do not yet."""
    global _users, _outer
    with _lock:
        _users += 1
        if _users > 1:
            return
        _outer = warnings.catch_warnings()
        _outer.__enter__()
        show = warnings.showwarning

        def obey(message: Any, category: type[Warning], *arguments: Any, **options: Any) -> None:
            for kind, is_error in reversed(getattr(_local, "rules", [])):
                if issubclass(category, kind):
                    if is_error:
                        raise message
                    return
            show(message, category, *arguments, **options)

        warnings.showwarning = obey
        warnings.filterwarnings("always", module=r"PIL\.")


def _end() -> None:
    global _users, _outer
    with _lock:
        _users -= 1
        if _users == 0 and _outer is not None:
            _outer.__exit__(None, None, None)
            _outer = None
