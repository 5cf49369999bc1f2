"""Run folders from anyone: none runs code, writes elsewhere, or takes all the memory it likes."""

import contextlib
import dataclasses
import io
import json
import pickle
import re
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import assert_one_clear_line, run_here

import ae_keras
from ae_keras.codec.kinds import load_tables
from ae_keras.codec.litert import Description, pack, unpack
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model
from ae_keras.runs.model_files import _count_described
from ae_keras.runs.shipped import PRETRAINED
from ae_keras.training.checkpoint import read_step

WEIGHTS = "model.weights.h5"
# Bytes of what is packed into a few of them.
BOMB = 2**28


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of random weights."""
    folder = tmp_path_factory.mktemp("runs")
    np.savez(folder / "images.npz", images=np.zeros((20, 16, 16, 3), np.uint8))
    recipe = ae_keras.recipe_for("cae", str(folder / "images.npz"), image_shape=(16, 16, 3))
    run = RunFolder(folder / "run")
    run.path.mkdir()
    run.start(recipe)
    run.write_model(build_from_recipe(recipe), run.model)
    return run


@pytest.fixture
def run(whole, tmp_path, monkeypatch):
    """A copy of it, in `saved_models` of the current folder."""
    monkeypatch.chdir(tmp_path)
    return RunFolder(shutil.copytree(whole.path, tmp_path / "saved_models" / "mine"))


@pytest.fixture
def tamper(run):
    """A function that changes the model's configuration: from its encoder's layers to others."""

    def change(make_layers, **others):
        members = members_of(run.model)
        config = json.loads(members["config.json"])
        encoder = config["config"]["encoder"]["config"]
        encoder["layers"] = make_layers(encoder["layers"])
        write_archive(run.model, members | {"config.json": json.dumps(config | others)})
        return run.model

    return change


def layer(name, config, module="keras.layers", registered=None):
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "attack", "trainable": True, **config},
        "registered_name": registered,
    }


def marking(tmp_path):
    """What would leave a file behind, if it ran."""
    return f"__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"


def lambda_code(tmp_path):
    from keras.src.utils.python_utils import func_dump

    code, *_ = func_dump(eval(f"lambda x: {marking(tmp_path)} or x"))
    return {"class_name": "__lambda__", "config": {"value": [code, None, None]}}


ATTACKS = {
    "a lambda": lambda path: layer("Lambda", {"function": lambda_code(path), "arguments": {}}),
    "a function of the system": lambda _: layer(
        "Activation",
        {
            "activation": {
                "module": "os",
                "class_name": "function",
                "config": "system",
                "registered_name": "system",
            }
        },
    ),
    "a class of another module": lambda path: layer(
        "Popen", {"args": ["touch", str(path / "ran")]}, "subprocess", "subprocess>Popen"
    ),
    "a class that nobody has registered": lambda _: layer("Evil", {}, "evil", "evil>Evil"),
    "a saved model of TensorFlow": lambda path: layer("TFSMLayer", {"filepath": str(path)}),
    "a pickle of PyTorch": lambda _: layer("TorchModuleWrapper", {"module": "gASVAAAA"}),
    "a list of words elsewhere": lambda _: layer("StringLookup", {"vocabulary": "/etc/passwd"}),
    "a download": lambda path: layer(
        "Activation",
        {
            "activation": {
                "module": "keras.utils",
                "class_name": "function",
                "config": "get_file",
                "registered_name": "get_file",
            }
        },
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_model_runs_no_code(attack, tamper, tmp_path, monkeypatch, capsys):
    before = sorted(tmp_path.rglob("*"))
    tamper(lambda layers: [layers[0], ATTACKS[attack](tmp_path), *layers[1:]])
    status, _, stderr = run_here(monkeypatch, capsys, "evaluate.py", "mine")
    assert_one_clear_line(status, stderr, "model.keras' as a model", "Take it from a copy")
    assert len(stderr) < 600
    assert sorted(tmp_path.rglob("*")) == before


def test_a_model_is_no_larger_than_its_weights(tamper, run):
    wide = [layer("Dense", {"name": f"attack_{units}", "units": units}) for units in (2**38, 3)]
    tamper(lambda layers: [layers[0], *wide, *layers[1:]])
    with little_memory(), pytest.raises(ValueError, match=r"it describes 1,924,\S+ weights, and"):
        load_model(run.model)


def test_a_layer_of_a_users_own_may_make_variables_of_values(tamper, run, monkeypatch):
    import keras

    class Scaled(keras.layers.Layer):
        def build(self, input_shape):
            self.scale = keras.Variable(np.ones(3, np.float32), trainable=False)

        def call(self, inputs):
            return inputs * self.scale

    own = layer("Scaled", {}, "own", "own>Scaled")
    tamper(lambda layers: [layers[0], own, *layers[1:]])
    with pytest.raises(ValueError, match="Could not locate class 'Scaled'"):
        load_model(run.model)
    monkeypatch.setitem(keras.saving.get_custom_objects(), "own>Scaled", Scaled)
    assert _count_described(json.loads(members_of(run.model)["config.json"])) == 0


def test_a_configuration_without_end_is_refused(run):
    members = members_of(run.model)
    write_archive(run.model, members | {"config.json": "[" * 200_000})
    with pytest.raises(ValueError, match="Cannot load"):
        load_model(run.model)
    write_archive(run.model, members | {"config.json": " " * 2**23}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=r"config.json' in it takes more than 4,194,304 bytes"):
        load_model(run.model)


@pytest.mark.parametrize(
    "name", ["../../out", "/tmp/out", "assets/../../../out", "model.weights.npz"]
)
def test_an_archive_of_other_files_is_refused(name, run, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    write_archive(run.model, members_of(run.model) | {name: b"x"})
    with pytest.raises(ValueError, match=r"must hold config\.json, metadata\.json"):
        load_model(run.model)
    assert sorted(tmp_path.rglob("*")) == before


class Marking:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return eval, (marking(self._path),)


def test_pickles_are_refused(run, tmp_path):
    file = io.BytesIO()
    np.savez(file, units=np.array([Marking(tmp_path)], object))
    members = members_of(run.model)
    del members[WEIGHTS]
    write_archive(run.model, members | {"model.weights.npz": file.getvalue()})
    with pytest.raises(ValueError, match=r"must hold config\.json, metadata\.json"):
        load_model(run.model)
    for path, read in ((run.entropy_tables, load_tables), (run.checkpoint, read_step)):
        for pickled in (file.getvalue(), pickle.dumps(Marking(tmp_path))):
            path.write_bytes(pickled)
            with pytest.raises(ValueError, match=f"Cannot .*{path.name}"):
                read(path)
    assert not (tmp_path / "ran").exists()


@contextlib.contextmanager
def little_memory():
    """Fail if the memory of this process grows by half of a bomb meanwhile."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        pytest.skip("only Linux tells the peak of a process's memory")

    def kibibytes(name):
        return int(re.search(rf"{name}:\s+(\d+)", status.read_text())[1])

    reset.write_text("5")  # the peak is what it is now
    before = kibibytes("VmRSS")
    yield
    assert 1024 * (kibibytes("VmHWM") - before) < BOMB / 2


