"""Files that appear whole or not at all: written under a temporary name, then renamed."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Of the names of files that are being written.
TEMPORARY_PREFIX = ".partial-"


@contextlib.contextmanager
def write_safely(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, which takes the place of `path` if all goes well.

    Raises:
        OSError: if the file cannot be written; what stood at `path` is unharmed.
    """
    path = Path(path)
    # The ending stays: Keras and Matplotlib tell the format by it. Names have at most 255 bytes.
    temporary = path.with_name(TEMPORARY_PREFIX + path.name[-60:])
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(f"Cannot write {str(path)!r}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def write_folder_safely(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder to fill, which takes the place of `path` if all goes well.

    Raises:
        OSError: if the folder cannot be written; what stood at `path` is unharmed.
    """
    path = Path(path).absolute()
    temporary = path.with_name(TEMPORARY_PREFIX + path.name[-60:])
    old = path.with_name(TEMPORARY_PREFIX + "old-" + path.name[-60:])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
    except OSError as error:
        raise OSError(f"Cannot write {str(path)!r}: {error.strerror or error}") from error
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)  # from a process that was killed
            path.rename(old)
        temporary.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file as `write_safely` does.

    Raises:
        OSError: if the file cannot be written; what stood at `path` is unharmed.
    """
    with write_safely(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
