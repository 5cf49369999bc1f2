import importlib.util
import os
import runpy
import socket
import sys
from pathlib import Path

# Before TensorFlow is imported by any test.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

# Of models by name: smaller than described, for the tests that compute.
SMALL = {
    "celeba_conv": {"filters": 4},
    "conv": {"filters": 8},
    "denoiser": {"filters": (4, 8, 8), "blocks": (1, 1, 1)},
    "lossless_mlp": {"latent_dim": 50},
    "photo": {
        "filters": 8,
        "blocks": 1,
        "latent_channels": 12,
        "hyper_filters": 8,
        "features": 12,
        "hyper_channels": 6,
    },
}
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def nothing_noted():
    """No test says what another has noted."""
    from ae_keras.system import notices

    notices.forget()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def page_folder(tmp_path, monkeypatch):
    """Where the page in the browser keeps the files of its users."""
    from ae_keras.app.files import FOLDER_VARIABLE

    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "page"))
    return tmp_path / "page"


@pytest.fixture
def photo_folder(tmp_path, rng):
    """Forty small colour images in nested folders."""
    folder = tmp_path / "photos"
    for number in range(40):
        path = folder / f"set{number % 3}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth = rng.integers(0, 256, (6, 7, 3), np.uint8)
        Image.fromarray(smooth).resize((50, 40), Image.Resampling.BICUBIC).save(path)
    return folder


@pytest.fixture
def tiny_recipe(photo_folder):
    """A recipe that trains in a second or two."""
    from ae_keras import recipe_for

    return recipe_for(
        "cae",
        str(photo_folder),
        image_shape=(16, 16, 3),
        epochs=3,
        batch_size=8,
        learning_rate=1e-3,
        schedule="constant",
    )


@pytest.fixture
def run(tmp_path, tiny_recipe, rng, monkeypatch):
    """A run in `saved_models`, named `mine`, of an untrained model with entropy tables."""
    from ae_keras.codec.fitting import fit_run
    from ae_keras.data.images import Images
    from ae_keras.registry import build_from_recipe
    from ae_keras.runs.folder import RunFolder

    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path / "saved_models" / "mine")
    run.path.mkdir(parents=True)
    run.start(tiny_recipe)
    run.write_model(build_from_recipe(tiny_recipe), run.model)
    fit_run(run, Images(smooth_images(rng, 20, 16, 16, 3)))
    return run


@pytest.fixture
def forget_models(monkeypatch):
    """Forget the models that a test registers, when it ends."""
    from ae_keras.models import registration

    monkeypatch.setattr(registration, "REGISTRATIONS", dict(registration.REGISTRATIONS))


@pytest.fixture
def photo(tmp_path, rng):
    """The path of a colour image with alpha."""
    path = tmp_path / "photo.png"
    Image.fromarray(smooth_images(rng, 1, 20, 30, 4)[0]).save(path)
    return str(path)


def make_profile(swapped=False):
    """An ICC profile of sRGB; with red and green swapped, its colours are seen to be others."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Without the time at which it was made.
    profile = profile[:24] + bytes(12) + profile[36:]
    if swapped:
        profile = profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ")
        profile = profile.replace(b"?XYZ", b"gXYZ")
    return profile


def make_exif(orientation=None, position=False):
    """EXIF of a picture, from its TIFF header on."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.ExposureTime: 0.5}
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    if position:
        exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 8.0, 30.0)}
    return exif.tobytes().removeprefix(b"Exif\0\0")


def run_here(monkeypatch, capsys, name, *arguments):
    """Run a script in this process, which has TensorFlow already."""
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    status = 0
    try:
        runpy.run_path(str(ROOT / "scripts" / name), run_name="__main__")
    except SystemExit as stop:
        status = stop.code
    return status, *capsys.readouterr()


def free_port():
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def assert_one_clear_line(returncode, stderr, *words):
    assert returncode in (1, 2)
    assert len(stderr.splitlines()) == 1, stderr
    assert "Traceback" not in stderr
    for word in words:
        assert word in stderr


def require_backend(name):
    """Skip the test, saying so, where a backend of Keras is not installed; fail in CI."""
    if not importlib.util.find_spec(name):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")


def require_dataset(name):
    """Skip the test, saying so, where a TFDS data set is not on this machine."""
    import tensorflow_datasets as tfds

    if not tfds.builder(name).is_prepared():
        pytest.skip(f"data set {name!r} is not in {os.environ.get('TFDS_DATA_DIR', 'the default')}")


