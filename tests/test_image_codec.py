import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import BlockTransform, make_block_codec, smooth_images
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_keras.codec.bitstream import Header, read_bitstream, read_header, write_bitstream
from ae_keras.codec.errors import (
    BitstreamError,
    ImageTooLargeError,
    InconsistentError,
    WrongModelError,
)
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.quantizer import FINEST_STEP, Quantizer
from ae_keras.codec.rate_control import codec_for_rate

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def codec():
    return make_block_codec()


@pytest.fixture(scope="module")
def grey_codec():
    return make_block_codec(channels=1)


def smooth_image(height, width, channels, seed=0):
    rng = np.random.default_rng(seed)
    return smooth_images(rng, 1, height, width, channels)[0]


def error(image, restored):
    assert restored.dtype == np.uint8
    assert restored.shape == image.shape
    return np.abs(image.astype(int) - restored).mean()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 3, 4]), st.sampled_from([1, 3])
)
def test_images_of_any_size_and_channels_come_back(height, width, image_channels, model_channels):
    codec = CODECS[model_channels].with_step(FINEST_STEP)
    image = smooth_image(height, width, image_channels)
    if image_channels == 1:
        image = image[..., 0]
    restored = codec.decompress(codec.compress(image))
    assert error(image, restored) < 1.5
    if image_channels in (2, 4):
        np.testing.assert_array_equal(restored[..., -1], image[..., -1])


CODECS = {channels: make_block_codec(channels) for channels in (1, 3)}


@pytest.mark.parametrize("quality", [1, 50, 100])
def test_large_plain_images_come_back(quality, codec):
    """All their symbols are the most frequent ones, which take nearly no space."""
    image = np.full((300, 200, 3), 128, np.uint8)
    codec = codec.with_quality(quality)
    # The sum of a block is off by a step at most; each of its pixels by half of that.
    steps = codec.quantizer.units[::4] * codec.step / FINEST_STEP
    assert error(image, codec.decompress(codec.compress(image))) <= 255 * steps.max() / 2 + 1


def test_symbols_in_the_file_are_those_of_the_encoder(codec):
    image = smooth_image(8, 8, 3)
    header, sections = read_bitstream(codec.compress(image))
    latents = codec.transform.encode(image[np.newaxis].astype(np.float32) / 255)
    symbols = codec.quantizer.symbols(latents, header.step)
    decoded = codec.quantizer.tables(header.step).decode(sections[0], [16] * 12)
    np.testing.assert_array_equal(decoded, symbols.ravel())


def test_many_at_once_are_the_same_files_as_one_by_one(codec):
    images = [smooth_image(20, 13, 4, seed) for seed in range(5)]
    files = codec.compress_many(images)
    assert files == [codec.compress(image) for image in images]
    for image, restored in zip(images, codec.decompress_many(files), strict=True):
        np.testing.assert_array_equal(restored, codec.decompress(codec.compress(image)))
        assert error(image, restored) < 10


