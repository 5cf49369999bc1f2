import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ae_keras.codec.bitstream import Header, read_bitstream, read_header, write_bitstream
from ae_keras.codec.errors import (
    BitstreamError,
    ChecksumError,
    InconsistentError,
    NotAekError,
    TruncatedError,
    UnknownSectionError,
    VersionError,
)
from ae_keras.codec.sections import Section, SectionEntry, SectionKind

SMALL = {"model": "m", "digest": b"12345678", "height": 2, "width": 300, "channels": 3}
HEADER = Header(**SMALL, step=64, tile=(8, 16))
SECTIONS = [Section(SectionKind.IMAGE, b"some bytes"), Section(SectionKind.ALPHA, b"more")]
SIZES = st.integers(1, 2**32 - 1)
HEADERS = st.builds(
    Header,
    model=st.text(max_size=60),
    digest=st.binary(min_size=8, max_size=8),
    height=SIZES,
    width=SIZES,
    channels=st.integers(1, 255),
    step=SIZES,
    tile=st.tuples(st.integers(8, 1000), st.integers(8, 1000)),
    overlap=st.integers(0, 4),
    section_tiles=SIZES,
    label=st.none() | st.integers(0, 2**32 - 1),
    bank=st.just(0) | SIZES,
)


def repair(data, size):
    """Give a file the checksums of what it holds; its payload has `size` bytes."""
    payload = data[len(data) - 4 - size : len(data) - 4]
    head = data[: len(data) - 8 - size]
    return (
        head
        + struct.pack("<I", zlib.crc32(head))
        + payload
        + struct.pack("<I", zlib.crc32(payload))
    )


@st.composite
def sections(draw):
    """Sections in their order, with others of unknown kinds, optional ones, anywhere between."""
    kinds = [SectionKind.IMAGE] * draw(st.integers(0, 3))
    kinds += [kind for kind in SectionKind if kind and draw(st.booleans())]
    known = [Section(kind, draw(st.binary(max_size=200)), draw(st.booleans())) for kind in kinds]
    mixed = list(known)
    for kind in draw(st.lists(st.integers(6, 2**31 - 1), max_size=3)):
        place = draw(st.integers(0, len(mixed)))
        mixed.insert(place, Section(kind, draw(st.binary(max_size=20)), is_optional=True))
    return known, mixed


@given(HEADERS, sections())
def test_round_trip_without_optional_sections_of_unknown_kinds(header, sections):
    known, mixed = sections
    data = write_bitstream(header, mixed)
    assert read_bitstream(data) == (header, known)
    read, entries, start = read_header(data)
    assert read == header
    assert entries == [SectionEntry(each.kind, len(each.data), each.is_optional) for each in mixed]
    assert data[start:-4] == b"".join(section.data for section in mixed)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_sections_of_unknown_kinds_are_refused_unless_optional(place):
    data = write_bitstream(HEADER, [*SECTIONS[:place], Section(6, b"new"), *SECTIONS[place:]])
    for read in (read_header, read_bitstream):
        with pytest.raises(UnknownSectionError, match="of kind 6, which this program does not"):
            read(data)


@pytest.mark.parametrize(
    "kinds", [(1, 0), (0, 1, 1), (0, 2, 2), (0, 5, 5), (0, 3, 2), (0, 2, 9, 2), (0, 2, 1)]
)
def test_misplaced_sections_are_refused(kinds):
    sections = [Section(kind, b"", is_optional=True) for kind in kinds]
    with pytest.raises(InconsistentError, match="must not stand after"):
        write_bitstream(HEADER, sections)
    places = [Section(10 + place, b"", is_optional=True) for place in range(len(kinds))]
    data = bytearray(write_bitstream(HEADER, places))
    for place, kind in enumerate(kinds):
        data[27 + 2 * place] = 2 * kind + 1
    with pytest.raises(InconsistentError, match="must not stand after"):
        read_header(repair(bytes(data), 0))


def test_bytes_are_those_documented():
    header = Header(**SMALL, step=64, tile=(8, 16), overlap=2, section_tiles=5, label=7, bank=9)
    body = b"12345678" + b"\x01m" + b"\x03" + b"\x02" + b"\xac\x02" + b"\x03"
    body += bytes([64, 8, 16, 2, 5, 7, 9]) + bytes([3, 0, 3, 2, 1, 5, 2])
    head = b"\x89AEK" + b"\x02" + bytes([len(body)]) + body
    expected = head + struct.pack("<I", zlib.crc32(head)) + b"abcdef"
    expected += struct.pack("<I", zlib.crc32(b"abcdef"))
    icc = Section(SectionKind.ICC, b"ef", is_optional=True)
    alpha = Section(SectionKind.ALPHA, b"d")
    assert write_bitstream(header, [Section(SectionKind.IMAGE, b"abc"), alpha, icc]) == expected


