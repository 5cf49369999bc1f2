"""Commands with models that ship: LiteRT runs them, and nothing heavy is imported."""

import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, assert_one_clear_line, run_here, smooth_images
from PIL import Image

import ae_keras

HEAVY = {"h5py", "keras", "matplotlib", "scipy", "skimage", "sklearn", "tensorflow"}
RUN = f"""
import json, runpy, sys
for words in json.loads(sys.argv[1]):
    sys.argv = words
    try:
        runpy.run_path({str(ROOT / "scripts")!r} + "/" + words[0], run_name="__main__")
    except SystemExit as stop:
        assert not stop.code, words
print(json.dumps(sorted(sys.modules)))
"""


def modules_after(folder, *commands):
    """Return the names of the modules that a process has after some commands."""
    words = [sys.executable, "-c", RUN, json.dumps(commands)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.fixture
def folder(tmp_path, rng):
    """A folder with a photograph, a grey one and a compressed one."""
    image = smooth_images(rng, 1, 40, 30, 3)[0]
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(image[..., 0]).save(tmp_path / "grey.png")
    (tmp_path / "a.aek").write_bytes(ae_keras.load_codec("cae-cifar10").compress(image))
    return tmp_path


def test_litert_runs_what_ships(folder):
    modules = modules_after(
        folder,
        ["compress.py", "a.png", "-o", "b.aek", "--threads", "1"],
        ["decompress.py", "a.aek", "b.aek", "-o", "restored/"],
        ["decompress.py", "b.aek", "-o", "small.png", "--scale", "1/8"],
        ["colourize.py", "grey.png", "-o", "colours.png"],
        ["denoise.py", "a.png", "-o", "clean.png", "--model", "cae-cifar10"],
    )
    assert not modules & HEAVY
    assert "ai_edge_litert" in modules
    for name in ("restored/a.png", "restored/b.png", "colours.png", "clean.png"):
        with Image.open(folder / name) as image:
            assert image.size == (30, 40)


def test_info_needs_neither_runtime(folder):
    modules = modules_after(folder, ["decompress.py", "--info", "a.aek"])
    assert not modules & (HEAVY | {"ai_edge_litert"})


def test_pictures_of_both_runtimes_are_the_same(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    commands = {
        "colourize.py": ("grey.png", "--model", "colourizer-cifar10"),
        "denoise.py": ("a.png", "--model", "cae-cifar10"),
        "decompress.py": ("a.aek",),
    }
    for name, words in commands.items():
        pictures = []
        for runtime in ("keras", "litert"):
            options = ("-o", f"{name}-{runtime}.png", "--runtime", runtime)
            assert run_here(monkeypatch, capsys, name, *words, *options)[0] == 0
            pictures.append(np.asarray(Image.open(f"{name}-{runtime}.png"), int))
        assert np.abs(pictures[0] - pictures[1]).max() <= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--runtime", "litert"), ("has no 'model.tflite'", "--in-run")),
        (("--threads", "2"), ("`threads` are those of LiteRT", "'mine'")),
        (("--threads", "0"), ("`threads` must be a whole number of at least 1",)),
    ],
)
def test_what_cannot_be_is_one_clear_line(options, words, run, folder, monkeypatch, capsys):
    for name, source in [
        ("compress.py", "a.png"),
        ("decompress.py", "a.aek"),
        ("colourize.py", "a.png"),
        ("denoise.py", "a.png"),
    ]:
        target = folder / ("new.aek" if name == "compress.py" else "new.png")
        command = (name, folder / source, "-o", target, "--model", "mine")
        status, _, error = run_here(monkeypatch, capsys, *command, *options)
        assert_one_clear_line(status, error, *words)
        assert not target.exists()
