"""What reads files that may come from anyone, with whole files to begin with.

A target's `read` is given a file, and does with it what the library does: it returns all that came
out, as bytes, or raises one of the errors that commands make one line of.
"""

import functools
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

# ruff: noqa: E402
from conftest import BlockTransform, PatchTransform
from fuzz_changes import (
    change_aek,
    change_arrays,
    change_json,
    change_package,
    change_parquet,
)

from ae_keras.codec import litert_transform
from ae_keras.codec.bitstream import read_bitstream
from ae_keras.codec.kinds import codec_of, load_tables, read_entropy_model
from ae_keras.codec.litert import pack, unpack
from ae_keras.codec.loading import load_codec
from ae_keras.codec.metadata import read_metadata
from ae_keras.recipe import Recipe
from ae_keras.runs.shipped import PRETRAINED

# Errors that commands make one line of.
REFUSALS = (ValueError, OSError)
# Pixels that a file may ask for; what a decoder takes of memory grows with them.
MOST_PIXELS = 2**16
_TABLES = [TESTS / "codec/golden/tables.npz", TESTS / "codec/hyperprior/golden/tables.npz"]
_CAE = PRETRAINED / "cae-cifar10"


@dataclass(frozen=True)
class Target:
    """A kind of files.

    Args:
        seeds: Returns whole files.
        read: Returns what a file holds.
        change: Changes a file, and repairs its checksums if it has any.
        has_checksums: bool. Whether what is damaged is never read.
    """

    seeds: Callable[[], list[bytes]]
    read: Callable[[bytes], bytes]
    change: Callable[..., bytes]
    has_checksums: bool = True


@functools.cache
def _codecs() -> list:
    """Return codecs of all kinds: without a model, and of tiny ones."""
    transforms = [BlockTransform(3), PatchTransform()]
    made = [
        codec_of(transform, load_tables(path), "model")(None, None, None, MOST_PIXELS)
        for transform, path in zip(transforms, _TABLES, strict=True)
    ]
    for run in (_CAE, TESTS / "golden" / "photo"):
        made.append(load_codec(run, max_pixels=MOST_PIXELS, runtime="litert", threads=1))
    return made


def _aek_seeds(version: int) -> list[bytes]:
    folders = (TESTS / "codec/golden", TESTS / "codec/hyperprior/golden", TESTS / "golden")
    files = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.aek"))]
    digests = [codec.entropy_model.digest for codec in _codecs()]
    return [
        data
        for data in files
        if data[4] == version and any(digest in data[:20] for digest in digests)
    ]


def _read_aek(data: bytes) -> bytes:
    codecs = _codecs()
    codec = next((each for each in codecs if each.entropy_model.digest in data[:20]), codecs[0])
    metadata = read_metadata(read_bitstream(data)[1])
    image = codec.decompress(data)
    assert image.shape[0] * image.shape[1] <= MOST_PIXELS
    assert image.dtype == np.uint8
    return f"{image.shape} {metadata}".encode() + image.tobytes()


def _read_tables(data: bytes) -> bytes:
    tables = read_entropy_model(data, "tables.npz")
    transform = PatchTransform() if hasattr(tables, "geometry") else BlockTransform(3)
    _use(codec_of(transform, tables, "model")(None, None, None, MOST_PIXELS))
    return tables.digest + str(tables.default_step).encode()


def _use(codec: object) -> None:
    """Compress an image, and restore it."""
    image = np.arange(8 * 8 * codec.channels, dtype=np.uint8).reshape(8, 8, codec.channels)
    image = image[..., 0] if codec.channels == 1 else image
    with np.errstate(all="ignore"):
        assert codec.decompress(codec.compress(image)).shape == image.shape


def _package_seeds() -> list[bytes]:
    model, description, _ = unpack((_CAE / "model.tflite").read_bytes())
    return [pack(model, description, (_CAE / "entropy_tables.npz").read_bytes())]


def _read_package(data: bytes) -> bytes:
    path = _scratch() / "model.tflite"
    path.write_bytes(data)
    litert_transform._load.cache_clear()  # the clock of files is a coarse one
    make = litert_transform.load_exported(path, threads=1)
    _use(make(None, None, None, MOST_PIXELS))
    return repr(unpack(data)).encode()


def _recipe_seeds() -> list[bytes]:
    paths = [TESTS / "golden/photo/recipe.json", *sorted(PRETRAINED.glob("*/recipe.json"))]
    return [path.read_bytes() for path in paths]


def _read_recipe(data: bytes) -> bytes:
    recipe = Recipe.from_json(data.decode())
    again = Recipe.from_json(recipe.to_json())
    assert not again.differences(recipe)
    return f"{recipe.data_spec} {recipe.batch_spec} {recipe.run_name}".encode(errors="replace")


@functools.cache
def _model() -> object:
    """Return a compiled model of three weights."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def _checkpoint_seeds() -> list[bytes]:
    from ae_keras.training.checkpoint import Progress, write_checkpoint

    path = _scratch() / "whole.npz"
    history = [{"loss": 0.5, "val_loss": 0.25}, {"loss": 0.25, "val_loss": 0.5}]
    write_checkpoint(path, _model(), Progress(2, 3, history, 1.5, 7))
    return [path.read_bytes()]


def _read_checkpoint(data: bytes) -> bytes:
    from ae_keras.training.checkpoint import read_checkpoint, read_step

    path = _scratch() / "checkpoint.npz"
    path.write_bytes(data)
    step = read_step(path)
    progress = read_checkpoint(path, _model())
    progress.is_over(Recipe(model="cae", early_stopping=3))
    weights = b"".join(np.asarray(each).tobytes() for each in _model().get_weights())
    return f"{step} {progress}".encode() + weights


def _manifest_seeds() -> list[bytes]:
    from ae_keras.cluster.manifest import Manifest
    from ae_keras.photographs.jobs import Job, Result

    folder = tempfile.mkdtemp(dir=_scratch())
    manifest = Manifest(folder)
    manifest.begin([Job(f"in/{number}.png", f"{folder}/{number}.aek") for number in range(3)])
    manifest.add(
        Result(Job("in/1.png", f"{folder}/1.aek"), size=9, shape=(2, 2), psnr=30.5, seconds=1.5)
    )
    manifest.close()
    return [path.read_bytes() for path in Path(folder).glob("*/*.parquet")]


def _read_manifest(data: bytes) -> bytes:
    from ae_keras.cluster.manifest import FOLDER, Manifest

    folder = _scratch() / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "part-000000-00.parquet").write_bytes(data)
    return json.dumps(Manifest(str(folder.parent)).errors()).encode()


@functools.cache
def _scratch() -> Path:
    """Return a folder in memory, if there is one, for the files of this process."""
    memory = Path("/dev/shm")
    folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
    _kept.append(folder)
    return Path(folder.name)


# Removed when the process ends.
_kept: list[tempfile.TemporaryDirectory] = []


TARGETS = {
    "aek1": Target(functools.partial(_aek_seeds, 1), _read_aek, change_aek),
    "aek2": Target(functools.partial(_aek_seeds, 2), _read_aek, change_aek),
    "tables": Target(lambda: [path.read_bytes() for path in _TABLES], _read_tables, change_arrays),
    "package": Target(_package_seeds, _read_package, change_package),
    "checkpoint": Target(_checkpoint_seeds, _read_checkpoint, change_arrays),
    "recipe": Target(_recipe_seeds, _read_recipe, change_json, has_checksums=False),
    "manifest": Target(_manifest_seeds, _read_manifest, change_parquet, has_checksums=False),
}
