"""Wanted sizes and PSNRs: the right quality, in few tries, and never anything computed twice."""

import math
import operator

import numpy as np
import pytest
from conftest import make_block_codec, smooth_images
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.metadata import Metadata
from ae_keras.codec.rate_control import Target, _last_before, compress_to_target
from ae_keras.metrics import image_psnr

QUALITIES = range(1, 101)


@pytest.fixture(scope="module")
def codec():
    return make_block_codec()


@pytest.fixture(scope="module")
def image():
    return smooth_images(np.random.default_rng(0), 1, 40, 48, 3)[0]


@pytest.fixture(scope="module")
def files(codec, image):
    """The file of each quality."""
    return [codec.with_quality(quality).compress(image) for quality in QUALITIES]


@pytest.fixture(scope="module")
def psnrs(codec, image, files):
    return [image_psnr(image, codec.decompress(data)) for data in files]


@pytest.fixture
def calls(monkeypatch):
    """The names of all calls of `compress` and `decompress`."""
    calls = []
    for name in ("compress", "decompress"):
        original = getattr(ImageCodec, name)

        def spy(self, *arguments, name=name, original=original):
            calls.append(name)
            return original(self, *arguments)

        monkeypatch.setattr(ImageCodec, name, spy)
    return calls


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=100, max_size=100).map(np.cumsum),
    st.integers(-5, 4000),
    st.sampled_from([operator.lt, operator.le]),
    st.sampled_from(["linear", "exponential"]),
)
def test_the_search_is_exact_in_seven_tries(values, limit, is_before, scale):
    if scale == "exponential":
        values, limit = np.exp(values / 200), math.exp(limit / 200)
    tried = []

    def measure(quality):
        tried.append(quality)
        return float(values[quality - 1])

    found = _last_before(measure, limit, is_before)
    assert found == sum(is_before(value, limit) for value in values)
    assert len(set(tried)) == len(tried) <= 7
    assert {found, found + 1} - {0, 101} <= set(tried)


@pytest.mark.parametrize("value", [0.0, math.inf])
def test_values_without_a_logarithm_are_searched_too(value):
    expected = 100 if value == 0 else 0
    assert _last_before(lambda quality: value, 30.0, operator.lt) == expected
    assert _last_before(lambda quality: value, 1e300, operator.lt) == expected
    assert _last_before(lambda quality: float(quality), value, operator.lt) == 100 - expected


# Lower qualities of this codec, which has no model, do not always have smaller files.
@pytest.mark.parametrize("quality", [46, 47, 60, 83, 99, 100])
@pytest.mark.parametrize("above", [0, 1])
def test_size_is_the_largest_that_is_not_above(quality, above, codec, image, files, calls):
    size = len(files[quality - 1]) + above
    found = compress_to_target(codec, image, Target(size=size))
    assert found.data == files[quality - 1]
    assert calls.count("compress") <= 7
    assert "decompress" not in calls


@pytest.mark.parametrize("bpp", [2.0, 3.0, 6.5])
def test_rate_is_the_highest_that_is_not_above(bpp, codec, image, files):
    found = compress_to_target(codec, image, Target(bpp=bpp))
    rates = [8 * len(data) / (40 * 48) for data in files]
    assert found.data == files[sum(rate <= bpp for rate in rates) - 1]


def test_any_size_above_the_largest_gives_the_highest_quality(codec, image, files):
    assert compress_to_target(codec, image, Target(size=10**9)).data == files[-1]
    assert compress_to_target(codec, image, Target(psnr=1e-3)).data == files[0]


def test_metadata_count(codec, image):
    metadata = Metadata(xmp=np.random.default_rng(0).bytes(500))
    found = compress_to_target(codec, image, Target(size=1500), metadata)
    assert len(found.data) <= 1500
    assert compress_to_target(codec, image, Target(size=1500)).data != found.data
    with pytest.raises(ValueError, match=r"takes \d+, of which metadata take 511\."):
        compress_to_target(codec, image, Target(size=500), metadata)


@pytest.mark.parametrize("target", [20.0, 30.5, 38.0])
def test_psnr_is_the_lowest_that_is_not_below(target, codec, image, files, psnrs, calls):
    found = compress_to_target(codec, image, Target(psnr=target))
    expected = next(number for number, psnr in enumerate(psnrs) if psnr >= target)
    assert (found.data, found.psnr) == (files[expected], psnrs[expected])
    assert calls.count("compress") == calls.count("decompress") <= 7


def test_without_a_target_the_quality_is_the_codecs_own(codec, image, files):
    found = compress_to_target(codec.with_quality(30), image, Target())
    assert (found.data, found.psnr) == (files[29], None)


def test_what_is_out_of_reach_says_how_near_one_comes(codec, image, files, psnrs):
    size = len(files[0])
    with pytest.raises(ValueError, match=f"20 bytes cannot be reached: .* takes {size}\\."):
        compress_to_target(codec, image, Target(size=20))
    rate = 8 * size / (40 * 48)
    message = f"0.01 bits per pixel cannot be reached: the lowest quality takes {rate:.3f}"
    with pytest.raises(ValueError, match=message):
        compress_to_target(codec, image, Target(bpp=0.01))
    message = f"99 dB cannot be reached: the highest quality gives {psnrs[-1]:.2f} dB"
    with pytest.raises(ValueError, match=message):
        compress_to_target(codec, image, Target(psnr=99))


@pytest.mark.parametrize("value", [0, -1, float("nan")])
@pytest.mark.parametrize(
    ("name", "unit"), [("bpp", "bits per pixel"), ("size", "bytes"), ("psnr", "dB")]
)
def test_targets_of_nothing_are_refused(value, name, unit):
    with pytest.raises(ValueError, match=f"more than 0 {unit}"):
        Target(**{name: value})


def test_one_target_is_enough():
    with pytest.raises(ValueError, match=r"one target only.*: bytes, dB"):
        Target(size=3, psnr=4)
