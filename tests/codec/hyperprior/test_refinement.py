"""Efforts: files of them are decoded alike, and cost less than those of plain rounding."""

from pathlib import Path

import numpy as np
import pytest
from conftest import smooth_images

from ae_keras import load_codec, metrics
from ae_keras.codec.hyperprior.refinement import ROUNDS
from ae_keras.system.quality import lambda_of_position, position_of_quality

TINY = Path(__file__).parents[2] / "golden" / "photo"
QUALITY = 50


def cost(image, data):
    """Return bits + lambda * squared error of a file, by a codec that knows of no effort."""
    restored = load_codec(TINY).decompress(data)
    weight = float(lambda_of_position(position_of_quality(QUALITY)))
    return 8 * len(data) + weight * np.square(restored - image.astype(float)).sum() / 3


def test_an_effort_costs_less(rng):
    image = smooth_images(rng, 1, 100, 130, 3)[0]
    image = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
    plain, refined = (load_codec(TINY, effort=effort).with_quality(QUALITY) for effort in (1, 2))
    assert cost(image, refined.compress(image)) < cost(image, plain.compress(image))


@pytest.mark.thorough
def test_more_effort_costs_less(rng):
    image = smooth_images(rng, 1, 150, 200, 3)[0]
    image = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
    files = [load_codec(TINY, effort=effort).with_quality(QUALITY) for effort in (1, 2, 4)]
    plain, little, more = (cost(image, codec.compress(image)) for codec in files)
    assert more < little < plain


def test_an_effort_gives_the_same_file_twice(rng):
    image = smooth_images(rng, 1, 70, 64, 3)[0]
    codec = load_codec(TINY, effort=2)
    assert codec.compress(image) == codec.compress(image)


@pytest.mark.parametrize("shape", [(64, 64), (40, 70, 2), (65, 10, 4)])
def test_any_image_is_taken(rng, shape):
    image = rng.integers(256, size=shape, dtype=np.uint8)
    data = load_codec(TINY, effort=2).compress(image)
    assert load_codec(TINY).decompress(data).shape == shape


def test_each_effort_has_more_rounds_than_the_one_before():
    assert len(ROUNDS) == 9
    assert list(ROUNDS) == sorted(set(ROUNDS))
    assert not any(rounds % 2 for rounds in ROUNDS)


@pytest.mark.parametrize("effort", [0, 10, 2.0, "3", True])
def test_there_are_nine_efforts(effort):
    with pytest.raises(ValueError, match="whole number from 1 to 9"):
        load_codec(TINY, effort=effort)


def test_only_codecs_of_photographs_take_an_effort():
    with pytest.raises(ValueError, match=r"for codecs of photographs.*'cae'"):
        load_codec("cae-cifar10", effort=2)
    with pytest.raises(ValueError, match="needs the run"):
        load_codec(TINY / "model.tflite", effort=2)


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        load_codec(TINY, effort=3)


@pytest.mark.thorough
def test_a_photograph_takes_fewer_bytes():
    from skimage import data

    image = data.chelsea()[40:296, 100:356]
    sizes, qualities = zip(*(_measure(image, effort) for effort in (1, 6)), strict=True)
    assert sizes[1] < 0.98 * sizes[0]
    assert qualities[1] > qualities[0] - 0.15


def _measure(image, effort):
    codec = load_codec("photo", effort=effort).with_quality(QUALITY)
    compressed = codec.compress(image)
    return len(compressed), metrics.image_psnr(image, codec.decompress(compressed))
