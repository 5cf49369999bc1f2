"""Photographs of any size through strips: no seams, the same symbols, and typed errors alone."""

import dataclasses

import numpy as np
import pytest
from conftest import make_hyperprior, make_strip_codec, smooth_images

from ae_keras.codec.bitstream import read_bitstream, write_bitstream
from ae_keras.codec.errors import BitstreamError, ChecksumError, InconsistentError
from ae_keras.codec.hyperprior import strip_codec, strips
from ae_keras.codec.hyperprior.section import Decoding
from ae_keras.codec.sections import Section


@pytest.fixture(scope="module")
def codec():
    return make_strip_codec()


def psnr(image, other):
    return -10 * np.log10(np.mean((image.astype(float) - other) ** 2) / 255**2)


@pytest.mark.parametrize("shape", [(1, 1, 3), (64, 64, 3), (65, 1, 3), (130, 70, 3), (40, 200, 3)])
def test_any_size_comes_back(codec, rng, shape):
    image = smooth_images(rng, 1, *shape)[0]
    data = codec.with_quality(90).compress(image)
    restored = codec.decompress(data)
    assert restored.shape == image.shape
    assert restored.dtype == np.uint8


@pytest.mark.parametrize("shape", [(50, 70), (50, 70, 2), (50, 70, 4)])
def test_grey_and_alpha_come_back(codec, rng, shape):
    image = smooth_images(rng, 1, *shape[:2], shape[2] if len(shape) == 3 else 1)[0]
    image = image.reshape(shape)
    restored = codec.with_quality(90).decompress(codec.compress(image))
    assert restored.shape == image.shape
    if len(shape) == 3:
        np.testing.assert_array_equal(restored[..., -1], image[..., -1])


def test_grey_costs_no_more_than_in_colour(codec, rng):
    image = smooth_images(rng, 1, 128, 128, 1)[0]
    grey, colour = (len(codec.compress(each)) for each in (image, np.repeat(image, 3, axis=2)))
    assert grey <= colour


class Recording(Decoding):
    """Keeps the symbols that are read."""

    symbols: list = []  # noqa: RUF012

    def __call__(self, strip, parity, means, tables):
        symbols = super().__call__(strip, parity, means, tables)
        self.symbols.append((strip, parity, symbols))
        return symbols


def symbols_of(codec, data, monkeypatch):
    """Return the image of a file, and its symbols at even and at odd places."""
    monkeypatch.setattr("ae_keras.codec.hyperprior.entropy_model.Decoding", Recording)
    Recording.symbols = []
    image = codec.decompress(data)
    parts = sorted(Recording.symbols, key=lambda part: part[:2])
    return image, [
        np.concatenate([part for _, which, part in parts if which == parity]) for parity in (0, 1)
    ]


