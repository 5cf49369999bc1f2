"""How commands end."""

import signal
import sys

import pytest

from ae_keras.command_line import Parser, program, report_failures
from ae_keras.photographs.jobs import Job, Result


@pytest.fixture
def interruptible(monkeypatch):
    """Ctrl-C as in a process of its own, and a command line without arguments."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr("sys.argv", ["command.py"])
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_in_an_import(arguments):
    """What an extension module makes of Ctrl-C."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt as error:
        raise ImportError("KeyboardInterrupt: <EMPTY MESSAGE>") from error


def swallow_an_interrupt(arguments):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("prepare", [interrupt_in_an_import, swallow_an_interrupt])
def test_ctrl_c_while_libraries_are_imported(prepare, interruptible, monkeypatch, capsys):
    monkeypatch.setattr(program, "prepare", prepare)
    with pytest.raises(SystemExit) as stop:
        program.run(Parser(prog="command.py"), lambda arguments: pytest.fail("it went on"))
    assert stop.value.code == 130
    assert capsys.readouterr() == ("", "command.py: Interrupted.\n")


def test_an_import_that_fails_by_itself_is_no_interrupt(interruptible, monkeypatch):
    monkeypatch.setattr(program, "prepare", lambda arguments: None)

    def main(arguments):
        raise ImportError("a library is broken")

    with pytest.raises(ImportError, match="is broken"):
        program.run(Parser(prog="command.py"), main)


def test_a_failure_is_one_line_whatever_the_name_of_its_file(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["scripts/command.py"])
    with pytest.raises(SystemExit):
        report_failures([Result(Job("a\nb.png", "c"), error="it is\nno image")])
    assert capsys.readouterr().err == "command.py: error: a\\nb.png: it is no image\n"
