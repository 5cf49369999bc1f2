"""What an `.aek` file says of itself, without its pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from ae_keras.codec.bitstream import Header, read_bitstream
from ae_keras.codec.loading import quality_of
from ae_keras.codec.sections import Section


@dataclass(frozen=True)
class FileInfo:
    """What an `.aek` file says of itself.

    Args:
        header: Header.
        sections: Those that this program knows.
        size: int. Bytes of the file.
        quality: int. That its step stands for; None if its model is not here.
    """

    header: Header
    sections: Sequence[Section]
    size: int
    quality: int | None


def info_of(data: bytes) -> FileInfo:
    """Return what the bytes of a file say of it.

    Raises:
        BitstreamError: if they are damaged.
    """
    header, sections = read_bitstream(data)
    return FileInfo(header, sections, len(data), quality_of(header))
