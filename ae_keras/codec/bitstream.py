"""The `.aek` container: what a compressed file looks like, byte by byte, in `docs/format.md`.

Header, sections of several kinds and two checksums; nothing follows the last one. Version 1, which
is read and no longer written, differs in two things: flag 2 says that the last section is alpha,
and sections have a length, and no kind: all others are the image's.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ae_keras.codec import varints
from ae_keras.codec.errors import (
    ChecksumError,
    InconsistentError,
    NotAekError,
    TruncatedError,
    VersionError,
)
from ae_keras.codec.sections import Section, SectionEntry, SectionKind, check_known, check_order

MAGIC = b"\x89AEK"
VERSION = 2
DIGEST_SIZE = 8
# Flag 2 of version 1 is another.
_HAS_LABEL, _HAS_BANK, _HAS_ALPHA_V1 = 1, 2, 2
_CRC_SIZE = 4
_LARGEST_VARINT = 2**32 - 1


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Args:
        model: str. Name of the model's run folder.
        digest: bytes. Eight, of the model and its tables.
        height: int. Of the image, in pixels.
        width: int.
        channels: int. 1 to 255, without alpha.
        step: int. Of the quantization, or the quality, as the entropy model has it.
        tile: `(height, width)` of a tile.
        overlap: int. Pixels that neighbouring tiles share; at most half of a tile.
        section_tiles: int. Tiles in a section.
        label: int. Of the image, for a conditional model.
        bank: int. Index of the bank of tables; 0 so far.
    """

    model: str
    digest: bytes
    height: int
    width: int
    channels: int
    step: int
    tile: tuple[int, int]
    overlap: int = 0
    section_tiles: int = 1
    label: int | None = None
    bank: int = 0

    def __post_init__(self) -> None:
        numbers = (self.height, self.width, self.step, *self.tile, self.section_tiles)
        if min(numbers) < 1 or max(*numbers, self.label or 0, self.bank) > _LARGEST_VARINT:
            raise InconsistentError(f"Sizes and step must be from 1 to 2^32 - 1: {numbers}.")
        if not 1 <= self.channels <= 255:
            raise InconsistentError(f"An image has 1 to 255 channels, not {self.channels}.")
        sides = zip((self.height, self.width), self.tile, strict=True)
        cut = [tile for side, tile in sides if tile < side]
        most = min(cut, default=_LARGEST_VARINT) // 2
        if not 0 <= self.overlap <= most:
            raise InconsistentError(
                f"An overlap of {self.overlap} pixels does not fit tiles of {self.tile}: {most} is "
                "the most."
            )
        if len(self.digest) != DIGEST_SIZE or len(self.model.encode()) > 255:
            raise InconsistentError("A digest has 8 bytes, and a model's name at most 255.")


