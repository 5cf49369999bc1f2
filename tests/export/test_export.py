import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import SMALL, smooth_images
from older_files import as_version_1
from tensorflow.lite.python.schema_py_generated import TensorType
from tensorflow.lite.tools import flatbuffer_utils

import ae_keras
from ae_keras.codec.bitstream import read_header
from ae_keras.codec.fitting import fit_run
from ae_keras.codec.keras_transform import build_for_any_size
from ae_keras.codec.litert import LiteRTModel, pack, unpack
from ae_keras.codec.loading import load_codec
from ae_keras.codec.metadata import Metadata
from ae_keras.export import Export
from ae_keras.export.export_run import export_run
from ae_keras.export.latency import probe
from ae_keras.export.parity import LARGEST_DIFFERENCE, check, compare
from ae_keras.export.plain_layers import make_plain
from ae_keras.export.runtimes import load_exported_model, run_all
from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose, UpsamplingConv2D
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder

MODELS = ae_keras.list_models()


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
    model = build_from_recipe(recipe, classes)
    model.adapt(images)
    for weight in model.weights:  # biases and statistics, which begin as zeros and ones
        is_new = len(weight.shape) == 1 or not np.any(weight)
        if is_new and keras.backend.is_float_dtype(weight.dtype):
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


def outputs_of(run):
    """Return the names of what all signatures of a model give."""
    if makes_images(run):
        return {"images"}
    return {"latents", "reconstructions"} | ({"hyper_latents"} if is_photo(run) else set())


def is_photo(run):
    return run.recipe.model == "photo"


def makes_images(run):
    """Whether a run's model has no latent."""
    return run.recipe.model in ("colourizer", "denoiser")


class TestEveryModel:
    def test_saved_model_computes_what_keras_does(self, run):
        path, report = export_run(run.path, Export("saved_model"), threads=())
        check_report(run, report, outputs_of(run))
        assert (path / "saved_model.pb").is_file()

    def test_litert_computes_what_keras_does(self, run, exported):
        path, report = exported
        check_report(run, report, outputs_of(run))
        assert json.loads((path.parent / "export.json").read_text()) == report

    def test_onnx_computes_what_keras_does(self, run):
        _, report = export_run(run.path, Export("onnx"), threads=())
        check_report(run, report, {"images"} if makes_images(run) else {"reconstructions"})

    def test_parts_and_fixed_batches_compute_it_too(self, run):
        if makes_images(run):
            export_run(run.path, Export("litert", batch_size=3), threads=())
            with pytest.raises(ValueError, match="has no decoder"):
                export_run(run.path, Export("litert", part="decoder"), threads=())
            return
        path, _ = export_run(run.path, Export("litert", part="encoder", batch_size=3), threads=())
        assert list(LiteRTModel(path.read_bytes()).signatures) == ["encode"]
        path, _ = export_run(run.path, Export("saved_model", part="decoder"), threads=())
        assert list(load_exported_model("saved_model", path).signatures) == ["decode"]

    def test_exported_model_is_the_same_codec(self, run, exported, rng):
        path, _ = exported
        if makes_images(run):
            with pytest.raises(ValueError, match="without a latent"):
                load_codec(path)
            return
        ours, theirs = load_codec(run.path), load_codec(path)
        height, width, channels = run.recipe.image_shape
        image = smooth_images(rng, 1, 2 * height - 3, width + 5, channels)[0]
        files = [codec.compress(image) for codec in (ours, theirs)]
        assert read_header(files[0])[0] == read_header(files[1])[0]
        for data in files:
            restored = [codec.decompress(data).astype(int) for codec in (ours, theirs)]
            assert np.abs(restored[0] - restored[1]).max() <= 1


@pytest.mark.thorough
def test_a_model_of_all_qualities_takes_any_size_and_position(tmp_path, rng):
    run = make_run(tmp_path / "photo", "photo")
    model = build_for_any_size(ae_keras.load(run.path), run.recipe)
    images, position = rng.random((2, 192, 64, 3), np.float32), np.float32([0.1, 0.9])
    latents, hyper_latents = model.analyse(images, position)
    expected = {
        "latents": np.asarray(latents),
        "hyper_latents": np.asarray(hyper_latents),
        "reconstructions": np.asarray(model.decode(latents, position)),
    }
    for format in ("litert", "saved_model", "onnx"):
        path, _ = export_run(run.path, Export(format), threads=())
        inputs = {"images": images, "position": position}
        results = run_all(load_exported_model(format, path), inputs)
        check(compare(results, expected), "none")
    with pytest.raises(ValueError, match="too coarse for latents of all qualities"):
        export_run(run.path, Export("litert", "int8"), threads=())


