import dataclasses

import keras
import numpy as np
import pytest
from conftest import smooth_images
from PIL import Image
from skimage import data as skimage_data

from ae_keras.data.batches import make_batches
from ae_keras.data.camera import add_grain, soften_colours
from ae_keras.data.crop_batches import CropBatches
from ae_keras.data.crops import Cropper, cut_region
from ae_keras.data.photographs import Photographs
from ae_keras.data.spec import BatchSpec, CropSpec

PLAIN = {"reduce_share": 0, "flip": 0, "turn": 0, "soft_colours": 0}
FULL = {"grain": 4}


def coordinates(height, width, number=0):
    """A photograph whose pixels are (row, column, number)."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.full_like(rows, number)], -1).astype(np.uint8)


def photographs_of(*images, kinds=None, shape=(8, 12, 3)):
    return Photographs(images, kinds or ("any",) * len(images), shape)


@pytest.fixture
def photographs(rng):
    return photographs_of(*smooth_images(rng, 4, 40, 60, 3), shape=(16, 16, 3))


def spec_of(crops=FULL, **settings):
    return BatchSpec(batch_size=4, crops=crops, steps_per_epoch=6, **settings)


def weigh(position):
    return (1 + position)[:, None, None]


def assert_equal_batches(ours, theirs):
    for some, other in zip(ours, theirs, strict=True):
        for one, another in zip(*map(keras.tree.flatten, (some, other)), strict=True):
            np.testing.assert_array_equal(one, another)


def test_crops_lie_inside_their_photograph_and_reach_all_offsets(rng):
    photographs = photographs_of(coordinates(12, 15, 1), coordinates(8, 14, 2))
    crops = Cropper(photographs, CropSpec(**PLAIN)).cut(1000, rng).astype(int)
    assert crops.shape == (1000, 8, 12, 3)
    assert (crops - crops[:, :1, :1] == coordinates(8, 12)).all()
    found = {tuple(crop[0, 0]) for crop in crops}
    expected = {(row, column, 1) for row in range(5) for column in range(4)}
    assert found == expected | {(0, column, 2) for column in range(3)}


def test_reduced_crops_are_as_if_the_photograph_was_made_smaller():
    image = np.ascontiguousarray(skimage_data.coffee()[:384, :512])
    small = np.asarray(Image.fromarray(image).resize((256, 192), Image.Resampling.LANCZOS))
    for top, left in ((0, 0), (0.3, 0.6), (0.999, 0.999)):
        part = cut_region(image, (64, 48), 0.5, top, left)
        row, column = int(top * (384 - 128 + 1)), int(left * (512 - 96 + 1))
        if row % 2 == column % 2 == 0:
            expected = small[row // 2 : row // 2 + 64, column // 2 : column // 2 + 48]
            np.testing.assert_array_equal(part, expected)
        whole = Image.fromarray(image).resize(
            (48, 64), Image.Resampling.LANCZOS, (column, row, column + 96, row + 128)
        )
        np.testing.assert_array_equal(part, whole)


@pytest.mark.parametrize("factor", [0.1, 0.3, 0.77, 0.999])
@pytest.mark.parametrize("shape", [(8, 12), (9, 13), (23, 41)])
@pytest.mark.parametrize("place", [0.0, 0.5, 1 - 2**-53])
def test_no_factor_leads_beyond_the_photograph(factor, shape, place):
    part = cut_region(coordinates(*shape), (8, 12), factor, place, place)
    assert part.shape == (8, 12, 3)
    scale = max(factor, 8 / shape[0], 12 / shape[1])
    for axis, length in ((0, 8), (1, 12)):
        values = np.moveaxis(part[..., axis], axis, 0)[:, 0].astype(float)
        # A ramp stays a ramp, but for rounding and its ends, where the filter rings a little.
        np.testing.assert_allclose(np.diff(values).mean(), 1 / scale, atol=2 / length)
        assert values.min() >= 0
        assert values.max() <= shape[axis] - 1


def test_shares_of_flips_turns_and_sizes(rng):
    image = coordinates(200, 200)
    settings = PLAIN | {"flip": 0.3, "turn": 0.4}
    crops = Cropper(photographs_of(image), CropSpec(**settings)).cut(2000, rng).astype(int)
    down, across = crops[:, 1, 0] - crops[:, 0, 0], crops[:, 0, 1] - crops[:, 0, 0]
    turned = down[:, 0] == 0
    assert turned.mean() == pytest.approx(0.4, abs=0.04)
    assert (across[~turned, 1] == -1).mean() == pytest.approx(0.3, abs=0.05)
    assert {tuple(step) for step in down[turned][:, :2]} == {(0, 1), (0, -1)}
    settings = PLAIN | {"reduce": 0.5, "reduce_share": 0.4}
    crops = Cropper(photographs_of(image), CropSpec(**settings)).cut(1000, rng).astype(int)
    steps = (crops[:, -2, 0, 0] - crops[:, 1, 0, 0]) / 5
    assert (steps > 1.05).mean() == pytest.approx(0.4 * 0.95, abs=0.06)
    assert 1.8 < steps.max() <= 2.2


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}),
        ({"a": 3, "b": 1}, {1: 0.375, 2: 0.375, 3: 0.25}),
        ({"a": 0, "b": 1}, {3: 1.0}),
    ],
)
def test_photographs_are_drawn_alike_or_by_weights_of_kinds(weights, expected, rng):
    images = coordinates(20, 20, 1), coordinates(20, 20, 2), coordinates(30, 40, 3)
    photographs = photographs_of(*images, kinds=("a", "a", "b"))
    crops = Cropper(photographs, CropSpec(**PLAIN, weights=weights)).cut(4000, rng)
    numbers, counts = np.unique(crops[:, 0, 0, 2], return_counts=True)
    assert set(numbers) == set(expected)
    for number, count in zip(numbers, counts, strict=True):
        assert count / 4000 == pytest.approx(expected[number], abs=0.035)


@pytest.mark.parametrize("weights", [{"a": 1}, {"a": 1, "b": 1, "c": 1}])
def test_weights_name_the_kinds_that_are_there(weights):
    photographs = photographs_of(coordinates(20, 20), coordinates(20, 20), kinds=("a", "b"))
    with pytest.raises(ValueError, match=r"must name the kinds of the data set: a, b\. Received"):
        Cropper(photographs, CropSpec(weights=weights))


def to_ycbcr(pixels):
    return np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float)


def test_soft_colours_keep_luma_and_lose_fine_chroma():
    # Noise around the middle, so that no colour is cut off at 0 or 255.
    pixels = np.random.default_rng(0).integers(80, 176, (64, 64, 3), np.uint8)
    before, after = to_ycbcr(pixels), to_ycbcr(soften_colours(pixels))
    assert np.abs(before[..., 0] - after[..., 0]).max() <= 2
    spectra = [np.abs(np.fft.fft2(image[..., 1] - 128)) ** 2 for image in (before, after)]
    fine = np.abs(np.fft.fftfreq(64)) > 0.35
    assert spectra[1][fine].sum() < 0.1 * spectra[0][fine].sum()
    coarse = np.abs(np.fft.fftfreq(64)) < 0.06
    ratio = spectra[1][np.ix_(coarse, coarse)].sum() / spectra[0][np.ix_(coarse, coarse)].sum()
    assert ratio == pytest.approx(1, abs=0.1)
    assert soften_colours(pixels[:63, :61]).shape == (63, 61, 3)


def test_grain_has_its_deviation(rng):
    grey = np.full((200, 200, 3), 128, np.uint8)
    noise = add_grain(grey, 5.0, rng).astype(float) - 128
    assert noise.std() == pytest.approx(5, rel=0.02)
    assert abs(noise.mean()) < 0.1
    assert np.array_equal(add_grain(grey, 0.0, rng), grey)
    crops = Cropper(
        photographs_of(np.full((40, 40, 3), 128, np.uint8)), CropSpec(**PLAIN, grain=10)
    ).cut(500, rng)
    deviations = crops.std(axis=(1, 2, 3))
    assert (deviations > 0.3).mean() == pytest.approx(0.5, abs=0.08)
    assert 8 < deviations.max() < 12


def test_batches_depend_on_seed_epoch_and_number_alone(photographs):
    batches = make_batches(photographs, spec_of(), weigh)
    assert isinstance(batches, CropBatches)
    whole = list(batches.training(3))
    assert len(whole) == len(batches.training(3)) == len(batches) == 6
    assert_equal_batches(batches.training(3, first_batch=4), whole[4:])
    assert_equal_batches(make_batches(photographs, spec_of(), weigh).training(3), whole)
    others = [batches.training(2), make_batches(photographs, spec_of(seed=1), weigh).training(3)]
    for other in others:
        for (inputs, position), _, _ in other:
            assert all(np.any(inputs != theirs[0][0]) for theirs in whole)
            assert all(np.any(position != theirs[0][1]) for theirs in whole)


def test_batches_have_positions_and_weights(photographs):
    for (inputs, position), targets, weights in make_batches(
        photographs, spec_of(), weigh
    ).training(0):
        assert inputs.dtype == targets.dtype == position.dtype == weights.dtype == np.float32
        assert inputs.shape == targets.shape == (4, 16, 16, 3)
        np.testing.assert_array_equal(inputs, targets)
        np.testing.assert_array_equal(weights, (1 + position)[:, None, None])
        assert 0 <= inputs.min() < inputs.max() <= 1
    plain = [inputs for inputs, _ in make_batches(photographs, spec_of()).training(0)]
    quality = [
        inputs[0] for inputs, _, _ in make_batches(photographs, spec_of(), weigh).training(0)
    ]
    np.testing.assert_array_equal(plain, quality)


def test_positions_are_uniform(photographs):
    spec = dataclasses.replace(spec_of(PLAIN), steps_per_epoch=500)
    positions = [batch[0][1] for batch in make_batches(photographs, spec, weigh).training(0)]
    counts, _ = np.histogram(np.concatenate(positions), 4, (0, 1))
    np.testing.assert_allclose(counts, 500, atol=80)


def test_evaluation_is_a_grid_of_crops_as_they_are(photographs):
    photographs = dataclasses.replace(photographs, grid=2)
    batches = make_batches(photographs, spec_of(), weigh)
    positioned, targets, _ = zip(*batches.evaluation_arrays(), strict=True)
    inputs, position, targets = map(np.concatenate, (*zip(*positioned, strict=True), targets))
    assert inputs.shape == (16, 16, 16, 3)
    np.testing.assert_allclose(inputs, photographs.grid_crops() / 255, rtol=1e-6)
    np.testing.assert_array_equal(inputs, targets)
    assert len(np.unique(np.floor(4 * position))) == 4  # spread over the scale


@pytest.mark.parametrize("grid", [1, 2, 3, 100])
@pytest.mark.parametrize("size", [(8, 12), (9, 40), (40, 23), (41, 67)])
def test_a_grid_is_even_and_inside_and_its_crops_share_no_pixel(size, grid):
    photographs = Photographs((coordinates(*size),), ("any",), (8, 12, 3), grid)
    crops = photographs.grid_crops().astype(int)
    rows, columns = min(grid, size[0] // 8), min(grid, size[1] // 12)
    assert len(crops) == rows * columns
    assert (crops - crops[:, :1, :1] == coordinates(8, 12)).all()
    pixels = crops[..., :2].reshape(-1, 2)
    assert len(np.unique(pixels, axis=0)) == len(pixels)
    for axis, count in enumerate((rows, columns)):
        centres = np.unique(crops[:, 0, 0, axis]) + (8, 12)[axis] / 2
        parts = (np.arange(count) + 0.5) * size[axis] / count
        assert np.abs(centres - parts).max() < 1


def test_evaluation_does_without_the_weights_of_kinds():
    validation = photographs_of(coordinates(20, 20), kinds=("b",))
    batches = make_batches(validation, spec_of({"weights": {"a": 2, "b": 1}}))
    assert len(list(batches.evaluation_arrays())) == 1
    with pytest.raises(ValueError, match="must name the kinds"):
        batches.training(0)


def test_tasks_apply_to_crops(photographs):
    noisy = make_batches(photographs, spec_of(task="denoising", noise=0.1))
    inputs, targets = next(iter(noisy.training(0)))
    assert 0.05 < (inputs - targets).std() < 0.11
    grey = make_batches(photographs, spec_of(task="colourization"))
    inputs, targets = next(iter(grey.training(0)))
    assert (inputs.shape, targets.shape) == ((4, 16, 16, 1), (4, 16, 16, 3))


def test_samples_are_crops_and_always_the_same(photographs):
    batches = CropBatches(photographs, spec_of())
    sample = batches.sample(10).images
    assert (sample.shape, sample.dtype) == ((10, 16, 16, 3), np.uint8)
    np.testing.assert_array_equal(sample, batches.sample(10).images)


def two_input_model():
    images, position = keras.Input((16, 16, 3)), keras.Input(())
    scale = keras.layers.Dense(3)(keras.layers.Reshape((1, 1, 1))(position))
    return keras.Model([images, position], keras.layers.Multiply()([images, scale]))


def test_fit_is_the_same_with_any_number_of_workers(photographs):
    losses = []
    for workers in (0, 2):
        keras.utils.set_random_seed(0)
        model = two_input_model()
        model.compile("sgd", "mse")
        batches = CropBatches(photographs, spec_of(), weigh, workers=workers)
        history = model.fit(
            batches.training(0), validation_data=batches.evaluation(), shuffle=False, verbose=0
        ).history
        losses.append((history, [weight.numpy() for weight in model.trainable_weights]))
    assert losses[0][0] == losses[1][0]
    for ours, theirs in zip(losses[0][1], losses[1][1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_grey_and_oblong_crops(rng):
    images = smooth_images(rng, 2, 30, 40, 1)
    photographs = photographs_of(*images, shape=(8, 20, 1))
    settings = {"turn": 1, "grain": 3}
    assert Cropper(photographs, CropSpec(**settings)).cut(20, rng).shape == (20, 8, 20, 1)
    narrow = photographs_of(coordinates(8, 30))  # holds no turned crop
    crops = Cropper(narrow, CropSpec(**PLAIN | {"turn": 1})).cut(20, rng)
    assert (crops[:, 1, 0, 0] == 1).all()
