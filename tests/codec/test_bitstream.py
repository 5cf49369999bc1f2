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
    VersionError,
)

SMALL = {"model": "m", "digest": b"12345678", "height": 2, "width": 300, "channels": 3}
HEADER = Header(**SMALL, step=64, tile=(8, 16))
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
    has_alpha=st.booleans(),
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


@given(HEADERS, st.lists(st.binary(max_size=200), max_size=5))
def test_round_trip(header, sections):
    data = write_bitstream(header, sections)
    assert read_bitstream(data) == (header, sections)
    read, lengths, start = read_header(data)
    assert (read, lengths) == (header, [len(section) for section in sections])
    assert data[start:-4] == b"".join(sections)


def test_bytes_are_those_documented():
    header = Header(**SMALL, step=64, tile=(8, 16), overlap=2, section_tiles=5, label=7)
    body = b"12345678" + b"\x01m" + b"\x01" + b"\x02" + b"\xac\x02" + b"\x03"
    body += bytes([64, 8, 16, 2, 5, 7, 2, 3, 1])
    head = b"\x89AEK" + b"\x01" + bytes([len(body)]) + body
    expected = head + struct.pack("<I", zlib.crc32(head)) + b"abcd"
    expected += struct.pack("<I", zlib.crc32(b"abcd"))
    assert write_bitstream(header, [b"abc", b"d"]) == expected


def test_headers_of_many_sections_are_read_quickly():
    data = write_bitstream(HEADER, [b""] * 200_000)
    begin = time.perf_counter()
    _, lengths, _ = read_header(data)
    assert time.perf_counter() - begin < 3
    assert len(lengths) == 200_000


def test_every_single_bit_flip_is_refused():
    data = write_bitstream(HEADER, [b"some bytes", b"more"])
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(BitstreamError):
            read_bitstream(bytes(changed))


def test_every_truncation_is_refused():
    data = write_bitstream(HEADER, [b"some bytes", b"more"])
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            read_bitstream(data[:size])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda data: b"\x89PNG" + data[4:], NotAekError, "not an .aek file"),
        (lambda data: b"", TruncatedError, "ends within its header"),
        (lambda data: data[:3], TruncatedError, "ends within its header"),
        (lambda data: data[:4] + b"\x02" + data[5:], VersionError, "version 2, .+ version 1"),
        (lambda data: data[:-5], TruncatedError, "has 46 bytes where 51"),
        (lambda data: data + b"\0", InconsistentError, "1 bytes follow"),
        (lambda data: data[:-4] + b"0000", ChecksumError, "image data is damaged"),
        (lambda data: data[:9] + b"?" + data[10:], ChecksumError, "header is damaged"),
    ],
)
def test_each_kind_of_damage_has_its_error(change, error, message):
    data = write_bitstream(HEADER, [b"some bytes", b"more"])
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
    data = bytearray(write_bitstream(HEADER, [b"some bytes", b"more"]))
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
