"""Files that appear whole or not at all: written under a temporary name, then renamed.

Each writer has a temporary name of its own, in the folder of its target:

```
.partial-<machine>-<process>-<random>.<ending of the target>
```

What a killed process leaves behind is known by that name, and removed by the next one that writes
into the folder.
"""

import contextlib
import errno
import os
import platform
import secrets
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

# Of the names of files and folders that are being written.
TEMPORARY_PREFIX = ".partial-"
# Of another machine one cannot know which processes live; nothing takes longer to write.
_SECONDS_OF_DOUBT = 24 * 3600
# Of a file name, which may have 255 bytes; a character has at most four.
_LONGEST_ENDING = 40
# In a temporary folder: what is written, what it replaces, and where both belong.
_NEW, _OLD, _TARGET = "new", "old", "target"
# What a disk says that takes no more.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
# Another process may replace the same folder at the same time.
_MOST_TRIES = 100

_swept: set[Path] = set()


@contextlib.contextmanager
def write_safely(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, which takes the place of `path` if all goes well.

    Of several processes that write the same file, one leaves its own, whole.

    Raises:
        OSError: if the file cannot be written; what stood at `path` is unharmed.
    """
    path = Path(path)
    temporary = _temporary_beside(path)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # of a read-only file system, which is said already
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def write_folder_safely(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder to fill, which takes the place of `path` if all goes well.

    Raises:
        OSError: if the folder cannot be written; what stood at `path` is unharmed.
    """
    path = Path(path).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_beside(path)
        (temporary / _NEW).mkdir(parents=True)
        (temporary / _TARGET).write_text(path.name, encoding="utf-8")
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary / _NEW
        _replace_folder(path, temporary)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _cannot_write(path, error) from error
        raise
    finally:
        _remove_folder(temporary)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a temporary folder, in the system's own; what killed processes left there is removed.

    Raises:
        OSError: if it cannot be made.
    """
    folder = _temporary_beside(Path(tempfile.gettempdir()) / "scratch")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def libraries_in_scratch() -> Iterator[None]:
    """Have libraries that write to the system's temporary folder write to a scratch folder.

    It holds for all threads.

    Raises:
        OSError: if it cannot be made.
    """
    with scratch_folder() as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def version_of(path: Path) -> tuple[int, ...]:
    """Return numbers that change when a file is replaced, even if the clock has gone backwards.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def write_text(path: str | Path, text: str) -> None:
    """Write a text file as `write_safely` does.

    Raises:
        OSError: if the file cannot be written; what stood at `path` is unharmed.
    """
    with write_safely(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_leftovers(folder: str | Path) -> None:
    """Remove what processes that are no more have left in a folder half-written.

    A folder that was about to be replaced when its process was killed is put back.

    Raises:
        OSError: if it cannot be removed.
    """
    for leftover in Path(folder).glob(f"{TEMPORARY_PREFIX}*"):
        if not _is_alive(leftover):
            _remove_folder(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> OSError:
    return OSError(f"Cannot write {str(path)!r}: {error.strerror or error}")


def _machine() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _temporary_beside(path: Path) -> Path:
    """Return a name that no one else has; what others have left in the folder is removed first."""
    folder = path.parent.absolute()
    if folder not in _swept:  # once a process: a listing takes long where there are many files
        _swept.add(folder)
        with contextlib.suppress(OSError):  # what cannot be written either is said then
            remove_leftovers(folder)
    # The ending stays: Keras and Matplotlib tell the format by it.
    ending = "".join(path.suffixes)[-_LONGEST_ENDING:]
    return path.with_name(
        f"{TEMPORARY_PREFIX}{_machine()}-{os.getpid()}-{secrets.token_hex(4)}{ending}"
    )


def _is_alive(leftover: Path) -> bool:
    """Whether the process that writes a temporary file or folder may still be at it."""
    try:
        machine, process = leftover.name.removeprefix(TEMPORARY_PREFIX).split("-")[:2]
        if os.name == "posix" and machine == _machine():
            os.kill(int(process), 0)
            return True
        return time.time() - leftover.stat().st_mtime < _SECONDS_OF_DOUBT
    except PermissionError:  # a process of another user
        return True
    except (ValueError, OSError):  # a name of another kind, no such process or no such file
        return False


def _replace_folder(path: Path, temporary: Path) -> None:
    for _ in range(_MOST_TRIES):
        with contextlib.suppress(FileNotFoundError):
            path.rename(temporary / _OLD)
        try:
            (temporary / _NEW).rename(path)
            return
        except OSError:
            if not path.exists():
                raise
            # Another process was quicker: what it has put there is replaced in turn.
            shutil.rmtree(temporary / _OLD, ignore_errors=True)
    raise OSError(f"Cannot write {str(path)!r}: others write it all the time.")


def _remove_folder(temporary: Path) -> None:
    """Remove a temporary folder; what it was to replace, and has not replaced, goes back."""
    old, target = temporary / _OLD, temporary / _TARGET
    if old.exists() and target.is_file():
        name = target.read_text(encoding="utf-8")
        if not name:  # damaged: no one knows where it belongs
            return
        with contextlib.suppress(OSError):  # it has been replaced
            old.rename(temporary.with_name(name))
    shutil.rmtree(temporary, ignore_errors=True)
