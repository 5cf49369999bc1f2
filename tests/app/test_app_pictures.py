import numpy as np
import pytest
from conftest import pixels_of, smooth_images
from PIL import Image

from ae_keras import metrics
from ae_keras.app import model_lists
from ae_keras.app.colourizing import GREY, ORIGINAL, colourize_upload
from ae_keras.app.denoising import add_noise, denoise_upload
from ae_keras.app.quality import MIDDLE, measure_ms_ssim
from ae_keras.photographs.colourization import PhotoColourizer
from ae_keras.photographs.denoising import Denoiser
from ae_keras.photographs.hints import Hint

pytestmark = pytest.mark.usefixtures("page_folder")

COLOURIZER = "colourizer-cifar10"


@pytest.fixture
def image(rng):
    return smooth_images(rng, 1, 40, 56, 3)[0]


@pytest.fixture
def path(image, tmp_path):
    Image.fromarray(image).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_a_test_adds_the_noise_that_it_says():
    grey = np.full((200, 200), 128, np.uint8)
    noisy = add_noise(grey, 20)
    assert noisy.std() == pytest.approx(20, rel=0.02)
    assert np.array_equal(noisy, add_noise(grey, 20))


def test_alpha_has_no_noise():
    image = np.full((9, 9, 4), 128, np.uint8)
    assert (add_noise(image, 30)[..., 3] == 128).all()


def test_denoised_pictures_are_those_of_the_library(path, image):
    done = denoise_upload(path, "cae-cifar10", 25, 24)
    noisy = add_noise(image, 25)
    assert np.array_equal(pixels_of(done.before), noisy)
    cleaned = Denoiser("cae-cifar10")(noisy)
    assert np.array_equal(pixels_of(done.after), cleaned)
    for picture in (noisy, cleaned):
        assert f"{metrics.image_psnr(image, picture):.2f}" in done.text
    assert "not to denoise" in done.text


def test_without_a_test_nothing_is_measured(path, image):
    done = denoise_upload(path, "cae-cifar10", 0, 24)
    assert np.array_equal(pixels_of(done.before), image)
    assert "PSNR" not in done.text


def test_colours_are_those_of_the_library(path, image):
    hints = [Hint(5, 6, (160, 48, 32))]
    done = colourize_upload(path, COLOURIZER, hints, 24)
    assert np.array_equal(pixels_of(done.result), PhotoColourizer(COLOURIZER)(image, hints))
    assert pixels_of(done.beside[GREY]).shape == (40, 56)
    assert np.array_equal(pixels_of(done.beside[ORIGINAL]), image)
    assert "Delta E" in done.text


def test_grey_photographs_have_no_original_colours(image, tmp_path):
    Image.fromarray(image[..., 0]).save(tmp_path / "grey.png")
    done = colourize_upload(str(tmp_path / "grey.png"), COLOURIZER, [], 24)
    assert list(done.beside) == [GREY]
    assert done.text == ""


def test_ms_ssim_is_that_of_the_middle(rng):
    image = rng.integers(0, 256, (MIDDLE + 40, 30, 3), np.uint8)
    outside = image.copy()
    outside[:20] = 0
    assert measure_ms_ssim(image, outside) == 1
    outside[20] = 0
    assert measure_ms_ssim(image, outside) < 1
    assert measure_ms_ssim(image[:9], outside[:9]) is None


def test_models_are_listed_where_they_belong():
    assert model_lists.codecs()[0] == "photo"
    assert "photo-2" not in model_lists.codecs()
    assert COLOURIZER not in model_lists.codecs()
    assert model_lists.colourizers()[:2] == ["colourizer-photographs", COLOURIZER]
    assert set(model_lists.autoencoders()[:2]) == {"vae_v1-cifar10", "vae_v2-cifar10"}
    assert "lossy_cae-mnist" in model_lists.autoencoders()
    assert "photo-1" not in model_lists.autoencoders()
    assert "cae-cifar10" in model_lists.denoisers()


def test_own_runs_come_first(run):
    (run.path.parent / "damaged").mkdir()
    (run.path.parent / "damaged" / "model.keras").write_bytes(b"")
    assert model_lists.codecs()[1] == "mine"
    assert model_lists.denoisers()[:2] == ["denoiser", "mine"]
    assert model_lists.all_runs()[:2] == ["damaged", "mine"]
