"""The program `ae-keras`."""

import argparse
import importlib
import sys

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
        return
    parser = _make_parser()
    arguments = parser.parse_args(sys.argv[1:] or ["--help"])
    try:
        print(_complete(arguments.completion))
    except ModuleNotFoundError:
        parser.error("completion needs shtab. Install it with: pip install shtab")


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
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--completion", choices=_SHELLS, help=completion)
    what.add_argument("command", nargs="?", type=_command, help="one of those below")
    return parser


def _complete(shell: str) -> str:
    """Return what a shell needs to complete commands and their options."""
    import shtab

    parser = argparse.ArgumentParser("ae-keras")
    commands = parser.add_subparsers()
    for name, what in COMMANDS.items():
        module = importlib.import_module(f"ae_keras.commands.{name}")
        own = module.make_parser()
        commands.add_parser(name, parents=[own], add_help=False, help=what)
    return str(shtab.complete(parser, shell))


if __name__ == "__main__":
    main()
