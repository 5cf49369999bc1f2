import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data

from ae_keras.data.metadata import NO_METADATA
from ae_keras.photographs.job_files import encode_photograph
from ae_keras.photographs.written_pixels import plan_pictures


@pytest.fixture
def image():
    """A part of a photograph."""
    return data.astronaut()[100:228, 150:310]


def encode(image, target, quality=None):
    file, notes = encode_photograph(image, NO_METADATA, target, quality)
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")), notes


def psnr(first, second):
    return -10 * np.log10(np.mean(np.square((first.astype(float) - second) / 255)))


@pytest.mark.parametrize("ending", ["jpg", "jfif", "mpo", "avif"])
def test_hardly_anything_is_lost(ending, image):
    restored = ndimage.gaussian_filter(image, (1, 1, 0))
    written, notes = encode(restored, f"a.{ending}")
    assert notes == []
    # Of the 30 dB that a codec may have left.
    assert 29 < psnr(image, restored) < 32
    assert psnr(image, restored) - psnr(image, written) < 0.2


@pytest.mark.parametrize("ending", ["webp", "png", "tif", "bmp", "jp2"])
def test_nothing_is_lost(ending, image):
    np.testing.assert_array_equal(encode(image, f"a.{ending}")[0], image)


def test_webp_keeps_pixels_that_are_transparent(image):
    transparent = np.dstack([image, np.zeros(image.shape[:2], np.uint8)])
    file, _ = encode_photograph(transparent, NO_METADATA, "a.webp")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), transparent)


@pytest.mark.parametrize("ending", ["jpg", "webp", "avif", "pdf"])
def test_quality_of_the_output(ending, image):
    sizes = [
        len(encode_photograph(image, NO_METADATA, f"a.{ending}", quality)[0])
        for quality in (20, 60, 90, None)
    ]
    assert sizes == sorted(set(sizes))


def test_colours_that_a_gif_cannot_hold_are_said(image):
    assert encode(image, "a.gif")[1] == ["its colours are reduced to the 256 of a GIF"]
    assert encode(image[:4, :4], "a.gif")[1] == []


@pytest.mark.parametrize(
    ("output", "quality", "message"),
    [
        ("x.png", 80, "--output-quality is for JPEG, WebP and AVIF, and PNG has none"),
        ("folder/", 80, "--output-quality is for JPEG, WebP and AVIF, and PNG has none"),
        ("-", 80, "--output-quality is for JPEG, WebP and AVIF, and PNG has none"),
        ("x.jpg", 0, "--output-quality must be from 1 to 100. Received: 0"),
        ("x.webp", 101, "--output-quality must be from 1 to 100. Received: 101"),
        ("x.xyz", None, "The ending '.xyz' names no image format"),
        ("x", None, "The ending '' names no image format"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_any_work(output, quality, message, tmp_path):
    (tmp_path / "a.aek").write_bytes(b"a file")
    with pytest.raises(ValueError, match=message):
        plan_pictures([str(tmp_path / "a.aek")], output, [".aek"], quality)
