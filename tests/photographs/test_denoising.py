import numpy as np
import pytest
from conftest import make_exif, make_profile, smooth_images
from PIL import Image

import ae_keras
from ae_keras.codec.loading import load_codec
from ae_keras.codec.tiling import Tiling
from ae_keras.photographs.denoising import Denoiser, Denoising
from ae_keras.photographs.jobs import Job
from ae_keras.registry import recipe_for


@pytest.fixture(scope="module")
def denoiser():
    return Denoiser("cae-cifar10")


def test_an_image_of_one_tile_is_the_models_reconstruction(denoiser, rng):
    image = smooth_images(rng, 1, 24, 32, 3)[0]
    transform = load_codec("cae-cifar10").transform
    expected = transform.decode(transform.encode(image[np.newaxis] / 255))[0]
    np.testing.assert_array_equal(denoiser(image), np.rint(expected * 255).astype(np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (37, 50), (37, 50, 2), (37, 50, 3), (37, 50, 4)])
def test_images_of_any_size_and_kind_keep_their_shape_and_alpha(shape, denoiser, rng):
    image = rng.integers(0, 256, shape, np.uint8)
    cleaned = denoiser(image)
    assert cleaned.shape == shape
    assert cleaned.dtype == np.uint8
    if shape[-1] in (2, 4):
        np.testing.assert_array_equal(cleaned[..., -1], image[..., -1])


def test_tiles_of_a_fixed_size_are_blended(rng):
    denoiser = Denoiser("vae_v2-cifar10")
    image = smooth_images(rng, 1, 70, 90, 3)[0]
    tiling = Tiling((70, 90), (32, 32), 8)
    transform = load_codec("vae_v2-cifar10").transform
    strips = (
        transform.decode(transform.encode(strip.astype(np.float32) / 255))
        for strip in tiling.cut(image)
    )
    expected = np.concatenate(list(tiling.join(strips)))
    assert np.abs(denoiser(image) - expected * 255).max() < 0.51


@pytest.mark.thorough
def test_a_model_that_was_trained_for_it_takes_noise_away(tmp_path, rng):
    np.save(tmp_path / "data.npy", smooth_images(rng, 400, 16, 16, 3))
    changes = {"task": "denoising", "noise": 0.3, "filters": (16, 8), "epochs": 8, "batch_size": 8}
    recipe = recipe_for("cae", str(tmp_path / "data.npy"), image_shape=(16, 16, 3), **changes)
    ae_keras.train(recipe, tmp_path / "run", verbose=0)
    clean = smooth_images(rng, 1, 40, 50, 3)[0].astype(np.float32)
    noisy = np.clip(clean + rng.normal(0, 0.3 * 255, clean.shape), 0, 255).astype(np.uint8)
    restored = Denoiser(str(tmp_path / "run"))(noisy)
    assert np.mean((restored - clean) ** 2) < 0.5 * np.mean((noisy - clean) ** 2)


def test_files_are_denoised_and_not_replaced_unasked(denoiser, tmp_path, rng):
    source, target = tmp_path / "in.png", tmp_path / "deep" / "out.png"
    Image.fromarray(rng.integers(0, 256, (20, 30), np.uint8)).save(source)
    job = Job(str(source), str(target))
    assert Denoising(denoiser)(job).shape == (20, 30)
    with Image.open(target) as image:
        assert image.size == (30, 20)
    with pytest.raises(FileExistsError, match="--force"):
        Denoising(denoiser)(job)
    Denoising(denoiser, force=True)(job)
    with pytest.raises(FileExistsError, match="the input itself"):
        Denoising(denoiser, force=True)(Job(str(source), str(source)))


class Unchanged:
    """A denoiser, of grey images, that keeps all pixels."""

    channels = 1

    def __call__(self, image):
        return image


def test_metadata_are_kept_and_colours_become_those_of_srgb(tmp_path, rng):
    pixels = rng.integers(0, 256, (20, 30, 3), np.uint8)
    exif = b"Exif\0\0" + make_exif(6)
    for swapped, order in ((False, [0, 1, 2]), (True, [1, 0, 2])):
        profile, job = make_profile(swapped), Job(str(tmp_path / "in.png"), str(tmp_path / "x.png"))
        Image.fromarray(pixels).save(job.source, icc_profile=profile, exif=exif)
        Denoising(Unchanged(), force=True)(job)
        with Image.open(job.target) as cleaned:
            expected = np.rot90(pixels, -1)[..., order]
            assert np.abs(np.asarray(cleaned, int) - expected).max() <= int(swapped)
            # That of sRGB stays, and takes the place of another.
            assert cleaned.info["icc_profile"] == make_profile()
            assert cleaned.info["exif"] == b"Exif\0\0" + make_exif(1)


def test_models_with_labels_are_refused(tmp_path, rng):
    np.savez(
        tmp_path / "data.npz",
        images=rng.integers(0, 256, (40, 16, 16, 3), np.uint8),
        labels=np.arange(40) % 2,
    )
    recipe = recipe_for(
        "cae", str(tmp_path / "data.npz"), image_shape=(16, 16, 3), conditional=True, epochs=1
    )
    ae_keras.train(recipe, tmp_path / "run", verbose=0)
    with pytest.raises(ValueError, match="needs labels"):
        Denoiser(str(tmp_path / "run"))


@pytest.mark.parametrize("shape", [(70, 50), (70, 50, 4)])
def test_a_codec_of_photographs_keeps_what_its_files_do(shape, rng):
    image = smooth_images(rng, 1, 70, 50, 4)[0].reshape(70, 50, 4)
    image = image if len(shape) == 3 else image[..., 0]
    codec = load_codec("photo")
    expected = codec.decompress(codec.compress(image))
    np.testing.assert_array_equal(Denoiser("photo")(image), expected)
