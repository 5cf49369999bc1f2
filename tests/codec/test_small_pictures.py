"""Small pictures of files, and progress, of codecs of both kinds."""

import numpy as np
import pytest
from conftest import make_block_codec, make_strip_codec, smooth_images

from ae_keras.codec.bitstream import read_header
from ae_keras.codec.errors import BitstreamError, ImageTooLargeError
from ae_keras.codec.hyperprior import strips
from ae_keras.codec.rate_control import Target, compress_to_target
from ae_keras.codec.reduction import reduce_image
from ae_keras.metrics import image_psnr


@pytest.fixture(params=[make_strip_codec, make_block_codec])
def codec(request):
    return request.param()


def box_means(image, factor):
    """Return the mean of each square, by a loop."""
    height, width = (-(-side // factor) for side in image.shape[:2])
    means = np.empty((height, width, *image.shape[2:]))
    for row in range(height):
        for column in range(width):
            places = [slice(factor * n, factor * (n + 1)) for n in (row, column)]
            means[row, column] = image[tuple(places)].mean(axis=(0, 1))
    return means


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("shape", [(1, 1, 3), (19, 8, 1), (16, 33, 4)])
def test_pixels_are_the_means_of_squares(factor, shape, rng):
    image = rng.integers(0, 256, shape, np.uint8)
    assert np.abs(reduce_image(image, factor) - box_means(image, factor)).max() <= 0.5


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("make_codec", "factor"),
    [(make_strip_codec, 2), (make_strip_codec, 4), (make_block_codec, 2), (make_block_codec, 8)],
)
def test_small_pictures_are_those_of_the_image(make_codec, factor, channels, rng):
    image = smooth_images(rng, 1, 75, 85, channels)[0].squeeze()
    codec = make_codec().with_quality(80)
    data = codec.compress(image)
    small = codec.decompress_small(data, factor)
    expected = box_means(codec.decompress(data), factor)
    assert small.shape == expected.shape
    assert np.abs(small - expected).max() <= 0.5


@pytest.mark.parametrize("quality", [10, 90])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_eighth_of_a_photograph_is_estimated_well(quality, channels, rng):
    codec = make_strip_codec().with_quality(quality)
    patches = codec._transform._basis.T.reshape(-1, 2, 8, 2, 8, 3)
    # The transform gives pixels from -1 to 1.
    codec.entropy_model.preview = 127.5 * patches.mean(axis=(2, 4)).reshape(-1, 12)
    image = smooth_images(rng, 1, 75, 85, channels)[0].squeeze()
    data = codec.compress(image)
    small, expected = codec.decompress_small(data, 8), box_means(codec.decompress(data), 8)
    assert small.shape == expected.shape == (10, 11, channels)[: image.ndim]
    # The transform looks a row beyond; at the edges, an estimated mean is of the whole square.
    assert np.abs(small - expected)[:9, :10].max() <= 2
    if channels in (2, 4):
        assert np.abs(small - expected)[..., -1].max() <= 0.5


def test_a_preview_needs_no_decoder(rng, monkeypatch):
    codec = make_strip_codec()
    data = codec.compress(smooth_images(rng, 1, 80, 70, 3)[0])
    monkeypatch.setattr(codec._transform, "synthesize", None)
    assert codec.decompress_small(data, 8).shape == (10, 9, 3)
    with pytest.raises(TypeError):
        codec.decompress_small(data, 4)


def test_strips_make_one_preview(rng, monkeypatch):
    codec = make_strip_codec()
    image = smooth_images(rng, 1, 200, 70, 3)[0]
    whole = codec.decompress_small(codec.compress(image), 8)
    monkeypatch.setattr(strips, "_STRIP_PIXELS", 1)
    np.testing.assert_array_equal(codec.decompress_small(codec.compress(image), 8), whole)


def test_damaged_and_large_files_are_refused_as_ever(codec, rng):
    data = codec.compress(smooth_images(rng, 1, 30, 40, 3)[0])
    damaged = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
    with pytest.raises(BitstreamError):
        codec.decompress_small(damaged, 8)
    with pytest.raises(ImageTooLargeError):
        codec.with_max_pixels(1199).decompress_small(data, 8)


@pytest.mark.parametrize("factor", [0, 1, 3, 16, "8"])
def test_other_factors_are_refused(factor, codec):
    with pytest.raises(ValueError, match="2, 4 or 8"):
        codec.decompress_small(b"", factor)


def test_progress_rises_from_0_to_1(codec, rng, monkeypatch):
    monkeypatch.setattr(strips, "_STRIP_PIXELS", 1)
    monkeypatch.setattr("ae_keras.codec.layout.BATCH_PIXELS", 64)
    images = smooth_images(rng, 2, 150, 30, 3)
    shares = []
    told = codec.with_progress(shares.append)

    def seen():
        passed = shares.copy()
        shares.clear()
        return passed

    files = told.compress_many(images)
    passes = [seen()]
    told.decompress_many(files)
    passes.append(seen())
    told.decompress_small(files[0], 8)
    passes.append(seen())
    for passed in passes:
        assert passed[0] == 0
        assert passed[-1] == 1
        assert passed == sorted(passed)
        assert len(set(passed)) > 3
    codec.decompress(codec.compress(images[0]))
    assert not shares


def test_the_codec_of_photographs_reaches_targets_too(rng):
    codec = make_strip_codec()
    image = smooth_images(rng, 1, 64, 64, 3)[0]
    ends = [len(codec.with_quality(quality).compress(image)) for quality in (1, 100)]
    limit = sum(ends) // 2
    found = compress_to_target(codec, image, Target(size=limit)).data
    quality = read_header(found)[0].step
    assert len(found) <= limit < len(codec.with_quality(quality + 1).compress(image))
    target = image_psnr(image, codec.decompress(found))
    assert compress_to_target(codec, image, Target(psnr=target)).psnr >= target
