"""Only what is quick to import: the workers of these tests import this file."""

import os
import signal
from pathlib import Path

import pytest

from ae_keras.photographs.jobs import Job, Result, plan, run_jobs
from ae_keras.system.notices import note, take


def save(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an image")
    return str(path)


def test_plan_of_one_file_and_of_folders(tmp_path):
    one = save(tmp_path / "one.png")
    for name in ("a/x.png", "a/b/x.jpg", "a/b/y.png", "a/b/y.jpg"):
        save(tmp_path / "in" / name)
    (tmp_path / "in" / "note.txt").write_text("no image")
    endings = [".png", ".jpg"]
    assert plan([one], "two.aek", ".aek", endings) == [Job(one, "two.aek")]
    assert plan([one], "out/", ".aek", endings) == [Job(one, "out/one.aek")]
    assert plan(["-"], "-", ".aek", endings) == [Job("-", "-")]
    jobs = plan([str(tmp_path / "in"), one], "out", ".aek", endings)
    assert {job.target for job in jobs} == {
        *("out/a/x.aek", "out/a/b/x.aek", "out/a/b/y.png.aek", "out/a/b/y.jpg.aek"),
        "out/one.aek",
    }


@pytest.mark.parametrize(
    ("inputs", "output", "error", "message"),
    [
        (["missing.png"], "out", FileNotFoundError, "No such file or folder: 'missing.png'"),
        (["-", "photo.png"], "out", ValueError, "'-' must be the only input"),
        (
            ["photo.png", "a/photo.png"],
            "out",
            ValueError,
            "'photo.png' and 'a/photo.png' would both become 'out/photo.png.aek'",
        ),
        (["photo.png", "a/photo.png"], "two.aek", ValueError, "For a folder of that name: 'two.ae"),
        (["a"], "two.JPG", ValueError, "need a folder as their output, and 'two.JPG' is named as"),
        (["a"], "photo.png", ValueError, "'photo.png' is a file. Several files need a folder"),
        (["photo.png", "photo.png"], "-", ValueError, "output of a single file"),
        (["empty"], "out", ValueError, "No images in 'empty'"),
    ],
)
def test_plans_that_make_no_sense_are_refused(
    inputs, output, error, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "photo.png")
    save(tmp_path / "a" / "photo.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(error, match=message):
        plan(inputs, output, ".aek", [".png"])


def test_nothing_goes_to_a_terminal(tmp_path, monkeypatch):
    photo = save(tmp_path / "photo.png")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(ValueError, match=r"would go to the terminal\. Send it to a file"):
        plan([photo], "-", ".aek", [".png"])
    assert plan([photo], "x.aek", ".aek", [".png"])


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


def ignores_interrupts(job):
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return Result(job, size=os.getpid() if ignored else 0)


def die(job):
    os._exit(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_do_not_stop_the_others(workers):
    jobs = [Job(str(number), "-") for number in range(6)]
    results = list(run_jobs(fail_on_odd, jobs, workers))
    assert [result.job for result in results] == jobs
    errors = [None, "1 is odd", None, "3 is odd", None, "TypeError: 5 is odd"]
    assert [result.error for result in results] == errors
    assert [(file, count) for _, file, count in take()] == [("0", 1), ("2", 1), ("4", 1)]


def test_workers_are_processes_that_leave_interrupts_to_their_parent():
    (first, _) = run_jobs(ignores_interrupts, [Job("0", "-"), Job("1", "-")], 2)
    assert first.size not in (0, os.getpid())


def test_worker_that_dies_is_one_error():
    with pytest.raises(OSError, match="A worker process died"):
        list(run_jobs(die, [Job("0", "-"), Job("1", "-")], 2))
