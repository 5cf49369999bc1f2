import io
import warnings

import numpy as np
import pytest
from conftest import make_exif, make_profile
from PIL import ExifTags, Image

from ae_keras.data.image_files import read_photograph
from ae_keras.data.metadata import Metadata, check_exif
from ae_keras.photographs.job_files import encode_photograph

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'
METADATA = Metadata(make_profile(swapped=True), make_exif(1, position=True), XMP, (300, 150))


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tiff", "avif"])
def test_metadata_come_back_from_every_format_that_holds_them(ending):
    data, notes = encode_photograph(PIXELS, METADATA, f"a.{ending}")
    assert notes == []
    photograph = read_photograph(io.BytesIO(data))
    assert photograph.notes == ()
    read = photograph.metadata
    assert read.icc_profile == METADATA.icc_profile
    assert read.xmp == XMP
    # A PNG counts whole pixels per metre.
    near = pytest.approx((300, 150), abs=0.02 if ending == "png" else 0)
    assert read.resolution == (None if ending in ("webp", "avif") else near)
    exif = check_exif(read.exif)
    assert exif[ExifTags.Base.Make] == "Maker"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] == 0.5
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48, 8, 30)
    if ending not in ("tiff", "avif"):
        assert read.exif == METADATA.exif
    if ending in ("png", "tiff"):
        np.testing.assert_array_equal(photograph.pixels, PIXELS)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tiff", "avif", "bmp", "ppm"])
def test_nothing_is_written_of_nothing(ending):
    data, notes = encode_photograph(PIXELS, Metadata(), f"a.{ending}")
    assert notes == []
    assert read_photograph(io.BytesIO(data)).metadata.exif == b""


def test_tags_of_other_pixels_do_not_reach_a_tiff():
    exif = Image.Exif()
    exif[ExifTags.Base.ImageWidth] = 1
    exif[ExifTags.Base.BitsPerSample] = 4
    exif[ExifTags.Base.Make] = "Maker"
    metadata = Metadata(exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    data, notes = encode_photograph(PIXELS, metadata, "a.tif")
    assert notes == []
    photograph = read_photograph(io.BytesIO(data))
    np.testing.assert_array_equal(photograph.pixels, PIXELS)
    assert check_exif(photograph.metadata.exif)[ExifTags.Base.Make] == "Maker"


@pytest.mark.parametrize(
    ("metadata", "ending", "lost"),
    [
        (METADATA, "ppm", ["ICC profile", "EXIF", "XMP"]),
        (METADATA, "gif", ["ICC profile", "EXIF", "XMP"]),
        (Metadata(xmp=bytes(65505)), "jpg", ["XMP"]),
        (Metadata(exif=make_exif() + bytes(2**16)), "jpg", ["EXIF"]),
        (Metadata(xmp=b"\xff\xfe<\0"), "png", ["XMP"]),
        (Metadata(exif=b"damaged"), "tif", ["EXIF"]),
        (Metadata(exif=b"damaged"), "avif", ["EXIF"]),
    ],
)
def test_what_a_format_cannot_hold_is_left_out_and_said(metadata, ending, lost):
    data, notes = encode_photograph(PIXELS, metadata, f"a.{ending}")
    assert Image.open(io.BytesIO(data)).size == (6, 4)
    assert len(notes) == len(lost)
    for name, note in zip(lost, notes, strict=True):
        assert note.startswith(f"its {name} cannot be kept in ")


@pytest.mark.parametrize(("size", "is_kept"), [(65504, True), (65505, False)])
def test_xmp_up_to_a_segment_is_kept_in_a_jpeg(size, is_kept):
    data, _ = encode_photograph(PIXELS, Metadata(xmp=b"x" * size), "a.jpg")
    assert len(Image.open(io.BytesIO(data)).info.get("xmp", b"")) == size * is_kept


@pytest.mark.parametrize(("size", "is_kept"), [(65527, True), (65528, False)])
def test_exif_up_to_a_segment_is_kept_in_a_jpeg(size, is_kept):
    exif = make_exif()
    metadata = Metadata(exif=exif + bytes(size - len(exif)))
    data, _ = encode_photograph(PIXELS, metadata, "a.jpg")
    assert ("exif" in Image.open(io.BytesIO(data)).info) == is_kept


def test_profile_of_other_pixels_is_not_attached():
    data, notes = encode_photograph(PIXELS[..., 0], METADATA, "a.png")
    assert "icc_profile" not in Image.open(io.BytesIO(data)).info
    assert "is of RGB and was left out" in notes[0]


def test_mutated_exif_stops_neither_reading_nor_writing(rng):
    """Pillow reads values late, and fails in many ways when it writes them anew."""
    exif = make_exif(6, position=True)
    left_out = 0
    for number in range(120):
        mutated = bytearray(exif)
        for place in rng.integers(len(exif), size=2):
            mutated[place] = rng.integers(256)
        file = io.BytesIO()
        Image.fromarray(PIXELS).save(file, "PNG", exif=bytes(mutated))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            photograph = read_photograph(file)
        left_out += len(photograph.notes)
        for metadata in (photograph.metadata, Metadata(exif=bytes(mutated))):
            data, _ = encode_photograph(PIXELS, metadata, ("a.tif", "a.avif")[number % 2])
            assert Image.open(io.BytesIO(data)).size == (6, 4)
    assert 20 < left_out < 100
