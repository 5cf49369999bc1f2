"""Full disks, odd names, links and clocks: one clear line, and nothing lost or half-written."""

import contextlib
import os
import resource
import shutil

import numpy as np
import pytest
from conftest import assert_one_clear_line, run_here, smooth_images
from PIL import Image

import ae_keras
from ae_keras.system.safe_files import write_folder_safely, write_safely

ODD = os.fsdecode(b"odd \xff\n name")


@contextlib.contextmanager
def full_disk(room):
    """No file becomes larger than some bytes meanwhile, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def image(run, rng):
    """A run `mine`, and the name of an image in the current folder."""
    Image.fromarray(smooth_images(rng, 1, 60, 70, 3)[0]).save("a.png")
    return "a.png"


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path, folder = tmp_path / "file", tmp_path / "folder"
    path.write_text("old")
    folder.mkdir()
    for target, write in ((path, write_safely), (folder, write_folder_safely)):
        refusal = rf"Cannot write '.*{target.name}': File too large"
        with full_disk(100), pytest.raises(OSError, match=refusal), write(target) as temporary:  # noqa: PT012
            part = temporary / "part" if temporary.is_dir() else temporary
            part.write_bytes(bytes(1000))
    assert path.read_text() == "old"
    assert sorted(tmp_path.iterdir()) == [path, folder]


def test_commands_name_the_file_that_a_full_disk_does_not_take(image, monkeypatch, capsys):
    data = ae_keras.load_codec("mine").compress(np.asarray(Image.open(image)), quality=70)
    with open("a.aek", "wb") as file:
        file.write(data)
    before = sorted(os.listdir())
    for name, source, target in (
        ("compress.py", image, "b.aek"),
        ("decompress.py", "a.aek", "b.png"),
    ):
        with full_disk(10):
            model = ("--model", "mine")
            status, _, stderr = run_here(monkeypatch, capsys, name, source, "-o", target, *model)
        assert_one_clear_line(status, stderr, f"Cannot write '{target}': File too large")
    assert sorted(os.listdir()) == before


def test_training_names_the_file_that_a_full_disk_does_not_take(tiny_recipe, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with (
        full_disk(30_000),
        pytest.raises(OSError, match=r"Cannot write '.*run/.*': File too large"),
    ):
        ae_keras.train(tiny_recipe, folder, verbose=0)
    assert not list(folder.glob(".partial*"))
    assert "mse" in ae_keras.train(tiny_recipe, folder, verbose=0)["test"]  # it goes on


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(image, tmp_path, monkeypatch, capsys):
    (tmp_path / "theirs").mkdir(mode=0o500)
    status, _, stderr = run_here(
        monkeypatch, capsys, "compress.py", image, "-o", "theirs/a.aek", "--model", "mine"
    )
    assert_one_clear_line(status, stderr, "Cannot write 'theirs/a.aek': Permission denied")


def test_any_name_is_a_name(image, run, monkeypatch, capsys):
    os.mkdir(ODD)
    shutil.move(image, f"{ODD}/{ODD}.png")
    model = run.path.rename(run.path.with_name(ODD))
    model = ("--model", str(model))
    table = ("--report", f"{ODD}.csv")
    status, _, stderr = run_here(monkeypatch, capsys, "compress.py", ODD, "-o", "b", *model, *table)
    assert (status, stderr) == (0, "")
    assert run_here(monkeypatch, capsys, "decompress.py", "b", "-o", "c", *model)[0] == 0
    assert os.listdir("c") == [f"{ODD}.png"]
    status, _, stderr = run_here(monkeypatch, capsys, "evaluate.py", f"{ODD} missing")
    assert_one_clear_line(status, stderr, "No trained model at 'odd \\udcff\\n name missing'")


def test_a_link_is_replaced_and_never_followed(image, monkeypatch, capsys):
    with open("target", "w") as file:
        file.write("old")
    for name, target in (("link.aek", "target"), ("dangling.aek", "nowhere")):
        os.symlink(target, name)
        command = ("compress.py", image, "-o", name, "--model", "mine")
        status, _, stderr = run_here(monkeypatch, capsys, *command)
        assert_one_clear_line(status, stderr, "exists. Replace it with --force")
        assert os.readlink(name) == target
        assert run_here(monkeypatch, capsys, *command, "--force")[0] == 0
        assert not os.path.islink(name)
    with open("target") as file:
        assert file.read() == "old"
    assert not os.path.exists("nowhere")


def test_a_model_is_read_anew_whatever_the_clock_says(run, tiny_recipe):
    from ae_keras.codec.fitting import fit_run
    from ae_keras.data.images import Images
    from ae_keras.registry import build_from_recipe

    before = ae_keras.load_codec("mine").entropy_model.digest
    files = (run.model, run.entropy_tables)
    times = [(path.stat().st_atime_ns, path.stat().st_mtime_ns) for path in files]
    run.write_model(build_from_recipe(tiny_recipe), run.model)
    fit_run(run, Images(smooth_images(np.random.default_rng(9), 20, 16, 16, 3)))
    for path, time in zip(files, times, strict=True):
        os.utime(path, ns=time)
    assert ae_keras.load_codec("mine").entropy_model.digest != before
