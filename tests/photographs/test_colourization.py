import keras
import numpy as np
import pytest
from conftest import make_profile, smooth_images
from keras import ops
from PIL import Image

import ae_keras
from ae_keras.photographs.colourization import Colourization, PhotoColourizer
from ae_keras.photographs.jobs import Job
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.system import notices
from ae_keras.system.colour import grey_to_lightness, rgb_to_lab, to_grey


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose colourizer is not trained, which colours no less vividly."""
    recipe = ae_keras.recipe_for("colourizer", filters=(4, 8, 8))
    run = RunFolder(tmp_path_factory.mktemp("run"))
    run.start(recipe)
    keras.utils.set_random_seed(0)
    run.write_model(build_from_recipe(recipe), run.model)
    return run.path


@pytest.fixture
def colourizer(run):
    return PhotoColourizer(str(run))


@pytest.mark.parametrize(
    "shape", [(50, 71), (50, 71, 1), (33, 20, 2), (90, 40, 3), (7, 3, 4), (1, 1)]
)
def test_the_lightness_is_that_of_the_photograph(shape, colourizer, rng):
    image = rng.integers(0, 256, shape, np.uint8)
    result = colourizer(image)
    has_alpha = len(shape) == 3 and shape[2] in (2, 4)
    assert result.dtype == np.uint8
    assert result.shape == (*shape[:2], 4 if has_alpha else 3)
    pixels = image.reshape(*shape[:2], -1)
    if has_alpha:
        np.testing.assert_array_equal(result[..., 3], pixels[..., -1])
        pixels = pixels[..., :-1]
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    before, after = (to_grey(np.float32(array[..., :3]) / 255) for array in (pixels, result))
    assert np.abs(255 * (before - after)).max() <= 1
    assert np.ptp(result[..., :3], axis=-1).max() > 0


def test_strips_leave_no_seams(colourizer, rng, monkeypatch):
    image = smooth_images(rng, 1, 60, 45, 1)[0]
    whole = colourizer(image)
    monkeypatch.setattr("ae_keras.photographs.colourization.STRIP_PIXELS", 7 * 45)
    np.testing.assert_array_equal(colourizer(image), whole)


def test_a_photograph_of_the_working_size_gets_the_chroma_of_the_model(run, rng):
    colourizer = PhotoColourizer(str(run), working_sizes=[32])
    image = smooth_images(rng, 1, 32, 32, 1)[0]
    expected = np.asarray(ae_keras.load(run)(image[np.newaxis] / np.float32(255)))[0]
    result = colourizer(image) / 255
    # The model enlarges chroma linearly, the photograph's is enlarged by a cubic.
    difference = np.abs(rgb_to_lab(np.float32(result)) - rgb_to_lab(expected))
    assert difference[..., 0].max() < 0.5
    assert difference[2:-2, 2:-2, 1:].mean() < 1


def test_the_chroma_of_some_working_sizes_is_averaged(run, rng):
    image = smooth_images(rng, 1, 64, 64, 1)[0]
    chroma = [
        rgb_to_lab(np.float32(PhotoColourizer(str(run), sizes)(image)) / 255)[..., 1:]
        for sizes in ([16], [64], [64, 16])
    ]
    small, large, both = map(ops.convert_to_numpy, chroma)
    assert np.abs(small - large).mean() > 1
    assert np.abs(both - (small + large) / 2).mean() < 0.5


def test_lightness_of_levels_is_that_of_grey_pixels(colourizer):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    lightness = rgb_to_lab(np.float32(colourizer(levels)) / 255)[..., 0]
    expected = grey_to_lightness(np.float32(levels) / 255)
    # Half a level of each channel, where a level of dark grey is 0.27 of L and of light grey 0.4.
    np.testing.assert_allclose(ops.convert_to_numpy(lightness), expected, atol=0.25)


def test_files(colourizer, tmp_path, rng):
    grey, colour = tmp_path / "grey.png", tmp_path / "colour.png"
    Image.fromarray(smooth_images(rng, 1, 40, 30, 1)[0, ..., 0]).save(grey)
    Image.fromarray(smooth_images(rng, 1, 40, 30, 3)[0]).save(colour)
    work = Colourization(colourizer, side_by_side=True)
    targets = [tmp_path / "out" / f"{name}.png" for name in ("grey", "colour")]
    results = [
        work(Job(str(source), str(target)))
        for source, target in zip((grey, colour), targets, strict=True)
    ]
    assert results[0].scores == {}
    assert list(results[1].scores) == ["ab-RMSE", "PSNR [dB]", "Delta E 2000"]
    assert all(value > 0 for value in results[1].scores.values())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("colour-side-by-side.png", "colour.png", "grey-side-by-side.png", "grey.png")
    ]
    targets[0].unlink()
    with pytest.raises(FileExistsError, match="grey-side-by-side"):
        work(Job(str(grey), str(targets[0])))
    assert not targets[0].exists()
    with pytest.raises(ValueError, match="side by side"):
        work(Job(str(grey), "-"))


@pytest.mark.parametrize("size", [(1, 1), (1, 600), (600, 1)])
def test_side_by_side_of_any_shape(size, colourizer, tmp_path):
    Image.new("RGB", size, (200, 90, 10)).save(tmp_path / "x.png")
    job = Job(str(tmp_path / "x.png"), str(tmp_path / "y.png"))
    assert Colourization(colourizer, side_by_side=True)(job).scores
    with Image.open(tmp_path / "y.png") as image:
        assert image.size == size
    with Image.open(tmp_path / "y-side-by-side.png") as figure:
        assert max(figure.size) < 3000


def test_pixels_that_no_one_sees_are_not_scored(tmp_path, rng):
    """With a colourizer that makes all pixels red."""
    image = rng.integers(0, 256, (20, 30, 4), np.uint8)
    image[..., 3] = 255
    image[:8, :, 3] = 0
    source, target = tmp_path / "x.png", tmp_path / "y.png"

    def redden(image, hints):
        return np.dstack([np.broadcast_to([255, 0, 0], (20, 30, 3)), image[..., 3]]).astype(
            np.uint8
        )

    Image.fromarray(image).save(source)
    scores = Colourization(redden)(Job(str(source), str(target))).scores
    error = np.square((image[8:, :, :3] - np.array([255.0, 0, 0])) / 255).mean()
    assert scores["PSNR [dB]"] == pytest.approx(-10 * np.log10(error), abs=1e-4)
    image[8:, :, :3] = image[8:, :, :1]
    Image.fromarray(image).save(source)
    assert Colourization(redden, force=True)(Job(str(source), str(target))).scores == {}


def test_palette_and_deep_images_are_converted(colourizer, tmp_path, rng):
    values = smooth_images(rng, 1, 20, 20, 1)[0, ..., 0]
    Image.fromarray(values).save(tmp_path / "plain.png")
    Image.fromarray(values).quantize(256).save(tmp_path / "palette.png")
    Image.fromarray(values.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    shown = []
    for name in ("plain", "palette", "deep"):
        job = Job(str(tmp_path / f"{name}.png"), str(tmp_path / f"{name}-colour.png"))
        Colourization(colourizer)(job)
        with Image.open(job.target) as image:
            shown.append(np.asarray(image))
    np.testing.assert_array_equal(shown[1], shown[0])
    np.testing.assert_array_equal(shown[2], shown[0])


def test_colours_of_another_profile_are_those_of_srgb(tmp_path, rng):
    """With a colourizer that keeps all colours."""
    pixels = rng.integers(0, 256, (20, 30, 3), np.uint8)
    job = Job(str(tmp_path / "x.png"), str(tmp_path / "y.png"))
    Image.fromarray(pixels).save(job.source, icc_profile=make_profile(swapped=True))
    result = Colourization(lambda image, hints: image)(job)
    # Scored against the colours that are seen.
    assert result.scores["Delta E 2000"] == 0
    with Image.open(job.target) as image:
        assert np.abs(np.asarray(image, int) - pixels[..., [1, 0, 2]]).max() <= 1
        assert "icc_profile" not in image.info
    ((sentence, file, _),) = notices.take()
    assert (file, "converted to sRGB" in sentence) == (job.source, True)


def test_other_models_and_sizes_are_refused(run):
    with pytest.raises(ValueError, match="'cae', which is no colourizer"):
        PhotoColourizer("cae-cifar10")
    with pytest.raises(ValueError, match="working size must be at least 4"):
        PhotoColourizer(str(run), working_sizes=[3])
    with pytest.raises(FileNotFoundError):
        PhotoColourizer("nobody")
