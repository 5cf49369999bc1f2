"""The codec of photographs that ships: rates as estimated, qualities in order, the name `photo`."""

import itertools

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from skimage import data

import ae_keras
from ae_keras.codec.bitstream import read_bitstream, read_header
from ae_keras.codec.hyperprior import strips
from ae_keras.codec.loading import find_run_of
from ae_keras.metrics import image_psnr
from ae_keras.system.quality import position_of_quality

PHOTOGRAPHS = ROOT.parent / "shared" / "data" / "photographs" / "validation"


@pytest.fixture(scope="module")
def codec():
    return ae_keras.load_codec("photo")


@pytest.mark.parametrize("quality", [10, 60, 100])
def test_files_are_as_long_as_estimated(codec, quality):
    image = data.astronaut()[:256, 128:384]
    compressed = codec.with_quality(quality).compress(image)
    _, (section,) = read_bitstream(compressed)
    model = ae_keras.load("photo").in_float32()
    rates, restored = model.estimate(image[np.newaxis], position_of_quality(quality))
    estimated = rates[0] * 256 * 256
    # 32 bits of checksum, and up to 64 that the coder does not share out.
    assert 8 * len(section.data) <= 1.005 * estimated + 96
    psnr = [image_psnr(image, each) for each in (codec.decompress(compressed), restored[0])]
    assert psnr[0] == pytest.approx(psnr[1], abs=0.03)


@pytest.mark.parametrize("quality", [20, 80])
def test_strips_change_hardly_any_symbol(codec, quality, monkeypatch):
    image = np.concatenate([data.astronaut(), data.coffee()[:, :512]])[:700, 100:300]
    codec, files, latents = codec.with_quality(quality), [], []
    for pixels in (2**21, 2 * 64**2 * 4):
        monkeypatch.setattr(strips, "_STRIP_PIXELS", pixels)
        files.append(codec.compress(image))
        header, (section,) = read_bitstream(files[-1])
        plan = strips.Strips(image.shape[:2], header.tile[0] // 64)
        parts = codec.entropy_model.decode(quality, plan, section.data)
        latents.append(np.concatenate(list(parts)))
    assert plan.count == 6
    assert np.mean(np.abs(latents[0] - latents[1]) > 0.5) <= 1 / 1000
    assert len(files[1]) == pytest.approx(len(files[0]), rel=0.0005, abs=4)
    psnr = [image_psnr(image, codec.decompress(each)) for each in files]
    assert psnr[0] == pytest.approx(psnr[1], abs=0.01)


def test_the_newest_codec_is_called_photo(codec):
    header, _, _ = read_header(codec.compress(np.zeros((8, 8, 3), np.uint8)))
    assert header.model == codec.name
    assert find_run_of(header).name == header.model


def test_grey_photographs_have_no_colour_casts_and_cost_no_more(codec):
    image = data.camera()[::2, ::2]
    files = [codec.compress(each) for each in (image, np.repeat(image[..., None], 3, axis=2))]
    assert len(files[0]) <= len(files[1])
    assert codec.decompress(files[0]).ndim == 2
    colour = codec.decompress(files[1]).astype(int)
    assert np.abs(colour - colour.mean(axis=2, keepdims=True)).mean() < 2


@pytest.mark.dataset
def test_the_mean_rate_rises_with_every_quality(codec):
    if not PHOTOGRAPHS.is_dir():
        pytest.skip(f"there are no photographs in {PHOTOGRAPHS}")
    images = []
    for path in sorted(PHOTOGRAPHS.glob("*"))[::13]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        images.append(pixels[64:192, 64:192])
    # A row of them is one image: its strip has the rates of all.
    row = np.concatenate(images, axis=1)
    sizes = [len(codec.with_quality(quality).compress(row)) for quality in range(1, 101)]
    assert all(small < large for small, large in itertools.pairwise(sizes))
