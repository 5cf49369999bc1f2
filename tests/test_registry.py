import os
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from conftest import ROOT, SMALL, require_backend, smooth_images

import ae_keras
from ae_keras.codec.bitstream import read_bitstream
from ae_keras.codec.hyperprior.fitting import fit_hyperprior
from ae_keras.codec.hyperprior.strip_codec import StripCodec
from ae_keras.codec.hyperprior.strips import Strips
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.keras_transform import KerasQualityTransform, KerasTransform
from ae_keras.codec.planes import Planes
from ae_keras.codec.table_fitting import fit_quantizer
from ae_keras.codec.tiling import Tiling
from ae_keras.models import registration
from ae_keras.registry import SHIPPED, build_from_recipe, is_registered, search_ranges
from ae_keras.runs.loading import load_model

MODELS = [
    name for name in ae_keras.list_models() if ae_keras.recipe_for(name).task == "reconstruction"
]

# Of 96 channels: two Dense 96 -> 96, one 3x3 depthwise, one Dense to 192 and one back.
PHOTO_BLOCK = 2 * (96 * 96 + 96) + 10 * 96 + (96 * 192 + 192) + (192 * 96 + 96)
# Trainable parameters, encoder and decoder together, from the descriptions of the models.
PARAMETERS = {
    "cae": (224 + 876 + 1744, 1740 + 327),
    # 4x4 convolutions of n=64, 2n, ... 16n maps; each map has a bias and two weights of the
    # normalization.
    "celeba_conv": (
        16 * (3 * 64 + (2 + 8 + 32 + 128) * 64**2 + 1024 * 256) + 3 * 64 * 31 + 256,
        16 * (3 * 64 + (2 + 8 + 32 + 128) * 64**2 + 1024 * 256) + 3 * 64 * 31 + 3,
    ),
    "celeba_pool": (
        16 * (3 * 16 + 16 * 32 + 32 * 64) + 3 * (16 + 32) + 64,
        16 * (3 * 16 + 16 * 32 + 32 * 64) + 3 * (16 + 32) + 3,
    ),
    "conv": (640 + 36_928, 2 * 36_928 + 577),
    # Convolutions, slopes, and seven numbers for the distribution of each channel of the latent.
    "factorized_v1": (
        49 * (12 + 48 + 192 + 768) + 252 + 7 * 768,
        48 * (12 + 48 + 192 + 768) + 255 + 252,
    ),
    "factorized_v2": (
        36 * 3 * 12 + 16 * 3 * 40 + 9 * 5 * 128 + 180 + 52 + 7 * 128,
        36 * 3 * 12 + 16 * 3 * 40 + 9 * 5 * 128 + 55 + 52,
    ),
    "lossless_mlp": (2 * (784 * 784 + 2 * 784),) * 2,
    "lossy_cae": (
        640 + 64 + 73_856 + 128 + 73_792 + 64 + 2_080 + 32,
        9_248 + 32 + 25_632 + 32 + 25_104 + 16 + 25_616 + 16 + 3_208 + 8 + 73,
    ),
    "mlp": (784 * 32 + 32, 32 * 784 + 784),
    # Encoder: Dense 192 -> 96, modulation, four blocks, Dense 384 -> 320, components, gains.
    "photo": (
        18_528 + 1_536 + 4 * PHOTO_BLOCK + 123_200 + 245_760 + 2_560,
        123_264 + 1_536 + 4 * PHOTO_BLOCK + 18_624 + 245_760 + 2_560,
    ),
    "vae_v1": (87_612, 49_215),
    "vae_v2": (15_044, 9_031),
}
TOTALS = {
    "lossless_mlp": 2_464_896,
    "lossy_cae": 239_641,
    "photo": 2_421_568,  # most of what is neither encoder nor decoder is the entropy model's
    "vae_v1": 136_827,
    "vae_v2": 24_075,
}
LATENTS = {
    "cae": (8, 8, 16),
    "celeba_conv": (1, 1, 256),
    "celeba_pool": (256,),
    "conv": (7, 7, 64),
    "factorized_v1": (2, 2, 768),
    "factorized_v2": (5, 5, 128),
    "lossless_mlp": (784,),
    "lossy_cae": (1, 1, 32),
    "mlp": (32,),
    "photo": (8, 8, 320),
    "vae_v1": (2, 2, 768),
    "vae_v2": (5, 5, 128),
}


def build(name, **arguments):
    keras.utils.set_random_seed(0)
    shape = ae_keras.recipe_for(name).image_shape
    return ae_keras.build_model(name, image_shape=shape, **SMALL.get(name, {}) | arguments)


def images_for(model, rng, count=4):
    shape = (size or 32 for size in model.inputs[0].shape[1:])
    return rng.random((count, *shape), np.float32)


