"""Models whose decoder is told the label, and variational models: what they add to the contract."""

import csv
import json

import keras
import numpy as np
import pytest

import ae_keras
from ae_keras.data.images import load_images
from ae_keras.evaluation.reconstruction import measure
from ae_keras.layers import Sampling
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model


@pytest.fixture
def labelled(tmp_path, rng):
    """Images of one grey each, which the label tells and nothing else does."""
    labels = rng.integers(0, 3, 60)
    images = np.broadcast_to((60 * labels)[:, None, None, None], (60, 16, 16, 1))
    path = tmp_path / "greys.npz"
    np.savez(path, images=images.astype(np.uint8), labels=labels)
    return path


@pytest.mark.parametrize("name", ["cae", "mlp", "vae_v2"])
class TestConditional:
    def build(self, name):
        keras.utils.set_random_seed(0)
        return ae_keras.build_model(name, 3, image_shape=(16, 16, 1))

    def test_label_reaches_the_decoder_and_not_the_encoder(self, name, rng):
        model = self.build(name)
        images = rng.random((1, 16, 16, 1), np.float32)
        outputs = [np.asarray(model([images, np.array([label])])) for label in range(3)]
        assert outputs[0].shape == images.shape
        assert np.any(outputs[0] != outputs[1])
        assert np.any(outputs[1] != outputs[2])
        plain = ae_keras.build_model(name, image_shape=(16, 16, 1))
        assert model.latent_shape == plain.latent_shape
        assert model.encoder.count_params() == plain.encoder.count_params()

    def test_the_embedding_is_added_at_every_pixel_of_the_latent(self, name, rng):
        model = self.build(name)
        latents = rng.standard_normal((2, *model.latent_shape)).astype("float32")
        embedding = model.decoder.get_layer("label_embedding").get_weights()[0]
        shifted = latents + embedding[[2, 0]].reshape(2, *(1,) * (latents.ndim - 2), -1)
        expected = model.decoder.layers[-1](shifted)  # the decoder that takes no label
        np.testing.assert_allclose(model.decode(latents, np.array([2, 0])), expected, atol=1e-6)

    def test_keras_file_round_trip_is_exact(self, name, rng, tmp_path):
        model = self.build(name)
        model.save(tmp_path / "model.keras")
        loaded = load_model(tmp_path / "model.keras")
        batch = [rng.random((2, 16, 16, 1), np.float32), np.array([1, 2])]
        assert loaded.is_conditional
        np.testing.assert_array_equal(loaded(batch), model(batch))

    def test_labels_are_needed(self, name, rng):
        latents = np.zeros((1, *self.build(name).latent_shape), np.float32)
        with pytest.raises(ValueError, match="needs labels"):
            self.build(name).decode(latents)
        plain = ae_keras.build_model(name, image_shape=(16, 16, 1))
        with pytest.raises(ValueError, match="takes no labels"):
            plain.decode(latents, np.array([0]))


def train(name, dataset, folder, **changes):
    changes = {"image_shape": (16, 16, 1), "epochs": 6, "batch_size": 8} | changes
    recipe = ae_keras.recipe_for(name, str(dataset), schedule="constant", **changes)
    return ae_keras.train(recipe, folder, verbose=0)


def test_a_conditional_run_learns_what_only_the_label_tells(labelled, tmp_path):
    result = train("mlp", labelled, tmp_path / "run", latent_dim=1, conditional=True)
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["conditional"] is True
    model = ae_keras.load(tmp_path / "run")
    latents = np.zeros((3, 1), np.float32)
    means = np.asarray(model.decode(latents, np.arange(3))).mean(axis=(1, 2, 3))
    assert means[0] < means[1] < means[2]
    again, _ = ae_keras.evaluate(tmp_path / "run")
    assert again == result["test"]


def test_a_conditional_run_needs_labels(photo_folder, tmp_path):
    with pytest.raises(ValueError, match="has none"):
        train("mlp", photo_folder, tmp_path / "run", conditional=True)


