"""The `.aek` container: what a compressed file looks like, byte by byte.

```
magic            4 bytes   89 41 45 4B (hexadecimal; the last three are "AEK")
version          1 byte    1
header length    varint    bytes of the header, from the digest to the section lengths
header:
  digest         8 bytes   of the model and its tables, see `ae_keras.codec.quantizer`
  name length    1 byte
  name           UTF-8     of the model's run folder
  flags          1 byte    1: the image has a label; 2: the last section is alpha; others are 0
  height         varint    of the image, in pixels
  width          varint
  channels       1 byte    of the image, without alpha
  step           varint    of the quantization, see `ae_keras.codec.quantizer`
  tile height    varint    of what the model is given at a time, in pixels
  tile width     varint
  overlap        varint    of neighbouring tiles, in pixels
  section tiles  varint    tiles in a section; the last one may have fewer
  label          varint    only with flag 1
  sections       varint    how many
  lengths        varints   bytes of each section
header CRC-32    4 bytes   of everything before it
sections                   symbols, see `ae_keras.codec.image_codec` and `entropy_coding`;
                           alpha is a PNG, 8-bit grey, of the image's size
payload CRC-32   4 bytes   of the sections
```

A varint is an unsigned integer below 2^32 in LEB128: seven bits a byte, the lowest first, the
highest bit set in all bytes but the last, as few bytes as possible. Other numbers are
little-endian. CRC-32 is that of zlib and PNG. Nothing follows the last checksum.
"""

import struct
import zlib
from dataclasses import dataclass

from ae_keras.codec import varints
from ae_keras.codec.errors import (
    ChecksumError,
    InconsistentError,
    NotAekError,
    TruncatedError,
    VersionError,
)

MAGIC = b"\x89AEK"
VERSION = 1
DIGEST_SIZE = 8
_HAS_LABEL, _HAS_ALPHA = 1, 2
_CRC_SIZE = 4
_LARGEST_VARINT = 2**32 - 1


@dataclass(frozen=True)
class Header:
    """What a file says of itself; the module's docstring explains the fields.

    Args:
        model: str. Name of the model's run folder.
        digest: bytes. Eight, of the model and its tables.
        height: int. Of the image, in pixels.
        width: int.
        channels: int. 1 to 255, without alpha.
        step: int. Of the quantization.
        tile: `(height, width)` of a tile.
        overlap: int. Pixels that neighbouring tiles share; at most half of a tile.
        section_tiles: int. Tiles in a section.
        label: int. Of the image, for a conditional model.
        has_alpha: bool.
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
    has_alpha: bool = False

    def __post_init__(self) -> None:
        numbers = (self.height, self.width, self.step, *self.tile, self.section_tiles)
        if min(numbers) < 1 or max(*numbers, self.label or 0) > _LARGEST_VARINT:
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

    def varint(self) -> int:
        number, size = varints.decode_first(
            self._data[self.position : self.position + varints.LONGEST]
        )
        self.position += size
        return number


def write_bitstream(header: Header, sections: list[bytes]) -> bytes:
    """Return the bytes of a file.

    Args:
        header: Header.
        sections: One bytes object for each section; the last is alpha's where there is alpha.
    """
    name = header.model.encode()
    flags = _HAS_LABEL * (header.label is not None) + _HAS_ALPHA * header.has_alpha
    body = header.digest + struct.pack("<B", len(name)) + name + struct.pack("<B", flags)
    body += varints.encode([header.height, header.width]) + struct.pack("<B", header.channels)
    numbers = [header.step, *header.tile, header.overlap, header.section_tiles]
    if header.label is not None:
        numbers.append(header.label)
    numbers += [len(sections), *map(len, sections)]
    body += varints.encode(numbers)
    head = MAGIC + bytes([VERSION]) + varints.encode([len(body)]) + body
    payload = b"".join(sections)
    return b"".join(
        [head, struct.pack("<I", zlib.crc32(head)), payload, struct.pack("<I", zlib.crc32(payload))]
    )


def read_header(data: bytes) -> tuple[Header, list[int], int]:
    """Read and check the header of a file, of which the rest may be missing.

    Returns:
        The header, the lengths of the sections, and where the first one begins.

    Raises:
        BitstreamError: if the header is damaged, or the file is of another kind.
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise NotAekError("This is not an .aek file.")
    reader = _Reader(data)
    reader.bytes(len(MAGIC))
    version = reader.byte()
    if version != VERSION:
        raise VersionError(
            f"The file is of format version {version}, and this program reads version {VERSION}."
        )
    length = reader.varint()
    start = reader.position
    reader.bytes(length)
    checked = reader.position
    (checksum,) = struct.unpack("<I", reader.bytes(_CRC_SIZE))
    if checksum != zlib.crc32(data[:checked]):
        raise ChecksumError("The header is damaged: its checksum does not match.")
    header, lengths = _parse_header(data[start:checked])
    return header, lengths, reader.position


def _parse_header(body: bytes) -> tuple[Header, list[int]]:
    reader = _Reader(body)
    digest = reader.bytes(DIGEST_SIZE)
    try:
        model = reader.bytes(reader.byte()).decode()
    except UnicodeDecodeError as error:
        raise InconsistentError("The name of the model is not a text.") from error
    flags = reader.byte()
    if flags & ~(_HAS_LABEL | _HAS_ALPHA):
        raise InconsistentError(f"The header has unknown flags: {flags}.")
    height, width, channels = reader.varint(), reader.varint(), reader.byte()
    step, tile = reader.varint(), (reader.varint(), reader.varint())
    overlap, section_tiles = reader.varint(), reader.varint()
    label = reader.varint() if flags & _HAS_LABEL else None
    lengths = [reader.varint() for _ in range(reader.varint())]
    if reader.position != len(body):
        raise InconsistentError("The header is longer than its fields.")
    header = Header(
        model=model,
        digest=digest,
        height=height,
        width=width,
        channels=channels,
        step=step,
        tile=tile,
        overlap=overlap,
        section_tiles=section_tiles,
        label=label,
        has_alpha=bool(flags & _HAS_ALPHA),
    )
    return header, lengths


def read_bitstream(data: bytes) -> tuple[Header, list[bytes]]:
    """Read and check a whole file.

    Returns:
        The header and the sections.

    Raises:
        BitstreamError: if the file is damaged, cut, longer than it says, or of another kind.
    """
    header, lengths, start = read_header(data)
    end = start + sum(lengths)
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
    for length in lengths:
        sections.append(bytes(view[start : start + length]))
        start += length
    return header, sections
