import importlib.util

import pytest
from conftest import assert_one_clear_line, free_port, run_here

from ae_keras.cluster.connection import check_address

pytest.importorskip("fsspec", reason="a cluster needs fsspec, of the extra [ray]")


@pytest.mark.parametrize("address", ["nowhere", "host:", ":6379", "ray://host", "http://a:b"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(ValueError, match=r"--ray takes 'auto', HOST:PORT or ray://HOST:PORT"):
        check_address(address)


@pytest.mark.parametrize("beginning", ["", "ray://"])
def test_an_address_where_nobody_is(beginning):
    address = f"{beginning}127.0.0.1:{free_port()}"
    with pytest.raises(OSError, match=rf"Nothing answers at '{address}' \(Connection refused\)"):
        check_address(address)


@pytest.mark.parametrize("missing", ["ray", "pyarrow"])
def test_without_ray(missing, photo, tmp_path, monkeypatch, capsys):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find_spec(name)
    )
    arguments = "compress.py", photo, "-o", f"{tmp_path}/out/", "--ray", "auto"
    status, _, stderr = run_here(monkeypatch, capsys, *arguments)
    assert_one_clear_line(status, stderr, "--ray needs Ray", 'pip install -e ".[ray]"')
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--ray fills a folder"),
        (("--report", "a.csv"), "Leave out --report"),
        (("--workers", "0"), "`workers` must be at least 1"),
    ],
)
def test_what_does_not_go_with_ray_is_told(arguments, words, photo, tmp_path, monkeypatch, capsys):
    output = f"{tmp_path}/out" + ("/" if arguments else "")
    arguments = "compress.py", photo, "-o", output, "--ray", "auto", *arguments
    status, _, stderr = run_here(monkeypatch, capsys, *arguments)
    assert_one_clear_line(status, stderr, words)