def write_zeros(path, members, name, says=BOMB):
    """Write an archive with a file that is large, packed small, and says that it has some bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(name, "w") as file:
            for _ in range(BOMB // 2**20):
                file.write(bytes(2**20))
        archive.getinfo(name).file_size = says
        for other, data in members.items():
            archive.writestr(other, data)


@pytest.mark.parametrize("says", [BOMB, 1000])
def test_an_archive_that_is_a_bomb_is_refused(says, run):
    members = members_of(run.model)
    del members[WEIGHTS]
    write_zeros(run.model, members, WEIGHTS, says)
    with little_memory(), pytest.raises(ValueError, match="takes more than 67,108,864 bytes"):
        load_model(run.model)


def test_weights_that_are_a_bomb_are_refused(run):
    file = io.BytesIO()
    with h5py.File(file, "w") as weights:  # all of them the one that stands for what is missing
        weights.create_dataset("vars/0", (2**34,), "f4", chunks=(2**20,), compression="gzip")
    write_archive(run.model, members_of(run.model) | {WEIGHTS: file.getvalue()})
    with little_memory(), pytest.raises(ValueError, match="its weights take more than 67,108,864"):
        load_model(run.model)


ARRAYS = {
    "entropy_tables.npz": (load_tables, "units"),
    "checkpoint.npz": (read_step, "optimizer/0"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_are_a_bomb_are_refused(name, run):
    path, (read, array) = run.path / name, ARRAYS[name]
    write_zeros(path, {}, f"{array}.npy")
    with little_memory(), pytest.raises(ValueError, match=f"{name}.*bytes, unpacked"):
        read(path)
    # A few bytes that say that they are an array of terabytes.
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**40,)}
    np.lib.format.write_array_header_1_0(file, header)
    write_archive(path, {f"{array}.npy": file.getvalue() + bytes(100)})
    with little_memory(), pytest.raises(ValueError, match=f"Cannot .*{name}"):
        read(path)


@pytest.mark.parametrize("lengths", [[2**24], [1] * 2**17, [-1, 3], []])
def test_tables_of_absurd_lengths_are_refused(lengths, run):
    lengths = np.array(lengths, np.int32)
    counts = np.ones(max(lengths.sum(), 0), np.int8)
    arrays = {"starts": np.zeros(len(lengths), int), "lengths": lengths, "counts": counts}
    settings = {"default_step": 32, "weights_digest": "0"}
    np.savez_compressed(run.entropy_tables, units=np.ones(len(lengths)), **arrays, **settings)
    with pytest.raises(ValueError, match="Cannot read the tables"):
        load_tables(run.entropy_tables)


DESCRIPTION = {
    "name": "a", "recipe": {"model": "cae"}, "weights_digest": "0", "part": "autoencoder",
    "quantization": "none", "image_shape": [16, 16, 3], "latent_shape": [4, 4, 16],
    "takes_any_size": True, "classes": None,
}  # fmt: skip


def test_a_description_of_other_types_is_refused():
    def packed(**changes):
        return pack(b"model", Description(**DESCRIPTION | changes), b"tables")

    assert unpack(packed())[1] == Description(**DESCRIPTION)
    for changes in (
        {"image_shape": "16"}, {"image_shape": [0, 16, 3]}, {"image_shape": [1.5, 16, 3]},
        {"latent_shape": {"4": 4}}, {"classes": "10"}, {"name": None}, {"recipe": {}},
        {"latent_shape": 0}, {"latent_shape": ""}, {"latent_shape": []}, {"latent_shape": [4]},
        {"latent_shape": [32, 4, 16]}, {"latent_shape": [5, 4, 16]}, {"latent_shape": False},
        {"image_shape": [8192, 8192, 3]}, {"image_shape": [32, 16, 3]},
        {"recipe": {"model": ["cae"]}},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="It is damaged, or was not written by"):
            unpack(packed(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"latent_shape": [8, 8, 2**31]}, "is no model as its description says: its latents"),
        ({"image_shape": [32, 32, 1]}, "is no model as its description says: its images"),
        ({"classes": 10}, "is no model as its description says: its latents"),
    ],
)
def test_an_exported_model_is_what_its_description_says(changes, words, tmp_path):
    run = RunFolder(PRETRAINED / "cae-cifar10")
    model, description, _ = unpack(run.litert.read_bytes())
    tables = run.entropy_tables.read_bytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(pack(model, description, tables))
    assert ae_keras.load_codec(path).channels == 3
    path.write_bytes(pack(model, dataclasses.replace(description, **changes), tables))
    with pytest.raises(ValueError, match=words):
        ae_keras.load_codec(path)
    other = RunFolder(PRETRAINED / "vae_v2-cifar10").entropy_tables.read_bytes()
    path.write_bytes(pack(model, description, other))
    with pytest.raises(ValueError, match="tables of 'cae-cifar10' are not of its model's latents"):
        ae_keras.load_codec(path)


@pytest.mark.parametrize("name", ["model.json", "entropy_tables.npz"])
def test_an_exported_model_that_is_a_bomb_is_refused(name, tmp_path):
    path = tmp_path / "bomb.tflite"
    whole = {"model.json": json.dumps(DESCRIPTION), "model.sha256": sha256().hexdigest()}
    write_zeros(path, {key: data for key, data in whole.items() if key != name}, name)
    data = path.read_bytes()
    with little_memory(), pytest.raises(ValueError, match="It is damaged, or was not written by"):
        unpack(data)


def test_a_recipe_names_nothing_elsewhere_that_is_written_or_run(
    run, tmp_path, monkeypatch, capsys
):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text("secret")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    recipe, values = run.path / "recipe.json", json.loads((run.path / "recipe.json").read_text())
    before.pop(recipe)
    for changes, words in (
        ({"dataset": str(tmp_path / "secret")}, "No images"),
        ({"dataset": "../../../../../nowhere"}, "Unknown data set"),
        ({"dataset": "kaggle:anyone/anything"}, "Unknown data set"),
        ({"dataset": "https://nowhere.invalid/a.npz"}, "No such file"),
        ({"model": "../../elsewhere"}, "is not registered"),
        ({"model": "os.system"}, "is not registered"),
    ):
        recipe.write_text(json.dumps(values | changes))
        status, _, stderr = run_here(monkeypatch, capsys, "evaluate.py", "mine")
        assert_one_clear_line(status, stderr, words)
        found = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        found.pop(recipe)
        assert found == before


def test_a_recipe_without_end_is_refused(run):
    recipe = run.path / "recipe.json"
    recipe.write_text("[" * 200_000)
    with pytest.raises(ValueError, match="is not a recipe: A recipe must be JSON"):
        find_run(run.path)
    with open(recipe, "wb") as file:
        file.truncate(2**34)
    with little_memory(), pytest.raises(ValueError, match="it has more than 1,048,576 bytes"):
        find_run(run.path)
