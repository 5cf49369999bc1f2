import importlib.util
import socket
import sys

import pytest
from conftest import assert_one_clear_line, free_port, run_here

needs_gradio = pytest.mark.skipif(
    not importlib.util.find_spec("gradio"), reason="Gradio is not installed"
)


@needs_gradio
def test_a_port_in_use_is_one_clear_line(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, _, error = run_here(monkeypatch, capsys, "app.py", "--port", port)
    assert_one_clear_line(status, error, f"127.0.0.1:{port}", "in use", "--port")


@needs_gradio
@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--port", "99999", "from 1 to 65535"),
        ("--host", "300.1.1.1", "Choose another --port or --host"),
        ("--max-megapixels", "0", "must be above 0"),
    ],
)
def test_wrong_options_are_one_clear_line(option, value, words, monkeypatch, capsys):
    status, _, error = run_here(monkeypatch, capsys, "app.py", option, value)
    assert_one_clear_line(status, error, words)


def test_without_gradio_it_says_what_to_install(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("ae_keras.app.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gradio", None)
    status, _, error = run_here(monkeypatch, capsys, "app.py", "--port", free_port())
    assert_one_clear_line(status, error, "needs Gradio", 'pip install -e ".[app]"')
