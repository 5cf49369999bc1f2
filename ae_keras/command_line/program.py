"""How all commands start and fail."""

import argparse
import importlib
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NoReturn

from ae_keras.codec import RUNTIMES
from ae_keras.command_line.imports import import_file
from ae_keras.system import notices
from ae_keras.system.invocation import as_typed, install, program
from ae_keras.system.quiet import import_tensorflow_quietly, is_tensorflow_wanted
from ae_keras.system.text_tables import one_line


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that keeps the lines of its examples, and fails with one line.

    All commands take `--import`: a user's own models are known to every command so.

    Args:
        takes_models: bool. Whether it takes `--import`.
        **options: Those of an `ArgumentParser`.
    """

    def __init__(self, takes_models: bool = True, **options: Any):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("prog", program())
        super().__init__(**options)
        if takes_models:
            self._add_imports()

    def _add_imports(self) -> None:
        self.add_argument_group("models of your own").add_argument(
            "--import",
            dest="imports",
            action="append",
            # Not a list: the one of a subcommand would hide that of the command.
            default=argparse.SUPPRESS,
            metavar="FILE.py",
            help="run this file first, which registers them; may be repeated",
        )

    def format_help(self) -> str:
        """Return the help, whose commands can be typed."""
        return as_typed(super().format_help())

    def add_runtime_options(self) -> None:
        """Add the options of a command whose models LiteRT may run: it needs no TensorFlow then."""
        default = "default: litert, where the model is there for it"
        self.add_argument("--runtime", choices=RUNTIMES, help=default)
        self.add_argument("--threads", type=int, metavar="N", help="of litert; default: all")
        self.set_defaults(needs_tensorflow=False)

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        self.exit(2, f"{self.prog}: error: {message}. See --help.\n")


def run(parser: argparse.ArgumentParser, main: Callable[[Namespace], Any]) -> None:
    """Parse the command line, run `main`, and end with one line on stderr if it fails.

    The exit status is 1 after an error, 2 for a wrong command line and 130 after Ctrl-C. With
    AE_KERAS_DEBUG set, errors show their traceback.
    """
    arguments = parser.parse_args()
    notices.forget()
    interrupts = _note_interrupts()
    try:
        prepare(arguments)
        if interrupts:  # an import has swallowed it
            raise KeyboardInterrupt
        main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        _fail(parser, str(interrupt) or "Interrupted.", 130)
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if interrupts:  # some libraries make another error of it
            _fail(parser, "Interrupted.", 130)
        if os.environ.get("AE_KERAS_DEBUG") or not isinstance(error, _expected_errors()):
            raise
        _fail(parser, f"error: {' '.join(describe_error(error).split())}", 1)
    finally:
        notices.say(parser.prog)


def _note_interrupts() -> list[int]:
    """Have Ctrl-C, which raises `KeyboardInterrupt` as before, noted in a list, and return that.

    What libraries import in C++ may swallow the exception, or turn it into an `ImportError`.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    return noted


def _expected_errors() -> tuple[type[Exception], ...]:
    """A user's mistakes, and what the machine denies. Anything else is a bug."""
    expected = (ValueError, OSError, ArithmeticError, ModuleNotFoundError, MemoryError)
    tensorflow = sys.modules.get("tensorflow")
    return expected if tensorflow is None else (*expected, tensorflow.errors.ResourceExhaustedError)


def describe_error(error: BaseException) -> str:
    """Return what an error that is expected tells a user."""
    if isinstance(error, ModuleNotFoundError) and str(error).startswith("No module named"):
        name = (error.name or "").partition(".")[0]
        return f"{name!r} is not installed. Install what training needs: {install('train')}"
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "out of memory. Use smaller batches, images or models."
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object!r} is no text in UTF-8, which is needed here. Rename it."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


def _fail(parser: argparse.ArgumentParser, message: str, status: int) -> None:
    print(f"{parser.prog}: {message}", file=sys.stderr)
    sys.exit(status)


def prepare(arguments: argparse.Namespace) -> None:
    """Import what a process needs first: TensorFlow, and the files of `--import`.

    Commands with `Parser.add_runtime_options` import TensorFlow where a model needs it; the user's
    files may.

    Args:
        arguments: Those of the command line. Where a command starts other processes, each of them
            calls this too.

    Raises:
        FileNotFoundError: if a file of `--import` is missing.
        ValueError: if one fails.
    """
    files = getattr(arguments, "imports", [])
    logging.getLogger("tensorflow").setLevel("ERROR")
    if files or getattr(arguments, "needs_tensorflow", True):
        try:
            import_tensorflow_quietly()  # Keras imports it too, whatever the backend
        except ModuleNotFoundError:
            if is_tensorflow_wanted():
                raise
        importlib.import_module("absl.logging").set_verbosity("error")
    for file in files:
        import_file(file)


def report_failures(results: Sequence) -> None:
    """Print a line on stderr for each failed result, and end with exit status 1 if there is one."""
    failures = [result for result in results if result.error is not None]
    for result in failures:
        reason = " ".join(result.error.split())
        print(f"{program()}: error: {one_line(result.job.source)}: {reason}", file=sys.stderr)
    if failures:
        sys.exit(1)
