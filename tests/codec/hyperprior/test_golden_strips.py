"""Files of strips, which must decode to the same symbols for ever: their checksum is checked."""

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import PatchTransform, make_hyperprior

from ae_keras.codec.hyperprior.strip_codec import StripCodec
from ae_keras.codec.kinds import load_tables

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.aek")), ids=lambda path: path.stem)
def test_golden_files_decode_for_ever(path):
    codec = StripCodec(PatchTransform(), load_tables(GOLDEN / "tables.npz"), "patches")
    with np.load(path.with_suffix(".npz")) as file:
        expected = file["image"]
    restored = codec.decompress(path.read_bytes())
    assert restored.shape == expected.shape
    assert np.abs(restored.astype(int) - expected).max() <= 1


def test_tables_and_their_digest_come_back(tmp_path):
    model = make_hyperprior()
    model.save(tmp_path / "tables.npz")
    again = load_tables(tmp_path / "tables.npz")
    assert again.digest == model.digest
    assert (again.default_step, again.weights_digest) == (50, "0123456789abcdef")
    assert load_tables(GOLDEN / "tables.npz").digest.hex() == "ab4b3fa89554d676"


def test_damaged_tables_are_refused(tmp_path):
    path = tmp_path / "tables.npz"
    data = (GOLDEN / "tables.npz").read_bytes()
    for changed in (b"", data[:1000], data[:-30], b"x" * 100):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"Cannot read the tables in .*tables.npz"):
            load_tables(path)


@pytest.mark.parametrize("missing", ["offsets", "levels/unit", "weights/head/kernel", "lengths"])
def test_tables_that_lack_an_array_are_refused(tmp_path, missing):
    with np.load(GOLDEN / "tables.npz") as file:
        arrays = {name: file[name] for name in file.files if name != missing}
    np.savez(tmp_path / "tables.npz", **arrays)
    with pytest.raises(ValueError, match="Cannot read the tables"):
        load_tables(tmp_path / "tables.npz")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("levels/unit", lambda array: array[:50], "shape (100, 12)"),
        ("levels/unit", lambda array: array[0, 0], "hyperprior"),
        ("levels/unit", lambda array: np.resize(array, (100, 5000)), "at most 4,096 channels"),
        ("levels/unit", lambda array: array * np.inf, "no number"),
        ("levels/hyper_table", lambda array: array + 64, "from 0 to 63"),
        ("levels/hyper_mean", lambda array: array.astype(int) + 2**40, "too large"),
        ("weights/head/kernel", lambda array: array[:-1], "shape (8, 24)"),
        ("weights/head/kernel", lambda array: array + 0.5, "whole numbers"),
        ("weights/context/depthwise/kernel", lambda array: array[0, 0], "(3, 3, 8)"),
        ("weights/arcsinh", lambda array: array[:100], "(131073,)"),
        ("margins", lambda array: -array, "margins from 64"),
        ("margins", lambda array: array.astype(int) + 2**40, "margins from 64"),
        ("scales", lambda array: 0 * array, "scales that rise"),
        ("lowest", lambda array: array.astype(int) + 2**31, "up to 2^30"),
        ("default_step", lambda array: array + 100, "from 1 to 100"),
    ],
)
def test_tables_whose_arrays_do_not_fit_are_refused(name, change, words, tmp_path):
    """What fuzzing has found: they were read, and broke what computed with them."""
    with np.load(GOLDEN / "tables.npz") as file:
        arrays = dict(file)
    with np.errstate(invalid="ignore"):
        arrays[name] = change(arrays[name])
    np.savez(tmp_path / "tables.npz", **arrays)
    with pytest.raises(ValueError, match=f"Cannot read the tables.*{re.escape(words)}"):
        load_tables(tmp_path / "tables.npz")
