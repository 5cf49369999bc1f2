import os
import sys

import pytest

from ae_keras.system import storage

fsspec = pytest.importorskip("fsspec", reason="files in buckets need fsspec, of the extra [ray]")


@pytest.fixture(params=["path", "memory://", "local://"])
def folder(request, tmp_path):
    """A folder of this machine, one of a store of objects, and one of another file system."""
    if request.param == "memory://":
        yield "memory://bucket/deep"
        fsspec.filesystem("memory").store.clear()
        fsspec.filesystem("memory").pseudo_dirs[:] = [""]
    else:
        yield ("" if request.param == "path" else request.param) + str(tmp_path / "deep")


def test_files_are_alike_wherever_they_are(folder):
    one, two = storage.join(folder, "one.png"), storage.join(folder, "a", "two.png")
    assert not storage.exists(folder)
    assert storage.list_files(folder) == {}
    storage.write(one, b"1")
    storage.write(two, b"old")
    storage.write(two, b"two")
    assert storage.list_files(folder) == {"one.png": 1, "a/two.png": 3}
    assert (storage.read(two), storage.size(two)) == (b"two", 3)
    assert storage.is_file(two)
    assert not storage.is_folder(two)
    assert storage.is_folder(storage.join(folder, "a"))
    assert not storage.is_file(storage.join(folder, "a"))
    assert storage.is_same(one, one)
    assert not storage.is_same(one, two)
    storage.remove(two)
    storage.remove(two)
    assert not storage.exists(two)
    with pytest.raises(FileNotFoundError, match=r"two\.png"):
        storage.read(two)


def test_a_file_that_cannot_be_written_leaves_nothing(folder):
    """As where a folder has its name."""
    if folder.startswith("memory://"):
        pytest.skip("a store of objects knows no folders")
    storage.write(storage.join(folder, "a", "b"), b"1")
    with pytest.raises(OSError, match="a"):
        storage.write(storage.join(folder, "a"), b"2")
    assert storage.list_files(folder) == {"a/b": 1}


def test_urls_of_this_machine_are_paths(tmp_path):
    assert storage.plain_name(f"file://{tmp_path}/a.png") == f"{tmp_path}/a.png"
    assert storage.plain_name("s3://bucket/a.png") == "s3://bucket/a.png"
    names = {"s3://bucket/a": True, "gs://b": True, "a.png": False, "c:/x": False, "a/b://c": False}
    assert {name: storage.is_url(name) for name in names} == names


def test_times_are_kept_between_files_of_this_machine(tmp_path):
    source = tmp_path / "a"
    source.write_bytes(b"1")
    os.utime(source, (1e9, 1e9))
    storage.write(str(tmp_path / "b"), b"2", str(source))
    storage.write(str(tmp_path / "c"), b"2", "memory://bucket/a")
    assert (tmp_path / "b").stat().st_mtime == 1e9
    assert (tmp_path / "c").stat().st_mtime > 1e9


def test_what_cannot_be_reached_is_one_sentence(monkeypatch):
    with pytest.raises(OSError, match=r"Cannot reach 'nosuch://a/b': .*nosuch"):
        storage.exists("nosuch://a/b")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"'s3://a/b' needs fsspec\. Install it with: pip"
    ):
        storage.read("s3://a/b")
