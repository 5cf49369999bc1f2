import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import smooth_images
from test_registry import SMALL

import ae_keras
from ae_keras.codec.bitstream import read_header
from ae_keras.codec.fitting import fit_run
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.litert import LiteRTModel, pack, unpack
from ae_keras.codec.loading import load_codec
from ae_keras.export import Export
from ae_keras.export.parity import LARGEST_DIFFERENCE, check, compare
from ae_keras.export.plain_layers import make_plain
from ae_keras.export.running import export_run
from ae_keras.export.runtimes import load_exported_model, run_all
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose, UpsamplingConv2D
from ae_keras.saved_model import RunFolder

MODELS = ae_keras.list_models()
AUTOENCODERS = [name for name in MODELS if name != "colourizer"]
SAVED = Path(__file__).parents[1] / "saved_models" / "pretrained"


def make_run(folder, name, **changes):
    """Write the run of a model of random weights, with a data set of twenty images."""
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    shape = ae_keras.recipe_for(name).image_shape
    images = smooth_images(rng, 20, *shape)
    folder.mkdir(exist_ok=True)
    np.savez(folder.with_suffix(".npz"), images=images, labels=np.arange(20) % 10)
    changes = SMALL.get(name, {}) | {"splits": (0.5, 0.2, 0.3), "image_shape": shape} | changes
    recipe = ae_keras.recipe_for(name, str(folder.with_suffix(".npz")), **changes)
    classes = 10 if recipe.conditional else None
    model = ae_keras.build_model(name, classes, image_shape=shape, **recipe.model_arguments)
    model.adapt(images)
    for weight in model.weights:  # biases and statistics, which begin as zeros and ones
        if len(weight.shape) == 1 and keras.backend.is_float_dtype(weight.dtype):
            weight.assign(weight + 0.1 * rng.random(weight.shape, np.float32))
    run = RunFolder(folder)
    run.start(recipe)
    run.write_model(model, run.model)
    if model.has_latent:
        fit_run(run)
    return run


@pytest.fixture(scope="module", params=MODELS)
def run(request, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / request.param, request.param)


@pytest.fixture(scope="module")
def exported(run):
    return export_run(run.path, Export("litert"), threads=())


@pytest.fixture(scope="module")
def cae(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "cae", "cae")


@pytest.fixture(scope="module")
def exported_cae(cae):
    return export_run(cae.path, Export("litert"), threads=())[0]


def check_report(run, report, outputs):
    assert set(report["parity"]) == outputs
    for values in report["parity"].values():
        assert values["max"] <= LARGEST_DIFFERENCE
        assert values.get("same_symbols", 1) >= 0.999
    assert report["name"] == run.path.name


def is_colourizer(run):
    return run.recipe.model == "colourizer"


class TestEveryModel:
    def test_saved_model_computes_what_keras_does(self, run):
        path, report = export_run(run.path, Export("saved_model"), threads=())
        check_report(
            run, report, {"images"} if is_colourizer(run) else {"latents", "reconstructions"}
        )
        assert (path / "saved_model.pb").is_file()

    def test_litert_computes_what_keras_does(self, run, exported):
        path, report = exported
        check_report(
            run, report, {"images"} if is_colourizer(run) else {"latents", "reconstructions"}
        )
        assert json.loads((path.parent / "export.json").read_text()) == report

    def test_onnx_computes_what_keras_does(self, run):
        _, report = export_run(run.path, Export("onnx"), threads=())
        check_report(run, report, {"images"} if is_colourizer(run) else {"reconstructions"})

    def test_parts_and_fixed_batches_compute_it_too(self, run):
        if is_colourizer(run):
            export_run(run.path, Export("litert", batch_size=3), threads=())
            with pytest.raises(ValueError, match="has no decoder"):
                export_run(run.path, Export("litert", part="decoder"), threads=())
            return
        for part, signature in (("encoder", "encode"), ("decoder", "decode")):
            path, _ = export_run(run.path, Export("litert", part=part, batch_size=3), threads=())
            assert list(LiteRTModel(path.read_bytes()).signatures) == [signature]

    def test_exported_model_is_the_same_codec(self, run, exported, rng):
        path, _ = exported
        if is_colourizer(run):
            with pytest.raises(ValueError, match="holds colourize alone"):
                ImageCodec.load(path)
            return
        ours, theirs = load_codec(run.path), ImageCodec.load(path)
        height, width, channels = run.recipe.image_shape
        image = smooth_images(rng, 1, 2 * height - 3, width + 5, channels)[0]
        files = [codec.compress(image) for codec in (ours, theirs)]
        assert read_header(files[0])[0] == read_header(files[1])[0]
        for data in files:
            restored = [codec.decompress(data).astype(int) for codec in (ours, theirs)]
            assert np.abs(restored[0] - restored[1]).max() <= 1
