import dataclasses
import importlib
import math
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import smooth_images
from sklearn.decomposition import PCA

from ae_keras import build_model
from ae_keras.codec.classical import make_codec
from ae_keras.data.images import Images
from ae_keras.studies import STUDIES, load_study, run_studies
from ae_keras.studies.workspace import Workspace

FOLDER = Path(importlib.import_module("ae_keras.studies").__file__).parent
SHARED = {"__init__", "page", "run_studies", "trained_models", "workspace"}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "pages" / "depth", tmp_path / "runs", quick=True, verbose=0)


def test_each_study_is_listed_and_says_what_it_is_about():
    assert {path.stem for path in FOLDER.glob("*.py")} - SHARED == set(STUDIES)
    for name in STUDIES:
        study = load_study(name)
        assert study.TITLE
        assert "report" in study.__doc__
    with pytest.raises(ValueError, match=r"Unknown study 'dept'\. Expected one of: .*depth"):
        load_study("dept")


def test_models_are_trained_once(workspace, tiny_recipe):
    run = workspace.train("one", tiny_recipe)
    assert run.recipe.epochs == 1
    assert run.recipe.image_shape == tiny_recipe.image_shape
    written = run.model.stat().st_mtime_ns
    assert workspace.train("one", tiny_recipe).model.stat().st_mtime_ns == written
    test = workspace.load_images(run, "test")
    assert test.images.shape[1:] == workspace.load_model(run).image_shape
    assert workspace.measure_mse(run, "test") == pytest.approx(run.metrics["test"]["mse"])
    assert len(run.history) == 1
    assert set(run.history[0]) == {"epoch", "loss", "val_loss", "learning_rate"}
    images = len(workspace.load_images(run, "train").images)
    assert workspace.steps == {"one": math.ceil(images / tiny_recipe.batch_size)}


def test_a_reduced_recipe_has_so_many_images_of_its_own_kind(workspace, tiny_recipe):
    reduced = workspace.reduce(tiny_recipe, 20)
    assert reduced.image_shape == tiny_recipe.image_shape
    with np.load(reduced.dataset) as data:
        assert len(data["images"]) == 20
    written = Path(reduced.dataset).stat().st_mtime_ns
    assert workspace.reduce(tiny_recipe, 20) == reduced
    assert Path(reduced.dataset).stat().st_mtime_ns == written


def test_models_whose_data_is_missing_are_left_out(workspace, monkeypatch, capsys):
    study = load_study("compression_rate")

    def train_own(workspace, name):
        raise ConnectionError("no network")

    monkeypatch.setattr(study, "train_own", train_own)
    assert study.measure_model(workspace, "celeba_conv") is None
    assert "celeba_conv is left out: no network" in capsys.readouterr().out
    with pytest.raises(ConnectionError, match="None of the data sets"):
        study.run(workspace)


def test_runs_of_another_recipe_are_not_taken(workspace, tiny_recipe, monkeypatch):
    whole = dataclasses.replace(workspace, quick=False)
    run = whole.train("cae-photos", dataclasses.replace(tiny_recipe, epochs=1))
    monkeypatch.setattr("ae_keras.studies.workspace.find_run", lambda name: run)
    assert whole.find(run.recipe) is run
    assert workspace.find(run.recipe) is None
    assert whole.find(dataclasses.replace(run.recipe, epochs=2)) is None


def test_convolutions_of_all_sizes_need_a_gpu(workspace):
    study = load_study("latent_size")
    whole = dataclasses.replace(workspace, quick=False)
    assert study.choose_sizes(whole, "mlp")[-1] == 1024
    assert study.choose_sizes(whole, "conv") == (1, 2, 4, 8, 16, 32, 64, 128)
    assert study.choose_sizes(dataclasses.replace(whole, has_gpu=True), "conv")[-1] == 1024


def test_errors_by_rank_are_those_of_truncated_decompositions(rng):
    study = load_study("svd")
    images = rng.random((5, 6, 6, 1))
    errors = study.errors_by_rank(images)
    for rank in (1, 3, 6):
        left, values, right = np.linalg.svd(images[..., 0])
        kept = (left[..., :rank] * values[:, np.newaxis, :rank]) @ right[:, :rank]
        assert errors[rank] == pytest.approx(np.mean((images[..., 0] - kept) ** 2), abs=1e-12)
    assert study.find_matching_rank(errors, errors[3]) == 3
    assert study.find_matching_rank(errors, errors[3] * 1.0001) == 3
    assert study.find_matching_rank(errors, errors[3] * 0.9999) == 4