@pytest.mark.parametrize("seed", range(8))
def test_plain_layers_compute_what_ours_do(seed):
    rng = np.random.default_rng(seed)
    kernel, strides = rng.integers(1, 6, 2).tolist(), rng.integers(1, 4, 2).tolist()
    groups, size = int(rng.choice([1, 2, 4])), rng.integers(5, 9, 2).tolist()
    paddings = ["valid", "same", tuple(int(rng.integers(0, taps)) for taps in kernel)]
    surplus = tuple(int(rng.integers(0, stride)) for stride in strides)
    images = rng.random((2, *size, 8), np.float32)
    for padding in paddings:
        arguments = (8, kernel, strides, padding, groups)
        layers = [
            GroupedConv2D(*arguments, bias_initializer="normal", activation="relu"),
            GroupedConv2DTranspose(*arguments, bias_initializer="normal"),
            UpsamplingConv2D(3),
        ]
        if padding != "same":
            layers.append(GroupedConv2DTranspose(*arguments, output_padding=surplus))
        for layer in layers:
            for shape in (size, (None, None)) if layer.__class__ != GroupedConv2D else (size,):
                inputs = keras.Input((*shape, 8))
                model = keras.Model(inputs, layer(inputs))
                plain = make_plain(model)
                assert not any(type(each) is type(layer) for each in plain.layers)
                np.testing.assert_allclose(plain(images), model(images), atol=1e-5)


def test_pooling_of_a_whole_image_becomes_a_mean(rng):
    inputs = keras.Input((4, 4, 3))
    pooled = keras.layers.AveragePooling2D(2)(inputs)
    model = keras.Model(inputs, keras.layers.AveragePooling2D(2)(pooled))
    plain = make_plain(model)
    kinds = [type(layer).__name__ for layer in plain.layers]
    assert kinds == ["InputLayer", "AveragePooling2D", "GlobalAveragePooling2D"]
    images = rng.random((2, 4, 4, 3), np.float32)
    np.testing.assert_allclose(plain(images), model(images), atol=1e-6)


def test_saved_model_reconstructs_by_default(cae, rng):
    import tensorflow as tf

    path, _ = export_run(cae.path, Export("saved_model"), threads=())
    exported = tf.saved_model.load(str(path))
    images = rng.random((2, 24, 40, 3), np.float32)  # of another size
    latents = exported.signatures["encode"](images=images)["latents"]
    expected = exported.signatures["decode"](latents=latents)["reconstructions"]
    default = exported.signatures["serving_default"](images=images)["reconstructions"]
    np.testing.assert_allclose(default, expected, atol=1e-6)


def test_onnx_file_says_what_it_is(cae):
    import onnx

    path, report = export_run(cae.path, Export("onnx", part="encoder"), threads=())
    metadata = {item.key: json.loads(item.value) for item in onnx.load(path).metadata_props}
    assert {key: report[key] for key in metadata} == metadata
    assert metadata["weights_digest"] == load_codec(cae.path).entropy_model.weights_digest
    assert metadata["recipe"]["model"] == "cae"


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_conditional_model_is_exported_with_its_labels(precision, tmp_path, rng):
    run = make_run(tmp_path / "run", "mlp", conditional=True, precision=precision)
    images = rng.random((5, 28, 28, 1), np.float32)
    labels = np.array([0, 1, 2, 3, 3], np.int32)
    for format in ("litert", "onnx", "saved_model"):
        path, _ = export_run(run.path, Export(format), threads=())
        model = load_exported_model(format, path)
        results = run_all(model, {"images": images, "labels": labels})["reconstructions"]
        assert (
            np.abs(
                results
                - run_all(model, {"images": images, "labels": 0 * labels})["reconstructions"]
            ).max()
            > 1e-4
        )
        assert results.shape == images.shape
    codec = load_codec(run.path / "exports" / "litert" / "run.tflite", label=4)
    image = np.zeros((28, 28), np.uint8)
    data = codec.compress(image)
    np.testing.assert_allclose(
        load_codec(run.path).decompress(data), codec.decompress(data), atol=1
    )


def test_conditional_model_needs_images_with_labels(tmp_path):
    run = make_run(tmp_path / "run", "mlp", conditional=True)
    with pytest.raises(ValueError, match="trained with 10 labels"):
        export_run(run.path, Export("litert"), tmp_path / "out", "skimage", threads=())
    path, _ = export_run(run.path, Export("litert", "int8"), tmp_path / "out", threads=())
    assert set(LiteRTModel(path.read_bytes()).signatures["decode"]) == {"latents", "labels"}


