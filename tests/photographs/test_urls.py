"""Files in buckets: what is done with them is what is done with files of this machine."""

import io

import pytest
from conftest import assert_one_clear_line, run_here, smooth_images
from PIL import Image

from ae_keras.photographs.compression import Compression, Decompression, plan_compression
from ae_keras.photographs.jobs import Job
from ae_keras.photographs.running import run_jobs
from ae_keras.photographs.written_pixels import plan_pictures
from ae_keras.system import notices, storage

fsspec = pytest.importorskip("fsspec", reason="files in buckets need fsspec, of the extra [ray]")

MODEL = "vae_v2-cifar10"


@pytest.fixture
def bucket(rng):
    """Images, and what is none, under a name of a bucket."""
    for number, name in enumerate(("a.png", "deep/b.png", "deep/b.jpg")):
        file = io.BytesIO()
        image = Image.fromarray(smooth_images(rng, 1, 20 + number, 30, 3)[0])
        image.save(file, "PNG" if name.endswith("png") else "JPEG")
        storage.write(f"memory://bucket/in/{name}", file.getvalue())
    for name in (".hidden/c.png", "__MACOSX/d.png", "note.txt"):
        storage.write(f"memory://bucket/in/{name}", b"nothing")
    yield "memory://bucket/in"
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def copy_to(folder, bucket):
    for name in storage.list_files(bucket):
        storage.write(str(folder / name), storage.read(f"{bucket}/{name}"))
    return str(folder)


def test_plans_are_those_of_a_folder(bucket, tmp_path):
    jobs = plan_compression([bucket], "memory://bucket/out")
    noted = {sentence for sentence, *_ in notices.take()}
    local = copy_to(tmp_path, bucket)
    expected = plan_compression([f"file://{local}"], "memory://bucket/out")
    assert noted == {sentence for sentence, *_ in notices.take()} != set()
    assert jobs == [Job(job.source.replace(local, bucket), job.target) for job in expected]
    assert jobs[1:] == [
        Job(f"{bucket}/deep/b.{ending}", f"memory://bucket/out/deep/b.{ending}.aek")
        for ending in ("jpg", "png")
    ]
    one = f"{bucket}/a.png"
    assert plan_compression([one], "memory://b/x.aek") == [Job(one, "memory://b/x.aek")]
    assert plan_compression([one], "memory://b/x/") == [Job(one, "memory://b/x/a.aek")]


@pytest.mark.parametrize(
    ("inputs", "output", "error", "message"),
    [
        (["memory://bucket/none"], "out", FileNotFoundError, "No such file or folder: 'memory://b"),
        (
            ["memory://bucket/in"],
            "memory://o/x.png",
            ValueError,
            "'memory://o/x.png' is named as a",
        ),
        (
            ["memory://bucket/in"],
            "memory://bucket/in/a.png",
            ValueError,
            "is a file. Several files",
        ),
        (
            ["memory://bucket/in/a.png"],
            "memory://o/x.png",
            ValueError,
            "Name it 'memory://o/x.aek'",
        ),
    ],
)
def test_plans_that_make_no_sense_are_refused(inputs, output, error, message, bucket):
    with pytest.raises(error, match=message):
        plan_compression(inputs, output)


def test_there_and_back(bucket, tmp_path):
    """Files are those that are made of a folder; a rerun makes what is missing."""
    work, local = Compression(MODEL), copy_to(tmp_path / "in", bucket)
    for source, target in ((bucket, "memory://bucket/out"), (local, str(tmp_path / "out"))):
        results = list(run_jobs(work, plan_compression([source], target), 2))
        assert [result.error for result in results] == 3 * [None]
    files = storage.list_files("memory://bucket/out")
    assert files == storage.list_files(str(tmp_path / "out"))
    for name in files:
        data = storage.read(f"memory://bucket/out/{name}")
        assert data == storage.read(f"{tmp_path}/out/{name}")
    jobs = plan_pictures(["memory://bucket/out"], "memory://bucket/back", [".aek"], None)
    assert [result.shape for result in run_jobs(Decompression(), jobs)] == [
        (20, 30, 3),
        (22, 30, 3),
        (21, 30, 3),
    ]
    storage.remove(jobs[1].target)
    again = list(run_jobs(Decompression(), jobs, skip_existing=True))
    assert [result.is_skipped for result in again] == [True, False, True]
    (result,) = run_jobs(Decompression(), jobs[:1])
    assert result.error == f"{jobs[0].target!r} exists. Replace it with --force."


def test_what_is_said_of_a_file_names_it(bucket):
    storage.write(f"{bucket}/bad.png", b"no image")
    results = run_jobs(Compression(MODEL), plan_compression([bucket], "memory://bucket/out"))
    assert {result.job.source: result.error for result in results if result.error} == {
        f"{bucket}/bad.png": "not a readable image (of no known format)"
    }


def test_a_bucket_that_cannot_be_reached_is_one_line(tmp_path, monkeypatch, capsys):
    arguments = "compress.py", "nosuch://bucket/in", "-o", f"{tmp_path}/out"
    status, _, stderr = run_here(monkeypatch, capsys, *arguments)
    assert_one_clear_line(status, stderr, "Cannot reach 'nosuch://bucket/in'")
