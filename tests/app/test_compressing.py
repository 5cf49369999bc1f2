import numpy as np
import pytest
from conftest import pixels_of, smooth_images
from PIL import Image

import ae_keras
from ae_keras import metrics
from ae_keras.app import compressing, files
from ae_keras.app.compressing import FORMATS, ORIGINAL, OURS
from ae_keras.codec.errors import BitstreamError
from ae_keras.codec.rate_control import Target

MODEL = "cae-cifar10"

pytestmark = pytest.mark.usefixtures("page_folder")


@pytest.fixture
def image(rng):
    return smooth_images(rng, 1, 48, 64, 3)[0]


@pytest.fixture
def path(image, tmp_path):
    Image.fromarray(image).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_files_are_those_of_the_library(path, image):
    shares = []
    done = compressing.compress_upload(path, MODEL, 60, Target(), 24, shares.append)
    codec = ae_keras.load_codec(MODEL)
    data = codec.compress(image, quality=60)
    restored = codec.decompress(data)
    assert done.file.read_bytes() == data
    assert done.file.name == "a.aek"
    assert np.array_equal(pixels_of(done.pictures[OURS]), restored)
    assert np.array_equal(pixels_of(done.pictures[ORIGINAL]), image)
    assert done.versions[OURS].quality.psnr == metrics.image_psnr(image, restored)
    assert done.quality == 60
    assert shares[-1] == 1


def test_a_size_is_reached(path):
    codec = ae_keras.load_codec(MODEL)
    size = len(codec.compress(pixels_of(path), quality=50))
    done = compressing.compress_upload(path, MODEL, 9, compressing.parse_target(f"{size} B"), 24)
    assert done.versions[OURS].size <= size
    assert len(codec.compress(pixels_of(path), quality=done.quality + 1)) > size


def test_formats_are_as_large_and_measured(path, image):
    done = compressing.compress_upload(path, MODEL, 90, Target(), 24)
    for step, *what in compressing.plan_steps(done):
        step(done, *what)
    assert set(done.versions) == {OURS, *FORMATS}
    for name in FORMATS:
        assert done.versions[name].size <= done.versions[OURS].size
    for name, version in done.versions.items():
        restored = pixels_of(done.pictures[name])
        assert version.quality.psnr == metrics.image_psnr(image, restored)
        pair = (image[np.newaxis] / 255, restored[np.newaxis] / 255)
        assert version.quality.ms_ssim == pytest.approx(metrics.ms_ssim(*pair)[0], abs=1e-6)
    qualities = sorted({*compressing.CURVE_QUALITIES, 90})
    rates = [done.points[quality] for quality in qualities]
    assert rates == sorted(rates)
    ours = done.versions[OURS]
    assert done.points[90] == (8 * ours.size / (48 * 64), ours.quality.psnr)
    table = done.table()
    assert all(f"{version.size:,}" in table for version in done.versions.values())


def test_what_no_format_reaches_is_its_smallest(path, image):
    done = compressing.compress_upload(path, MODEL, 1, Target(), 24)
    compressing.add_format(done, "JPEG")
    data = compressing.make_codec("jpeg").with_quality(1).compress(image)
    assert done.versions["JPEG"].size == len(data) > done.versions[OURS].size


def test_grey_is_compared_as_grey(image, tmp_path):
    Image.fromarray(image[..., 0]).save(tmp_path / "grey.png")
    done = compressing.compress_upload(str(tmp_path / "grey.png"), MODEL, 90, Target(), 24)
    for name in FORMATS:
        compressing.add_format(done, name)
        assert pixels_of(done.pictures[name]).shape == (48, 64)
    compressing.add_point(done, 90)
    assert done.points[90][1] == done.versions[OURS].quality.psnr


def test_transparent_images_are_not_compared(photo):
    done = compressing.compress_upload(photo, MODEL, 90, Target(), 24)
    steps = compressing.plan_steps(done)
    assert not any(step is compressing.add_format for step, *_ in steps)
    assert "JPEG has no transparency" in done.table()


def test_files_come_back(path, image):
    done = compressing.compress_upload(path, MODEL, 60, Target(), 24)
    shown, text = compressing.show_compressed(str(done.file), 24)
    assert compressing.is_compressed(str(done.file))
    assert not compressing.is_compressed(path)
    assert np.array_equal(pixels_of(shown), pixels_of(done.pictures[OURS]))
    assert "64 x 48 pixels" in text
    assert "(quality 60)" in text


def test_damaged_and_large_files_are_refused(path, tmp_path):
    done = compressing.compress_upload(path, MODEL, 60, Target(), 24)
    with pytest.raises(ValueError, match="64x48 pixels"):
        compressing.show_compressed(str(done.file), 0.003)
    damaged = tmp_path / "damaged.aek"
    damaged.write_bytes(done.file.read_bytes()[:-9])
    folders = list(done.folder.parent.iterdir())
    with pytest.raises(BitstreamError):
        compressing.show_compressed(str(damaged), 24)
    assert list(done.folder.parent.iterdir()) == folders


def test_sizes_are_read():
    assert compressing.parse_target(" ") == Target()
    assert compressing.parse_target("1.5 KB") == Target(size=1500)
    with pytest.raises(ValueError, match="Size to reach: expected a size such as"):
        compressing.parse_target("many")


def test_wishes_end_with_their_folder(path):
    done = compressing.compress_upload(path, MODEL, 60, Target(), 24)
    assert done.is_wanted
    files.remove_folder(done.folder)
    assert not done.is_wanted
