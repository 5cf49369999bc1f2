"""How all commands start and fail."""

import argparse
import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ae_keras.codec import EXPORTED_SUFFIX
from ae_keras.system.quiet import quiet_stderr


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that keeps the lines of its examples, and fails with one line."""

    def __init__(self, **options: Any):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        self.exit(2, f"{self.prog}: error: {message}. See --help.\n")


def run(parser: argparse.ArgumentParser, main: Callable[[Namespace], Any]) -> None:
    """Parse the command line, run `main`, and end with one line on stderr if it fails.

    The exit status is 1 after an error, 2 for a wrong command line and 130 after Ctrl-C. With
    AE_KERAS_DEBUG set, errors show their traceback.
    """
    arguments = parser.parse_args()
    try:
        prepare(getattr(arguments, "model", None))
        main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        _fail(parser, str(interrupt) or "Interrupted.", 130)
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("AE_KERAS_DEBUG") or not isinstance(error, _expected_errors()):
            raise
        _fail(parser, f"error: {' '.join(_describe(error).split())}", 1)


def _expected_errors() -> tuple[type[Exception], ...]:
    """A user's mistakes, and what the machine denies. Anything else is a bug."""
    expected = (ValueError, OSError, ArithmeticError, ModuleNotFoundError)
    tensorflow = sys.modules.get("tensorflow")
    return expected if tensorflow is None else (*expected, tensorflow.errors.ResourceExhaustedError)


def _describe(error: BaseException) -> str:
    if type(error).__name__ == "ResourceExhaustedError":
        return "out of memory. Use smaller batches, images or models."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


def _fail(parser: argparse.ArgumentParser, message: str, status: int) -> None:
    print(f"{parser.prog}: {message}", file=sys.stderr)
    sys.exit(status)


def prepare(model: str | None) -> None:
    """Import TensorFlow, unless the model is an exported file, which needs none."""
    if model is None or not model.endswith(EXPORTED_SUFFIX):
        import_tensorflow_quietly()


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without what its C++ code prints to stderr whatever its log level is."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        module = importlib.import_module("tensorflow")
        module.config.list_physical_devices()
    module.get_logger().setLevel("ERROR")
    importlib.import_module("absl.logging").set_verbosity("error")


def report_failures(program: str, results: Sequence) -> None:
    """Print a line on stderr for each failed result, and end with exit status 1 if there is one."""
    failures = [result for result in results if result.error is not None]
    for result in failures:
        reason = " ".join(result.error.split())
        print(f"{program}: error: {result.job.source}: {reason}", file=sys.stderr)
    if failures:
        sys.exit(1)
