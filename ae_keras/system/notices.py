"""What users should know of their files: noted while these are read, and said once, on stderr.

A data set may be read in parts and a folder by several processes, and still one sentence is said of
all that was left out.
"""

import sys
from collections.abc import Iterable

# A sentence, the file that it is true of ("" if of none alone), and how many things of that file.
Notice = tuple[str, str, int]

_noted: dict[tuple[str, str], int] = {}
_said: set[tuple[str, str]] = set()


def note(sentence: str, file: str = "", count: int = 1) -> None:
    """Note what is to be said; of the same file the same is noted once.

    Args:
        sentence: With a file, it holds `{files}` and may hold `{count}`, the sum over all files.
        file: What it is true of.
        count: int. Of the things that are spoken of.

    Example:
        >>> note("left out: {count} further frames of {files}", "a.gif", 11)
    """
    _noted.setdefault((sentence, file), count)


def take() -> tuple[Notice, ...]:
    """Return what was noted and not said, and forget it: it is for another process to say."""
    taken = tuple((*key, count) for key, count in _noted.items())
    _noted.clear()
    return taken


def add(notices: Iterable[Notice]) -> None:
    """Note what another process has noted."""
    for notice in notices:
        note(*notice)


def say() -> None:
    """Print a line for each sentence that was noted, unless it has been said of these files."""
    files_of: dict[str, dict[str, int]] = {}
    for (sentence, file), count in _noted.items():
        if (sentence, file) not in _said:
            files_of.setdefault(sentence, {})[file] = count
    _said.update(_noted)
    _noted.clear()
    for sentence, files in files_of.items():
        first = next(iter(files))
        if first:
            named = repr(first) if len(files) == 1 else f"{len(files)} files, the first {first!r}"
            sentence = sentence.format(count=sum(files.values()), files=named)
        print(sentence, file=sys.stderr)
