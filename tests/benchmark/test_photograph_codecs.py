import os
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import require_backend, run_here, smooth_images
from PIL import Image

from ae_keras.benchmark import photographs
from ae_keras.benchmark.folders import benchmark_folder
from ae_keras.benchmark.photographs import benchmark_photographs, photograph_files
from ae_keras.benchmark.samples import sample_photograph
from ae_keras.data.image_files import read_image
from ae_keras.system import notices

MODEL = "cae-cifar10"


@pytest.fixture
def without_compressai(monkeypatch):
    """CompressAI is not installed; it imports for seconds, and with warnings."""
    monkeypatch.setattr(photographs, "_compressai_codecs", dict)


@pytest.fixture
def files(tmp_path, rng):
    """Two small photographs, of 0.002 megapixels, one of them grey."""
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    for path, image in zip(paths, smooth_images(rng, 2, 20, 50, 3), strict=True):
        Image.fromarray(image).save(path)
    read_image(paths[1]).convert("L").save(paths[1])
    return paths


def test_photographs_of_a_folder_are_found(photo_folder):
    with photograph_files(str(photo_folder), 5) as files:
        assert files == sorted(map(str, photo_folder.rglob("*.png")))[:5]


def test_without_a_folder_the_photographs_are_those_of_scikit_image():
    with photograph_files(None, 2) as files:
        assert [read_image(file).size for file in files] == [(512, 512), (451, 300)]
    assert not any(map(os.path.exists, files))


@pytest.mark.usefixtures("without_compressai")
def test_codecs_are_measured_on_photographs(files):
    ours, *others = benchmark_photographs(files, [MODEL], rounds=1)
    assert ours[0] == MODEL
    assert [row[0] for row in others[:2]] == ["JPEG, quality 75", "WEBP, quality 75"]
    assert ours[6:] == ("1.000", "1.000")
    # A model cannot be as fast as JPEG, nor can these images take as many bytes as their pixels.
    assert 0 <= float(others[0][6]) < 1
    assert 0 < float(ours[1]) < 24
    for row in (ours, *others):
        if row[1] != "-":
            assert float(row[1]) > 0
        assert all(float(number) >= 0 for number in row[2:])


@pytest.mark.usefixtures("without_compressai")
def test_milliseconds_are_of_an_image_and_of_a_megapixel(files):
    for _, _, *times, _, _ in benchmark_photographs(files, [MODEL], rounds=1)[:1]:
        encode, decode, encode_pixels, decode_pixels = map(float, times)
        # An image has 0.001 megapixels; its milliseconds are rounded to a tenth.
        assert encode == pytest.approx(encode_pixels / 1000, abs=0.051)
        assert decode == pytest.approx(decode_pixels / 1000, abs=0.051)


@pytest.mark.usefixtures("without_compressai")
def test_what_is_no_image_is_named(files):
    Path(files[1]).write_text("text")
    with pytest.raises(ValueError, match=r"b\.png: not a readable image"):
        benchmark_photographs(files, [MODEL], rounds=1)
    with pytest.raises(ValueError, match=r"b\.png: not a readable image"):
        benchmark_folder(files, [MODEL], rounds=1)


def test_what_compressai_lacks_is_named(files, tmp_path, monkeypatch):
    require_backend("torch")
    (tmp_path / "compressai").mkdir()
    (tmp_path / "compressai" / "__init__.py").write_text("import not_there")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "compressai", raising=False)
    with pytest.raises(ValueError, match="compressai needs 'not_there': pip install not_there"):
        benchmark_photographs(files, [MODEL], rounds=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what it imports
@pytest.mark.parametrize("size", [(64, 128), (65, 70)])
def test_compressai_restores_the_shape_of_an_image(size, rng):
    pytest.importorskip("compressai", reason="compressai is not installed")
    from ae_keras.benchmark.compressai_codecs import make_compressai_codecs

    image = rng.integers(0, 256, (*size, 3), np.uint8)
    codecs = make_compressai_codecs()
    assert len(codecs) == 4
    for codec in codecs.values():
        restored = codec.decompress(codec.compress(image))
        assert (restored.shape, restored.dtype) == (image.shape, np.uint8)


def test_a_folder_is_worked_through(files):
    rows = benchmark_folder(files, [MODEL], rounds=1)
    works = ("compress", "compress --no-psnr", "decompress")
    assert [row[0] for row in rows] == [f"{MODEL}: {work}" for work in works]
    for _, seconds, images, megapixels in rows:
        assert 0 <= float(seconds) < 60
        assert float(images) > 0
        assert float(megapixels) == pytest.approx(float(images) * 0.001, abs=0.06)
    assert notices.take() == ()


@pytest.mark.usefixtures("without_compressai")
def test_the_command_prints_both_tables(files, tmp_path, monkeypatch, capsys):
    arguments = ("photographs", tmp_path, "--model", MODEL, "--rounds", "1", "--images", "1")
    status, stdout, stderr = run_here(monkeypatch, capsys, "benchmark.py", *arguments)
    assert (status, stderr) == (0, "")
    assert stdout.startswith("1 photographs, medians of 1 rounds, ")
    assert f"| {MODEL} " in stdout
    assert f"| {MODEL}: decompress " in stdout


def test_the_sample_is_as_large_with_and_without_scikit_image(monkeypatch):
    with_it = sample_photograph()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    without = sample_photograph()
    assert with_it.shape == without.shape == (512, 768, 3)
    assert with_it.dtype == without.dtype == np.uint8
    assert not np.array_equal(with_it, without)