class _Reader:
    """Reads fields one after the other; never beyond the end."""

    def __init__(self, data: bytes):
        self._data = data
        self.position = 0

    def bytes(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise TruncatedError("The file ends within its header.")
        self.position = end
        return bytes(self._data[end - count : end])

    def byte(self) -> int:
        return self.bytes(1)[0]

    @property
    def is_at_end(self) -> bool:
        return self.position == len(self._data)

    def varint(self) -> int:
        number, size = varints.decode_first(
            self._data[self.position : self.position + varints.LONGEST]
        )
        self.position += size
        return number


def write_bitstream(header: Header, sections: Sequence[Section]) -> bytes:
    """Return the bytes of a file.

    Raises:
        InconsistentError: if the sections are not in their order.
    """
    check_order(section.kind for section in sections)
    name = header.model.encode()
    flags = _HAS_LABEL * (header.label is not None) + _HAS_BANK * (header.bank > 0)
    body = header.digest + struct.pack("<B", len(name)) + name + struct.pack("<B", flags)
    body += varints.encode([header.height, header.width]) + struct.pack("<B", header.channels)
    numbers = [header.step, *header.tile, header.overlap, header.section_tiles]
    numbers += [] if header.label is None else [header.label]
    numbers += [header.bank] if header.bank else []
    numbers.append(len(sections))
    for section in sections:
        numbers += [2 * section.kind + section.is_optional, len(section.data)]
    body += varints.encode(numbers)
    head = MAGIC + bytes([VERSION]) + varints.encode([len(body)]) + body
    payload = b"".join(section.data for section in sections)
    return b"".join(
        [head, struct.pack("<I", zlib.crc32(head)), payload, struct.pack("<I", zlib.crc32(payload))]
    )


def read_header(data: bytes) -> tuple[Header, list[SectionEntry], int]:
    """Read and check the header of a file, of which the rest may be missing.

    Returns:
        The header, what it says of each section, and where the data of the first one begin.

    Raises:
        BitstreamError: if the header is damaged, or the file is of another kind.
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise NotAekError("This is not an .aek file.")
    reader = _Reader(data)
    reader.bytes(len(MAGIC))
    version = reader.byte()
    if not 1 <= version <= VERSION:
        raise VersionError(
            f"The file is of format version {version}, and this program reads versions 1 to "
            f"{VERSION}."
        )
    length = reader.varint()
    start = reader.position
    reader.bytes(length)
    checked = reader.position
    (checksum,) = struct.unpack("<I", reader.bytes(_CRC_SIZE))
    if checksum != zlib.crc32(data[:checked]):
        raise ChecksumError("The header is damaged: its checksum does not match.")
    header, entries = _parse_header(_Reader(data[start:checked]), version)
    check_known(entries)
    check_order(entry.kind for entry in entries)
    return header, entries, reader.position


def _parse_header(reader: _Reader, version: int) -> tuple[Header, list[SectionEntry]]:
    digest = reader.bytes(DIGEST_SIZE)
    try:
        model = reader.bytes(reader.byte()).decode()
    except UnicodeDecodeError as error:
        raise InconsistentError("The name of the model is not a text.") from error
    flags = reader.byte()
    if flags & ~(_HAS_LABEL | _HAS_BANK):
        raise InconsistentError(f"The header has unknown flags: {flags}.")
    header = Header(
        model=model,
        digest=digest,
        height=reader.varint(),
        width=reader.varint(),
        channels=reader.byte(),
        step=reader.varint(),
        tile=(reader.varint(), reader.varint()),
        overlap=reader.varint(),
        section_tiles=reader.varint(),
        label=reader.varint() if flags & _HAS_LABEL else None,
        bank=reader.varint() if version > 1 and flags & _HAS_BANK else 0,
    )
    if version == 1:
        entries = _read_entries_v1(reader, bool(flags & _HAS_ALPHA_V1))
    else:
        entries = [_read_entry(reader) for _ in range(reader.varint())]
    if not reader.is_at_end:
        raise InconsistentError("The header is longer than its fields.")
    return header, entries


def _read_entry(reader: _Reader) -> SectionEntry:
    kind, is_optional = divmod(reader.varint(), 2)
    return SectionEntry(kind, reader.varint(), bool(is_optional))


def _read_entries_v1(reader: _Reader, has_alpha: bool) -> list[SectionEntry]:
    lengths = [reader.varint() for _ in range(reader.varint())]
    images = len(lengths) - has_alpha
    if images < 0:
        raise InconsistentError("The section of alpha is missing.")
    kinds = [SectionKind.IMAGE] * images + [SectionKind.ALPHA] * has_alpha
    return [SectionEntry(kind, length) for kind, length in zip(kinds, lengths, strict=True)]


def read_bitstream(data: bytes) -> tuple[Header, list[Section]]:
    """Read and check a whole file.

    Returns:
        The header, and the sections without those of unknown kinds.

    Raises:
        BitstreamError: if the file is damaged, cut, longer than it says, or of another kind.
    """
    header, entries, start = read_header(data)
    end = start + sum(entry.length for entry in entries)
    expected = end + _CRC_SIZE
    if len(data) < expected:
        raise TruncatedError(f"The file has {len(data)} bytes where {expected} are expected.")
    if len(data) > expected:
        raise InconsistentError(f"{len(data) - expected} bytes follow the end of the file.")
    view = memoryview(data)
    (checksum,) = struct.unpack("<I", view[end:])
    if checksum != zlib.crc32(view[start:end]):
        raise ChecksumError("The image data is damaged: its checksum does not match.")
    sections = []
    for entry in entries:
        part = bytes(view[start : start + entry.length])
        start += entry.length
        if entry.is_known:
            sections.append(Section(SectionKind(entry.kind), part, entry.is_optional))
    return header, sections