@pytest.mark.parametrize("has_alpha", [False, True])
def test_version_1_is_read(has_alpha):
    body = b"12345678" + b"\x01m" + bytes([1 + 2 * has_alpha]) + b"\x02" + b"\xac\x02" + b"\x03"
    body += bytes([64, 8, 16, 2, 5, 7, 2, 3, 1])
    head = b"\x89AEK" + b"\x01" + bytes([len(body)]) + body
    data = head + struct.pack("<I", zlib.crc32(head)) + b"abcd"
    data += struct.pack("<I", zlib.crc32(b"abcd"))
    header, sections = read_bitstream(data)
    assert header == Header(**SMALL, step=64, tile=(8, 16), overlap=2, section_tiles=5, label=7)
    last = SectionKind.ALPHA if has_alpha else SectionKind.IMAGE
    assert sections == [Section(SectionKind.IMAGE, b"abc"), Section(last, b"d")]
    # A byte more for each section, and no other.
    assert len(write_bitstream(header, sections)) == len(data) + 2


def test_version_1_of_alpha_alone_has_a_section():
    body = b"12345678" + b"\x01m\x02" + bytes([2, 5, 3, 64, 8, 16, 0, 1, 0])
    head = b"\x89AEK" + b"\x01" + bytes([len(body)]) + body
    with pytest.raises(InconsistentError, match="alpha is missing"):
        read_header(repair(head + bytes(8), 0))


def test_headers_of_many_sections_are_read_quickly():
    data = write_bitstream(HEADER, [Section(SectionKind.IMAGE, b"")] * 200_000)
    begin = time.perf_counter()
    _, entries, _ = read_header(data)
    assert time.perf_counter() - begin < 3
    assert len(entries) == 200_000


def test_every_single_bit_flip_is_refused():
    data = write_bitstream(HEADER, SECTIONS)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(BitstreamError):
            read_bitstream(bytes(changed))


def test_every_truncation_is_refused():
    data = write_bitstream(HEADER, SECTIONS)
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            read_bitstream(data[:size])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda data: b"\x89PNG" + data[4:], NotAekError, "not an .aek file"),
        (lambda data: b"", TruncatedError, "ends within its header"),
        (lambda data: data[:3], TruncatedError, "ends within its header"),
        (lambda data: data[:4] + b"\x03" + data[5:], VersionError, "version 3, .+ versions 1 to 2"),
        (lambda data: data[:4] + b"\0" + data[5:], VersionError, "version 0"),
        (lambda data: data[:-5], TruncatedError, "has 48 bytes where 53"),
        (lambda data: data + b"\0", InconsistentError, "1 bytes follow"),
        (lambda data: data[:-4] + b"0000", ChecksumError, "image data is damaged"),
        (lambda data: data[:9] + b"?" + data[10:], ChecksumError, "header is damaged"),
    ],
)
def test_each_kind_of_damage_has_its_error(change, error, message):
    data = write_bitstream(HEADER, SECTIONS)
    with pytest.raises(error, match=message):
        read_bitstream(change(data))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (16, 4, "unknown flags"),
        (15, 0xFF, "not a text"),
        (17, 0, "must be from 1"),  # the height
        (21, 0, "must be from 1"),  # the step
        (24, 9, "does not fit tiles"),  # the overlap
        (26, 3, "is missing|ends within|longer than"),  # the number of sections
        (26, 1, "longer than its fields"),
        (5, 3, "ends within|damaged"),  # the length of the header
    ],
)
def test_fields_that_contradict_each_other_are_refused(place, value, message):
    data = bytearray(write_bitstream(HEADER, SECTIONS))
    data[place] = value
    with pytest.raises(BitstreamError, match=message):
        read_bitstream(repair(bytes(data), 14))


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"width": 2**32},
        {"channels": 0},
        {"channels": 256},
        {"digest": b"short"},
        {"model": "x" * 256},
    ],
)
def test_headers_that_cannot_be_written_are_refused(change):
    with pytest.raises(InconsistentError):
        Header(**SMALL | change, step=64, tile=(8, 16))
