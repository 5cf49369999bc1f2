import pytest

from ae_keras.photographs.jobs import Job, plan


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
