import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from conftest import smooth_images
from keras import ops
from skimage import color

import ae_keras
from ae_keras.data.images import Images
from ae_keras.data.pipeline import Pipeline
from ae_keras.evaluation.reconstruction import measure
from ae_keras.layers.chroma import ChromaClassification, ChromaRegression
from ae_keras.metrics import colour as colour_metrics
from ae_keras.runs.loading import load_model
from ae_keras.system.colour import rgb_to_lab, to_grey
from ae_keras.training.compilation import compile_model

HEADS = ["regression", "classification"]
SMALL = (8, 12, 12)


def build(head, **arguments):
    keras.utils.set_random_seed(0)
    return ae_keras.build_model("colourizer", head=head, filters=SMALL, **arguments)


@pytest.fixture
def colours(rng):
    """Images whose colours follow from their lightness: dark blue, and light orange."""
    light = smooth_images(rng, 40, 16, 16, 1)[..., 0] / 255
    lab = np.stack([20 + 60 * light, 60 * light - 20, 80 * light - 40], axis=-1)
    return np.rint(255 * color.lab2rgb(lab)).astype(np.uint8)


def test_parameters_are_those_of_the_description():
    def convolutions(*sizes):
        return sum(area * inputs * outputs + outputs for area, inputs, outputs in sizes)

    down = [(9, 1, 32), (9, 32, 64), (9, 64, 64), (9, 64, 80), (9, 80, 80), (9, 80, 96)]
    up = [(9, 96, 96), (4, 96, 80), (9, 80, 80), (4, 80, 64), (9, 64, 64), (1, 64, 2)]
    model = ae_keras.build_model("colourizer")
    assert model.parameter_count == convolutions(*down, *up)
    assert model.multiple == 8


