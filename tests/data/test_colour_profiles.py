import struct

import numpy as np
import pytest
from conftest import make_profile
from PIL import Image

from ae_keras.data.colour_profiles import srgb_profile, to_srgb
from ae_keras.data.image_files import read_image, read_photograph
from ae_keras.system import notices

CONVERTED = "its colours are converted to sRGB, from those of its ICC profile"


def grey_profile(gamma):
    """An ICC profile of grey levels, of version 2, written byte by byte."""
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(256 * gamma))
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    table, data, place = [], b"", 128 + 4 + 12 * 2
    for name, tag in ((b"kTRC", curve), (b"wtpt", white)):
        table.append(name + struct.pack(">II", place + len(data), len(tag)))
        data += tag
    body = struct.pack(">I", len(table)) + b"".join(table) + data
    header = struct.pack(">IIIII", 128 + len(body), 0, 0x02100000, 0, 0)[:12]
    header += b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + body


def encode_srgb(linear):
    """Levels from 0 to 255 of linear light from 0 to 1, by the standard's formula."""
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return 255 * encoded


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (9, 8, 3), np.uint8)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_colours_of_another_profile_become_those_of_srgb(ending, tmp_path, pixels, capsys):
    options = {"lossless": True} if ending == "webp" else {}
    profile = make_profile(swapped=True)
    path = save(tmp_path / f"a.{ending}", pixels, icc_profile=profile, **options)
    expected = pixels[..., [1, 0, 2]]
    assert np.abs(np.asarray(read_image(path), int) - expected).max() <= 1
    notices.say()
    assert capsys.readouterr().err == f"{path}: {CONVERTED}.\n"
    photograph = read_photograph(path, in_srgb=True)
    np.testing.assert_array_equal(photograph.pixels, read_image(path))
    assert photograph.metadata.icc_profile == srgb_profile()
    assert photograph.notes == (CONVERTED,)
    # Compressed as they are, with their profile.
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, pixels)
    assert photograph.metadata.icc_profile == profile


@pytest.mark.parametrize("profile", [b"", make_profile(), srgb_profile()])
def test_srgb_stays_exactly_as_it_is(profile, tmp_path, pixels, capsys):
    path = save(tmp_path / "a.png", pixels, icc_profile=profile or None)
    np.testing.assert_array_equal(read_image(path), pixels)
    photograph = read_photograph(path, in_srgb=True)
    assert (photograph.metadata.icc_profile, photograph.notes) == (profile, ())
    notices.say()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("gamma", [1, 1.8, 2.2])
def test_grey_levels_follow_the_curve_of_their_profile(gamma, tmp_path):
    levels = np.arange(256, dtype=np.uint8)[np.newaxis]
    path = save(tmp_path / "a.png", levels, icc_profile=grey_profile(gamma))
    expected = encode_srgb((levels / 255) ** gamma)
    assert np.abs(np.asarray(read_image(path)) - expected).max() <= 1
    photograph = read_photograph(path, in_srgb=True)
    assert photograph.pixels.mode == "L"
    assert photograph.metadata.icc_profile == b""


def test_alpha_is_kept(pixels):
    alpha = np.arange(72, dtype=np.uint8).reshape(9, 8)
    for colours, profile in (
        (pixels, make_profile(swapped=True)),
        (pixels[..., 0], grey_profile(1)),
    ):
        image = Image.fromarray(np.dstack([colours, alpha]))
        converted, _ = to_srgb(image, profile)
        assert converted.mode == image.mode
        np.testing.assert_array_equal(np.asarray(converted)[..., -1], alpha)
        opaque, _ = to_srgb(Image.fromarray(colours), profile)
        np.testing.assert_array_equal(
            np.asarray(converted)[..., :-1], np.asarray(opaque).reshape(9, 8, -1)
        )


def test_grey_pixels_with_a_profile_of_colours(pixels):
    """Neutral colours of three equal primaries' curves: they stay as they are."""
    grey = Image.fromarray(pixels[..., 0])
    converted, note = to_srgb(grey, make_profile(swapped=True))
    assert note == CONVERTED
    assert converted.mode == "L"
    assert np.abs(np.asarray(converted, int) - pixels[..., 0]).max() <= 1


@pytest.mark.parametrize("profile", [b"no profile", make_profile()[:200], bytes(300)])
def test_a_damaged_profile_is_said_and_nothing_is_converted(profile, tmp_path, pixels, capsys):
    path = save(tmp_path / "a.png", pixels, icc_profile=profile)
    np.testing.assert_array_equal(read_image(path), pixels)
    notices.say()
    assert "its ICC profile is damaged" in capsys.readouterr().err


def test_a_profile_of_other_pixels_changes_nothing(pixels):
    image = Image.fromarray(pixels)
    assert to_srgb(image, grey_profile(1)) == (image, "")