@pytest.mark.parametrize("quality", [1, 60, 100])
def test_strips_change_no_symbol_and_no_pixel(codec, rng, quality, monkeypatch):
    image = smooth_images(rng, 1, 500, 150, 3)[0]
    codec = codec.with_quality(quality)
    whole, expected = symbols_of(codec, codec.compress(image), monkeypatch)
    for rows in (1, 3):
        monkeypatch.setattr(strips, "_STRIP_PIXELS", rows * 64**2 * 3)
        data = codec.compress(image)
        header, _ = read_bitstream(data)
        assert header.tile == (64 * rows, 192)
        restored, symbols = symbols_of(codec, data, monkeypatch)
        for ours, theirs in zip(symbols, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert np.abs(restored.astype(int) - whole).max() <= 1


def test_a_better_quality_takes_more_bytes_and_is_nearer(codec, rng):
    image = smooth_images(rng, 1, 128, 128, 3)[0]
    files = [codec.with_quality(quality).compress(image) for quality in (1, 50, 100)]
    assert len(files[0]) < len(files[1]) < len(files[2])
    psnrs = [psnr(image, codec.decompress(data)) for data in files]
    assert psnrs[0] < psnrs[1] < psnrs[2]


def test_files_do_not_depend_on_the_order_of_sums(codec, rng, monkeypatch):
    """Sums of products in another order are the same, because they are exact."""
    from ae_keras.codec.hyperprior.fixed_point import Dense

    image = smooth_images(rng, 1, 100, 80, 3)[0]
    data = codec.compress(image)
    original = Dense.product

    def permuted(self, activations, rows=slice(None)):
        order = rng.permutation(activations.shape[-1])
        layer = Dense.__new__(Dense)
        layer._kernel = self._kernel[rows][order]
        return original(layer, activations[..., order])

    monkeypatch.setattr(Dense, "product", permuted)
    assert codec.compress(image) == data
    codec.decompress(data)


def test_symbols_that_differ_are_refused(codec, rng):
    data = codec.compress(smooth_images(rng, 1, 64, 64, 3)[0])
    header, (section,) = read_bitstream(data)
    changed = bytes([section.data[0] ^ 1]) + section.data[1:]
    with pytest.raises(ChecksumError, match="symbols are not those of the encoder"):
        codec.decompress(write_bitstream(header, [Section(section.kind, changed)]))


def test_models_that_differ_are_refused(codec, rng):
    data = codec.compress(smooth_images(rng, 1, 64, 64, 3)[0])
    other = strip_codec.StripCodec(codec._transform, make_hyperprior(1), "patches")
    with pytest.raises(BitstreamError, match="another model"):
        other.decompress(data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tile": (64, 64)}, "strips do not fit"),
        ({"tile": (100, 128)}, "strips do not fit"),
        ({"tile": (192, 128)}, "strips do not fit"),
        ({"overlap": 8}, "strips do not fit"),
        ({"section_tiles": 2}, "strips do not fit"),
        ({"label": 3}, "takes no label"),
        ({"step": 101}, "step 101 is out of range"),
        ({"bank": 1}, "no bank 1"),
        ({"channels": 2}, "channels do not fit"),
        ({"height": 2**27, "width": 1, "tile": (2**27, 64)}, "too large"),
        ({"height": 1, "width": 2**20, "tile": (64, 2**20)}, "pixels wide"),
    ],
)
def test_headers_that_do_not_fit_are_refused(codec, rng, changes, message):
    data = codec.compress(smooth_images(rng, 1, 128, 128, 3)[0])
    header, sections = read_bitstream(data)
    changed = write_bitstream(dataclasses.replace(header, **changes), sections)
    with pytest.raises(BitstreamError, match=message):
        codec.decompress(changed)


def test_a_file_of_several_sections_is_refused(codec, rng):
    header, sections = read_bitstream(codec.compress(smooth_images(rng, 1, 64, 64, 3)[0]))
    with pytest.raises(InconsistentError, match="strips do not fit"):
        codec.decompress(write_bitstream(header, sections * 2))


def test_a_file_of_a_large_image_and_no_data_takes_little_time_and_memory(codec, rng):
    header, (section,) = read_bitstream(codec.compress(smooth_images(rng, 1, 64, 64, 3)[0]))
    large = dataclasses.replace(header, height=2**14, width=2**14, tile=(64, 2**14))
    with pytest.raises(InconsistentError, match="too short for the image"):
        codec.decompress(write_bitstream(large, [Section(section.kind, section.data)]))


def test_mutations_with_repaired_checksums_are_files_or_typed_errors(codec, rng):
    codec = codec.with_max_pixels(2**16)
    samples = [
        codec.with_quality(quality).compress(smooth_images(rng, 1, *shape)[0])
        for quality, shape in ((20, (64, 64, 3)), (70, (70, 130, 3)), (100, (5, 5, 1)))
    ]
    refused = 0
    for number in range(300):
        header, (section,) = read_bitstream(samples[number % len(samples)])
        changed = bytearray(section.data)
        for _ in range(rng.integers(1, 4)):
            changed[rng.integers(len(changed))] = rng.integers(256)
        size = len(changed) - int(rng.integers(2) * rng.integers(len(changed)))
        try:
            codec.decompress(
                write_bitstream(header, [Section(section.kind, bytes(changed[:size]))])
            )
        except BitstreamError:
            refused += 1
    assert refused > 250  # by the checksum of the symbols, if by nothing else


def test_settings_that_make_no_sense_are_refused(codec):
    for quality in (0, 101, 50.0):
        with pytest.raises(ValueError, match="from 1 to 100"):
            codec.with_quality(quality)
    with pytest.raises(ValueError, match="quality from 1 to 100"):
        codec.with_step(1000).check_settings()
    with pytest.raises(ValueError, match="no tiles that could overlap"):
        make_strip_codec(overlap=16)
    with pytest.raises(ValueError, match="takes no label"):
        make_strip_codec(label=1)


def test_latents_that_are_no_numbers_are_refused(codec, rng, monkeypatch):
    def broken(images, positions):
        latents, hyper_latents = make_strip_codec()._transform.analyse(images, positions)
        return np.full_like(latents, np.nan), hyper_latents

    codec = make_strip_codec()
    monkeypatch.setattr(codec._transform, "analyse", broken)
    with pytest.raises(ValueError, match="not numbers, or too large"):
        codec.compress(smooth_images(rng, 1, 64, 64, 3)[0])
