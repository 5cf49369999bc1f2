"""Files of every format version, which must decode to the same symbols forever."""

from pathlib import Path

import numpy as np
import pytest
from conftest import BlockTransform

from ae_keras.codec.bitstream import VERSION, read_bitstream
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.layout import Layout
from ae_keras.codec.metadata import Metadata, read_metadata
from ae_keras.codec.quantizer import Quantizer

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.aek")), ids=lambda path: path.stem)
def test_golden_files_decode_to_the_same_symbols_forever(path):
    """Files of every format version: written once, by `golden/make.py`, and never again."""
    assert path.stat().st_size < 2048
    quantizer = Quantizer.load(GOLDEN / "tables.npz")
    codec = ImageCodec(BlockTransform(3), quantizer, "blocks")
    data = path.read_bytes()
    header, sections = read_bitstream(data)
    with np.load(path.with_suffix(".npz")) as file:
        expected = dict(file)
    tables = quantizer.at(header.step).tables
    for number, tiles in enumerate(Layout.of(header, 3).section_sizes):
        symbols = tables.decode(sections[number].data, [16 * tiles] * 12)
        np.testing.assert_array_equal(symbols, expected[f"symbols{number}"])
    np.testing.assert_array_equal(codec.decompress(data), expected["image"])


def test_there_are_golden_files_of_every_version():
    assert {path.stem.split("-")[0] for path in GOLDEN.glob("*.aek")} == {
        f"v{version}" for version in range(1, VERSION + 1)
    }


def test_golden_metadata_come_back():
    _, sections = read_bitstream((GOLDEN / "v2-metadata.aek").read_bytes())
    exif = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
    assert read_metadata(sections) == Metadata(b"profile" * 20, exif, b"<xmp/>", (72, 300.125))