@pytest.mark.parametrize("head", HEADS)
class TestBothHeads:
    def test_any_size_becomes_an_image_as_light_as_it_was(self, head, rng):
        model = build(head)
        for size in ((16, 16), (8, 40)):
            grey = rng.random((2, *size, 1), np.float32)
            images = np.asarray(model(grey))
            assert images.shape == (2, *size, 3)
            assert images.min() >= 0
            assert images.max() <= 1
            np.testing.assert_allclose(to_grey(images), grey, atol=1e-4)

    def test_keras_file_round_trip_is_exact(self, head, colours, tmp_path):
        model = build(head)
        model.adapt(colours)
        grey = to_grey(colours / np.float32(255))
        model.save(tmp_path / "model.keras")
        loaded = load_model(tmp_path / "model.keras")
        for ours, theirs in zip(model.weights, loaded.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(loaded(grey), model(grey))

    def test_colours_that_follow_from_lightness_are_learned(self, head, colours, tmp_path):
        recipe = ae_keras.recipe_for(
            "colourizer", image_shape=(16, 16, 3), head=head, filters=SMALL, epochs=30, batch_size=8
        )
        data = Images(colours)
        model = compile_model(recipe, data)
        pipeline = Pipeline(data, recipe.batch_spec)
        untrained = measure(model, data, recipe)
        model.fit(pipeline.training(0).repeat(30), shuffle=False, verbose=0)
        trained = measure(model, data, recipe)
        assert trained["ab_rmse"] < 0.5 * untrained["ab_rmse"]
        assert trained["delta_e"] < 0.5 * untrained["delta_e"]
        vivid = colour_metrics.colourfulness(colours / 255).mean()
        assert trained["colourfulness"] == pytest.approx(vivid, rel=0.3)

    def test_every_weight_gets_a_finite_gradient(self, head, colours):
        model = build(head)
        model.compile("sgd", "mse")
        images = colours / np.float32(255)
        with tf.GradientTape() as tape:
            outputs = model(to_grey(images), training=True)
            loss = model.compute_loss(y=images, y_pred=outputs)
        gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
        for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
            assert np.isfinite(gradient).all(), weight.path
            assert np.any(gradient), weight.path

    @pytest.mark.parametrize("size", [16, None])
    def test_export_to_litert_needs_no_operation_of_tensorflow(self, head, size, rng, tmp_path):
        model, path = build(head), str(tmp_path / "model.tflite")
        signature = [keras.InputSpec(shape=(None, size, size, 1), dtype="float32", name="grey")]
        model.export(path, format="litert", input_signature=signature, verbose=False)
        grey = rng.random((3, 16, 16, 1), np.float32)
        interpreter = Interpreter(path)  # which knows no others
        index = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(index, grey.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(index, grey)
        interpreter.invoke()
        images = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        np.testing.assert_allclose(images, model(grey), atol=1e-5)

    def test_mixed_precision(self, head, rng):
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            mixed = build(head)
        finally:
            keras.config.set_dtype_policy("float32")
        grey = rng.random((2, 16, 16, 1), np.float32)
        assert mixed(grey).dtype == "float32"
        np.testing.assert_allclose(mixed(grey), build(head)(grey), atol=0.05)


def test_predictions_that_are_the_targets_give_the_chroma_at_half_the_resolution(colours):
    images = colours / np.float32(255)
    chroma = color.rgb2lab(images)[..., 1:]
    half = chroma.reshape(len(images), 8, 2, 8, 2, 2).mean(axis=(2, 4))
    for head in (ChromaRegression(), ChromaClassification(temperature=1)):
        head.build([(None, 16, 16, 1), (None, 8, 8, head.prediction_channels)])
        targets, _ = head.targets(images)
        if isinstance(head, ChromaClassification):
            np.testing.assert_allclose(ops.sum(targets, axis=-1), 1, atol=1e-5)
            assert np.count_nonzero(targets, axis=-1).max() <= 4
            targets = ops.log(targets + 1e-12)
        np.testing.assert_allclose(head.to_chroma(targets), half, atol=1e-2)


def test_chroma_is_enlarged_linearly(rng):
    small = np.float32(rng.uniform(-0.1, 0.1, (2, 5, 7, 2)))
    grey = np.full((2, 10, 14, 1), 0.5, np.float32)
    chroma = rgb_to_lab(ChromaRegression()([grey, small]))[..., 1:]
    expected = 110 * keras.layers.UpSampling2D(2, interpolation="bilinear")(small)
    np.testing.assert_allclose(chroma, expected, atol=1e-3)


def test_temperature_leads_from_the_mean_to_the_most_probable_bin(rng):
    logits = rng.normal(size=(1, 2, 2, ChromaClassification().prediction_channels))
    mean, vivid = (ChromaClassification(temperature=t).to_chroma(logits) for t in (1, 0.001))
    head = ChromaClassification()
    bins = head.to_chroma(1e4 * np.eye(head.prediction_channels)[np.newaxis, np.newaxis])[0, 0]
    np.testing.assert_allclose(vivid, np.asarray(bins)[logits.argmax(-1)], atol=1e-3)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(mean, shares @ np.asarray(bins), atol=1e-3)


def test_rare_colours_weigh_more_and_one_on_average(colours):
    images = colours.copy()
    images[5:] = images[5:].mean(axis=-1, keepdims=True)  # most are grey
    head = ChromaClassification()
    head.build([(None, 16, 16, 1), (None, 8, 8, head.prediction_channels)])
    head.adapt(images)
    _, weights = head.targets(images / np.float32(255))
    assert np.mean(weights) == pytest.approx(1, abs=1e-4)
    assert np.mean(weights[:5]) > 2 * np.mean(weights[5:])
    # Half a uniform distribution: none weighs more than twice what it would with equal shares.
    shares = 1 / np.asarray(head.bin_weights)
    assert shares.min() >= 0.49 * shares.mean()


def test_training_images_standardize_the_grey_ones(colours):
    model = build("regression")
    model.adapt(colours)
    grey = np.rint(255 * np.asarray(to_grey(colours / np.float32(255)))) / 255
    standardized = model.network.get_layer("standardization")(grey.astype(np.float32))
    assert np.mean(standardized) == pytest.approx(0, abs=1e-4)
    assert np.std(standardized) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "guess"}, "`head` must be regression or classification"),
        ({"filters": (8,)}, "two or more whole numbers"),
        ({"image_shape": (20, 20, 3), "filters": (8, 8, 8, 8)}, "divisible by 8"),
        ({"image_shape": (32, 32, 1)}, "3 channels"),
        ({"head": "classification", "temperature": 0}, "`temperature` must be above 0, to 1"),
        ({"head": "classification", "spacing": "wide"}, "`spacing` must be above 0, to 55"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ae_keras.build_model("colourizer", **arguments)


def test_tasks_and_models_go_together(colours, tmp_path):
    for name, task in (("cae", "colourization"), ("colourizer", "reconstruction")):
        recipe = ae_keras.recipe_for(name, task=task)
        with pytest.raises(ValueError, match=f"'{name}' is for .*task='{task}'"):
            compile_model(recipe, Images(colours))
    with pytest.raises(ValueError, match="3 channels"):
        ae_keras.recipe_for("colourizer", image_shape=(28, 28, 1))
