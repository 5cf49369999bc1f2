import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ae_keras.codec import metadata as module
from ae_keras.codec.errors import InconsistentError
from ae_keras.codec.metadata import Metadata, describe_metadata, read_metadata, write_metadata
from ae_keras.codec.sections import Section, SectionKind

RESOLUTIONS = st.none() | st.tuples(*2 * [st.integers(1, 2**32 - 1).map(lambda n: n / 1000)])
METADATA = st.builds(Metadata, st.binary(), st.binary(), st.binary(), RESOLUTIONS)


@given(METADATA)
def test_round_trip(metadata):
    sections = write_metadata(metadata)
    assert read_metadata(sections) == metadata
    assert all(section.is_optional for section in sections)
    assert [section.kind for section in sections] == sorted(section.kind for section in sections)


def test_nothing_takes_no_bytes():
    assert write_metadata(Metadata()) == []


def test_sections_are_compressed():
    (section,) = write_metadata(Metadata(icc_profile=b"profile" * 1000))
    assert len(section.data) < 100
    assert zlib.decompress(section.data) == b"profile" * 1000
    assert describe_metadata([section]) == f"ICC profile {len(section.data)} bytes"


@pytest.mark.parametrize("kind", [SectionKind.ICC, SectionKind.EXIF, SectionKind.XMP])
def test_bombs_are_refused_without_being_unpacked(kind):
    """64 MiB of zeros have 64 KiB; no more than the limit is unpacked."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    with pytest.raises(InconsistentError, match="has more than 16 MiB"):
        read_metadata([Section(kind, bomb)])


def test_the_largest_part_is_kept_and_a_larger_one_refused(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1000)
    assert read_metadata(write_metadata(Metadata(xmp=bytes(1000)))).xmp == bytes(1000)
    with pytest.raises(ValueError, match="XMP has 1,001 bytes"):
        write_metadata(Metadata(xmp=bytes(1001)))


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (SectionKind.ICC, b"", "is cut"),
        (SectionKind.EXIF, b"no stream", "cannot be read"),
        (SectionKind.XMP, zlib.compress(b"text")[:-1], "is cut"),
        (SectionKind.ICC, zlib.compress(b"text") + b"x", "more follows"),
        (SectionKind.RESOLUTION, b"", "not two positive numbers"),
        (SectionKind.RESOLUTION, b"\x01\x00", "not two positive numbers"),
        (SectionKind.RESOLUTION, b"\x01\x02\x03", "not two positive numbers"),
        (SectionKind.RESOLUTION, b"\x01\x80", "does not end"),
    ],
)
def test_sections_that_hold_none_are_refused(kind, data, message):
    with pytest.raises(InconsistentError, match=message):
        read_metadata([Section(kind, data)])


@pytest.mark.parametrize("resolution", [(0, 72), (72, -1), (5e6, 72), (0.0001, 72)])
def test_resolutions_out_of_range_are_not_written(resolution):
    with pytest.raises(ValueError, match="out of range"):
        write_metadata(Metadata(resolution=resolution))
