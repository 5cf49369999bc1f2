"""Files of models, which must decode for ever: the same symbols, and pixels within 1."""

import os
import runpy
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, require_backend
from golden.decoded import check, run_of

GOLDEN = ROOT / "tests" / "golden"
EXAMPLE = ROOT / "docs" / "examples" / "decode_photo.py"
FILES = sorted(GOLDEN.glob("*.aek"))
PHOTOGRAPHS = [path for path in FILES if path.name.startswith("photo-")]


@pytest.mark.parametrize("runtime", ["litert", "keras"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_files_decode_for_ever(path, runtime):
    check(path, runtime)


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_golden_files_decode_on_every_backend(backend):
    require_backend(backend)
    # JAX compiles each model for ten seconds: those of one kind of layers each.
    models = [path for path in FILES if path.stem in ("vae_v2-cifar10", "lossy_cae-mnist")]
    subprocess.run(
        [sys.executable, GOLDEN / "decoded.py", *PHOTOGRAPHS, *models],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_there_are_files_of_both_versions():
    versions = {path.name.startswith("photo-"): path.read_bytes()[4] for path in FILES}
    assert versions == {False: 1, True: 2}


@pytest.fixture(scope="module")
def example():
    """The decoder that was written from docs/format.md alone."""
    assert "ae_keras" not in EXAMPLE.read_text()
    return runpy.run_path(EXAMPLE)


@pytest.mark.parametrize("path", PHOTOGRAPHS, ids=lambda path: path.stem)
def test_the_format_is_enough_to_write_a_decoder(path, example, tmp_path):
    with np.load(path.with_suffix(".npz")) as file:
        latents, pixels = file["latents"], file["pixels"]
    run = run_of(path)
    tables = dict(np.load(run / "entropy_tables.npz"))
    _, height, width, _, quality, strip, section = example["read_container"](path.read_bytes())
    found = example["decode_latents"](section, tables, (height, width), strip, quality)
    if height <= 64 + 64:  # in one strip: the codec draws others with margins, a part twice
        np.testing.assert_array_equal(found.astype(np.float32).ravel(), latents)
    example["main"](path, run, tmp_path / "pixels.npy")
    drawn = np.load(tmp_path / "pixels.npy")
    expected = pixels[..., :3] if pixels.ndim == 3 and pixels.shape[-1] == 4 else pixels
    assert np.abs(drawn.reshape(expected.shape).astype(int) - expected).max() <= 1


def test_the_decoder_that_was_written_from_it_finds_damage(example, tmp_path):
    data, run = PHOTOGRAPHS[0].read_bytes(), run_of(PHOTOGRAPHS[0])
    for place in (0, 20, len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[place] ^= 16
        (tmp_path / "changed.aek").write_bytes(changed)
        with pytest.raises(SystemExit, match=r"no \.aek file|damaged|cut"):
            example["main"](tmp_path / "changed.aek", run, tmp_path / "pixels.npy")
