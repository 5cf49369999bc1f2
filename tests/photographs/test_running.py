import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import smooth_images
from PIL import Image
from test_jobs import save

from ae_keras.codec.bitstream import read_bitstream
from ae_keras.photographs.compression import Compression
from ae_keras.photographs.jobs import Job, Result
from ae_keras.photographs.running import run_jobs
from ae_keras.system.notices import note, take

ROOT = Path(__file__).parents[2]


def write(job):
    return Result(job, size=Path(job.target).write_bytes(b"new"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rerun_makes_what_is_missing(workers, tmp_path):
    jobs = [Job(save(tmp_path / f"{n}.png"), str(tmp_path / f"{n}.aek")) for n in range(4)]
    for job in jobs[1:3]:
        Path(job.target).write_bytes(b"there")
    # A file that is its own target is not done.
    jobs.append(Job(jobs[0].source, jobs[0].source))
    results = list(run_jobs(write, jobs, workers, skip_existing=True))
    assert [result.is_skipped for result in results] == [False, True, True, False, False]
    assert [result.is_done for result in results] == [True, False, False, True, True]
    assert [Path(job.target).read_bytes() for job in jobs[:4]] == [b"new", *2 * [b"there"], b"new"]
    assert (results[1].input_size, results[1].size) == (8, 5)
    assert [(sentence, file) for sentence, file, _ in take()] == [
        ("its output is there, and it was skipped", jobs[n].source) for n in (1, 2)
    ]
    # Without the option, what is done with a target that is there is left to the work.
    assert not any(result.is_skipped for result in run_jobs(write, jobs[:1]))


def fail_on_odd(job):
    if int(job.source) % 2:
        errors = {1: ValueError, 3: MemoryError, 5: TypeError}
        raise errors[int(job.source)](f"{job.source} is odd")
    note("{count} frames are left out", job.source)
    return Result(job, size=int(job.source))


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_do_not_stop_the_others(workers):
    jobs = [Job(str(number), "-") for number in range(6)]
    results = list(run_jobs(fail_on_odd, jobs, workers))
    assert [result.job for result in results] == jobs
    errors = [None, "1 is odd", None, "3 is odd", None, "TypeError: 5 is odd"]
    assert [result.error for result in results] == errors
    assert [(file, count) for _, file, count in take()] == [("0", 1), ("2", 1), ("4", 1)]


def test_no_workers_are_refused():
    with pytest.raises(ValueError, match="`workers` must be at least 1"):
        list(run_jobs(write, [], 0))


def test_results_and_notes_come_in_the_order_of_the_jobs():
    def sleep(job):
        time.sleep(0.05 if job.source == "0" else 0)
        note("read", job.source)
        return Result(job)

    jobs = [Job(str(number), "-") for number in range(4)]
    assert [result.job for result in run_jobs(sleep, jobs, 2)] == jobs
    assert [file for _, file, _ in take()] == ["0", "1", "2", "3"]


def test_jobs_overlap():
    """Both wait for each other: one after the other, they would wait for ever."""
    meeting = threading.Barrier(2, timeout=10)

    def meet(job):
        meeting.wait()
        return Result(job)

    results = list(run_jobs(meet, [Job("0", "-"), Job("1", "-")], 2))
    assert [result.error for result in results] == [None, None]


@pytest.mark.parametrize("model", ["vae_v2-cifar10", "photo"])
def test_files_are_the_same_with_any_number_of_workers(model, tmp_path, rng):
    sources = [str(tmp_path / f"{number}.png") for number in range(4)]
    for number, source in enumerate(sources):
        (image,) = smooth_images(rng, 1, 70 + number, 90, 3)
        Image.fromarray(image).save(source)
    work, written = Compression(model), []
    for workers in (1, 3):
        targets = [f"{source}-{workers}.aek" for source in sources]
        results = list(run_jobs(work, list(map(Job, sources, targets)), workers))
        assert [result.error for result in results] == 4 * [None]
        written.append([Path(target).read_bytes() for target in targets])
    assert written[0] == written[1]


def test_ctrl_c_ends_a_folder_within_a_second(tmp_path):
    """It leaves whole files only."""
    (tmp_path / "photos").mkdir()
    image = Image.effect_noise((1200, 900), 50).convert("RGB")
    for number in range(40):
        image.save(tmp_path / "photos" / f"{number:02}.png", compress_level=1)
    command = [sys.executable, ROOT / "scripts" / "compress.py"]
    command += ["photos", "-o", "small/", "--workers", "3"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("small/[0-9]*.aek")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, stderr = process.communicate()
    assert time.monotonic() - start < 1
    assert (process.returncode, stderr) == (130, "compress.py: Interrupted.\n")
    left = [path.name for path in (tmp_path / "small").iterdir()]
    assert 0 < len(left) < 40
    assert all(read_bitstream((tmp_path / "small" / name).read_bytes()) for name in left)
