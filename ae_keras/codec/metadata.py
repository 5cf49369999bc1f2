"""What a file keeps of an image besides its pixels: ICC profile, EXIF, XMP and resolution.

The profile says what the numbers of the pixels mean, and is kept byte by byte. Each of the first
three is compressed by zlib, and may have 16 MiB at most: a reader stops there.
"""

import zlib
from collections.abc import Iterable

from ae_keras.codec import varints
from ae_keras.codec.errors import InconsistentError
from ae_keras.codec.sections import Section, SectionKind, sections_of
from ae_keras.data.metadata import LARGEST, NO_METADATA, Metadata

__all__ = ["NO_METADATA", "Metadata", "describe_metadata", "read_metadata", "write_metadata"]

_NAMES: dict[int, str] = {
    SectionKind.ICC: "ICC profile",
    SectionKind.EXIF: "EXIF",
    SectionKind.XMP: "XMP",
    SectionKind.RESOLUTION: "resolution",
}
# Of a resolution, to the pixel per inch.
_PARTS = 1000


def write_metadata(metadata: Metadata) -> list[Section]:
    """Return the sections of metadata, for the end of a file.

    Raises:
        ValueError: if a part is larger than 16 MiB, or the resolution no positive numbers.
    """
    parts = {
        SectionKind.ICC: metadata.icc_profile,
        SectionKind.EXIF: metadata.exif,
        SectionKind.XMP: metadata.xmp,
    }
    sections = []
    for kind, data in parts.items():
        if len(data) > LARGEST:
            raise ValueError(f"The {_NAMES[kind]} has {len(data):,} bytes, more than 16 MiB.")
        if data:
            sections.append(Section(kind, zlib.compress(data, 9), is_optional=True))
    if metadata.resolution is not None:
        across, down = (round(_PARTS * value) for value in metadata.resolution)
        if not (0 < across < 2**32 and 0 < down < 2**32):
            raise ValueError(f"The resolution {metadata.resolution} is out of range.")
        data = varints.encode([across, down])
        sections.append(Section(SectionKind.RESOLUTION, data, is_optional=True))
    return sections


def read_metadata(sections: Iterable[Section]) -> Metadata:
    """Return the metadata of a file, of which the sections are given.

    Raises:
        InconsistentError: if a section holds none, or more than 16 MiB.
    """
    sections = list(sections)
    icc, exif, xmp = (
        b"".join(_inflate(data, kind) for data in sections_of(sections, kind))
        for kind in (SectionKind.ICC, SectionKind.EXIF, SectionKind.XMP)
    )
    resolution = None
    for data in sections_of(sections, SectionKind.RESOLUTION):
        numbers = varints.decode(data)
        if len(numbers) != 2 or not numbers.all():
            raise InconsistentError("The resolution is not two positive numbers.")
        resolution = float(numbers[0]) / _PARTS, float(numbers[1]) / _PARTS
    return Metadata(icc, exif, xmp, resolution)


def _inflate(data: bytes, kind: SectionKind) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(data, LARGEST + 1)
    except zlib.error as error:
        raise InconsistentError(f"The {_NAMES[kind]} cannot be read: {error}.") from error
    if len(content) > LARGEST:
        raise InconsistentError(f"The {_NAMES[kind]} has more than 16 MiB.")
    if not inflater.eof or inflater.unused_data:
        raise InconsistentError(f"The {_NAMES[kind]} is cut, or more follows it.")
    return content


def describe_metadata(sections: Iterable[Section]) -> str:
    """Return what metadata a file has, and how many of its bytes they take."""
    return ", ".join(
        f"{_NAMES[section.kind]} {len(section.data):,} bytes"
        for section in sections
        if section.kind in _NAMES
    )
