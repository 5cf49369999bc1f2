import numpy as np
import pytest
from conftest import smooth_images

from ae_keras import metrics
from ae_keras.codec import CLASSICAL
from ae_keras.codec.classical import (
    PrincipalComponents,
    SingularValues,
    make_codec,
)


@pytest.fixture
def training(rng):
    return smooth_images(rng, 100, 12, 10, 3)


@pytest.mark.parametrize("name", CLASSICAL)
def test_images_come_back(name, training, rng):
    codec = make_codec(name, training)
    assert codec.is_lossless == CLASSICAL[name].is_lossless
    if codec.takes_quality:
        codec = codec.with_quality(95)
    image = smooth_images(rng, 1, 12, 10, 3)[0]
    restored = codec.decompress(codec.compress(image))
    if codec.is_lossless:
        np.testing.assert_array_equal(restored, image)
    else:
        assert restored.shape == image.shape
        assert np.abs(restored.astype(int) - image).mean() < 8


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "svd", "pca"])
def test_quality_costs_bytes(name, training, rng):
    codec = make_codec(name, training)
    image = smooth_images(rng, 1, 12, 10, 3)[0]
    sizes = [len(codec.with_quality(quality).compress(image)) for quality in (5, 50, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_truncation_is_the_best_matrix_of_its_rank(rng):
    image = rng.random((1, 12, 10, 1))
    transform = SingularValues((12, 10, 1), rank=4)
    latents = transform.encode(image)
    assert latents.shape[1:] == transform.latent_shape == (22, 4)
    error = np.square(transform.decode(latents) - image).sum()
    values = np.linalg.svd(image[0, ..., 0], compute_uv=False)
    assert error == pytest.approx(np.sum(values[4:] ** 2))


def test_components_are_those_of_the_covariance(training):
    transform = PrincipalComponents(training)
    pixels = training.reshape(len(training), -1) / 255
    centred = pixels - pixels.mean(axis=0)
    latents = transform.encode(training.astype(np.float32) / 255)
    variances = np.linalg.eigvalsh(centred.T @ centred / (len(pixels) - 1))[::-1]
    np.testing.assert_allclose(
        latents.var(axis=0, ddof=1), variances[: latents.shape[1]], rtol=1e-3, atol=1e-6
    )
    error = np.square(transform.decode(latents) - training / 255).mean()
    assert error <= 0.0006 * centred.var()


def test_rank_of_a_given_error(training):
    codec = make_codec("svd-3", training[..., :1]).with_quality(100)
    image = training[0, ..., :1]
    restored = codec.decompress(codec.compress(image))[np.newaxis, ..., np.newaxis] / 255
    values = np.linalg.svd(image[..., 0] / 255, compute_uv=False)
    best = np.sum(values[3:] ** 2) / image.size
    assert metrics.mse(image[np.newaxis] / 255, restored)[0] == pytest.approx(best, abs=4e-5)


def test_principal_components_of_blocks(training):
    codec = make_codec("pca-2", training)
    assert codec.transform.tile == (2, 2)
    blocks = training[:, :2, 4:6] / 255
    latents = codec.transform.encode(blocks)
    assert np.abs(codec.transform.decode(latents) - blocks).max() < 0.1
    image = training[0]
    restored = codec.with_quality(100).decompress(codec.with_quality(100).compress(image))
    assert np.abs(restored.astype(int) - image).mean() < 4
    with pytest.raises(ValueError, match="do not consist of blocks of 5x5"):
        make_codec("pca-5", training)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *(
            (name, rf"Unknown codec '{name}'\. Expected .+ jpeg")
            for name in ("jpg", "svd-", "svd-0", "pca-x")
        ),
        ("pca", "fitted"),
    ],
)
def test_codecs_that_cannot_be_made_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        make_codec(name)