class BlockTransform:
    """A transform without a model: each 2x2 block of an 8x8 tile as its sum and differences."""

    tile, classes = (8, 8), None
    _HADAMARD = np.float32([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2

    def __init__(self, channels=3, classes=None):
        self.channels, self.classes = channels, classes
        self.latent_shape = (4, 4, 4 * channels)

    def tile_for(self, size, overlap=None):
        return self.tile, 0 if max(size) <= 8 else (2 if overlap is None else overlap)

    def latent_shape_of(self, tile):
        return self.latent_shape if tuple(tile) == self.tile else None

    def encode(self, images):
        blocks = images.reshape(-1, 4, 2, 4, 2, self.channels).transpose(0, 1, 3, 5, 2, 4)
        return (blocks.reshape(-1, 4, 4, self.channels, 4) @ self._HADAMARD).reshape(
            -1, *self.latent_shape
        )

    def decode(self, latents, labels=None):
        blocks = latents.reshape(-1, 4, 4, self.channels, 4) @ self._HADAMARD
        blocks = blocks.reshape(-1, 4, 4, self.channels, 2, 2).transpose(0, 1, 4, 2, 5, 3)
        return blocks.reshape(-1, 8, 8, self.channels)


def make_block_codec(channels=3, classes=None, **settings):
    """A codec of `BlockTransform`, fitted to smooth images; the same in every run."""
    from ae_keras.codec.image_codec import ImageCodec
    from ae_keras.codec.table_fitting import fit_quantizer

    transform = BlockTransform(channels, classes)
    images = smooth_images(np.random.default_rng(0), 40, 8, 8, channels)
    labels = None if classes is None else np.arange(len(images)) % classes
    return ImageCodec(transform, fit_quantizer(transform, images, labels), "blocks", **settings)


class PatchTransform:
    """A `QualityTransform` without a model: patches of 16x16 pixels as 12 numbers, these by four.

    As a trained encoder does, it looks beyond a patch: at the row of pixels above it.
    """

    channels = 3

    def __init__(self):
        rng = np.random.default_rng(3)
        basis, _ = np.linalg.qr(rng.normal(size=(768, 12)))
        self._basis = basis.astype(np.float32)
        self._hyper = rng.normal(size=(16 * 12, 5)).astype(np.float32)

    def analyse(self, images, positions):
        above = np.concatenate([np.zeros_like(images[:, :1]), images[:, :-1]], axis=1)
        patches = self._cut(2 * images - 1 + 0.1 * above, 16)
        latents = patches @ self._basis * self._gain(positions)
        hyper_latents = self._cut(latents, 4) @ self._hyper / 16
        return latents.astype(np.float32), hyper_latents.astype(np.float32)

    def synthesize(self, latents, positions):
        pixels = (latents / self._gain(positions)) @ self._basis.T
        count, height, width, _ = pixels.shape
        pixels = pixels.reshape(count, height, width, 16, 16, 3).swapaxes(2, 3)
        images = pixels.reshape(count, 16 * height, 16 * width, 3) / 2 + 0.5
        below = np.concatenate([images[:, 1:], images[:, -1:]], axis=1)
        return np.clip(0.9 * images + 0.1 * below, 0, 1).astype(np.float32)

    @staticmethod
    def _gain(positions):
        return np.exp(1 + 3 * np.asarray(positions))[:, None, None, None]

    @staticmethod
    def _cut(maps, size):
        count, height, width, channels = maps.shape
        maps = maps.reshape(count, height // size, size, width // size, size, channels)
        return maps.swapaxes(2, 3).reshape(count, height // size, width // size, -1)


def make_hyperprior(seed=0):
    """A `HyperpriorModel` of small networks with random whole numbers; the same in every run."""
    from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
    from ae_keras.codec.hyperprior.fitting import arrays_of, make_tables

    rng = np.random.default_rng(seed)
    channels, features, filters, hyper = 12, 8, 6, 5

    def integers(low, high, *shape):
        return rng.integers(low, high, shape).astype(np.int32)

    def dense(name, inputs, outputs):
        kernel = integers(-3000, 3000, inputs, outputs)
        return {f"{name}/kernel": kernel, f"{name}/bias": integers(-(2**19), 2**19, outputs)}

    def depthwise(name, width):
        kernel = integers(-2000, 2000, 3, 3, width)
        return {f"{name}/kernel": kernel, f"{name}/bias": integers(-(2**19), 2**19, width)}

    def block(name, width):
        return (
            dense(f"{name}/mix_in", width, width)
            | depthwise(f"{name}/depthwise", width)
            | dense(f"{name}/mix_out", width, width)
            | dense(f"{name}/widen", width, 2 * width)
            | dense(f"{name}/narrow", 2 * width, width)
        )

    known = np.arange(8 * 2**14 + 1) / 8
    weights = (
        dense("hyper_decoder/first", hyper, 4 * filters)
        | block("hyper_decoder/first_block", filters)
        | dense("hyper_decoder/second", filters, 4 * features)
        | block("hyper_decoder/second_block", features)
        | dense("head", features, 2 * channels)
        | dense("context/first", features + channels, features)
        | depthwise("context/depthwise", features)
        | dense("context/last", features, 2 * channels)
        | {"arcsinh": np.rint(256 * np.arcsinh(known)).astype(np.int16)}
    )
    rise = np.linspace(0, 1, 100)[:, None] + np.zeros(channels)
    levels = {
        "hyper_step": rng.uniform(50, 200, (100, hyper)).astype(np.float32),
        "hyper_mean": integers(-2, 3, 100, hyper),
        "hyper_table": integers(10, 40, 100, hyper),
        "modulation_scale": integers(2000, 6000, 100, features),
        "modulation_shift": integers(-(2**19), 2**19, 100, features),
        "unit": (np.exp(rise) / 256).astype(np.float32),
        "log_unit": np.rint(256 * rise).astype(np.int16),
        "step": np.exp(-1 - 3 * rise).astype(np.float16),
    }
    scales = np.exp(np.linspace(np.log(0.11), np.log(400), 64))
    spacing = 256 * np.log(400 / 0.11) / 63
    arrays = {f"weights/{name}": array for name, array in weights.items()}
    arrays |= {f"levels/{name}": array for name, array in levels.items()}
    arrays |= arrays_of(make_tables(scales, np.zeros((64, 8193))))
    return HyperpriorModel(
        arrays
        | {
            "scales": np.array([256 * np.log(0.11), spacing]),
            "offsets": np.zeros(64, np.float32),
            "margins": np.array([64, 16], np.int32),
            "preview": rng.normal(size=(channels, 12)).astype(np.float32),
        },
        "0123456789abcdef",
    )


def make_strip_codec(**settings):
    """A codec of `PatchTransform` and `make_hyperprior`."""
    from ae_keras.codec.hyperprior.strip_codec import StripCodec

    return StripCodec(PatchTransform(), make_hyperprior(), "patches", **settings)


def smooth_images(rng, count, height, width, channels):
    """Random uint8 images whose neighbouring pixels are alike."""
    from scipy import ndimage

    noise = rng.normal(size=(count, height, width, channels))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2, 0), mode="wrap")
    return np.clip(128 + 200 * smooth, 0, 255).astype(np.uint8)


def pixels_of(path):
    """Return the pixels of an image file."""
    return np.asarray(Image.open(path))


def shaken(model, rng, scale=0.05):
    """Return the model with all its weights a little off, as training leaves them."""
    for weight in model.trainable_weights:
        noise = rng.normal(size=weight.shape) * scale
        weight.assign(np.asarray(weight) + noise.astype("float32"))
    return model


def batch_arrays(batches):
    """Return the inputs and the targets of all batches of a pipeline."""
    inputs, targets = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


class Killed(Exception):  # noqa: N818
    """Stands for the end of the process."""


def train_and_die(recipe, folder, batches, **options):
    """Train until some batches, counted over all epochs, are done, and die."""
    import ae_keras
    from ae_keras.training import epoch

    original, done = epoch.WithinEpoch.on_train_batch_end, [0]

    def on_train_batch_end(self, batch, logs=None):
        done[0] += 1
        if done[0] > batches:
            raise Killed
        original(self, batch, logs)

    with pytest.MonkeyPatch.context() as context:
        context.setattr(epoch.WithinEpoch, "on_train_batch_end", on_train_batch_end)
        with pytest.raises(Killed):
            ae_keras.train(recipe, folder, verbose=0, **options)


def results(folder):
    """Return the weights of both models of a run, and its history."""
    from ae_keras.runs.folder import RunFolder
    from ae_keras.runs.loading import load_model

    run = RunFolder(folder)
    models = [load_model(path) for path in (run.model, run.last_model)]
    return [weight for model in models for weight in model.get_weights()], (
        run.path / "history.csv"
    ).read_text()


def assert_same_results(first, second):
    (weights, history), (other_weights, other_history) = results(first), results(second)
    assert history == other_history
    for ours, theirs in zip(weights, other_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