def test_fixed_batches_take_any_number_of_images(cae, rng):
    path, _ = export_run(cae.path, Export("litert", batch_size=4), threads=())
    fixed = load_codec(path)
    image = smooth_images(rng, 1, 70, 50, 3)[0]
    assert not fixed.transform.takes_any_size
    restored = load_codec(cae.path).decompress(fixed.compress(image)).astype(int)
    assert np.abs(restored - fixed.decompress(fixed.compress(image))).max() <= 1


class TestQuantization:
    @pytest.fixture(autouse=True)
    def few_images(self, monkeypatch):
        monkeypatch.setattr("ae_keras.export.export_run.MOST_IMAGES", 32)

    @pytest.mark.parametrize("quantization", ["float16", "dynamic", "int8"])
    @pytest.mark.parametrize("name", ["vae_v2-cifar10", "colourizer-cifar10"])
    def test_fewer_bits_are_near_enough_and_smaller(self, name, quantization, tmp_path):
        export = Export("litert", quantization)
        path, report = export_run(name, export, tmp_path / "out", "skimage", threads=())
        (worst,) = (report["parity"].get(key, {}) for key in report["parity"] if key != "latents")
        assert worst["psnr"] >= {"float16": 60, "dynamic": 40, "int8": 38}[quantization]
        float_size = {"vae_v2-cifar10": 104_000, "colourizer-cifar10": 1_879_000}[name]
        assert report["model_bytes"] < 0.6 * float_size
        assert unpack(path.read_bytes())[1].quantization == quantization

    def test_int8_is_integers_throughout(self, tmp_path):
        export = Export("litert", "int8", batch_size=1)
        path, _ = export_run("vae_v2-cifar10", export, tmp_path / "out", "skimage", threads=())
        graph = flatbuffer_utils.convert_bytearray_to_object(
            bytearray(unpack(path.read_bytes())[0])
        )
        kinds = {tensor.type for subgraph in graph.subgraphs for tensor in subgraph.tensors}
        assert kinds == {TensorType.INT8, TensorType.INT32}

    def test_codec_in_integers_writes_files_that_keras_reads(self, tmp_path, rng):
        export = Export("litert", "int8")
        path, _ = export_run("vae_v2-cifar10", export, tmp_path / "out", "skimage", threads=())
        image = smooth_images(rng, 1, 64, 64, 3)[0]
        data = load_codec(path).compress(image)
        restored = load_codec("vae_v2-cifar10").decompress(data).astype(int)
        assert np.abs(restored - image).mean() < 8


def test_codec_of_an_exported_model_needs_neither_tensorflow_nor_keras(exported_cae, tmp_path, rng):
    np.save(tmp_path / "image.npy", smooth_images(rng, 1, 40, 30, 3)[0])
    code = (
        "import sys, numpy as np\n"
        "import ae_keras\n"
        "codec = ae_keras.load_codec(sys.argv[1])\n"
        "codec.decompress(codec.compress(np.load(sys.argv[2])))\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", code, str(exported_cae), str(tmp_path / "image.npy")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "[]\n"
    assert done.stderr == ""


@pytest.mark.parametrize("place", [0, 100, 5000, -3000, -30])
def test_damaged_files_are_refused(place, exported_cae, tmp_path):
    data = bytearray(exported_cae.read_bytes())
    data[place] ^= 0xFF
    (tmp_path / "bad.tflite").write_bytes(data)
    with pytest.raises(ValueError, match=r"Cannot load .*bad\.tflite"):
        load_codec(tmp_path / "bad.tflite")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_truncated_files_are_refused(share, exported_cae, tmp_path):
    data = exported_cae.read_bytes()
    (tmp_path / "bad.tflite").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match="is damaged"):
        load_codec(tmp_path / "bad.tflite")


def test_file_without_tables_says_how_to_make_them(exported_cae, tmp_path):
    model, description, _ = unpack(exported_cae.read_bytes())
    (tmp_path / "bare.tflite").write_bytes(pack(model, description, None))
    with pytest.raises(ValueError, match=r"has no entropy tables.*evaluate"):
        load_codec(tmp_path / "bare.tflite")


def test_difference_above_the_limit_is_refused_and_leaves_nothing(cae, monkeypatch, tmp_path):
    monkeypatch.setattr("ae_keras.export.parity.LARGEST_DIFFERENCE", 1e-12)
    with pytest.raises(ArithmeticError, match=r"Nothing was written.*latents differ by up to"):
        export_run(cae.path, Export("litert"), tmp_path / "out", threads=())
    assert list(tmp_path.iterdir()) == []