def test_a_variational_run_reports_distortion_and_divergence(labelled, tmp_path):
    folder = tmp_path / "run"
    train("vae_v2", labelled, folder, epochs=3, conditional=True, kl_warmup=2)
    with open(folder / "history.csv", newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    weight = 1e-3 / (16 * 16)
    for row, share in zip(rows, (0.5, 1, 1), strict=True):
        total = row["distortion"] + share * weight * row["kl"]
        assert row["loss"] == pytest.approx(total, rel=1e-6)
        total = row["val_distortion"] + weight * row["val_kl"]
        assert row["val_loss"] == pytest.approx(total, rel=1e-6)
    # The last validation batch is smaller: image by image it is the same.
    recipe = RunFolder(folder).recipe
    data = load_images(recipe.data_spec, ["validation"])["validation"]
    assert len(data.images) % recipe.batch_size
    best = measure(ae_keras.load(folder), data, recipe)
    row = min(rows, key=lambda row: row["val_loss"])
    assert best["mse"] == pytest.approx(row["val_distortion"], rel=1e-5)
    assert best["kl"] == pytest.approx(row["val_kl"], rel=1e-3)
    assert RunFolder(folder).samples_figure.stat().st_size > 1000


def test_the_divergence_is_that_of_each_image(rng):
    keras.utils.set_random_seed(0)
    model = ae_keras.build_model("vae_v2")
    images = rng.random((3, 32, 32, 3), np.float32)
    divergence = np.asarray(model.divergence(images))
    assert divergence.shape == (3,)
    np.testing.assert_allclose(model.divergence(images[1:2]), divergence[1:2], rtol=1e-4)
    model(images)
    assert float(model.losses[-1]) == pytest.approx(1e-3 / 1024 * divergence.mean(), rel=1e-4)
    with pytest.raises(ValueError, match="not variational"):
        ae_keras.build_model("mlp").divergence(images)


def test_a_warm_up_is_over_in_a_saved_model_and_for_variational_models_alone(labelled, tmp_path):
    train("vae_v2", labelled, tmp_path / "run", epochs=1, kl_warmup=10)
    (sampling,) = (
        layer
        for layer in ae_keras.load(tmp_path / "run").encoder.layers
        if isinstance(layer, Sampling)
    )
    assert float(sampling.warmup) == 1
    with pytest.raises(ValueError, match="for variational models"):
        train("mlp", labelled, tmp_path / "other", kl_warmup=2)


def test_another_data_set_needs_labels_that_the_model_knows(labelled, photo_folder, tmp_path):
    train("mlp", labelled, tmp_path / "run", epochs=1, conditional=True)
    more = tmp_path / "more.npz"
    np.savez(more, images=np.zeros((20, 16, 16, 1), np.uint8), labels=np.full(20, 3))
    for dataset, words in ((more, "3 labels, .* has 4"), (photo_folder, "3 labels, .* has none")):
        with pytest.raises(ValueError, match=words):
            ae_keras.evaluate(tmp_path / "run", str(dataset), output_dir=tmp_path / "out")


def test_samples_come_from_the_prior():
    keras.utils.set_random_seed(0)
    model = ae_keras.build_model("vae_v2")
    images = np.asarray(model.sample(5, seed=1))
    assert images.shape == (5, 32, 32, 3)
    np.testing.assert_array_equal(images, model.sample(5, seed=1))
    assert np.any(images != model.sample(5, seed=2))
    with pytest.raises(ValueError, match="not variational"):
        ae_keras.build_model("mlp").sample(5)


@pytest.mark.parametrize("name", ["mlp", "conv", "vae_v1", "vae_v2", "lossy_cae", "lossless_mlp"])
def test_models_take_images_of_mnist(name, rng):
    images = rng.random((2, 28, 28, 1), np.float32)
    model = ae_keras.build_model(name, image_shape=(28, 28, 1))
    assert model(images).shape == images.shape


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("conv", {"image_shape": (30, 32, 3)}, "divisible by 4"),
        ("conv", {"depth": 0}, "`depth` must be a whole number"),
        ("mlp", {"latent_dim": 2.5}, "`latent_dim` must be a whole number"),
        ("mlp", {"image_shape": (None, None, 3)}, "known size"),
        ("lossy_cae", {"image_shape": (32, 32, 3)}, "28x28"),
        ("celeba_conv", {"image_shape": (64, 64, 3)}, "at least 128x128"),
        ("celeba_pool", {"image_shape": (96, 96, 3)}, "divisible by 64"),
        ("vae_v1", {"image_shape": (8, 8, 3)}, "at least 16x16"),
        ("vae_v2", {"image_shape": (None, None, 3)}, "known size"),
        ("vae_v2", {"kl_weight": 0}, "`kl_weight` must be a number > 0"),
        ("vae_v2", {"activation": "rely"}, "activation"),
        ("vae_v2", {"classes": 5}, "no argument 'classes'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        ae_keras.build_model(name, **arguments)