def test_several_sections_hold_the_same_image(codec, monkeypatch):
    image = smooth_image(100, 60, 3)
    whole = codec.decompress(codec.compress(image))
    monkeypatch.setattr("ae_keras.codec.image_codec._SECTION_PIXELS", 7 * 64)
    monkeypatch.setattr("ae_keras.codec.image_codec._BATCH_PIXELS", 5 * 64)
    data = codec.compress(image)
    assert len(read_bitstream(data)[1]) == -(-17 * 10 // 7)
    np.testing.assert_array_equal(codec.decompress(data), whole)


def test_higher_quality_has_more_bytes_and_less_error(codec):
    image = smooth_image(64, 64, 3)
    sizes, errors = [], []
    for quality in (10, 30, 50, 70, 90):
        data = codec.with_quality(quality).compress(image)
        sizes.append(len(data))
        errors.append(error(image, codec.decompress(data)))
    assert sizes == sorted(set(sizes))
    assert errors == sorted(set(errors), reverse=True)


@pytest.mark.parametrize("target", [0.5, 1.0, 3.0])
def test_rate_is_the_highest_below_the_target(target, codec):
    image = smooth_image(64, 64, 3)
    found = codec_for_rate(codec, image, target)
    steps = [codec.with_quality(quality).step for quality in range(1, 101)]
    finer = codec.with_step(steps[steps.index(found.step) + 1])
    assert 8 * len(found.compress(image)) / 64**2 <= target
    assert 8 * len(finer.compress(image)) / 64**2 > target


@pytest.mark.parametrize("target", [0, -1, float("nan")])
def test_rate_of_nothing_is_refused(target, codec):
    with pytest.raises(ValueError, match="more than 0 bits per pixel"):
        codec_for_rate(codec, smooth_image(8, 8, 3), target)


def test_rate_that_cannot_be_reached_is_refused(codec):
    with pytest.raises(ValueError, match="cannot be reached: the lowest quality takes"):
        codec_for_rate(codec, smooth_image(8, 8, 3), 0.01)


def test_labels_are_in_the_file():
    codec = make_block_codec(classes=5)
    image = smooth_image(8, 8, 3)
    for label in (None, 5, -1):
        with pytest.raises(InconsistentError, match="needs a label from 0 to 4"):
            codec.with_label(label).compress(image)
    data = codec.with_label(3).compress(image)
    assert read_header(data)[0].label == 3
    assert error(image, codec.decompress(data)) < 10
    with pytest.raises(InconsistentError, match="takes no label"):
        make_block_codec().with_label(3).compress(image)


def test_decoder_is_given_the_label_of_each_image(monkeypatch):
    seen = []
    decode = BlockTransform.decode

    def spy(self, latents, labels=None):
        seen.append((len(latents), labels))
        return decode(self, latents)

    codec = make_block_codec(classes=5)
    files = [codec.with_label(label).compress(smooth_image(8, 16, 3)) for label in (4, 1)]
    monkeypatch.setattr(BlockTransform, "decode", spy)
    codec.decompress_many(files)
    labels = np.concatenate([labels for _, labels in seen])
    np.testing.assert_array_equal(labels, np.repeat([4, 1], len(labels) // 2))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8 image"),
        (np.zeros((4, 4, 3, 1), np.uint8), "uint8 image"),
        (np.zeros((0, 4, 3), np.uint8), "uint8 image"),
        (np.zeros((4, 4, 5), np.uint8), "for images of 3 channels"),
    ],
)
def test_arrays_that_are_no_images_are_refused(image, message, codec):
    with pytest.raises(ValueError, match=message):
        codec.compress(image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step": 31}, "`step` must be a whole number from 32 to 32000. Received: 31"),
        ({"step": 50.0}, "`step`"),
        ({"overlap": 5}, r"overlap of 5 pixels does not fit tiles of \(8, 8\)"),
        ({"overlap": -1}, "overlap of -1"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        make_block_codec(**change).compress(smooth_image(20, 20, 3))


def test_files_of_other_models_are_refused(codec, grey_codec):
    with pytest.raises(WrongModelError, match="written by another model, 'blocks'"):
        codec.decompress(grey_codec.compress(smooth_image(8, 8, 1)))


def test_large_images_are_refused_before_they_are_decoded(codec):
    data = codec.compress(smooth_image(20, 20, 3))
    with pytest.raises(ImageTooLargeError, match="20x20 pixels, more than the 399"):
        codec.with_max_pixels(399).decompress(data)
    assert codec.with_max_pixels(400).decompress(data).shape == (20, 20, 3)


@pytest.mark.parametrize(
    ("change", "sections", "message"),
    [
        ({"tile": (8, 9)}, 1, "tiles or channels do not fit"),
        ({"channels": 5}, 1, "tiles or channels do not fit"),
        ({"step": FINEST_STEP - 1}, 1, "step 31 is out of range"),
        ({"step": 2**31}, 1, "out of range"),
        ({"section_tiles": 2**31}, 1, "sections are too large"),
        ({"height": 2000, "section_tiles": 250}, 1, "longer than|escapes"),
        ({"has_alpha": True}, 1, "not as many sections"),
        ({}, 2, "not as many sections"),
        ({"label": 1}, 1, "takes no label"),
    ],
)
def test_headers_that_do_not_fit_are_refused(change, sections, message, codec):
    header, (section,) = read_bitstream(codec.compress(smooth_image(8, 8, 3)))
    changed = Header(**vars(header) | change)
    with pytest.raises(BitstreamError, match=message):
        codec.decompress(write_bitstream(changed, [section] * sections))


def test_alpha_that_is_none_is_refused(codec):
    header, (section, alpha) = read_bitstream(codec.compress(smooth_image(8, 8, 4)))
    for wrong in (b"", b"no picture", alpha[: len(alpha) // 2], alpha.replace(b"IHDR", b"IHDX")):
        with pytest.raises(InconsistentError, match="alpha"):
            codec.decompress(write_bitstream(header, [section, wrong]))
    _, (_, larger) = read_bitstream(codec.compress(smooth_image(8, 9, 4)))
    with pytest.raises(InconsistentError, match="not of the image's size"):
        codec.decompress(write_bitstream(header, [section, larger]))


# Damage ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(codec):
    images = [smooth_image(8, 8, 3), smooth_image(9, 10, 4), smooth_image(5, 5, 1)[..., 0]]
    return [codec.with_quality(40).compress(image) for image in images]


def test_every_bit_flip_and_truncation_is_refused(codec, samples):
    for data in samples:
        for bit in range(8 * len(data)):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << (bit % 8)
            with pytest.raises(BitstreamError):
                codec.decompress(bytes(changed))
        for size in range(len(data)):
            with pytest.raises(BitstreamError):
                codec.decompress(data[:size])


def mutate(rng, data):
    """Change, insert, remove or repeat some bytes."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(len(data) + 1))
        count = int(rng.integers(1, 9))
        kind = rng.integers(4)
        if kind == 0:
            data[place : place + count] = rng.bytes(min(count, len(data) - place))
        elif kind == 1:
            data[place:place] = rng.bytes(count)
        elif kind == 2:
            del data[place : place + count]
        else:
            data[place:place] = data[place : place + count]
    return bytes(data)


def test_100_000_random_mutations_are_refused(codec, samples, rng):
    for number in range(100_000):
        data = samples[number % len(samples)]
        changed = mutate(rng, data)
        try:
            codec.decompress(changed)
        except BitstreamError:
            continue
        assert changed == data


def test_mutations_with_right_checksums_are_decoded_or_refused(codec, samples, rng):
    """What the checksums do not show must not crash, hang, or take much memory."""
    limited = codec.with_max_pixels(2**16)
    refused = 0
    for number in range(3000):
        data = samples[number % len(samples)]
        _, lengths, start = read_header(data)
        head, payload = data[6 : start - 4], data[start:-4]
        if number % 2:
            head = mutate(rng, head)
        else:
            payload = mutate(rng, payload)
            head = head[:-1] + bytes([len(payload) % 128]) if len(lengths) == 1 else head
        head = data[:5] + bytes([len(head) % 128]) + head
        changed = head + struct.pack("<I", zlib.crc32(head)) + payload
        changed += struct.pack("<I", zlib.crc32(payload))
        try:
            image = limited.decompress(changed)
            assert image.shape[0] * image.shape[1] <= 2**16
        except BitstreamError:
            refused += 1
    assert 1000 < refused < 3000


# Golden files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.aek")), ids=lambda path: path.stem)
def test_golden_files_decode_to_the_same_symbols_forever(path):
    """Files of every format version; written once, by `tests/golden/make.py`, and never again."""
    assert path.stat().st_size < 2048
    quantizer = Quantizer.load(GOLDEN / "tables.npz")
    codec = ImageCodec(BlockTransform(3), quantizer, "blocks")
    data = path.read_bytes()
    header, sections = read_bitstream(data)
    expected = np.load(path.with_suffix(".npz"))
    tables = quantizer.tables(header.step)
    places = 16 * header.section_tiles
    symbols = [
        tables.decode(section, [places] * 12) for section in sections[: len(expected.files) - 1]
    ]
    for number, section in enumerate(symbols):
        np.testing.assert_array_equal(section, expected[f"symbols{number}"])
    np.testing.assert_array_equal(codec.decompress(data), expected["image"])


def test_there_are_golden_files_of_every_version():
    assert {path.stem.split("-")[0] for path in GOLDEN.glob("*.aek")} == {"v1"}