def beside(model, images):
    """Return what encoder and decoder take beside images or latents: positions, or nothing."""
    return model.inputs_for(images)[1:] if model.takes_quality else []


def count_parameters(part):
    return sum(int(np.prod(weight.shape)) for weight in part.trainable_weights)


def check_strips(model, rng):
    """Check that a file of a model that takes a quality holds what the model makes of it."""
    transform = KerasQualityTransform(model)
    height, width, channels = model.image_shape
    training = smooth_images(rng, 20, height, width, channels)
    entropy_model = fit_hyperprior(transform, model, training)
    codec = StripCodec(transform, entropy_model, model.name, step=70)
    image = smooth_images(rng, 1, height + 5, width + 3, 3)[0]
    data = codec.compress(image)
    header, (section,) = read_bitstream(data)
    strips = Strips(image.shape[:2], header.tile[0] // 64)
    (latents,) = entropy_model.decode(70, strips, section.data)
    # Its latents are those of the model, rounded about their means.
    padding = [(0, -size % 64) for size in image.shape[:2]] + [(0, 0)]
    padded = np.pad(image, padding, mode="edge")[np.newaxis] / np.float32(255)
    positions = np.array([69 / 99], np.float32)
    (expected,), _ = transform.analyse(padded, positions)
    assert np.abs(latents - expected).max() <= 0.501
    shown = transform.synthesize(latents[np.newaxis], positions)[0, : height + 5, : width + 3]
    assert np.abs(codec.decompress(data) - 255 * shown).max() <= 0.51


@pytest.mark.parametrize("name", MODELS)
class TestEveryModel:
    def test_parameters_and_latent_are_those_described(self, name):
        shape = ae_keras.recipe_for(name).image_shape
        model = ae_keras.build_model(name, image_shape=shape)
        assert tuple(map(count_parameters, (model.encoder, model.decoder))) == PARAMETERS[name]
        assert count_parameters(model) == TOTALS.get(name, sum(PARAMETERS[name]))
        assert model.latent_shape == LATENTS[name]

    def test_reconstructions_have_the_shape_and_range_of_images(self, name, rng):
        model = build(name)
        images = images_for(model, rng)
        outputs = np.asarray(model(model.inputs_for(images)))
        assert outputs.shape == images.shape
        assert outputs.dtype == np.float32
        assert outputs.min() >= 0
        assert outputs.max() <= 1

    def test_call_is_decode_of_encode(self, name, rng):
        model = build(name)
        images = images_for(model, rng)
        latents = model.encode(images, *beside(model, images))
        assert tuple(latents.shape[1:]) == model.latent_shape
        decoded = model.decode(latents, *beside(model, images))
        np.testing.assert_array_equal(decoded, model(model.inputs_for(images)))

    def test_keras_file_round_trip_is_exact(self, name, rng, tmp_path):
        model = build(name)
        channels = model.image_shape[-1]
        model.adapt(rng.integers(0, 99, (3, 16, 16, channels), np.uint8))
        images = images_for(model, rng)
        model.save(tmp_path / "model.keras")
        loaded = load_model(tmp_path / "model.keras")
        for ours, theirs in zip(model.weights, loaded.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        inputs, positions = model.inputs_for(images), beside(model, images)
        np.testing.assert_array_equal(loaded(inputs), model(inputs))
        latents = model.encode(images, *positions)
        np.testing.assert_array_equal(loaded.encode(images, *positions), latents)

    def test_every_weight_gets_a_finite_gradient(self, name, rng):
        import tensorflow as tf

        model = build(name)
        for weight in model.trainable_weights:
            if not np.any(weight):  # as a last layer begins: nothing before it would learn
                weight.assign(rng.normal(size=weight.shape, scale=0.01))
        images = images_for(model, rng)
        with tf.GradientTape() as tape:
            outputs = model(model.inputs_for(images), training=True)
            error = tf.reduce_mean(tf.square(outputs - images))
            loss = error + sum(model.losses)
        gradients = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
        for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
            assert gradient is not None, weight.path
            assert np.isfinite(gradient).all(), weight.path
            assert np.any(gradient), weight.path

    def test_training_steps_lower_the_loss(self, name, rng):
        model = build(name)
        images = images_for(model, rng, count=16)
        model.compile(keras.optimizers.Adam(1e-3), "mse", jit_compile=False)
        inputs = model.inputs_for(images)
        losses = model.fit(inputs, images, epochs=5, batch_size=16, verbose=0).history["loss"]
        assert losses[-1] < losses[0]

    def test_codec_round_trip(self, name, rng):
        model, recipe = build(name), ae_keras.recipe_for(name, **SMALL.get(name, {}))
        if model.takes_quality:
            check_strips(model, rng)
            return
        transform = KerasTransform(model, recipe)
        height, width, channels = model.image_shape
        training = smooth_images(rng, 20, height, width, channels)
        codec = ImageCodec(transform, fit_quantizer(transform, training), name)
        # Neither of the model's size nor of a multiple of it.
        image = smooth_images(rng, 1, height + 5, width + 3, 3)[0]
        data = codec.compress(image)
        header, sections = read_bitstream(data)
        tiling = Tiling(image.shape[:2], header.tile, header.overlap)
        planes = Planes(image.shape[2], channels).split(image)
        tiles = np.concatenate([row for plane in planes for row in tiling.cut(plane)])
        latents = transform.encode(tiles.astype(np.float32) / 255)
        coder = codec.entropy_model.at(header.step)
        symbols, tables = coder.symbols(latents), coder.tables
        counts = [symbols.shape[1]] * len(symbols)
        decoded = [tables.decode(section.data, counts) for section in sections]
        np.testing.assert_array_equal(np.concatenate(decoded), symbols.ravel())
        bits = tables.information(symbols.ravel(), counts)
        assert 8 * len(sections[0].data) <= 1.005 * bits + 64 + 5 * 8
        # What is decoded is the model's image of the decoded latents.
        values = coder.latents(symbols).reshape(latents.shape)
        shown = transform.decode(values).reshape(len(planes), *tiling.grid, *header.tile, -1)
        parts = [np.concatenate(list(tiling.join(plane))) for plane in shown]
        expected = 255 * np.clip(np.concatenate(parts, axis=-1), 0, 1)
        assert np.abs(codec.decompress(data) - expected).max() <= 0.51

    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
    def test_mixed_precision(self, name, policy, rng):
        keras.config.set_dtype_policy(policy)
        try:
            mixed = build(name)
        finally:
            keras.config.set_dtype_policy("float32")
        full = build(name)
        images = images_for(full, rng)
        inputs = full.inputs_for(images)
        outputs = np.asarray(mixed(inputs))
        assert outputs.dtype == np.float32
        assert all(weight.dtype == "float32" for weight in mixed.trainable_weights)
        assert np.isfinite(mixed(inputs, training=True)).all()
        # Both start from the same weights; bfloat16 has 8 bits of precision.
        np.testing.assert_allclose(outputs, full(inputs), atol=0.02)


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_same_files_on_another_backend_without_tensorflow(backend, rng, tmp_path):
    require_backend(backend)
    expected = {}
    # The codec of photographs is compared as a whole, by tests/evaluation/test_backends.py.
    names = [name for name in ae_keras.list_models() if name != "photo"]
    for name in names:
        model = build(name)
        images = images_for(model, rng)
        expected[name] = np.asarray(model(images, training=False))
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", images)
    code = (
        "import pathlib, sys; sys.modules['tensorflow'] = None; import numpy as np, keras\n"
        "from ae_keras.runs.loading import load_model\n"
        "for path in pathlib.Path().glob('*.keras'):\n"
        "    output = load_model(path).predict_on_batch(np.load(path.with_suffix('.npy')))\n"
        "    np.savez(path.with_suffix('.npz'), keras.ops.convert_to_numpy(output))"
    )
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in names:
        output = np.load(tmp_path / f"{name}.npz")["arr_0"]
        np.testing.assert_allclose(output, expected[name], atol=1e-5, err_msg=name)


def test_the_table_of_names_is_what_the_families_register():
    registered = {
        name: model.builder.__module__.removeprefix("ae_keras.models.")
        for name, model in registration.REGISTRATIONS.items()
    }
    assert registered == SHIPPED
    for name, model in registration.REGISTRATIONS.items():
        assert (model.builder.__name__, model.recipe.model) == (name, name)


def run_python(code, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_library_and_its_names_are_there_without_keras(tmp_path):
    code = "import sys, ae_keras; ae_keras.list_models(); assert 'keras' not in sys.modules"
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        run_python(code, tmp_path)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 1


def test_keras_loads_what_the_models_import(tmp_path):
    code = (
        "import pathlib, keras, ae_keras.models\n"
        f"for path in pathlib.Path({str(ROOT)!r}).glob('saved_models/pretrained/*/model.keras'):\n"
        "    assert keras.saving.load_model(path).parameter_count > 0\n"
    )
    run_python(code, tmp_path)


@pytest.mark.parametrize("name", ["cae", "mine"])
def test_a_name_is_registered_once(name, forget_models):
    def build(image_shape=(8, 8, 3)):
        return ae_keras.build_model("cae", image_shape=image_shape)

    if name == "mine":
        assert not is_registered("mine")
        ae_keras.register_model(recipe=ae_keras.Recipe(model="mine"))(build)
        assert ae_keras.recipe_for("mine", epochs=3).epochs == 3
        assert "mine" in ae_keras.list_models()
        assert search_ranges("mine") == ()
    with pytest.raises(ValueError, match=rf"There is a model '{name}' already, of the module"):
        ae_keras.register_model(recipe=ae_keras.Recipe(model=name))(build)


def install_package(folder, code):
    """Make a folder look like the place of an installed package with models of its own."""
    (folder / "own_package.py").write_text(code)
    about = folder / "own_package-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[ae_keras.models]\nown = own_package\n")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "import ae_keras\n"
            "@ae_keras.register_model(recipe=ae_keras.Recipe(model='own', epochs=7))\n"
            "def own(image_shape=(8, 8, 3)): ...\n",
            None,
        ),
        ("import no_such_module", "Cannot import 'own_package', of model 'own': No module named"),
        ("", "'own_package' should register a model 'own', and does not"),
    ],
)
def test_an_installed_package_brings_models(code, message, tmp_path, monkeypatch, forget_models):
    with pytest.raises(ValueError, match="Unknown model 'own'"):
        ae_keras.recipe_for("own")
    install_package(tmp_path, code)
    monkeypatch.syspath_prepend(tmp_path)
    assert "own" in ae_keras.list_models()
    assert "own_package" not in sys.modules  # not before it is needed
    if message:
        with pytest.raises(ValueError, match=message):
            ae_keras.recipe_for("own")
    else:
        assert ae_keras.recipe_for("own").epochs == 7
    sys.modules.pop("own_package", None)


