"""Files that may come from anyone: what they say of their sizes is not believed.

A few bytes of an archive can stand for gigabytes.
"""

import copy
import zipfile
from pathlib import Path

# Bytes of a text that describes something.
_LONGEST_TEXT = 2**20
# What is unpacked in any case, and how many times its size an archive may take beyond that.
_SMALL = 2**26
_MOST_EXPANSION = 8
# Bytes that are unpacked at a time.
_PIECE = 2**20


def read_text(path: str | Path) -> str:
    """Return a text of at most 1 MiB.

    Raises:
        ValueError: if it is longer, or no UTF-8.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read(_LONGEST_TEXT + 1)
    if len(data) > _LONGEST_TEXT:
        raise ValueError(f"it has more than {_LONGEST_TEXT:,} bytes")
    return data.decode()


def most_unpacked(size: int) -> int:
    """Return how many bytes what a file of some bytes holds may take, unpacked."""
    return max(_SMALL, _MOST_EXPANSION * size)


def check_unpacked(archive: zipfile.ZipFile, most: int) -> None:
    """Refuse an archive that says it takes more bytes, unpacked; NumPy never takes more than that.

    Raises:
        ValueError: if it does.
    """
    total = sum(member.file_size for member in archive.infolist())
    if total > most:
        raise ValueError(f"it takes {total:,} bytes, unpacked, where {most:,} are the most")


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the bytes of a file in an archive; never are more than `most` of them unpacked.

    Raises:
        ValueError: if there are more, or others than the archive says.
        KeyError: if there is no such file.
    """
    member = archive.getinfo(name)
    # It may say that it is small: then Python would unpack all of it, and cut what is beyond.
    real = copy.copy(member)
    real.file_size = 2**62
    pieces, size = [], 0
    with archive.open(real) as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > most:
                raise ValueError(f"{name!r} in it takes more than {most:,} bytes")
            pieces.append(piece)
    data = b"".join(pieces)
    if len(data) != member.file_size:
        raise ValueError(f"{name!r} in it is not as long as it says")
    return data
