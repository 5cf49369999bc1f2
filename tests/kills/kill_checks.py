"""What must be so of files and folders after a kill, and in the end."""

import dataclasses
import io
import json
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from ae_keras.codec.bitstream import read_bitstream
from ae_keras.codec.litert import unpack
from ae_keras.system.locks import LOCK_NAME
from ae_keras.system.safe_files import TEMPORARY_PREFIX

_OBJECT = re.compile(rb'"shared_object_id": \d+')


def read_whole(path: Path) -> object:
    """Return what a file holds.

    Raises:
        Exception: of many types, if it is half-written.
    """
    if path.suffix == ".json":
        return json.loads(path.read_text())
    if path.suffix == ".npz":
        with np.load(path) as file:
            return dict(file)
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            # Keras notes where in memory an object lay.
            config = _OBJECT.sub(b"", archive.read("config.json"))
            return {"config": config, **_arrays_of(archive.read("model.weights.h5"))}
    if path.suffix == ".csv":
        text = path.read_text()
        assert text.endswith("\n"), f"{path} has no end"
        return text
    if path.suffix == ".png":
        return np.asarray(Image.open(path)).shape
    if path.suffix == ".aek":
        return read_bitstream(path.read_bytes())
    if path.suffix == ".tflite":
        return dataclasses.astuple(unpack(path.read_bytes())[1])
    assert path.name.startswith("events.out.tfevents") or path.name == LOCK_NAME, path
    return None


def _arrays_of(weights: bytes) -> dict:
    arrays: dict = {}
    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(
            lambda name, item: (
                arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return arrays


def check_all_whole(output: Path) -> None:
    """Fail if a file with a final name is half-written."""
    for path in output.rglob("*"):
        names = path.relative_to(output).parts
        if path.is_file() and not any(name.startswith(TEMPORARY_PREFIX) for name in names):
            read_whole(path)


def leftovers(folder: Path) -> list[str]:
    """Return what should not be there when all is done; TensorFlow's own sources are its affair."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.startswith((TEMPORARY_PREFIX, "tmp")) or path.name == LOCK_NAME
    ]


def assert_same(found: object, expected: object, name: str = "") -> None:
    """Fail, naming it, at the first thing that differs."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), name
        assert found.keys() == expected.keys(), f"{name}: {found.keys()} {expected.keys()}"
        for key in expected:
            assert_same(found[key], expected[key], f"{name}/{key}")
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected, err_msg=name)
    else:
        assert found == expected, f"{name}: {str(found)[:200]} {str(expected)[:200]}"
