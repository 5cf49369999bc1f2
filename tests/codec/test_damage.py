"""What happens to files that were changed since they were written."""

import random
import struct
import zlib

import numpy as np
import pytest
from conftest import make_block_codec, make_exif, smooth_images
from fuzz.fuzz_changes import damage

from ae_keras.codec.bitstream import read_bitstream, read_header, write_bitstream
from ae_keras.codec.errors import BitstreamError
from ae_keras.codec.metadata import NO_METADATA, Metadata, read_metadata
from ae_keras.codec.sections import Section


@pytest.fixture(scope="module")
def codec():
    return make_block_codec()


@pytest.fixture(scope="module")
def samples(codec):
    rng = np.random.default_rng(0)
    images = [smooth_images(rng, 1, *shape)[0] for shape in ((8, 8, 3), (9, 10, 4), (5, 5, 1))]
    metadata = Metadata(b"profile" * 20, make_exif(1, position=True), b"<xmp/>", (72, 300))
    parts = [NO_METADATA, metadata, NO_METADATA]
    files = [
        codec.with_quality(40).compress(image, each)
        for image, each in zip(images, parts, strict=True)
    ]
    header, sections = read_bitstream(files[2])
    unknown = Section(63, b"of a later version", is_optional=True)
    return [*files[:2], write_bitstream(header, [unknown, *sections, unknown])]


def test_every_bit_flip_and_truncation_is_refused(codec, samples):
    for data in samples:
        for bit in range(8 * len(data)):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << (bit % 8)
            with pytest.raises(BitstreamError):
                codec.decompress(bytes(changed))
        for size in range(len(data)):
            with pytest.raises(BitstreamError):
                codec.decompress(data[:size])


@pytest.fixture
def dice():
    return random.Random(0)


@pytest.mark.thorough
def test_100_000_random_mutations_are_refused(codec, samples, dice):
    for number in range(100_000):
        data = samples[number % len(samples)]
        changed = damage(dice, data)
        try:
            codec.decompress(changed)
        except BitstreamError:
            continue
        assert changed == data


def test_mutations_with_right_checksums_are_decoded_or_refused(codec, samples, dice):
    """What the checksums do not show must not crash, hang, or take much memory."""
    limited = codec.with_max_pixels(2**16)
    refused = 0
    for number in range(3000):
        data = samples[number % len(samples)]
        _, entries, start = read_header(data)
        head, payload = data[6 : start - 4], data[start:-4]
        if number % 2:
            head = damage(dice, head)
        else:
            payload = damage(dice, payload)
            head = head[:-1] + bytes([len(payload) % 128]) if len(entries) == 1 else head
        head = data[:5] + bytes([len(head) % 128]) + head
        changed = head + struct.pack("<I", zlib.crc32(head)) + payload
        changed += struct.pack("<I", zlib.crc32(payload))
        try:
            read_metadata(read_bitstream(changed)[1])
            image = limited.decompress(changed)
            assert image.shape[0] * image.shape[1] <= 2**16
        except BitstreamError:
            refused += 1
    assert 1000 < refused < 3000


def test_sections_that_say_something_else_are_decoded_or_refused(codec, samples, rng, dice):
    """Their lengths and all checksums are right."""
    limited = codec.with_max_pixels(2**16)
    refused = 0
    for number in range(2000):
        header, sections = read_bitstream(samples[number % len(samples)])
        place = int(rng.integers(len(sections)))
        section = sections[place]
        if number % 3:
            changed = Section(section.kind, damage(dice, section.data), section.is_optional)
        else:
            changed = Section(int(rng.integers(12)), section.data, bool(rng.integers(2)))
        sections[place] = changed
        try:
            data = write_bitstream(header, sections)
            read_metadata(read_bitstream(data)[1])
            assert limited.decompress(data).dtype == np.uint8
        except BitstreamError:
            refused += 1
    assert 500 < refused < 2000
