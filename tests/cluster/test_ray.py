"""With Ray itself, on this machine."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from ae_keras.cluster.running import run_with_ray
from ae_keras.codec.bitstream import read_bitstream
from ae_keras.photographs.jobs import Job, Result
from ae_keras.system import notices

if importlib.util.find_spec("ray") is None:  # to import it takes a second
    pytest.skip("needs Ray, of the extra [ray]", allow_module_level=True)
parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, of the extra [ray]")

pytestmark = [
    pytest.mark.thorough,
    # Of Ray's own sockets and files, when it ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).parents[2]
IMAGES = 400


@dataclass
class Copying:
    """Copies files, and dies of those that are named so, with its process."""

    marks: str
    force: bool = False
    progress: bool = False

    def load(self):
        pass

    def __call__(self, job):
        name = Path(job.source).name
        assert self.force
        if name.startswith("deadly") or (name == "once.png" and self._is_first(name)):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("bad"):
            raise ValueError("not an image")
        data = Path(job.source).read_bytes()
        Path(job.target).write_bytes(data)
        with open(f"{self.marks}/{name}", "a") as file:
            file.write("x")
        return Result(job, size=len(data), input_size=len(data), shape=(1, 1))

    def _is_first(self, name):
        try:
            Path(self.marks, f"{name}.begun").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def test_neither_bad_images_nor_dead_workers_keep_others_from_being_done(tmp_path):
    cloudpickle = importlib.import_module("ray.cloudpickle")
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    for folder in ("in", "out", "marks"):
        (tmp_path / folder).mkdir()
    names = [*(f"{number:03}.png" for number in range(100)), "bad.png", "deadly.png", "once.png"]
    jobs = [Job(str(tmp_path / "in" / name), str(tmp_path / "out" / name)) for name in names]
    for job in jobs:
        Path(job.source).write_text(job.source)
    # What is there is no one else's to replace.
    (tmp_path / "out" / "001.png").write_text("mine")
    arguments = Namespace(
        ray="auto", inputs=["in"], output=str(tmp_path / "out"), workers=2, threads=None
    )
    arguments.report, arguments.force, arguments.runtime, arguments.needs_tensorflow = 4 * [None]
    results = run_with_ray(Copying(str(tmp_path / "marks")), jobs, arguments)
    assert sorted(result.job.source for result in results) == sorted(job.source for job in jobs)
    errors = {Path(result.job.source).name: result.error for result in results if result.error}
    assert errors == {"bad.png": "not an image", "deadly.png": errors["deadly.png"]}
    assert "3 workers died with it in work" in errors["deadly.png"]
    assert [result.job.target for result in results if result.is_skipped] == [jobs[1].target]
    assert (tmp_path / "out" / "001.png").read_text() == "mine"
    assert all(Path(job.target).read_text() == job.source for job in [jobs[0], *jobs[2:100]])
    rows = parquet.read_table(tmp_path / "out" / "manifest").to_pylist()
    assert sorted(row["target"] for row in rows) == sorted(names)
    assert {row["target"]: row["error"] for row in rows if row["error"]} == errors
    assert any("others took over" in sentence for sentence, *_ in notices.take())


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(IMAGES):
        Image.effect_noise((64, 64), 20 + number % 80).convert("RGB").save(
            folder / f"{number:03}.png"
        )
    (folder / "bad.png").write_text("no image")
    return folder


def start(tmp_path, *options):
    command = [sys.executable, ROOT / "scripts" / "compress.py", "photos", "-o", "small"]
    command += ["--model", "vae_v2-cifar10", "--ray", "auto", "--workers", "2", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=tmp_path, **pipes)


def wait_for(tmp_path, process, count):
    while len(list((tmp_path / "small").glob("*.aek"))) < count:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def workers_of(process) -> Iterator[int]:
    """Yield the numbers of the workers of the Ray that a process has started."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = status.read_text().partition(" (")
        except OSError:  # it has ended
            continue
        name, _, rest = rest.rpartition(") ")
        parents[int(number)] = int(rest.split()[1]), name
    for number, (parent, name) in parents.items():
        if name.startswith("ray::Worker") and parents.get(parent, (0,))[0] == process.pid:
            yield number


def assert_whole(tmp_path):
    """All images are there, none twice, none broken."""
    targets = list((tmp_path / "small").glob("**/*.*"))
    assert all(read_bitstream(path.read_bytes()) for path in targets if path.suffix == ".aek")
    rows = parquet.read_table(tmp_path / "small" / "manifest").to_pylist()
    names = [f"{number:03}.aek" for number in range(IMAGES)]
    assert sorted(path.name for path in targets if path.suffix != ".parquet") == names
    assert sorted(row["target"] for row in rows) == [*names, "bad.aek"]
    assert [row["source"] for row in rows if row["error"]] == ["photos/bad.png"]
    assert all(row["bytes"] and row["psnr"] for row in rows if not row["error"])


def test_a_worker_that_is_killed(photos, tmp_path):
    process = start(tmp_path)
    wait_for(tmp_path, process, 20)
    killed = next(workers_of(process))
    os.kill(killed, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert f"all {IMAGES} files" in stdout
    assert "compress.py: error: photos/bad.png: not a readable image" in stderr
    assert "a worker died at work on it, and others took over" in stderr
    assert len(stderr.splitlines()) == 2, stderr
    assert_whole(tmp_path)


def test_a_job_that_is_killed_goes_on(photos, tmp_path):
    process = start(tmp_path)
    wait_for(tmp_path, process, 40)
    process.kill()
    process.communicate()
    time.sleep(3)  # its workers end what they have begun
    assert len(list((tmp_path / "small").glob("*.aek"))) < IMAGES
    assert start(tmp_path).wait(timeout=120) == 1
    assert_whole(tmp_path)
    # What is done is not done again.
    targets = list((tmp_path / "small").glob("*.aek"))
    inodes = {path: path.stat().st_ino for path in targets if path.stem != "007"}
    (tmp_path / "small" / "007.aek").unlink()
    (photos / "bad.png").unlink()
    again = start(tmp_path)
    stdout, stderr = again.communicate(timeout=120)
    assert again.returncode == 0
    assert "| photos/007.png |" in stdout
    assert stderr.endswith(f" and {IMAGES - 2} more: its output is there, and it was skipped.\n")
    assert {path: path.stat().st_ino for path in inodes} == inodes
    # And where nothing is left, Ray is not even started.
    last = start(tmp_path)
    assert not last.communicate(timeout=30)[0]
    assert last.returncode == 0