def test_checks_refuse_what_is_too_far():
    images = {"reconstructions": np.zeros((1, 2, 2, 1), np.float32)}
    near, far = ({"reconstructions": images["reconstructions"] + by} for by in (0.9e-5, 0.1))
    check(compare(near, images), "none")
    check(compare(near, images), "int8")
    with pytest.raises(ArithmeticError, match=r"reconstructions differ by up to 1\.0e-01"):
        check(compare(far, images), "none")
    with pytest.raises(ArithmeticError, match=r"PSNR of 20\.0 dB to Keras's, below 30"):
        check(compare(far, images), "int8")
    nothing = {"reconstructions": np.full((1, 2, 2, 1), np.nan)}
    with pytest.raises(ArithmeticError):
        check(compare(nothing, images), "none")


def test_existing_folders_are_kept(cae, exported_cae, tmp_path):
    with pytest.raises(FileExistsError, match=r"exists.*--overwrite"):
        export_run(cae.path, Export("litert"), threads=())
    (tmp_path / "mine.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="is no export"):
            export_run(cae.path, Export("litert"), tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "out").mkdir()  # an empty one is no one's
    export_run(cae.path, Export("litert"), tmp_path / "out", threads=())
    export_run(cae.path, Export("litert"), tmp_path / "out", overwrite=True, threads=())
    (tmp_path / "out" / "mine.aek").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds other files than an export's: mine\.aek"):
        export_run(cae.path, Export("litert"), tmp_path / "out", overwrite=True, threads=())
    assert (tmp_path / "out" / "mine.aek").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [("tflite",), ("onnx", "int8"), ("litert", "int4"), ("litert", "none", "head")],
)
def test_unknown_exports_are_refused(arguments):
    with pytest.raises(ValueError, match="Received"):
        Export(*arguments)
    with pytest.raises(ValueError, match="Received: 0"):
        Export("litert", batch_size=0)


def test_training_anew_removes_the_exports(tmp_path):
    run = make_run(tmp_path / "run", "mlp")
    export_run(run.path, Export("saved_model"), threads=())
    run.write_metrics({})
    run.start(dataclasses.replace(run.recipe, epochs=1))
    assert not run.exports.exists()


def test_example_decodes_a_file_without_the_library(cae, exported_cae, tmp_path):
    image = smooth_images(np.random.default_rng(1), 1, 90, 121, 3)[0]
    codec = load_codec(cae.path)
    described = codec.compress(image, Metadata(b"profile", xmp=b"<xmp/>"))
    expected = codec.decompress(described).astype(int)
    example = Path(__file__).parents[2] / "docs" / "examples" / "decode_aek.py"
    assert "ae_keras" not in example.read_text()
    files = [tmp_path / "image.aek", exported_cae, tmp_path / "image.npy"]
    for data in (described, as_version_1(codec.compress(image))):
        np.testing.assert_array_equal(codec.decompress(data), expected)
        (tmp_path / "image.aek").write_bytes(data)
        subprocess.run([sys.executable, example, *files], check=True, capture_output=True)
        assert np.abs(np.load(tmp_path / "image.npy") - expected).max() <= 1
    for shape in ((600, 8, 3), (8, 8, 4)):
        (tmp_path / "other.aek").write_bytes(codec.compress(np.zeros(shape, np.uint8)))
        other = [sys.executable, example, tmp_path / "other.aek", *files[1:]]
        assert (
            b"several tiles, a label or alpha" in subprocess.run(other, capture_output=True).stderr
        )


def test_speed_is_measured_in_a_process_that_does_nothing_else(exported_cae, rng):
    images = rng.random((1, 32, 32, 3), np.float32)
    measured = probe("litert", exported_cae, {"images": images}, threads=1)
    assert 0 < measured["latency_ms"] < 1000
    assert 10 < measured["peak_memory_mb"] < 400  # TensorFlow alone takes more
    with pytest.raises(ChildProcessError, match="Cannot time"):
        probe("litert", exported_cae, {"pictures": images}, threads=1)


def test_tables_of_other_weights_are_refused(tmp_path):
    run = make_run(tmp_path / "run", "mlp")
    other = make_run(tmp_path / "other", "mlp", latent_dim=8)
    run.entropy_tables.write_bytes(other.entropy_tables.read_bytes())
    with pytest.raises(ValueError, match="are of other weights"):
        export_run(run.path, Export("litert"), threads=())
