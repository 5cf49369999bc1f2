import numpy as np
import pytest
from conftest import make_exif, make_profile
from PIL import ExifTags, Image

import ae_keras.pillow  # noqa: F401 - registers the format
from ae_keras.codec.bitstream import read_header
from ae_keras.codec.loading import load_codec
from ae_keras.metrics import image_psnr


@pytest.fixture
def compressed(run, photo, tmp_path):
    path = tmp_path / "x.aek"
    Image.open(photo).save(path, model="mine", quality=70)
    return path


def test_opens_what_the_codec_decodes(compressed):
    with Image.open(compressed) as image:
        assert (image.format, image.mode, image.size) == ("AEK", "RGBA", (30, 20))
        expected = load_codec("mine").decompress(compressed.read_bytes())
        np.testing.assert_array_equal(np.asarray(image), expected)
        assert image.resize((3, 2)).size == (3, 2)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_modes_come_back(mode, run, photo, tmp_path):
    Image.open(photo).convert(mode).save(tmp_path / "x.aek", model="mine")
    with Image.open(tmp_path / "x.aek") as image:
        image.load()
        assert image.mode == mode


def test_limit_of_pixels_is_honoured(compressed, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 299)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(compressed)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 599)
    with pytest.warns(Image.DecompressionBombWarning), Image.open(compressed) as image:
        assert image.width == 30


def test_damaged_files_say_so(compressed):
    data = compressed.read_bytes()
    compressed.write_bytes(data[:-1])
    with Image.open(compressed) as image, pytest.raises(ValueError, match="bytes where"):
        image.load()
    compressed.write_bytes(data[:20])
    with pytest.raises(ValueError, match="ends within its header"):
        Image.open(compressed)


@pytest.mark.parametrize("mode", ["P", "CMYK", "HSV", "1", "I;16", "F"])
def test_modes_that_mean_something_else_are_refused(mode, run, photo, tmp_path):
    image = Image.open(photo).convert("RGB").convert("L" if mode in ("I;16", "F") else mode)
    with pytest.raises(OSError, match=f"mode {mode} as AEK. Convert"):
        image.convert(mode).save(tmp_path / "x.aek", model="mine")


def test_targets_are_reached(run, photo, tmp_path):
    image, path = Image.open(photo), tmp_path / "x.aek"
    image.save(path, model="mine", target_size=700)
    assert path.stat().st_size <= 700
    best = load_codec("mine").with_quality(100)
    limit = 8 * len(best.compress(np.asarray(image))) / 600
    image.save(path, model="mine", target_bpp=limit)
    assert read_header(path.read_bytes())[0].step == best.step
    image.save(path, model="mine", target_psnr=12)
    with Image.open(path) as opened:
        assert image_psnr(np.asarray(image), np.asarray(opened)) >= 12


def test_one_of_quality_and_targets_is_enough(run, photo, tmp_path):
    image = Image.open(photo)
    with pytest.raises(ValueError, match="quality or a target, not both"):
        image.save(tmp_path / "x.aek", model="mine", target_size=700, quality=5)
    with pytest.raises(ValueError, match="one target only"):
        image.save(tmp_path / "x.aek", model="mine", target_size=700, target_psnr=30)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_becomes_alpha(mode, run, tmp_path, rng):
    image = Image.fromarray(rng.integers(0, 2, (20, 30), np.uint8)).convert(mode)
    image.info["transparency"] = {"L": 1, "RGB": (1, 1, 1)}[mode]
    image.save(tmp_path / "x.aek", model="mine")
    with Image.open(tmp_path / "x.aek") as saved:
        saved.load()
        assert saved.mode == mode + "A"
        hidden = np.asarray(image).reshape(20, 30, -1)[..., 0] == 1
        np.testing.assert_array_equal(np.asarray(saved)[..., -1], np.where(hidden, 0, 255))


def test_a_transparent_colour_of_more_bits_is_refused(run, tmp_path):
    image = Image.new("RGB", (8, 8), (18, 18, 18))
    image.info["transparency"] = (0x1234, 0x1234, 0x1234)
    with pytest.raises(OSError, match="the transparent colour 16"):
        image.save(tmp_path / "x.aek", model="mine")
    assert not (tmp_path / "x.aek").exists()


@pytest.mark.parametrize(
    ("mode", "advice"),
    [("P", "RGBA"), ("1", "RGBA"), ("CMYK", "RGB"), ("La", "LA"), ("RGBa", "RGBA"), ("PA", "RGBA")],
)
def test_the_advice_keeps_what_the_image_shows(mode, advice, run, tmp_path):
    image = Image.new(mode, (8, 8))
    if mode in ("P", "1"):
        image.info["transparency"] = 0
    with pytest.raises(OSError, match=f"mode {mode} as AEK. Convert the image to {advice} first"):
        image.save(tmp_path / "x.aek", model="mine")
    assert image.convert(advice).has_transparency_data == (advice != "RGB")


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_the_advice_on_deep_pixels_gives_their_upper_bits(mode, run, tmp_path, rng):
    values = rng.integers(0, 65536, (8, 8), np.uint16)
    image = Image.frombytes(
        mode, (8, 8), values.astype("<u2" if mode == "I;16" else ">u2").tobytes()
    )
    with pytest.raises(
        OSError, match=r"Convert the image to 8 bits first: Image\.fromarray"
    ) as error:
        image.save(tmp_path / "x.aek", model="mine")
    expression = str(error.value).partition("first: ")[2].removesuffix(".")
    names = {"Image": Image, "numpy": np, "image": image}
    np.testing.assert_array_equal(np.asarray(eval(expression, names)), values >> 8)


def test_photographs_are_saved_with_their_codec_by_default(photo, tmp_path):
    path = tmp_path / "x.aek"
    with Image.open(photo) as image:
        image.save(path, quality=90)
        size = image.size
    header, _, _ = read_header(path.read_bytes())
    assert header.model == load_codec("photo").name
    with Image.open(path) as restored:
        restored.load()
        assert (restored.mode, restored.size) == ("RGBA", size)


def test_metadata_are_kept_and_can_be_left_out(run, photo, tmp_path):
    kept = {
        "icc_profile": make_profile(swapped=True),
        "exif": b"Exif\0\0" + make_exif(6),
        "xmp": b"<xmp/>",
        "dpi": (300, 150),
    }
    image = Image.open(photo)
    image.info.update(kept)
    image.save(tmp_path / "x.aek", model="mine")
    with Image.open(tmp_path / "x.aek") as opened:
        assert opened.info == kept
        # Neither pixels nor orientation are turned.
        assert opened.size == image.size
    image.save(tmp_path / "y.aek", model="mine", icc_profile=None, exif=b"", xmp="", dpi=None)
    with Image.open(tmp_path / "y.aek") as opened:
        assert opened.info == {}
    with pytest.warns(UserWarning, match="Its ICC profile is of RGB and was left out"):
        image.convert("L").save(tmp_path / "z.aek", model="mine")


def test_exif_may_be_pillows_own(run, photo, tmp_path):
    exif = Image.Exif()
    exif.load(make_exif(3))
    Image.open(photo).save(tmp_path / "x.aek", model="mine", exif=exif)
    with Image.open(tmp_path / "x.aek") as opened:
        assert opened.getexif()[ExifTags.Base.Orientation] == 3
