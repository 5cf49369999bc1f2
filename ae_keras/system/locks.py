"""A folder for one process at a time."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

# What stands in a folder while a process has it to itself.
LOCK_NAME = ".lock"


@contextlib.contextmanager
def lock_folder(folder: str | Path, refusal: str) -> Iterator[None]:
    """Make a folder if need be, and keep other processes from it, if they ask as well.

    The lock is a file in the folder itself, so that it also keeps off other machines and containers
    that see the folder, wherever they have it, and needs no place but this one to be writable. The
    operating system lets go of the lock when the process ends, however it does. The file goes with
    the lock; a killed process leaves it behind, which means nothing, and the next one removes it.

    Args:
        folder: The folder.
        refusal: What the error says if another process has the lock.

    Raises:
        BlockingIOError: if another process has it.
        OSError: if the folder cannot be made or written, or its file system knows no locks.
    """
    from filelock import FileLock, Timeout  # which who only compresses does without

    path = Path(folder).absolute() / LOCK_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    # A file that is a lock just by being there, filelock's other way, would outlive a killed
    # process.
    lock = FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise BlockingIOError(refusal) from error
    try:
        yield
    finally:
        # Windows keeps open files, and filelock removes it there. Elsewhere it must go before the
        # lock does: whoever has opened it already finds that it has gone, and that is no lock.
        if os.name == "posix":
            with contextlib.suppress(OSError):
                path.unlink()
        lock.release()
