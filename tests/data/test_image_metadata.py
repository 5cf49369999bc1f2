import struct
import warnings
import zlib

import numpy as np
import pytest
from conftest import make_exif, make_profile
from PIL import ExifTags, Image, ImageCms

from ae_keras.data.image_files import read_image, read_photograph
from ae_keras.data.metadata import Metadata, check_exif, fit_profile, has_position, metadata_of

PIXELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'


def save(path, pixels=PIXELS, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once_and_its_tag_reset(orientation, tmp_path):
    path = save(tmp_path / "a.png", exif=make_exif(orientation))
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, read_image(path))
    assert photograph.pixels.size == ((6, 4) if orientation < 5 else (4, 6))
    exif = check_exif(photograph.metadata.exif)
    assert exif[ExifTags.Base.Orientation] == 1
    assert exif[ExifTags.Base.Make] == "Maker"
    again = save(tmp_path / "b.png", np.asarray(photograph.pixels), exif=photograph.metadata.exif)
    np.testing.assert_array_equal(read_image(again), photograph.pixels)


@pytest.mark.parametrize(("mark", "order"), [(b"II*\0", "<"), (b"MM\0*", ">")])
def test_nothing_but_the_orientation_of_exif_is_changed(mark, order, tmp_path):
    """A thumbnail and a maker's notes lie at places that other tags tell."""

    def exif(orientation):
        entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
        return mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4) + b"notes of a maker"

    photograph = read_photograph(save(tmp_path / "a.png", exif=exif(6)))
    assert photograph.metadata.exif == exif(1)


@pytest.mark.parametrize(
    ("xmp", "expected"),
    [
        (XMP, XMP.replace(b'"6"', b'"1"')),
        (b"<tiff:Orientation>6</tiff:Orientation>", b"<tiff:Orientation>1</tiff:Orientation>"),
        (b"<a tiff:Orientation = '6'/>", b"<a tiff:Orientation = '1'/>"),
    ],
)
@pytest.mark.parametrize("with_exif", [False, True])
def test_orientation_in_xmp_is_reset(xmp, expected, with_exif, tmp_path):
    exif = {"exif": make_exif(6)} if with_exif else {}
    photograph = read_photograph(save(tmp_path / "a.webp", xmp=xmp, lossless=True, **exif))
    assert photograph.metadata.xmp == expected
    if with_exif:
        np.testing.assert_array_equal(photograph.pixels, np.rot90(PIXELS, -1))


@pytest.mark.parametrize("damage", [b"no exif", b"II*\0\xff\xff\0\0", make_exif(6)[:30]])
@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_damaged_exif_is_left_out_and_said(damage, ending, tmp_path):
    path = save(tmp_path / f"a.{ending}", exif=b"Exif\0\0" + damage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        photograph = read_photograph(path)
        assert read_image(path).size == photograph.pixels.size
    assert photograph.metadata.exif == b""
    assert photograph.notes == ("its EXIF is damaged and was left out",)


@pytest.mark.parametrize(
    ("pixels", "is_deep"),
    [
        (PIXELS, False),
        (PIXELS[..., 0], False),
        (np.zeros((4, 4), np.uint16), True),
    ],
)
def test_sixteen_bits_are_said(pixels, is_deep, tmp_path):
    for ending in ("png", "tif"):
        notes = read_photograph(save(tmp_path / f"a.{ending}", pixels)).notes
        assert notes == (("of its 16 bits a channel, 8 are stored",) if is_deep else ())


def test_sixteen_bits_of_colours_are_said(tmp_path):
    """Pillow writes none, so that they are made by hand."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(bytes(7))), (b"IEND", b"")]
    png = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    for ending, data in (
        ("png", b"\x89PNG\r\n\x1a\n" + png),
        ("ppm", b"P6 1 1 65535\n" + bytes(6)),
    ):
        (tmp_path / f"a.{ending}").write_bytes(data)
        notes = read_photograph(tmp_path / f"a.{ending}").notes
        assert notes == ("of its 16 bits a channel, 8 are stored",)


@pytest.mark.parametrize(("mode", "kept"), [("L", False), ("RGB", True), ("RGBA", True)])
def test_profiles_of_other_colours_are_left_out_and_said(mode, kept, tmp_path):
    image = Image.new(mode, (2, 2))
    image.save(tmp_path / "a.png", icc_profile=make_profile())
    photograph = read_photograph(tmp_path / "a.png")
    assert photograph.metadata.icc_profile == (make_profile() if kept else b"")
    assert bool(photograph.notes) != kept
    if not kept:
        assert "is of RGB and was left out, as its pixels are stored in GRAY" in photograph.notes[0]


def test_grey_profiles_are_kept_for_grey_alone():
    grey = Metadata(icc_profile=bytes(16) + b"GRAY")
    for mode, kept in (("L", True), ("LA", True), ("RGB", False), ("RGBA", False)):
        metadata, notes = fit_profile(grey, mode)
        assert (metadata == grey, not notes) == (kept, kept)


def test_what_is_no_profile_is_left_out(tmp_path):
    photograph = read_photograph(save(tmp_path / "a.jpg", icc_profile=b"no profile"))
    assert photograph.metadata == Metadata()
    assert photograph.notes == ("its ICC profile is damaged and was left out",)


@pytest.mark.parametrize("icc_profile", [b"", b"no profile", make_profile()])
def test_cmyk_becomes_rgb_without_its_profile(icc_profile, tmp_path):
    path = tmp_path / "a.tif"
    Image.new("CMYK", (3, 2), (200, 20, 0, 10)).save(path, icc_profile=icc_profile)
    photograph = read_photograph(path)
    assert (photograph.pixels.mode, photograph.pixels.size) == ("RGB", (3, 2))
    assert photograph.metadata.icc_profile == b""
    assert "its CMYK colours are stored as RGB" in photograph.notes


def test_cmyk_is_converted_by_its_profile(tmp_path, monkeypatch):
    """There is no small CMYK profile here: only that it is given to the colour management."""
    seen = []

    def convert(image, profile, standard, outputMode):  # noqa: N803 - Pillow's name
        seen.append((image.mode, profile.tobytes(), outputMode))
        return Image.new(outputMode, image.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", convert)
    Image.new("CMYK", (3, 2)).save(tmp_path / "a.tif", icc_profile=make_profile())
    assert (np.asarray(read_image(tmp_path / "a.tif")) == (1, 2, 3)).all()
    assert seen == [("CMYK", make_profile(), "RGB")]


def test_positions_are_found():
    assert has_position(Metadata(exif=make_exif(position=True)))
    assert has_position(Metadata(xmp=b'<rdf exif:GPSLatitude="48,8.5N"/>'))
    for metadata in (Metadata(), Metadata(exif=make_exif()), Metadata(exif=b"damaged", xmp=XMP)):
        assert not has_position(metadata)


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 72), (72, 5e6), 72, None])
def test_resolutions_that_are_none_are_left_out(dpi):
    image = Image.new("L", (2, 2))
    image.info["dpi"] = dpi
    assert metadata_of(image) == (Metadata(), [])


def test_parts_that_are_too_large_are_left_out(monkeypatch):
    monkeypatch.setattr("ae_keras.data.metadata.LARGEST", 1000)
    image = Image.new("L", (2, 2))
    image.info["xmp"] = bytes(1001)
    assert metadata_of(image) == (Metadata(), ["its XMP has more than 16 MiB and was left out"])