def test_errors_by_components_are_those_of_scikit_learn(rng):
    training = smooth_images(rng, 200, 8, 8, 1)
    images = smooth_images(rng, 50, 8, 8, 1) / np.float32(255)
    errors = load_study("svd").errors_by_components(images, training)
    pca = PCA(8).fit(training.reshape(200, -1) / 255)
    flat = images.reshape(50, -1)
    expected = np.mean((flat - pca.inverse_transform(pca.transform(flat))) ** 2)
    assert errors[8] == pytest.approx(expected, rel=1e-4)


def test_latents_are_drawn_about_as_wide_as_high():
    pictures = load_study("svd").latents_as_pictures(np.arange(64.0).reshape(2, 32))
    assert pictures.shape == (2, 4, 8, 1)
    assert (pictures.min(), pictures.max()) == (0, 1)


def test_operations_of_convolutions_are_counted():
    # Of each kernel's taps and channels, once for each pixel of the smaller image.
    expected = 2 * (
        256 * 36 * 3 * 12
        + 81 * 16 * 3 * 40
        + 2 * 25 * 9 * 5 * 128
        + 25 * 9 * 5 * 128
        + 81 * 16 * 3 * 40
        + 256 * 36 * 3 * 12
    )
    count = load_study("grouped_convolution").count_flops(build_model("vae_v2"))
    assert count == expected


def test_accuracy_and_rate_are_those_of_the_files(rng):
    study = load_study("recognition")
    images = smooth_images(rng, 9, 8, 8, 3)
    labels = (images.mean(axis=(1, 2, 3)) > 128).astype(int)

    class Brightness:
        def predict(self, pixels, **options):
            light = pixels.mean(axis=(1, 2, 3))
            return np.stack([128 / 255 - light, light - 128 / 255], axis=1)

    rate, psnr, accuracy = study.measure_recognition(
        make_codec("png"), Images(images, labels), Brightness()
    )
    assert accuracy == 100
    assert psnr == 100
    assert rate == pytest.approx(8 * len(make_codec("png").compress(_mosaic(images))) / 24**2)
    inverted = Images(images, 1 - labels)
    assert study.measure_recognition(make_codec("png"), inverted, Brightness())[2] == 0


def _mosaic(images):
    return images.reshape(3, 3, 8, 8, 3).swapaxes(1, 2).reshape(24, 24, 3)


def test_areas_are_probabilities_of_larger_scores():
    study = load_study("out_of_domain")
    scores = {"digits": np.array([1.0, 2.0, 3.0]), "others": np.array([2.5, 4.0])}
    assert study.roc_area(scores, "others") == pytest.approx(5 / 6)


def test_all_goes_on_where_it_stopped(workspace, monkeypatch):
    ran = []

    def run_study(workspace, name):
        ran.append(name)
        if name == "broken":
            raise OSError("no network")
        if name == "slow" and ran.count("slow") == 1:
            raise KeyboardInterrupt
        return name

    monkeypatch.setattr(run_studies, "run_study", run_study)
    names = ["quick", "broken", "slow", "last"]
    with pytest.raises(KeyboardInterrupt):
        list(run_studies.run_all(workspace, names))
    results = dict(run_studies.run_all(workspace, names))
    assert ran == ["quick", "broken", "slow", "broken", "slow", "last"]
    assert results["last"] == "last"
    assert str(results["broken"]) == "no network"
    assert len(dict(run_studies.run_all(workspace, names))) == 4  # a new pass


def _write(name, workspace):
    page, file = run_studies.run_study(workspace, name)
    assert re.fullmatch(r"a trial: [1-9]\d* steps, no conclusion", page.finding)
    assert f"{name} --quick`\n\n{page.finding}\n\n" in file.read_text()
    assert not any(verdict.claim in file.read_text() for verdict in page.verdicts)
    for other in (*page.figures, *(f"{table}.csv" for table in page.tables)):
        assert (file.parent / other).is_file()


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["out_of_domain", "denoising"])
def test_quick_studies_write_their_page(name, workspace):
    _write(name, workspace)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_all_quick_studies_write_their_page(name, workspace):
    _write(name, workspace)
