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
from ae_keras.codec.metadata import Metadata, read_metadata
from ae_keras.codec.sections import Section, SectionKind
from ae_keras.codec.steps import FINEST_STEP

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
    steps = codec.entropy_model.units[::4] * codec.step / FINEST_STEP
    assert error(image, codec.decompress(codec.compress(image))) <= 255 * steps.max() / 2 + 1


def test_symbols_in_the_file_are_those_of_the_encoder(codec):
    image = smooth_image(8, 8, 3)
    header, sections = read_bitstream(codec.compress(image))
    latents = codec.transform.encode(image[np.newaxis].astype(np.float32) / 255)
    coder = codec.entropy_model.at(header.step)
    symbols = coder.symbols(latents)
    decoded = coder.tables.decode(sections[0].data, [16] * 12)
    np.testing.assert_array_equal(decoded, symbols.ravel())


class Deflated:
    """An entropy model without tables or channels: latents in grey levels, as zlib packs them."""

    digest, default_step = b"deflated", 320

    def step_of_quality(self, quality):
        return quality

    def quality_of_step(self, step):
        return step

    def check_step(self, step):
        if step != 320:
            raise ValueError("there is one step")

    def at(self, step):
        return self

    def encode(self, latents):
        return zlib.compress(np.rint(255 * latents).astype(np.int16).tobytes())

    def decode(self, data, shape):
        return (
            np.frombuffer(zlib.decompress(data), np.int16).reshape(shape).astype(np.float32) / 255
        )


def test_any_entropy_model_will_do(monkeypatch):
    monkeypatch.setattr("ae_keras.codec.layout.SECTION_PIXELS", 3 * 64)
    codec = ImageCodec(BlockTransform(3), Deflated(), "blocks")
    images = [smooth_image(20, 13, 4, seed) for seed in range(3)]
    for image, restored in zip(
        images, codec.decompress_many(codec.compress_many(images)), strict=True
    ):
        assert error(image, restored) < 1


def test_many_at_once_are_the_same_files_as_one_by_one(codec):
    images = [smooth_image(20, 13, 4, seed) for seed in range(5)]
    files = codec.compress_many(images)
    assert files == [codec.compress(image) for image in images]
    for image, restored in zip(images, codec.decompress_many(files), strict=True):
        np.testing.assert_array_equal(restored, codec.decompress(codec.compress(image)))
        assert error(image, restored) < 10


def test_images_that_differ_are_not_compressed_together(codec):
    image = smooth_image(8, 8, 3)
    for other in (smooth_image(8, 9, 3), smooth_image(8, 8, 4), smooth_image(8, 8, 1)):
        with pytest.raises(ValueError, match="Expected images of one shape"):
            codec.compress_many([image, other])
    files = [codec.compress(picture) for picture in (image, smooth_image(8, 8, 1))]
    with pytest.raises(InconsistentError, match="not of one geometry"):
        codec.decompress_many(files)


def test_several_sections_hold_the_same_image(codec, monkeypatch):
    image = smooth_image(100, 60, 3)
    whole = codec.decompress(codec.compress(image))
    monkeypatch.setattr("ae_keras.codec.layout.SECTION_PIXELS", 7 * 64)
    monkeypatch.setattr("ae_keras.codec.layout.BATCH_PIXELS", 5 * 64)
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


def test_labels_are_in_the_file():
    codec = make_block_codec(classes=5)
    image = smooth_image(8, 8, 3)
    for label in (None, 5, -1, 2.0, "3", True):
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
        ({"overlap": 5}, r"overlap of 5 pixels does not fit tiles of \(8, 8\): 4 is the most"),
        ({"overlap": -1}, "`overlap` must be a whole number"),
        ({"overlap": 1.5}, "`overlap`"),
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
        ({"tile": (8, 9)}, 1, "tiles do not fit"),
        ({"channels": 5}, 1, "channels do not fit"),
        ({"width": 2**23}, 1, "8388608 pixels wide, too many for tiles"),
        ({"height": 2**25, "width": 8}, 1, "not as many sections"),
        ({"step": FINEST_STEP - 1}, 1, "step 31 is out of range"),
        ({"step": 2**31}, 1, "out of range"),
        ({"section_tiles": 2**31}, 1, "sections are too large"),
        ({"height": 2000, "section_tiles": 250}, 1, "longer than|escapes"),
        ({}, 0, "not as many sections"),
        ({"bank": 1}, 1, "no bank 1 of tables"),
        ({}, 2, "not as many sections"),
        ({"label": 1}, 1, "takes no label"),
    ],
)
def test_headers_that_do_not_fit_are_refused(change, sections, message, codec):
    header, (section,) = read_bitstream(codec.compress(smooth_image(8, 8, 3)))
    changed = Header(**vars(header) | change)
    with pytest.raises(BitstreamError, match=message):
        codec.decompress(write_bitstream(changed, [section] * sections))


def test_alpha_is_not_subject_to_pillows_limit(codec, monkeypatch):
    image = smooth_image(30, 30, 4)
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 400)
    restored = codec.decompress(codec.compress(image))
    np.testing.assert_array_equal(restored[..., 3], image[..., 3])


def test_alpha_that_is_none_is_refused(codec):
    header, (section, alpha) = read_bitstream(codec.compress(smooth_image(8, 8, 4)))
    png = alpha.data
    for wrong in (b"", b"no picture", png[: len(png) // 2], png.replace(b"IHDR", b"IHDX")):
        changed = Section(SectionKind.ALPHA, wrong)
        with pytest.raises(InconsistentError, match="alpha"):
            codec.decompress(write_bitstream(header, [section, changed]))
    _, (_, larger) = read_bitstream(codec.compress(smooth_image(8, 9, 4)))
    with pytest.raises(InconsistentError, match="not of the image's size"):
        codec.decompress(write_bitstream(header, [section, larger]))


def test_steps_are_the_entropy_models(codec):
    other = ImageCodec(BlockTransform(3), Deflated(), "blocks")
    assert other.with_quality(7).step == 7
    with pytest.raises(ValueError, match="there is one step"):
        other.with_step(64).compress(smooth_image(8, 8, 3))
    header, sections = read_bitstream(other.compress(smooth_image(8, 8, 3)))
    changed = write_bitstream(Header(**vars(header) | {"step": 64}), sections)
    with pytest.raises(InconsistentError, match="step 64 is out of range"):
        other.decompress(changed)


def test_metadata_are_kept_and_cost_no_pixel(codec):
    image = smooth_image(8, 9, 4)
    metadata = Metadata(b"profile", b"exif", b"<xmp/>", (72, 300.125))
    plain, full = codec.compress(image), codec.compress(image, metadata)
    assert read_metadata(read_bitstream(full)[1]) == metadata
    assert read_metadata(read_bitstream(plain)[1]) == Metadata()
    np.testing.assert_array_equal(codec.decompress(full), codec.decompress(plain))
