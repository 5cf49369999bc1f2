"""What users should know of their files: noted while these are read, and said once, on stderr.

A data set may be read in parts and a folder by several threads, and still one line says what is
true of all their files alike.
"""

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator

from ae_keras.system.text_tables import one_line

# A sentence, the file that it is said of, and how many things in that file.
Notice = tuple[str, str, int]

_lock = threading.Lock()
_noted: dict[tuple[str, str], int] = {}
# `noted`: what is collected in a thread.
_local = threading.local()
_said: set[tuple[str, str]] = set()


def note(sentence: str, file: str, count: int = 1) -> None:
    """Note what is to be said of a file; the same is noted once.

    Args:
        sentence: Without its full stop. It may hold `{count}`, the sum over all files.
        file: A file or folder.
        count: int. Of the things in it that are spoken of.

    Example:
        >>> note("{count} further frames are left out", "a.gif", 11)
    """
    with _lock:
        getattr(_local, "noted", _noted).setdefault((sentence, file), count)


@contextlib.contextmanager
def collected() -> Iterator[list[Notice]]:
    """Collect what this thread notes, for whoever may `add` it, in a list that is full at the end.

    Collections are not nested.
    """
    notices: list[Notice] = []
    _local.noted = {}
    try:
        yield notices
    finally:
        notices += ((*key, count) for key, count in _local.noted.items())
        del _local.noted


def take() -> tuple[Notice, ...]:
    """Return what was noted and not said, and forget it: it is for others to say."""
    with _lock:
        taken = tuple((*key, count) for key, count in _noted.items())
        _noted.clear()
    return taken


def add(notices: Iterable[Notice]) -> None:
    """Note what was noted before."""
    for notice in notices:
        note(*notice)


def forget() -> None:
    """Begin anew, with nothing noted and nothing said: as each command does."""
    _noted.clear()
    _said.clear()


def say(program: str | None = None) -> None:
    """Print a line for each sentence that was noted, unless it has been said of these files.

    Args:
        program: str. Who says it, at the beginning of each line.
    """
    files_of: dict[str, dict[str, int]] = {}
    for (sentence, file), count in _noted.items():
        if (sentence, file) not in _said:
            files_of.setdefault(sentence, {})[file] = count
    _said.update(_noted)
    _noted.clear()
    beginning = f"{program}: " if program else ""
    for sentence, files in files_of.items():
        others = f" and {len(files) - 1} more" if len(files) > 1 else ""
        text = sentence.replace("{count}", str(sum(files.values())))
        print(f"{beginning}{one_line(next(iter(files)))}{others}: {text}.", file=sys.stderr)
