import math
import os
import tempfile

import pytest

from ae_keras.cluster import manifest as module
from ae_keras.cluster.manifest import PENDING, Manifest
from ae_keras.photographs.jobs import Job, Result

pytest.importorskip("fsspec", reason="manifests need fsspec, of the extra [ray]")
parquet = pytest.importorskip("pyarrow.parquet", reason="manifests need pyarrow, of [ray]")


@pytest.fixture
def output(tmp_path):
    return str(tmp_path / "out")


def result(number, output, **values):
    return Result(Job(f"in/{number}.png", f"{output}/a/{number}.aek"), **values)


def rows(output):
    """As anybody would read them."""
    return parquet.read_table(f"{output}/manifest").to_pylist()


def test_rows_say_what_became_of_images(output):
    manifest = Manifest(output)
    manifest.add(result(0, output, size=60, shape=(4, 8, 3), psnr=30.0, seconds=0.5))
    manifest.add(result(1, output, error="no image"))
    manifest.add(result(2, output, size=8, shape=(8, 8), psnr=math.inf))
    manifest.close()
    names = "source", "target", "bytes", "bpp", "psnr", "seconds", "error"
    expected = [
        ("in/0.png", "a/0.aek", 60, 15.0, 30.0, 0.5, None),
        ("in/1.png", "a/1.aek", None, None, None, None, "no image"),
        ("in/2.png", "a/2.aek", 8, 1.0, math.inf, None, None),
    ]
    assert [tuple(row[name] for name in names) for row in rows(output)] == expected
    assert Manifest(output).errors() == {"a/0.aek": None, "a/1.aek": "no image", "a/2.aek": None}


def test_the_last_row_of_an_image_is_valid_and_the_only_one_in_the_end(output, tmp_path):
    manifest = Manifest(output)
    manifest.begin([result(number, output).job for number in range(3)])
    assert {row["error"] for row in rows(output)} == {PENDING}
    manifest.add(result(1, output, error="broken"))
    manifest.write()
    # Killed here; the next one goes on.
    manifest = Manifest(output)
    assert manifest.errors() == {"a/0.aek": PENDING, "a/1.aek": "broken", "a/2.aek": PENDING}
    for number in (1, 2):
        manifest.add(result(number, output, size=number, shape=(1, 1)))
    manifest.close()
    assert len(list((tmp_path / "out" / "manifest").iterdir())) == 1
    last = {row["target"]: (row["bytes"], row["error"]) for row in rows(output)}
    assert last == {"a/0.aek": (None, PENDING), "a/1.aek": (1, None), "a/2.aek": (2, None)}
    assert len(rows(output)) == 3


def test_rows_are_written_as_work_goes_on(output, monkeypatch):
    manifest = Manifest(output)
    manifest.add(result(0, output, size=1))
    assert Manifest(output).errors() == {}
    monkeypatch.setattr(module, "_SECONDS", 0)
    manifest.add(result(1, output, size=1))
    assert Manifest(output).errors() == {"a/0.aek": None, "a/1.aek": None}


def test_the_output_may_be_moved_and_be_a_bucket(tmp_path, output):
    manifest = Manifest(output + "/")
    manifest.add(result(0, output, size=1))
    manifest.close()
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert Manifest(str(tmp_path / "elsewhere")).errors() == {"a/0.aek": None}
    bucket = "memory://bucket/out"
    for number in range(2):
        manifest = Manifest(bucket)
        manifest.add(result(number, bucket, size=1))
        manifest.close()
    assert Manifest(bucket).errors() == {"a/0.aek": None, "a/1.aek": None}


@pytest.mark.parametrize("data", [b"", b"PAR1 no Parquet PAR1"])
def test_a_damaged_part_is_told(data, output, tmp_path):
    Manifest(output)
    (tmp_path / "out" / "manifest").mkdir(exist_ok=True)
    (tmp_path / "out" / "manifest" / "part-000000-0a.parquet").write_bytes(data)
    with pytest.raises(ValueError, match=r"part-000000-0a\.parquet' is no part of a manifest"):
        Manifest(output)


def test_a_part_of_another_kind_is_told(output, tmp_path):
    """What fuzzing has found: Arrow has many types of errors."""
    Manifest(output)
    arrow = pytest.importorskip("pyarrow")
    (tmp_path / "out" / "manifest").mkdir(exist_ok=True)
    table = arrow.table({"source": [[1]], "target": [{"a": 1}]})
    parquet.write_table(table, tmp_path / "out" / "manifest" / "part-000000-0a.parquet")
    with pytest.raises(ValueError, match=r"part-000000-0a\.parquet' is no part of a manifest"):
        Manifest(output)


def test_an_output_that_cannot_be_written_is_told_before_anything_is_done(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OSError, match=r"Cannot write into '.*out': "):
        Manifest(str(tmp_path / "out"))


def test_an_output_that_may_not_be_written_is_told():
    """Also where the tests run as root, which may write anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(OSError, match=r"Cannot write into '.*': Permission denied"):
                Manifest(folder)
        finally:
            os.seteuid(os.getuid())
