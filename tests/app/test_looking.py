import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import smooth_images
from PIL import Image
from sklearn.decomposition import PCA

from ae_keras.app import looking
from ae_keras.system.pixels import to_unit_range


@pytest.fixture
def transform():
    return looking.load_autoencoder("cae-cifar10")


@pytest.fixture
def images(rng):
    return to_unit_range(smooth_images(rng, 2, 32, 32, 3))


def reconstruct(transform, images):
    return transform.decode(transform.encode(images))


def test_a_walk_goes_from_one_reconstruction_to_the_other(transform, images):
    start, end = images[:1], images[1:]
    walk = looking.walk(transform, start, end)
    assert walk.shape == (2 * looking.STEPS, 32, 32, 3)
    ends = walk[[0, looking.STEPS - 1]]
    assert np.allclose(ends, reconstruct(transform, images), atol=1e-5)
    assert np.array_equal(walk[[looking.STEPS, -1]], images)


def test_turning_changes_one_channel(transform, images):
    shown = looking.turn_channel(transform, images[:1], 3, 0.0)
    assert np.allclose(shown, [images[0], *reconstruct(transform, images[[0, 0]])], atol=1e-5)
    latent = transform.encode(images[:1])
    latent[..., 3] += 2 * latent.std()
    turned = looking.turn_channel(transform, images[:1], 3, 2.0)[2]
    assert np.allclose(turned, transform.decode(latent)[0], atol=1e-5)
    with pytest.raises(ValueError, match="channels 0 to"):
        looking.turn_channel(transform, images[:1], 999, 1.0)


def test_samples_are_of_the_prior():
    transform = looking.load_autoencoder("vae_v2-cifar10")
    samples = looking.sample_prior(transform, 5)
    assert samples.shape == (looking.SAMPLES, 32, 32, 3)
    latents = np.random.default_rng(5).standard_normal((40, *transform.latent_shape), np.float32)
    assert np.array_equal(samples, transform.decode(latents))


def test_photographs_are_cut_and_made_small(transform, tmp_path):
    halves = np.zeros((20, 60, 4), np.uint8)
    halves[:, 20:40] = 255
    Image.fromarray(halves).save(tmp_path / "a.png")
    image = looking.read_for(transform, str(tmp_path / "a.png"), 24)
    assert image.shape == (1, 32, 32, 3)
    assert (image[:, :, 4:-4] == 1).all()


def test_a_grid_shows_every_pixel_as_a_square():
    images = np.arange(16).reshape(4, 2, 2, 1) / 255
    grid = looking.make_grid(images, 2, 3)
    assert grid.shape == (2 * 3 * 3, 2 * 3 * 3)
    assert np.array_equal(grid[0:6:3, 0:6:3], [[0, 1], [2, 3]])
    assert np.array_equal(grid[9:15:3, 9:15:3], [[12, 13], [14, 15]])
    assert (grid[0:3, 3:6] == 1).all()
    assert (grid[6:9] == 255).all()


def test_components_are_the_principal_ones(rng):
    values = rng.standard_normal((50, 6)) * [5, 3, 1, 1, 1, 1]
    ours, theirs = looking.find_principal(values), PCA(2).fit_transform(values)
    assert np.allclose(np.abs(ours), np.abs(theirs))


def test_a_map_has_a_point_and_a_picture_for_each_image(run):
    root = ElementTree.fromstring(looking.draw_map("mine"))
    dots = list(root.iter("circle"))
    sheet = next(root.iter("img")).get("src").partition("base64,")[2]
    with Image.open(io.BytesIO(base64.b64decode(sheet))) as picture:
        assert picture.size == (16, 16 * len(dots))
    assert len(dots) == 4  # a tenth of the photographs are for testing


def test_models_without_such_a_latent_are_refused():
    with pytest.raises(ValueError, match="no latent that stands for a single image"):
        looking.load_autoencoder("photo")
    with pytest.raises(ValueError, match="no latent"):
        looking.load_autoencoder("colourizer-cifar10")
