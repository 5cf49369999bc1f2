"""The megabytes of what is installed to compress, and of what is installed to train as well."""

import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path

from ae_keras.runs.shipped import PACKAGE, PRETRAINED

_NAME = "ae-keras"
_EXTRA = re.compile(r"extra\s*==")
_TRAIN = re.compile(r"extra\s*==\s*['\"]train['\"]")


def installed_sizes() -> list[tuple[str, str]]:
    """Return the megabytes (of 1,000,000 bytes) of the files of packages that are installed here.

    The small set are this library and what it needs to compress, with what these need in turn; the
    whole set is that of `[train]`. What is not installed counts nothing.

    Returns:
        Rows of what was added up, and its megabytes; none if pip does not know of this library.
    """
    try:
        needed = importlib.metadata.requires(_NAME) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    base = [each for each in needed if not _EXTRA.search(each)]
    train = [each for each in needed if _TRAIN.search(each)]
    # The models are inside the package, except in a clone.
    own = _sum({file for folder in (PACKAGE, PRETRAINED) for file in folder.rglob("*")})
    small, whole = (own + sum(map(_size, _closure(each))) for each in (base, base + train))
    return [
        ("compressing: pip install ae-keras", f"{small / 1e6:,.0f}"),
        ('all: pip install "ae-keras[train]"', f"{whole / 1e6:,.0f}"),
    ]


def _closure(requirements: list[str]) -> list[importlib.metadata.Distribution]:
    """Return the installed packages that some requirements lead to, without those of extras."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(requirements)
    while waiting:
        name = re.split(r"[^\w.-]", waiting.pop(), maxsplit=1)[0]
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system, or not installed
        waiting += [each for each in found[key].requires or [] if not _EXTRA.search(each)]
    return list(found.values())


def _size(package: importlib.metadata.Distribution) -> int:
    return _sum(Path(str(package.locate_file(file))) for file in package.files or [])


def _sum(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())
