"""Files by name: paths of this machine, and URLs of what fsspec or Arrow opens, as `s3://bucket/a`.

Files appear whole or not at all, whichever they are.
"""

import contextlib
import importlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ae_keras.system.invocation import install
from ae_keras.system.safe_files import TEMPORARY_PREFIX, write_safely

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_LOCAL = "file://"
# They know no folders, and an object appears whole.
_OBJECT_STORES = {"abfs", "abfss", "adl", "az", "gcs", "gs", "memory", "oci", "oss", "s3", "s3a"}


def is_url(name: str) -> bool:
    """Whether a name is a URL."""
    return _URL.match(name) is not None


def plain_name(name: str) -> str:
    """Return the path that a URL of this machine's own files stands for; other names as they are.

    Example:
        >>> plain_name("file:///photos/a.png")
        '/photos/a.png'
    """
    return name.removeprefix(_LOCAL)


def join(folder: str, *names: str) -> str:
    """Return the name of a file in a folder."""
    if is_url(folder):
        return "/".join([folder.rstrip("/"), *names])
    return str(Path(folder, *names))


def is_folder(name: str) -> bool:
    """Whether there is a folder, or something in a bucket whose name begins as that of a folder.

    Raises:
        OSError: if that cannot be told.
    """
    if is_url(name):
        return _kind_at(name) == "directory"
    return Path(name).is_dir()


def exists(name: str) -> bool:
    """Whether there is a file or folder.

    Raises:
        OSError: if that cannot be told.
    """
    if is_url(name):
        return _kind_at(name) is not None
    return Path(name).exists()


def is_file(name: str) -> bool:
    """Whether there is a file.

    Raises:
        OSError: if that cannot be told.
    """
    if is_url(name):
        return _kind_at(name) == "file"
    return Path(name).is_file()


def is_same(name: str, other: str) -> bool:
    """Whether two names are of one file, which is there."""
    if is_url(name) or is_url(other):
        return name == other
    return os.path.exists(other) and os.path.samefile(name, other)


def size(name: str) -> int:
    """Return the bytes of a file.

    Raises:
        OSError: if it is missing or may not be read.
    """
    if not is_url(name):
        return os.path.getsize(name)
    with _in_words(name):
        files, path = _open(name)
        return int(files.info(path)["size"])


def list_files(folder: str) -> dict[str, int]:
    """Return the bytes of all files under a folder, by their names below it; none if it is missing.

    Raises:
        OSError: if it cannot be read.
    """
    if is_url(folder):
        return _list_at(folder)
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(OSError):  # it was temporary, or a broken link
                found[Path(path).relative_to(folder).as_posix()] = os.path.getsize(path)
    return found


def read(name: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        OSError: if it is missing or may not be read.
    """
    if not is_url(name):
        return Path(name).read_bytes()
    with _in_words(name):
        files, path = _open(name)
        return bytes(files.cat_file(path))


def write(name: str, data: bytes, times_of: str | None = None) -> None:
    """Write a file, and the folder for it.

    Args:
        name: str. A path or a URL.
        data: bytes.
        times_of: str. A file whose time of modification it gets, if both are of this machine.

    Raises:
        OSError: if it cannot be written; what stood there is unharmed.
    """
    if is_url(name):
        _write_at(name, data)
        return
    folder = Path(name).parent
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{str(folder)!r} is not a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    with write_safely(name) as path:
        path.write_bytes(data)
        if times_of is not None and not is_url(times_of):
            with contextlib.suppress(OSError):  # of file systems that have no such times
                times = os.stat(times_of)
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def remove(name: str) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: if it cannot be removed.
    """
    if not is_url(name):
        Path(name).unlink(missing_ok=True)
        return
    with contextlib.suppress(FileNotFoundError), _in_words(name):
        files, path = _open(name)
        files.rm_file(path)


def _kind_at(url: str) -> str | None:
    with contextlib.suppress(FileNotFoundError), _in_words(url):
        files, path = _open(url)
        files.invalidate_cache()
        return str(files.info(path)["type"])
    return None


def _list_at(url: str) -> dict[str, int]:
    with contextlib.suppress(FileNotFoundError), _in_words(url):
        files, path = _open(url)
        files.invalidate_cache()
        found = files.find(path, detail=True)
        start = len(path.rstrip("/")) + 1
        return {name[start:]: int(entry["size"] or 0) for name, entry in found.items()}
    return {}


def _write_at(url: str, data: bytes) -> None:
    with _in_words(url):
        files, path = _open(url)
        if url.partition("://")[0].lower() in _OBJECT_STORES:
            files.pipe_file(path, data)
            return
        if files.isdir(path):
            raise IsADirectoryError("it is a folder")
        folder, _, name = path.rpartition("/")
        files.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/{TEMPORARY_PREFIX}{secrets.token_hex(8)}-{name}"
        try:
            files.pipe_file(temporary, data)
            files.mv(temporary, path)
        except BaseException:
            with contextlib.suppress(Exception):  # what went wrong before is said
                files.rm_file(temporary)
            raise


def _open(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, as fsspec knows them, and the path in it."""
    try:
        core = importlib.import_module("fsspec.core")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{url!r} needs fsspec. Install it with: {install('ray')}", name="fsspec"
        ) from error
    try:
        files, path = core.url_to_fs(url)
    except ImportError:  # of what fsspec opens with another library, Arrow opens some by itself
        files, path = _open_with_arrow(url)
    return files, path


def _open_with_arrow(url: str) -> tuple[Any, str]:
    arrow = importlib.import_module("pyarrow.fs")
    wrapper = importlib.import_module("fsspec.implementations.arrow")
    files, path = arrow.FileSystem.from_uri(url)
    return wrapper.ArrowFSWrapper(files), path


@contextlib.contextmanager
def _in_words(url: str) -> Iterator[None]:
    """Have all that a file system raises told as an `OSError` that names the URL."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"No such file, folder or bucket: {url!r}") from error
    except PermissionError as error:
        raise PermissionError(f"Permission denied: {url!r}") from error
    except ModuleNotFoundError:
        raise
    except Exception as error:  # file systems raise what their libraries do
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"Cannot reach {url!r}: {reason}") from error
