"""`--import FILE.py`: on every command, once, in every process."""

import argparse
import pickle

import pytest

from ae_keras.command_line import Parser, prepare
from ae_keras.command_line.imports import import_file


@pytest.fixture
def counting_file(tmp_path):
    """A file that writes a line whenever it is run."""
    file, log = tmp_path / "own.models.py", tmp_path / "log"
    file.write_text(f"with open({str(log)!r}, 'a') as log: log.write('run\\n')\n")
    return file, log


def test_a_file_is_run_once(counting_file, monkeypatch):
    file, log = counting_file
    monkeypatch.chdir(file.parent)
    import_file(file)
    import_file(file.name)
    assert log.read_text() == "run\n"


def test_every_command_takes_files():
    parser = Parser()
    command = parser.add_subparsers().add_parser("command")
    command.add_argument("--model")
    both = ["--import", "a.py", "--import", "b.py"]
    for line in ([*both, "command"], ["command", *both]):
        assert parser.parse_args(line).imports == ["a.py", "b.py"]
    assert "imports" not in parser.parse_args(["command"])


def test_each_process_of_a_command_imports_them(counting_file):
    file, log = counting_file
    arguments = argparse.Namespace(model="a.tflite", imports=[str(file)])
    prepare(pickle.loads(pickle.dumps(arguments)))
    assert log.read_text() == "run\n"


@pytest.mark.parametrize(
    ("name", "text", "error", "words"),
    [
        ("own.py", "1 / 0", ValueError, "own.py' fails with ZeroDivisionError: division by zero"),
        ("own.py", "def f(:", ValueError, "own.py' fails with SyntaxError"),
        ("own.py", "import no_such", ValueError, "own.py' fails with ModuleNotFoundError"),
        ("own.txt", "", ValueError, "takes a Python file, FILE.py"),
        (None, "", FileNotFoundError, "there is no file"),
    ],
)
def test_a_file_that_fails_is_named(name, text, error, words, tmp_path):
    file = tmp_path / (name or "missing.py")
    if name:
        file.write_text(text)
    for _ in range(2):  # it is not taken for imported
        with pytest.raises(error, match=words):
            import_file(file)