def test_an_unknown_name_is_told_with_what_it_may_have_been():
    with pytest.raises(ValueError, match=r"'cea'. Did you mean 'cae'\?.*--import FILE.py"):
        ae_keras.recipe_for("cea")


def test_a_recipe_is_built_as_it_says():
    recipe = ae_keras.recipe_for("cae", image_shape=(16, 24, 3), filters=(4, 5))
    model = build_from_recipe(recipe)
    assert (model.image_shape, model.latent_shape) == ((16, 24, 3), (8, 12, 5))
    model = build_from_recipe(recipe, classes=7, image_shape=(None, None, 3))
    assert (model.image_shape, model.classes) == ((None, None, 3), 7)


def test_training_images_reach_the_encoder(rng):
    model = build("cae")
    training = rng.integers(0, (60, 120, 250), (5, 8, 8, 3), np.uint8)
    model.adapt(training)
    images = images_for(model, rng)
    plain = build("cae")
    mean, deviation = (measure((0, 1, 2)) / 255 for measure in (training.mean, training.std))
    standardized = np.float32((images - mean) / deviation)
    np.testing.assert_allclose(model.encode(images), plain.encode(standardized), atol=1e-5)


def test_cae_takes_any_size_divisible_by_four(rng):
    model = ae_keras.build_model("cae", image_shape=(None, None, 3))
    for height, width in [(32, 32), (64, 20)]:
        images = rng.random((1, height, width, 3), np.float32)
        assert model(images).shape == images.shape
        assert model.encode(images).shape == (1, height // 4, width // 4, 16)


@pytest.mark.parametrize(
    ("arguments", "latent", "parameters"),
    [
        ({"filters": (12, 4)}, (16, 16, 4), 27 * 12 + 12 + 108 * 4 + 4 + 36 * 3 + 3),
        ({"filters": (8, 12, 16, 64)}, (4, 4, 64), 23_423),
        # One more of 8, 12 and 16 maps in the encoder, and of 12 in the decoder.
        ({"convolutions": 2}, (8, 8, 16), 4_911 + 584 + 1_308 + 2_320 + 1_308),
    ],
)
def test_cae_has_variants(arguments, latent, parameters, rng):
    model = ae_keras.build_model("cae", **arguments)
    assert model.latent_shape == latent
    assert model.parameter_count == parameters
    images = rng.random((2, 32, 32, 3), np.float32)
    assert model.predict_on_batch(images).shape == images.shape


def test_variational_models_do_without_groups():
    assert ae_keras.build_model("vae_v2", grouped=False).parameter_count == sum(
        inputs * outputs * kernel**2 + outputs
        for inputs, outputs, kernel in [
            *((3, 12, 6), (12, 40, 4), (40, 128, 3), (40, 128, 3)),
            *((128, 40, 3), (40, 12, 4), (12, 3, 6)),
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (30, 32, 3)}, "divisible by 4"),
        ({"filters": (8,)}, "two or more whole numbers"),
        ({"filters": (8, "x", 9)}, "two or more whole numbers"),
        ({"filters": (8, 12, True)}, "two or more whole numbers"),
        ({"convolutions": 0}, "`convolutions` must be a whole number >= 1"),
        ({"filter": (8, 16, 32)}, "Did you mean 'filters'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ae_keras.build_model("cae", **arguments)


def test_parts_that_do_not_fit_are_refused():
    cae = build("cae")
    with pytest.raises(ValueError, match="must take the encoder's output"):
        ae_keras.Autoencoder(cae.encoder, cae.encoder)
