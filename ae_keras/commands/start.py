"""The program `ae-keras`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

import ae_keras
from ae_keras.command_line import Parser
from ae_keras.commands import run_command
from ae_keras.system.invocation import COMMANDS
from ae_keras.system.names import suggest

_SHELLS = ("bash", "zsh", "fish")
_EPILOG = """\
commands:
{commands}

Each tells its options with --help. Where to begin: ae-keras train --model cae.
"""


def main() -> None:
    """Run the command that the first argument names, or say which there are."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in COMMANDS:
        # So that the usage and the errors of the command begin with what was typed.
        sys.argv = [f"{sys.argv[0]} {name}", *sys.argv[2:]]
        run_command(name)
    else:
        _make_parser().parse_args(sys.argv[1:] or ["--help"])


class _Complete(argparse.Action):
    """Prints what a shell needs to complete commands and options."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        import shtab

        print(shtab.complete(_make_complete_parser(), str(values)))
        parser.exit()


def _command(text: str) -> str:
    raise argparse.ArgumentTypeError(f"unknown: {text!r} {suggest(text, COMMANDS)}".rstrip(" ?"))


def _make_parser() -> argparse.ArgumentParser:
    """Return the parser of what is no command."""
    lines = "\n".join(f"  {name:12}{what}" for name, what in COMMANDS.items())
    parser = Parser(
        description="Autoencoders as image codecs: train them, and compress photographs.",
        epilog=_EPILOG.format(commands=lines),
        takes_models=False,
    )
    version = f"ae-keras {ae_keras.__version__}"
    parser.add_argument("--version", action="version", version=version)
    completion = "print what SHELL needs to complete commands and options"
    parser.add_argument("--completion", action=_Complete, choices=_SHELLS, help=completion)
    parser.add_argument("command", type=_command, help="one of those below")
    return parser


def _make_complete_parser() -> argparse.ArgumentParser:
    """Return a parser of all commands, with their options."""
    parser = argparse.ArgumentParser("ae-keras")
    commands = parser.add_subparsers()
    for name, what in COMMANDS.items():
        module = importlib.import_module(f"ae_keras.commands.{name}")
        own = module.make_parser()
        commands.add_parser(name, parents=[own], add_help=False, help=what)
    return parser
